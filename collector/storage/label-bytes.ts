import type { Labels } from '../../protocol/labels.ts';

/**
 * The canonical bytes of a label set, by which a store knows a series: for each label, sorted by name as UTF-8 bytes, the
 * protobuf field `0a len (0a nameLen name 12 valueLen value)`. These are the bytes that a remote write 1 sender puts
 * on the wire, so a known series is found without decoding a single label.
 */
export function encodeLabelBytes(labels: Labels): Uint8Array {
	const parts: Buffer[] = [];
	let size = 0;
	for (const part of labels) {
		const bytes = Buffer.from(part, 'utf8');
		parts.push(bytes);
	}
	for (let i = 0; i < parts.length; i += 2) {
		const inner = pairSize((parts[i] as Buffer).length, (parts[i + 1] as Buffer).length);
		size += 1 + varintSize(inner) + inner;
	}
	const target = new Uint8Array(size);
	let pos = 0;
	for (let i = 0; i < parts.length; i += 2) {
		pos = writePair(target, pos, parts[i] as Buffer, parts[i + 1] as Buffer);
	}
	return target;
}

/** Appends one label and returns the position behind it. The target must be large enough. */
export function writePair(target: Uint8Array, start: number, name: Uint8Array, value: Uint8Array): number {
	let pos = start;
	target[pos++] = 0x0a;
	pos = writeVarint(target, pos, pairSize(name.length, value.length));
	target[pos++] = 0x0a;
	pos = writeVarint(target, pos, name.length);
	target.set(name, pos);
	pos += name.length;
	target[pos++] = 0x12;
	pos = writeVarint(target, pos, value.length);
	target.set(value, pos);
	return pos + value.length;
}

function pairSize(nameLength: number, valueLength: number): number {
	return 2 + varintSize(nameLength) + nameLength + varintSize(valueLength) + valueLength;
}

function varintSize(value: number): number {
	return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x200000 ? 3 : value < 0x10000000 ? 4 : 5;
}

function writeVarint(target: Uint8Array, start: number, value: number): number {
	let pos = start;
	let rest = value;
	while (rest >= 0x80) {
		target[pos++] = (rest & 0x7f) | 0x80;
		rest >>>= 7;
	}
	target[pos++] = rest;
	return pos;
}

/** Where the parts of one label lie. Reused by `readPair`, so that walking labels allocates nothing. */
export class PairRange {
	nameStart = 0;
	nameEnd = 0;
	valueStart = 0;
	valueEnd = 0;
}

/** Reads the label at `start` of canonical bytes and returns the position of the next one. The bytes are trusted. */
export function readPair(bytes: Uint8Array, start: number, pair: PairRange): number {
	let pos = start + 1;
	while ((bytes[pos++] as number) >= 0x80);
	pos++;
	let length = 0;
	let shift = 0;
	let byte: number;
	do {
		byte = bytes[pos++] as number;
		length |= (byte & 0x7f) << shift;
		shift += 7;
	} while (byte >= 0x80);
	pair.nameStart = pos;
	pos += length;
	pair.nameEnd = pos;
	pos++;
	length = 0;
	shift = 0;
	do {
		byte = bytes[pos++] as number;
		length |= (byte & 0x7f) << shift;
		shift += 7;
	} while (byte >= 0x80);
	pair.valueStart = pos;
	pair.valueEnd = pos + length;
	return pair.valueEnd;
}

/** The label set of canonical bytes, sorted by name in UTF-16 order, as `Labels` wants it. */
export function decodeLabelBytes(bytes: Uint8Array, start: number, end: number): Labels {
	const pair = new PairRange();
	const flat: string[] = [];
	let sorted = true;
	for (let pos = start; pos < end; ) {
		pos = readPair(bytes, pos, pair);
		const name = utf8(bytes, pair.nameStart, pair.nameEnd);
		if (flat.length > 0 && (flat[flat.length - 2] as string) > name) sorted = false;
		flat.push(name, utf8(bytes, pair.valueStart, pair.valueEnd));
	}
	if (sorted) return flat;
	const pairs: [string, string][] = [];
	for (let i = 0; i < flat.length; i += 2) pairs.push([flat[i] as string, flat[i + 1] as string]);
	pairs.sort((a, b) => (a[0] < b[0] ? -1 : 1));
	return pairs.flat();
}

function utf8(bytes: Uint8Array, start: number, end: number): string {
	return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('utf8');
}
