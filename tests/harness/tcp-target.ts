import { createServer, type Server } from 'node:net';
import { freePort } from './process.ts';

/** Something that a TCP check looks at: takes connections on its port while it is up. */
export interface TcpTarget {
	readonly port: number;
	up(): Promise<void>;
	down(): Promise<void>;
}

/** Up from the beginning. */
export async function startTcpTarget(): Promise<TcpTarget> {
	const port = await freePort();
	let server: Server | null = null;
	const target: TcpTarget = {
		port,
		up: () =>
			new Promise((resolve) => {
				server = createServer((socket) => socket.end());
				server.listen(port, '127.0.0.1', () => resolve());
			}),
		down: () => new Promise((resolve) => (server === null ? resolve() : void server.close(() => resolve()))),
	};
	await target.up();
	return target;
}
