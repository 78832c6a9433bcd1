import { createServer, type Socket } from 'node:net';

/** How a server misbehaves: accepts and never answers, trickles a byte now and then, sends without end, or answers with garbage. */
export type Misbehaviour = 'hung' | 'slow' | 'endless' | 'malformed';

export interface HostileServer {
	readonly port: number;
	/** Bytes it got rid of so far. */
	readonly sentBytes: () => number;
	/** Connections that are open. */
	readonly connections: () => number;
	stop(): Promise<void>;
}

/** What the endless server begins with, so that a client takes the rest for one long answer. */
export const PREFACE = {
	http: 'HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\n',
	/** A bulk string of a gigabyte. */
	redis: '$1073741824\r\n',
	/** A first packet of the largest size, sequence 0: it must come before the handshake is known. */
	mysql: Buffer.from([0xff, 0xff, 0xff, 0x00, 0x0a]),
} as const;

const CHUNK = Buffer.alloc(64 * 1024, 'x');
/** The gigabyte after which the endless server does end. */
const ENDLESS_BYTES = 1024 * 1024 * 1024;

/** A TCP server on loopback that speaks no protocol properly. */
export async function startHostileServer(behaviour: Misbehaviour, preface: string | Buffer): Promise<HostileServer> {
	const sockets = new Set<Socket>();
	const timers = new Set<NodeJS.Timeout>();
	let sent = 0;
	const server = createServer((socket) => {
		sockets.add(socket);
		socket.on('close', () => sockets.delete(socket));
		socket.on('error', () => undefined);
		socket.resume();
		if (behaviour === 'malformed') socket.end(Buffer.from(Array.from({ length: 512 }, (_, i) => (i * 37 + 11) % 256)));
		if (behaviour === 'slow') {
			const timer = setInterval(() => socket.write('x'), 50);
			timers.add(timer);
			socket.on('close', () => clearInterval(timer));
		}
		if (behaviour === 'endless') {
			socket.write(preface);
			const pump = () => {
				while (!socket.destroyed && sent < ENDLESS_BYTES) {
					sent += CHUNK.length;
					if (!socket.write(CHUNK)) {
						socket.once('drain', pump);
						return;
					}
				}
			};
			pump();
		}
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	const address = server.address();
	return {
		port: typeof address === 'object' && address !== null ? address.port : 0,
		sentBytes: () => sent,
		connections: () => sockets.size,
		stop: async () => {
			for (const timer of timers) clearInterval(timer);
			for (const socket of sockets) socket.destroy();
			await new Promise((resolve) => server.close(resolve));
		},
	};
}
