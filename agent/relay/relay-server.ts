import type { IncomingMessage, ServerResponse } from 'node:http';
import { errorText } from '../../core/errors.ts';
import { httpExchange } from '../../core/http-client.ts';
import type { Logger } from '../../core/log.ts';
import { type Listener, type ListenerTls, listen, readBody, refuse } from './listener.ts';

export interface RelayServerOptions {
	readonly listen: string;
	readonly tls: ListenerTls | null;
	/** Base address of the collector. */
	readonly collector: string;
	readonly ca?: () => string;
	readonly timeoutMs: number;
	readonly onPassed: (result: string) => void;
	readonly log: Logger;
}

/** What agents ask of a collector. Nothing else goes through: the zone is let to its data path, not to the console. */
const PASSED: readonly RegExp[] = [
	/^\/api\/v1\/write$/,
	/^\/api\/fournines\/v1\/(logs|enrol|agent\/sync|transfer)$/,
	/^\/api\/fournines\/v1\/jobs\/[^/]+\/[a-z]+$/,
];
const PASSED_REQUEST_HEADERS = ['authorization', 'content-type', 'content-encoding', 'user-agent', 'x-prometheus-remote-write-version'];
const PASSED_ANSWER_HEADERS = [
	'content-type',
	'date',
	'retry-after',
	'x-prometheus-remote-write-samples-written',
	'x-prometheus-remote-write-histograms-written',
	'x-prometheus-remote-write-exemplars-written',
];
const MAX_BODY_BYTES = 64 * 1024 * 1024;
const MAX_UNDER_WAY = 32;

/**
 * Passes what the agents of a zone send on to the collector, and its answers back. It keeps nothing: each agent has its own spool and
 * key, and hears from the collector itself whether something was taken. Throws `FN_AGENT_RELAY_LISTEN` when the address cannot be taken.
 */
export function startRelayServer(options: RelayServerOptions): Promise<Listener> {
	let underWay = 0;
	const handler = (request: IncomingMessage, response: ServerResponse) => {
		const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
		if ((request.method !== 'POST' && request.method !== 'GET') || !PASSED.some((pattern) => pattern.test(path))) {
			refuse(response, 404, 'FN_AGENT_RELAY_PATH', 'this relay passes on what agents send, and nothing else\n');
			return;
		}
		if (underWay >= MAX_UNDER_WAY) {
			options.onPassed('busy');
			refuse(response, 503, 'FN_AGENT_RELAY_BUSY', 'too many requests are under way; try again\n');
			return;
		}
		underWay++;
		passOn(request, response, options)
			.catch((error: unknown) => {
				options.onPassed('no_answer');
				options.log.debug({ path, error: errorText(error) }, 'a request could not be passed on');
				if (!response.headersSent) refuse(response, 502, 'FN_AGENT_RELAY_UNREACHABLE', 'the collector does not answer this relay\n');
				else response.destroy();
			})
			.finally(() => {
				underWay--;
			});
	};
	return listen(handler, { key: 'relay.listen', listen: options.listen, tls: options.tls, maxConnections: 2000 });
}

async function passOn(request: IncomingMessage, response: ServerResponse, options: RelayServerOptions): Promise<void> {
	const body = await readBody(request, MAX_BODY_BYTES);
	if (body === null) {
		refuse(response, 413, 'FN_AGENT_RELAY_BODY', `more than ${MAX_BODY_BYTES} bytes are not passed on\n`);
		return;
	}
	const headers: Record<string, string> = {};
	for (const name of PASSED_REQUEST_HEADERS) {
		const value = request.headers[name];
		if (typeof value === 'string') headers[name] = value;
	}
	const upstream = await httpExchange(options.collector.replace(/\/+$/, '') + (request.url ?? '/'), {
		method: request.method ?? 'POST',
		headers,
		...(request.method === 'POST' ? { body } : {}),
		timeoutMs: options.timeoutMs,
		maxBodyBytes: 8 * 1024 * 1024,
		...(options.ca === undefined ? {} : { ca: options.ca() }),
	});
	options.onPassed(String(upstream.status));
	const passed: Record<string, string> = {};
	for (const name of PASSED_ANSWER_HEADERS) {
		const value = upstream.headers[name];
		if (typeof value === 'string') passed[name] = value;
	}
	response.writeHead(upstream.status, passed);
	response.end(upstream.body);
}
