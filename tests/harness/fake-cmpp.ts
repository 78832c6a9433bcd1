import { createHash } from 'node:crypto';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { faultQueue } from './fake-server.ts';

export interface CmppMessage {
	readonly phone: string;
	/** Parts in their order, joined. */
	readonly text: string;
	readonly parts: number;
	/** Msg_Id of each part, in hexadecimal. */
	readonly ids: readonly string[];
}

export interface FakeCmpp {
	readonly port: number;
	/** Complete messages. */
	readonly messages: readonly CmppMessage[];
	/** Sessions that were bound, refused ones not counted. */
	readonly binds: () => number;
	readonly activeTests: () => number;
	/** Results that our deliveries were answered with. */
	readonly deliverResults: readonly number[];
	/** The next submits get this result. */
	fail(result: number, times?: number): void;
	/** Takes the next submit and breaks the connection before it answers. */
	dropNext(): void;
	/** A status report comes before the answer to the next submit. */
	reportEarly(): void;
	report(id: string, phone: string, status: string): void;
	/** What somebody writes back. */
	reply(phone: string, text: string): void;
	/** Breaks every connection. */
	disconnect(): void;
	stop(): Promise<void>;
}

/**
 * A carrier's gateway, by the protocol's tables and none of our own code: verifies the authenticator, the total length against
 * the version's formula, formats, 140 bytes a part, the headers of long messages, and at most 16 submits without an answer.
 */
