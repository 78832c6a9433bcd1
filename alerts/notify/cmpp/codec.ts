import { createHash } from 'node:crypto';

/** China Mobile Peer to Peer, versions 2.0 and 3.0 (中国移动通信互联网短信网关接口协议). Big-endian; header of length, command, sequence. */
export type CmppVersion = 2 | 3;

export const COMMAND = {
	connect: 0x1,
	connectResp: 0x80000001,
	terminate: 0x2,
	terminateResp: 0x80000002,
	submit: 0x4,
	submitResp: 0x80000004,
	deliver: 0x5,
	deliverResp: 0x80000005,
	activeTest: 0x8,
	activeTestResp: 0x80000008,
} as const;

const HEADER_BYTES = 12;
/** Longer than any packet of the protocol (a submit to 100 numbers); a stream that claims more is out of step. */
const MAX_PACKET_BYTES = 8192;

export interface Packet {
	readonly command: number;
	readonly sequence: number;
	readonly body: Buffer;
}

export function encodePacket({ command, sequence, body }: Packet): Buffer {
	const header = Buffer.alloc(HEADER_BYTES);
	header.writeUInt32BE(HEADER_BYTES + body.length, 0);
	header.writeUInt32BE(command >>> 0, 4);
	header.writeUInt32BE(sequence >>> 0, 8);
	return Buffer.concat([header, body]);
}

/** Whole packets of a stream, and what is left; `null` when the stream is out of step. */
export function decodePackets(stream: Buffer): { readonly packets: readonly Packet[]; readonly rest: Buffer } | null {
	const packets: Packet[] = [];
	let at = 0;
	while (stream.length - at >= 4) {
		const length = stream.readUInt32BE(at);
		if (length < HEADER_BYTES || length > MAX_PACKET_BYTES) return null;
		if (stream.length - at < length) break;
		packets.push({
			command: stream.readUInt32BE(at + 4),
			sequence: stream.readUInt32BE(at + 8),
			body: Buffer.from(stream.subarray(at + HEADER_BYTES, at + length)),
		});
		at += length;
	}
	return { packets, rest: Buffer.from(stream.subarray(at)) };
}

/** ASCII in `length` bytes, cut or filled with zeros. */
function field(text: string, length: number): Buffer {
	const bytes = Buffer.alloc(length);
	bytes.write(text, 0, length, 'latin1');
	return bytes;
}

function textOf(bytes: Buffer): string {
	const end = bytes.indexOf(0);
	return bytes.toString('latin1', 0, end === -1 ? bytes.length : end).trim();
}

export interface ConnectRequest {
	/** SP_Id, six characters. */
	readonly sourceAddr: string;
	readonly secret: string;
	/** MMDDHHMMSS as a number. */
	readonly timestamp: number;
	readonly version: CmppVersion;
}

export function authenticatorSource({ sourceAddr, secret, timestamp }: Omit<ConnectRequest, 'version'>): Buffer {
	return createHash('md5')
		.update(Buffer.concat([Buffer.from(sourceAddr, 'latin1'), Buffer.alloc(9), Buffer.from(secret, 'latin1')]))
		.update(String(timestamp).padStart(10, '0'))
		.digest();
}

export function encodeConnect(request: ConnectRequest): Buffer {
	const tail = Buffer.alloc(5);
	tail.writeUInt8(request.version === 3 ? 0x30 : 0x20, 0);
	tail.writeUInt32BE(request.timestamp, 1);
	return Buffer.concat([field(request.sourceAddr, 6), authenticatorSource(request), tail]);
}

/** Status 0 is success; 1 structure, 2 source address, 3 authentication, 4 version, 5 other. */
export function decodeConnectResp(body: Buffer): { readonly status: number; readonly authenticator: Buffer } | null {
	// One byte of status in version 2, four in version 3; a gateway of the other version says so by the length.
	if (body.length === 18) return { status: body.readUInt8(0), authenticator: body.subarray(1, 17) };
	if (body.length === 21) return { status: body.readUInt32BE(0), authenticator: body.subarray(4, 20) };
	return null;
}

/** What the gateway proves that it knows the secret by: MD5(Status + AuthenticatorSource + secret). */
export function authenticatorIsmg(status: number, source: Buffer, secret: string, version: CmppVersion): Buffer {
	const bytes = Buffer.alloc(version === 3 ? 4 : 1);
	if (version === 3) bytes.writeUInt32BE(status);
	else bytes.writeUInt8(status);
	return createHash('md5')
		.update(Buffer.concat([bytes, source, Buffer.from(secret, 'latin1')]))
		.digest();
}

