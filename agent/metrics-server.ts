import { createServer, type Server } from 'node:http';
import { AppError, systemErrorCode } from '../core/errors.ts';
import { EXPOSITION_CONTENT_TYPE } from '../protocol/exposition/write.ts';
import type { JobDesk } from './inputs/jobs/job-desk.ts';
import { answerJobReport, isJobPath } from './inputs/jobs/job-endpoint.ts';
import type { BlindState } from './last-resort/last-resort.ts';

export interface MetricsServerOptions {
	/** `host:port`; port 0 takes a free one. */
	readonly listen: string;
	readonly metrics: () => Promise<string>;
	/** Whether the first round of every input is over. */
	readonly ready: () => boolean;
	/** Takes reports of scheduled tasks under `/jobs/`. */
	readonly jobDesk?: JobDesk | null;
	/** What other agents may know when the collector is away. */
	readonly blindState?: (() => BlindState) | null;
}

export interface MetricsServer {
	/** `host:port` it really listens on. */
	readonly address: string;
	close(): Promise<void>;
}

/** `/metrics`, `/-/healthy`, `/-/ready`, and `/jobs/` for reports of scheduled tasks. Throws `FN_AGENT_LISTEN` when the address cannot be taken. */
export function startMetricsServer(options: MetricsServerOptions): Promise<MetricsServer> {
	const colon = options.listen.lastIndexOf(':');
	const host = options.listen.slice(0, colon).replace(/^\[|\]$/g, '');
	const port = Number(options.listen.slice(colon + 1));
	const server = createServer((request, response) => {
		const answer = (status: number, type: string, text: string) => {
			response.writeHead(status, { 'content-type': type, 'x-content-type-options': 'nosniff' });
			response.end(request.method === 'HEAD' ? undefined : text);
		};
		const plain = 'text/plain; charset=utf-8';
		const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
		if (isJobPath(path)) {
			answerJobReport(request, options.jobDesk ?? null).then(
				({ status, text }) => answer(status, plain, text),
				() => answer(400, plain, 'the report was cut off\n'),
			);
			return;
		}
		if (request.method !== 'GET' && request.method !== 'HEAD') {
			answer(405, plain, 'only GET and HEAD are answered here\n');
			return;
		}
		switch (path) {
			case '/metrics':
				options.metrics().then(
					(text) => answer(200, EXPOSITION_CONTENT_TYPE, text),
					() => answer(500, plain, 'the metrics could not be gathered\n'),
				);
				break;
			case '/-/healthy':
				answer(200, plain, 'OK\n');
				break;
			case '/-/ready':
				if (options.ready()) answer(200, plain, 'OK\n');
				else answer(503, plain, 'the first round is not over\n');
				break;
			case '/-/last-resort':
				if (options.blindState == null) answer(404, plain, 'this agent has no last resort\n');
				else answer(200, 'application/json', JSON.stringify(options.blindState()));
				break;
			default:
				answer(404, plain, 'known here: /metrics, /-/healthy, /-/ready\n');
		}
	});
	server.requestTimeout = 10_000;
	server.headersTimeout = 10_000;
	server.maxConnections = 64;
	return new Promise((resolve, reject) => {
		server.once('error', (error) => {
			const code = systemErrorCode(error);
			const reason = code === 'EADDRINUSE' ? 'another program uses it' : code;
			reject(
				new AppError(
					'FN_AGENT_LISTEN',
					`cannot listen on ${options.listen} (${reason}); set "listen" to another address, or to "" for none`,
					{
						cause: error,
					},
				),
			);
		});
		server.listen(port, host, () => resolve({ address: addressOf(server), close: () => closeServer(server) }));
	});
}

function addressOf(server: Server): string {
	const address = server.address();
	if (address === null || typeof address === 'string') return '';
	return address.family === 'IPv6' ? `[${address.address}]:${address.port}` : `${address.address}:${address.port}`;
}

function closeServer(server: Server): Promise<void> {
	return new Promise((resolve) => {
		server.close(() => resolve());
		// A scraper's idle connection would hold the close open; Node 16 lacks the call and closes them by keep-alive timeout.
		if (typeof server.closeAllConnections === 'function') server.closeAllConnections();
	});
}
