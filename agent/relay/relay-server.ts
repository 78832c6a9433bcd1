import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { AppError, errorText, systemErrorCode } from '../../core/errors.ts';
import { httpExchange } from '../../core/http-client.ts';
import type { Logger } from '../../core/log.ts';

export interface RelayServerOptions {
	readonly listen: string;
	readonly tls: { readonly cert: string; readonly key: string } | null;
	/** Base address of the collector. */
	readonly collector: string;
	readonly ca?: string;
	readonly timeoutMs: number;
	readonly onPassed: (result: string) => void;
	readonly log: Logger;
}

export interface RelayServer {
	/** `host:port` it really listens on. */
	readonly address: string;
	close(): Promise<void>;
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
export function startRelayServer(options: RelayServerOptions): Promise<RelayServer> {
	let underWay = 0;
	const handler = (request: IncomingMessage, response: ServerResponse) => {
		const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
		if ((request.method !== 'POST' && request.method !== 'GET') || !PASSED.some((pattern) => pattern.test(path))) {
			answer(response, 404, 'FN_AGENT_RELAY_PATH', 'this relay passes on what agents send, and nothing else\n');
			return;
		}
		if (underWay >= MAX_UNDER_WAY) {
			options.onPassed('busy');
			answer(response, 503, 'FN_AGENT_RELAY_BUSY', 'too many requests are under way; try again\n');
			return;
		}
		underWay++;
		passOn(request, response, options)
			.catch((error: unknown) => {
				options.onPassed('no_answer');
				options.log.debug({ path, error: errorText(error) }, 'a request could not be passed on');
				if (!response.headersSent) answer(response, 502, 'FN_AGENT_RELAY_UNREACHABLE', 'the collector does not answer this relay\n');
				else response.destroy();
			})
			.finally(() => {
				underWay--;
			});
	};
	const server: Server = options.tls === null ? createHttpServer(handler) : createHttpsServer(options.tls, handler);
	server.requestTimeout = 60_000;
	server.headersTimeout = 10_000;
	server.maxConnections = 2000;
	const colon = options.listen.lastIndexOf(':');
	return new Promise((resolve, reject) => {
		server.once('error', (error) =>
			reject(
				new AppError(
					'FN_AGENT_RELAY_LISTEN',
					`the relay cannot listen on ${options.listen} (${systemErrorCode(error)}); set relay.listen`,
					{
						cause: error,
					},
				),
			),
		);
		server.listen(Number(options.listen.slice(colon + 1)), options.listen.slice(0, colon).replace(/^\[|\]$/g, ''), () => {
			const bound = server.address();
			const address = typeof bound === 'object' && bound !== null ? `${options.listen.slice(0, colon)}:${bound.port}` : options.listen;
			resolve({ address, close: () => close(server) });
		});
	});
}

async function passOn(request: IncomingMessage, response: ServerResponse, options: RelayServerOptions): Promise<void> {
	const body = await readBody(request);
	if (body === null) {
		answer(response, 413, 'FN_AGENT_RELAY_BODY', `more than ${MAX_BODY_BYTES} bytes are not passed on\n`);
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
		...(options.ca === undefined ? {} : { ca: options.ca }),
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

/** `null` when it is too long; then the rest is not read. */
function readBody(request: IncomingMessage): Promise<Buffer | null> {
	return new Promise((resolve, reject) => {
		const chunks: Buffer[] = [];
		let size = 0;
		request.on('data', (chunk: Buffer) => {
			size += chunk.length;
			if (size > MAX_BODY_BYTES) {
				request.pause();
				resolve(null);
			} else chunks.push(chunk);
		});
		request.on('end', () => resolve(Buffer.concat(chunks)));
		request.on('error', reject);
	});
}

function answer(response: ServerResponse, status: number, code: string, text: string): void {
	response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', connection: 'close' });
	response.end(`${code}: ${text}`);
}

function close(server: Server): Promise<void> {
	return new Promise((resolve) => {
		server.close(() => resolve());
		if (typeof server.closeAllConnections === 'function') server.closeAllConnections();
	});
}
