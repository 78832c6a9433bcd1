import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface FakeRequest {
	readonly method: string;
	readonly url: URL;
	readonly headers: Readonly<Record<string, string>>;
	readonly body: Buffer;
}

export interface FakeExchange {
	answer(status: number, body: string | Buffer, headers?: Readonly<Record<string, string>>): void;
	json(body: unknown): void;
	/** Breaks the connection instead of answering. */
	drop(): void;
	/** Ends early when the server stops. */
	sleep(ms: number): Promise<void>;
}

export interface FakeServer {
	readonly baseUrl: string;
	readonly port: number;
	stop(): Promise<void>;
}

/** What the next requests meet instead of a normal answer, in the order in which it was asked for. */
export interface FaultQueue<T> {
	/** Applies to the next `times` requests, one unless given. */
	readonly fail: (fault: T, times?: number) => void;
	next(): T | undefined;
	clear(): void;
}

export function faultQueue<T>(): FaultQueue<T> {
	const faults: T[] = [];
	return {
		fail: (fault, times = 1) => {
			for (let i = 0; i < times; i++) faults.push(fault);
		},
		next: () => faults.shift(),
		clear: () => {
			faults.length = 0;
		},
	};
}

/** A real HTTP server on loopback for the services that messages are sent to. An exception in `handle` is answered with 500 and its text. */
export async function startFakeServer(options: {
	readonly port?: number;
	readonly handle: (request: FakeRequest, exchange: FakeExchange) => void | Promise<void>;
}): Promise<FakeServer> {
	const timers = new Map<NodeJS.Timeout, () => void>();
	const server = createServer((incoming, outgoing) => {
		const chunks: Buffer[] = [];
		incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
		incoming.on('end', () => {
			const exchange: FakeExchange = {
				answer: (status, body, headers = {}) => {
					outgoing.writeHead(status, headers);
					outgoing.end(body);
				},
				json: (body) => exchange.answer(200, JSON.stringify(body), { 'content-type': 'application/json; charset=utf-8' }),
				drop: () => incoming.socket.destroy(),
				sleep: (ms) =>
					new Promise((resolve) => {
						const timer = setTimeout(() => {
							timers.delete(timer);
							resolve();
						}, ms);
						timers.set(timer, resolve);
					}),
			};
			const headers = Object.fromEntries(Object.entries(incoming.headers).map(([name, value]) => [name, String(value)]));
			const url = new URL(incoming.url ?? '/', 'http://fake.invalid');
			const request = { method: incoming.method ?? 'GET', url, headers, body: Buffer.concat(chunks) };
			Promise.resolve(options.handle(request, exchange)).catch((error: unknown) => exchange.answer(500, String(error)));
		});
	});
	await new Promise<void>((resolve, reject) => {
		server.once('error', reject);
		server.listen(options.port ?? 0, '127.0.0.1', resolve);
	});
	const { port } = server.address() as AddressInfo;
	return {
		baseUrl: `http://127.0.0.1:${port}`,
		port,
		stop: () =>
			new Promise((resolve) => {
				for (const [timer, finish] of timers) {
					clearTimeout(timer);
					finish();
				}
				server.close(() => resolve());
				server.closeAllConnections();
			}),
	};
}
