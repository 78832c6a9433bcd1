import { ProtocolError } from '../remote-write/protocol-error.ts';
import { WireCursor } from '../remote-write/wire-cursor.ts';

/** The one position of all OTLP decoding, which never yields in between. */
export const cursor = new WireCursor();
const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const EMPTY = new Uint8Array(0);
const TWO_32 = 2 ** 32;

/** Calls `read` with the cursor at the start of `bytes`, and lets go of them afterwards. */
export function withCursor<T>(bytes: Uint8Array, read: () => T): T {
	cursor.reset(bytes);
	try {
		return read();
	} finally {
		cursor.reset(EMPTY);
	}
}

/** Walks the fields of a message up to `end`; `read` consumes those it knows and says so, the others are skipped. */
export function fields(end: number, read: (field: number, wire: number, end: number) => boolean): void {
	while (cursor.pos < end) {
		const tag = cursor.uint31(end);
		if (tag >>> 3 === 0) throw new ProtocolError('a field has the number 0', cursor.pos);
		if (!read(tag >>> 3, tag & 7, end)) cursor.skip(tag & 7, end);
	}
}

export function string(end: number): string {
	const stop = cursor.messageEnd(end);
	let value: string;
	try {
		value = text.decode(cursor.bytes.subarray(cursor.pos, stop));
	} catch {
		throw new ProtocolError('a text is not UTF-8', cursor.pos);
	}
	cursor.pos = stop;
	return value;
}

function skipFixed64(end: number): number {
	const { pos } = cursor;
	if (end - pos < 8) throw new ProtocolError('a fixed-size field is cut off', pos);
	cursor.pos = pos + 8;
	return pos;
}

/** Unsigned, rounded to a double once. */
export function fixed64(end: number): number {
	const pos = skipFixed64(end);
	return cursor.view.getUint32(pos + 4, true) * TWO_32 + cursor.view.getUint32(pos, true);
}

/** Signed, rounded to a double once. */
export function sfixed64(end: number): number {
	const pos = skipFixed64(end);
	return cursor.view.getInt32(pos + 4, true) * TWO_32 + cursor.view.getUint32(pos, true);
}

export function double(end: number): number {
	return cursor.view.getFloat64(skipFixed64(end), true);
}

/** Nanoseconds, rounded down to milliseconds. Exact: each half is divided by itself, so that no step passes 2^53. */
export function nanosToMs(end: number): number {
	const pos = skipFixed64(end);
	const high = cursor.view.getUint32(pos + 4, true);
	const rest = (high % 1_000_000) * TWO_32 + cursor.view.getUint32(pos, true);
	return Math.floor(high / 1_000_000) * TWO_32 + Math.floor(rest / 1_000_000);
}