export interface SubmitRequest {
	readonly version: CmppVersion;
	readonly serviceId: string;
	readonly sourceAddr: string;
	readonly srcId: string;
	readonly phone: string;
	readonly part: MessagePart;
	readonly total: number;
	readonly number: number;
}

export interface MessagePart {
	/** Begins with a header that joins it to others. */
	readonly joined: boolean;
	readonly content: Buffer;
}

/** UCS-2, a receipt asked for, and the sender pays. */
export function encodeSubmit(request: SubmitRequest): Buffer {
	const v3 = request.version === 3;
	return Buffer.concat([
		Buffer.alloc(8),
		Buffer.from([request.total, request.number, 1, 1]),
		field(request.serviceId, 10),
		Buffer.from([2]),
		field('', v3 ? 32 : 21),
		v3 ? Buffer.from([0]) : Buffer.alloc(0),
		Buffer.from([0, request.part.joined ? 1 : 0, 8]),
		field(request.sourceAddr, 6),
		field('02', 2),
		field('000000', 6),
		field('', 17),
		field('', 17),
		field(request.srcId, 21),
		Buffer.from([1]),
		field(request.phone, v3 ? 32 : 21),
		v3 ? Buffer.from([0]) : Buffer.alloc(0),
		Buffer.from([request.part.content.length]),
		request.part.content,
		Buffer.alloc(v3 ? 20 : 8),
	]);
}

export function decodeSubmitResp(body: Buffer): { readonly messageId: string; readonly result: number } | null {
	if (body.length !== 9 && body.length !== 12) return null;
	return { messageId: body.toString('hex', 0, 8), result: body.length === 12 ? body.readUInt32BE(8) : body.readUInt8(8) };
}

export type Delivered =
	| { readonly kind: 'receipt'; readonly id: Buffer; readonly messageId: string; readonly status: string; readonly phone: string }
	| { readonly kind: 'message'; readonly id: Buffer; readonly phone: string; readonly text: string };

/** `null` when it cannot be read. */
export function decodeDeliver(body: Buffer, version: CmppVersion): Delivered | null {
	const phoneBytes = version === 3 ? 32 : 21;
	const phoneAt = 8 + 21 + 10 + 3;
	const flagsAt = phoneAt + phoneBytes + (version === 3 ? 1 : 0);
	if (body.length < flagsAt + 2) return null;
	const id = Buffer.from(body.subarray(0, 8));
	const phone = textOf(body.subarray(phoneAt, phoneAt + phoneBytes));
	const length = body.readUInt8(flagsAt + 1);
	const content = body.subarray(flagsAt + 2, flagsAt + 2 + length);
	if (content.length < length) return null;
	if (body.readUInt8(flagsAt) === 1) {
		// 60 bytes in version 2, 71 in version 3; gateways are known to answer a version 3 session with the shorter one.
		if (length !== 60 && length !== 71) return null;
		const terminal = content.subarray(35, 35 + (length === 71 ? 32 : 21));
		return {
			kind: 'receipt',
			id,
			messageId: content.toString('hex', 0, 8),
			status: textOf(content.subarray(8, 15)),
			phone: textOf(terminal),
		};
	}
	const joined = body.readUInt8(phoneAt - 2) === 1;
	const header = joined && content.length > 0 ? content.readUInt8(0) + 1 : 0;
	return { kind: 'message', id, phone, text: decodeText(content.subarray(header), body.readUInt8(phoneAt - 1)) };
}

export function encodeDeliverResp(id: Buffer, result: number, version: CmppVersion): Buffer {
	const code = Buffer.alloc(version === 3 ? 4 : 1);
	if (version === 3) code.writeUInt32BE(result);
	else code.writeUInt8(result);
	return Buffer.concat([id, code]);
}

/** Msg_Fmt 8 is UCS-2, 15 is GBK, everything else is read as ASCII. */
function decodeText(content: Buffer, format: number): string {
	if (format === 8)
		return Buffer.from(content.subarray(0, content.length & ~1))
			.swap16()
			.toString('utf16le');
	if (format === 15) return new TextDecoder('gbk').decode(content);
	return content.toString('latin1');
}
