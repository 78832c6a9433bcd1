import type { Socket } from 'node:net';
import { compileRegex } from '../bounded-regex.ts';
import type { Deadline } from './deadline.ts';
import { ProbeFailure, toFailure } from './failure.ts';

/** One turn of a conversation: what is waited for, then what is sent, then whether TLS begins. */
export interface DialogueStep {
	/** RE2 pattern that a line of the server must match. */
	readonly expect?: string;
	/** Sent with a line end. */
	readonly send?: string;
	readonly starttls?: boolean;
}

/** Without a match within this much the server does not speak the expected protocol. */
const MOST_BYTES = 64 * 1024;

/** Holds the conversation. Returns the socket that it ended on. Throws a `ProbeFailure`, `text` when the server said something else until it closed or time ran out. */
export async function converseTcp(
	connected: Socket,
	steps: readonly DialogueStep[],
	deadline: Deadline,
	upgrade: (socket: Socket) => Promise<Socket>,
): Promise<Socket> {
	let socket = connected;
	let lines = new LineReader(socket);
	for (const step of steps) {
		if (step.expect !== undefined) await expectLine(lines, step.expect, deadline);
		if (step.send !== undefined) {
			deadline.phase('sending');
			await write(socket, `${step.send}\r\n`, deadline);
		}
		if (step.starttls === true) {
			lines.detach();
			socket = await upgrade(socket);
			lines = new LineReader(socket);
		}
	}
	return socket;
}

async function expectLine(lines: LineReader, source: string, deadline: Deadline): Promise<void> {
	deadline.phase(`waiting for ${source}`);
	const pattern = await compileRegex(source).catch((error: unknown) => {
		throw new ProbeFailure('config', `"${source}" is not an RE2 pattern`, error);
	});
	for (;;) {
		const line = await lines.next(deadline);
		if (line === null) throw new ProbeFailure('text', `the server closed the connection before a line matched ${source}`);
		if (pattern.test(line)) return;
	}
}

function write(socket: Socket, text: string, deadline: Deadline): Promise<void> {
	return deadline.race<void>(
		(resolve, reject) => {
			socket.write(text, (error) => {
				if (error) reject(toFailure(error, 'broken_off'));
				else resolve();
			});
		},
		() => socket.destroy(),
	);
}

/** Lines of a socket, bounded; what stands without a line end when the server closes counts as a line too. */
class LineReader {
	readonly #socket: Socket;
	#text = '';
	#total = 0;
	#ended = false;
	#wake: () => void = () => {};
	readonly #onData = (chunk: Buffer) => {
		this.#total += chunk.length;
		if (this.#total <= MOST_BYTES) this.#text += chunk.toString('utf8');
		else this.#socket.destroy();
		this.#wake();
	};
	readonly #onEnd = () => {
		this.#ended = true;
		this.#wake();
	};

	constructor(socket: Socket) {
		this.#socket = socket;
		socket.on('data', this.#onData);
		socket.on('end', this.#onEnd);
		socket.on('close', this.#onEnd);
		socket.on('error', this.#onEnd);
	}

	async next(deadline: Deadline): Promise<string | null> {
		for (;;) {
			const end = this.#text.indexOf('\n');
			if (end >= 0) {
				const line = this.#text.slice(0, end).replace(/\r$/, '');
				this.#text = this.#text.slice(end + 1);
				return line;
			}
			if (this.#total > MOST_BYTES)
				throw new ProbeFailure('size', `the server sent more than ${MOST_BYTES} bytes without the expected line`);
			if (this.#ended) {
				const rest = this.#text;
				this.#text = '';
				return rest === '' ? null : rest;
			}
			await deadline.race<void>(
				(resolve) => {
					this.#wake = resolve;
				},
				() => this.#socket.destroy(),
			);
		}
	}

	/** Stops reading, so that a TLS handshake gets the bytes. */
	detach(): void {
		this.#socket.removeListener('data', this.#onData);
		this.#socket.removeListener('end', this.#onEnd);
		this.#socket.removeListener('close', this.#onEnd);
		this.#socket.pause();
	}
}