export async function startFakeCmpp(options: {
	readonly sourceAddr: string;
	readonly secret: string;
	readonly version: 2 | 3;
	/** Somebody who wants our messages: takes every log-in, and cannot prove anything. */
	readonly believesAnybody?: boolean;
}): Promise<FakeCmpp> {
	const v3 = options.version === 3;
	const messages: CmppMessage[] = [];
	const deliverResults: number[] = [];
	const faults = faultQueue<number>();
	const sockets = new Set<Socket>();
	const joined = new Map<string, { texts: string[]; ids: string[]; total: number }>();
	let binds = 0;
	let activeTests = 0;
	let drops = 0;
	let early = 0;
	let counter = 0;
	let sequence = 1_000_000;
	const md5 = (...parts: readonly Buffer[]) => createHash('md5').update(Buffer.concat(parts)).digest();
	const write = (socket: Socket, command: number, sequenceId: number, body: Buffer) => {
		const packet = Buffer.alloc(12 + body.length);
		packet.writeUInt32BE(packet.length, 0);
		packet.writeUInt32BE(command, 4);
		packet.writeUInt32BE(sequenceId, 8);
		body.copy(packet, 12);
		socket.write(packet);
	};
	const number = (value: number) => (v3 ? Buffer.from([value >>> 24, value >>> 16, value >>> 8, value]) : Buffer.from([value]));
	const padded = (text: string, length: number) => Buffer.concat([Buffer.from(text, 'latin1'), Buffer.alloc(length)]).subarray(0, length);
	const deliver = (phone: string, content: Buffer, flags: { readonly format: number; readonly report: boolean }) => {
		const id = Buffer.alloc(8);
		id.writeUInt32BE(++counter, 4);
		const body = Buffer.concat([
			id,
			padded('10690000', 21),
			padded('', 10),
			Buffer.from([0, 0, flags.format]),
			padded(phone, v3 ? 32 : 21),
			v3 ? Buffer.from([0]) : Buffer.alloc(0),
			Buffer.from([flags.report ? 1 : 0, content.length]),
			content,
			Buffer.alloc(v3 ? 20 : 8),
		]);
		for (const socket of sockets) write(socket, 0x5, ++sequence, body);
	};
	const report = (id: string, phone: string, status: string) => {
		const content = Buffer.concat([
			Buffer.from(id, 'hex'),
			padded(status, 7),
			padded('2611220300', 10),
			padded('2611220301', 10),
			padded(phone, v3 ? 32 : 21),
			Buffer.alloc(4),
		]);
		deliver(phone, content, { format: 0, report: true });
	};
	const connected = (body: Buffer): number => {
		if (body.length !== 27) return 1;
		const source = body.toString('latin1', 0, 6).replace(/\0+$/, '');
		if (source !== options.sourceAddr) return 2;
		const stamp = String(body.readUInt32BE(23)).padStart(10, '0');
		const wanted = md5(Buffer.from(source), Buffer.alloc(9), Buffer.from(options.secret), Buffer.from(stamp));
		if (options.believesAnybody !== true && !wanted.equals(body.subarray(6, 22))) return 3;
		return body.readUInt8(22) > (v3 ? 0x30 : 0x20) ? 4 : 0;
	};
	const submitted = (body: Buffer, id: string): number => {
		const countAt = v3 ? 128 : 116;
		const phones = body.readUInt8(countAt);
		const lengthAt = countAt + 1 + phones * (v3 ? 32 : 21) + (v3 ? 1 : 0);
		const length = body.readUInt8(lengthAt);
		if (body.length !== (v3 ? 129 + 32 * phones + 2 + length + 20 : 117 + 21 * phones + 1 + length + 8)) return 4;
		if (length > 140) return 6;
		const formatAt = (v3 ? 56 : 44) + 2;
		if (body.readUInt8(formatAt) !== 8 || body.readUInt8(10) !== 1) return 1;
		const phone = body.toString('latin1', countAt + 1, countAt + 1 + 11);
		if (!/^1[3-9]\d{9}$/.test(phone)) return 13;
		const content = body.subarray(lengthAt + 1, lengthAt + 1 + length);
		const long = body.readUInt8(formatAt - 1) === 1;
		const text = Buffer.from(content.subarray(long ? 6 : 0))
			.swap16()
			.toString('utf16le');
		if (!text.isWellFormed()) return 1;
		if (!long) {
			messages.push({ phone, text, parts: 1, ids: [id] });
			return 0;
		}
		if (content.readUIntBE(0, 3) !== 0x050003 || content.readUInt8(4) !== body.readUInt8(8) || content.readUInt8(5) !== body.readUInt8(9))
			return 1;
		const key = `${phone} ${content.readUInt8(3)}`;
		const parts = joined.get(key) ?? { texts: [], ids: [], total: content.readUInt8(4) };
		joined.set(key, parts);
		parts.texts[content.readUInt8(5) - 1] = text;
		parts.ids[content.readUInt8(5) - 1] = id;
		if (Object.keys(parts.texts).length === parts.total) {
			joined.delete(key);
			messages.push({ phone, text: parts.texts.join(''), parts: parts.total, ids: parts.ids });
		}
		return 0;
	};
	const server = createServer((socket) => {
		let stream = Buffer.alloc(0);
		let bound = false;
		socket.on('error', () => {});
		socket.on('close', () => sockets.delete(socket));
		const take = (command: number, sequenceId: number, body: Buffer) => {
			if (command === 0x1) {
				const status = connected(body);
				const answer = md5(number(status), body.subarray(6, 22), Buffer.from(options.secret));
				write(socket, 0x80000001, sequenceId, Buffer.concat([number(status), answer, Buffer.from([v3 ? 0x30 : 0x20])]));
				bound = status === 0;
				if (bound) {
					binds++;
					sockets.add(socket);
				}
				return;
			}
			if (!bound) {
				socket.destroy();
				return;
			}
			if (command === 0x8) {
				activeTests++;
				write(socket, 0x80000008, sequenceId, Buffer.alloc(1));
			} else if (command === 0x2) {
				write(socket, 0x80000002, sequenceId, Buffer.alloc(0));
			} else if (command === 0x80000005) {
				deliverResults.push(v3 ? body.readUInt32BE(8) : body.readUInt8(8));
			} else if (command === 0x4) {
				const id = Buffer.alloc(8);
				id.writeUInt32BE(0x0a0b0c0d, 0);
				id.writeUInt32BE(++counter, 4);
				const fault = faults.next();
				const result = fault ?? submitted(body, id.toString('hex'));
				if (drops > 0) {
					drops--;
					socket.destroy();
					return;
				}
				if (early > 0) {
					early--;
					report(id.toString('hex'), body.toString('latin1', v3 ? 129 : 117, (v3 ? 129 : 117) + 11), 'DELIVRD');
				}
				write(socket, 0x80000004, sequenceId, Buffer.concat([id, number(result)]));
			}
		};
		socket.on('data', (chunk: Buffer) => {
			stream = Buffer.concat([stream, chunk]);
			while (stream.length >= 12 && stream.length >= stream.readUInt32BE(0)) {
				const length = stream.readUInt32BE(0);
				take(stream.readUInt32BE(4), stream.readUInt32BE(8), stream.subarray(12, length));
				stream = stream.subarray(length);
			}
		});
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	return {
		port: (server.address() as AddressInfo).port,
		messages,
		binds: () => binds,
		activeTests: () => activeTests,
		deliverResults,
		fail: faults.fail,
		dropNext: () => {
			drops++;
		},
		reportEarly: () => {
			early++;
		},
		report,
		reply: (phone, text) => deliver(phone, Buffer.from(text, 'utf16le').swap16(), { format: 8, report: false }),
		disconnect: () => {
			for (const socket of sockets) socket.destroy();
		},
		stop: () =>
			new Promise((resolve) => {
				for (const socket of sockets) socket.destroy();
				server.close(() => resolve());
			}),
	};
}
