import { ProtocolError } from './remote-write/protocol-error.ts';

/**
 * A transfer file: what an agent could not send itself, because only files pass to the other side, one way and unacknowledged. Numbered and
 * signed, so that whoever reads it knows that nothing is missing and nothing was changed. Byte diagram: docs/formats/transfer.md.
 */
export interface TransferHeader {
	readonly v: 1;
	/** Host whose key has signed it. */
	readonly sender: string;
	/** From 1, without gaps. */
	readonly seq: number;
	readonly createdMs: number;
	readonly entries: readonly TransferEntry[];
}

export interface TransferEntry {
	/** `samples`: a remote write 2 request, snappy block. `logs`: a `LogBatch` as JSON, gzip. */
	readonly kind: 'samples' | 'logs';
	readonly bytes: number;
}

export interface Transfer {
	readonly header: TransferHeader;
	/** One per entry of the header. */
	readonly bodies: readonly Uint8Array[];
	/** Everything before the signature. */
	readonly signed: Uint8Array;
	readonly signature: Uint8Array;
}

const MAGIC = new TextEncoder().encode('FNXFER01');
/** Ed25519. */
export const TRANSFER_SIGNATURE_BYTES = 64;
export const TRANSFER_SUFFIX = '.fnt';
const MAX_HEADER_BYTES = 64 * 1024;
const MAX_ENTRIES = 1000;

/** Everything but the signature, which is appended to it. */
export function encodeTransfer(header: TransferHeader, bodies: readonly Uint8Array[]): Uint8Array {
	const text = new TextEncoder().encode(JSON.stringify(header));
	const start = MAGIC.length + 4 + text.length;
	const bytes = new Uint8Array(bodies.reduce((sum, body) => sum + body.length, start));
	bytes.set(MAGIC);
	new DataView(bytes.buffer).setUint32(MAGIC.length, text.length, true);
	bytes.set(text, MAGIC.length + 4);
	let at = start;
	for (const body of bodies) {
		bytes.set(body, at);
		at += body.length;
	}
	return bytes;
}

/** Takes a file apart without looking at its signature. Throws `ProtocolError`. */
export function parseTransfer(bytes: Uint8Array): Transfer {
	const headerAt = MAGIC.length + 4;
	if (bytes.length < headerAt + TRANSFER_SIGNATURE_BYTES || MAGIC.some((byte, i) => byte !== bytes[i])) {
		throw new ProtocolError('this is not a transfer file, or its beginning is cut off', 0);
	}
	const headerBytes = new DataView(bytes.buffer, bytes.byteOffset).getUint32(MAGIC.length, true);
	const end = bytes.length - TRANSFER_SIGNATURE_BYTES;
	if (headerBytes > MAX_HEADER_BYTES || headerAt + headerBytes > end)
		throw new ProtocolError('the header is longer than the file', MAGIC.length);
	const header = parseHeader(bytes.subarray(headerAt, headerAt + headerBytes));
	const bodies: Uint8Array[] = [];
	let at = headerAt + headerBytes;
	for (const { bytes: length } of header.entries) {
		if (at + length > end) throw new ProtocolError('an entry is longer than the file, which may be cut off', at);
		bodies.push(bytes.subarray(at, at + length));
		at += length;
	}
	if (at !== end) throw new ProtocolError('there is more in the file than its header says', at);
	return { header, bodies, signed: bytes.subarray(0, end), signature: bytes.subarray(end) };
}

/** What a sender may be called: its name is part of file names, which pass gap devices of every kind. */
export const TRANSFER_SENDER = /^[a-zA-Z0-9][a-zA-Z0-9._-]{0,199}$/;

/** `<sender>-<seq>.fnt`; numbers have sixteen digits, so that names sort as numbers do. */
export function transferFileName(sender: string, seq: number): string {
	return `${sender}-${String(seq).padStart(16, '0')}${TRANSFER_SUFFIX}`;
}

/** Sender and number of a file by its name; `null` for other files. */
export function parseTransferFileName(name: string): { readonly sender: string; readonly seq: number } | null {
	const match = /^(.+)-([0-9]{16})\.fnt$/.exec(name);
	return match === null ? null : { sender: match[1] as string, seq: Number(match[2]) };
}

function parseHeader(bytes: Uint8Array): TransferHeader {
	let value: unknown;
	try {
		value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
	} catch {
		throw new ProtocolError('the header is not JSON', MAGIC.length + 4);
	}
	const { v, sender, seq, createdMs, entries } = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
	const good =
		v === 1 &&
		typeof sender === 'string' &&
		TRANSFER_SENDER.test(sender) &&
		Number.isSafeInteger(seq) &&
		(seq as number) > 0 &&
		Number.isSafeInteger(createdMs) &&
		Array.isArray(entries) &&
		entries.length <= MAX_ENTRIES &&
		entries.every(isEntry);
	if (!good) throw new ProtocolError('the header is not that of a transfer file of version 1', MAGIC.length + 4);
	return { v: 1, sender: sender as string, seq: seq as number, createdMs: createdMs as number, entries: entries as TransferEntry[] };
}

function isEntry(value: unknown): boolean {
	if (typeof value !== 'object' || value === null) return false;
	const { kind, bytes } = value as Record<string, unknown>;
	return (kind === 'samples' || kind === 'logs') && Number.isSafeInteger(bytes) && (bytes as number) >= 0;
}
