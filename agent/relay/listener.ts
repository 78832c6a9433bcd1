import { createServer as createHttpServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { Server as TlsServer } from 'node:tls';
import { AppError, systemErrorCode } from '../../core/errors.ts';

/** Answers that are under way at the end have so long to leave. Node 16 lacks both calls and closes connections by their keep-alive timeout. */
const LAST_ANSWERS_MS = 1000;

export interface ListenerTls {
	readonly cert: string;
	readonly key: string;
}

export interface Listener {
	/** `host:port` it really listens on. */
	readonly address: string;
	/** New connections get this certificate; of no effect without TLS. */
	renewTls(tls: ListenerTls): void;
	close(): Promise<void>;
}

/** Answers on `listen` (`host:port`; port 0 takes a free one). Throws `FN_AGENT_RELAY_LISTEN`, which names `key` of agent.yml. */
export function listen(
	handler: RequestListener,
	options: { readonly key: string; readonly listen: string; readonly tls: ListenerTls | null; readonly maxConnections: number },
): Promise<Listener> {
	const { key, listen: wanted, tls } = options;
	const server: Server = tls === null ? createHttpServer(handler) : createHttpsServer(tls, handler);
	server.requestTimeout = 60_000;
	server.headersTimeout = 10_000;
	server.maxConnections = options.maxConnections;
	const colon = wanted.lastIndexOf(':');
	const host = wanted.slice(0, colon);
	return new Promise((resolve, reject) => {
		server.once('error', (error) =>
			reject(
				new AppError('FN_AGENT_RELAY_LISTEN', `the relay cannot listen on ${wanted} (${systemErrorCode(error)}); set ${key}`, {
					cause: error,
				}),
			),
		);
		server.listen(Number(wanted.slice(colon + 1)), host.replace(/^\[|\]$/g, ''), () => {
			const bound = server.address();
			const address = typeof bound === 'object' && bound !== null ? `${host}:${bound.port}` : wanted;
			const renewTls = (renewed: ListenerTls) => {
				if (server instanceof TlsServer) server.setSecureContext(renewed);
			};
			resolve({ address, renewTls, close: () => close(server) });
		});
	});
}

/** `null` when it is too long; then the rest is not read. */
export function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer | null> {
	return new Promise((resolve, reject) => {
		const chunks: Buffer[] = [];
		let size = 0;
		request.on('data', (chunk: Buffer) => {
			size += chunk.length;
			if (size > maxBytes) {
				request.pause();
				resolve(null);
			} else chunks.push(chunk);
		});
		request.on('end', () => resolve(Buffer.concat(chunks)));
		request.on('error', reject);
	});
}

/** Says why, and closes: what was refused is not read to its end. */
export function refuse(response: ServerResponse, status: number, code: string, text: string): void {
	response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', connection: 'close' });
	response.end(`${code}: ${text}`);
}

function close(server: Server): Promise<void> {
	return new Promise((resolve) => {
		const timer = setTimeout(() => {
			if (typeof server.closeAllConnections === 'function') server.closeAllConnections();
		}, LAST_ANSWERS_MS);
		server.close(() => {
			clearTimeout(timer);
			resolve();
		});
		if (typeof server.closeIdleConnections === 'function') server.closeIdleConnections();
	});
}
