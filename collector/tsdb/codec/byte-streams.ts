import { unzigzag } from './packed-integers.ts';

/**
 * Integers as whole bytes. On their own they are longer than packed bits; under zstd, which counts bytes, they are shorter
 * (bench/store-disk.ts). All are non-negative and at most 2^53.
 */

/** Bytes that the largest of `values[from .. to)` needs. */
export function planeCount(values: Float64Array, from: number, to: number): number {
	let largest = 0;
	for (let i = from; i < to; i++) if ((values[i] as number) > largest) largest = values[i] as number;
	let width = 0;
	for (let reach = 1; reach <= largest; reach *= 256) width++;
	return width;
}

/** Writes the lowest bytes of all values, then the next ones, and returns the position behind. */
export function writePlanes(target: Uint8Array, start: number, values: Float64Array, from: number, to: number, width: number): number {
	let pos = start;
	for (let plane = 0, power = 1; plane < width; plane++, power *= 256) {
		for (let i = from; i < to; i++) target[pos++] = Math.floor((values[i] as number) / power) % 256;
	}
	return pos;
}

interface Planes {
	/** Values. */
	readonly count: number;
	/** Bytes of each. */
	readonly width: number;
}

/**
 * Reads values into `values` from index `at`, with `signed` undoing zigzag coding. The source must have `count × width` bytes at `start`.
 */
export function readPlanes(source: Uint8Array, start: number, values: Float64Array, at: number, planes: Planes, signed: boolean): void {
	const { count, width } = planes;
	if (width > 3) {
		readWidePlanes(source, start, values, at, planes);
		if (signed) for (let i = at; i < at + count; i++) values[i] = unzigzag(values[i] as number);
		return;
	}
	if (signed) {
		readSignedPlanes(source, start, values, at, planes);
		return;
	}
	// A loop for each width: a choice inside would be made for every sample.
	const second = start + count;
	const third = second + count;
	if (width === 1) for (let i = 0; i < count; i++) values[at + i] = source[start + i] as number;
	else if (width === 2)
		for (let i = 0; i < count; i++) values[at + i] = (source[start + i] as number) | ((source[second + i] as number) << 8);
	else if (width === 3) {
		for (let i = 0; i < count; i++)
			values[at + i] = (source[start + i] as number) | ((source[second + i] as number) << 8) | ((source[third + i] as number) << 16);
	} else values.fill(0, at, at + count);
}

/** As `readPlanes`, for at most three bytes, with zigzag coding undone. */
function readSignedPlanes(source: Uint8Array, start: number, values: Float64Array, at: number, { count, width }: Planes): void {
	const second = start + count;
	const third = second + count;
	if (width === 1) {
		for (let i = 0; i < count; i++) {
			const value = source[start + i] as number;
			values[at + i] = (value >>> 1) ^ -(value & 1);
		}
	} else if (width === 2) {
		for (let i = 0; i < count; i++) {
			const low = source[start + i] as number;
			values[at + i] = ((low | ((source[second + i] as number) << 8)) >>> 1) ^ -(low & 1);
		}
	} else if (width === 3) {
		for (let i = 0; i < count; i++) {
			const low = source[start + i] as number;
			values[at + i] = ((low | ((source[second + i] as number) << 8) | ((source[third + i] as number) << 16)) >>> 1) ^ -(low & 1);
		}
	} else values.fill(0, at, at + count);
}

function readWidePlanes(source: Uint8Array, start: number, values: Float64Array, at: number, { count, width }: Planes): void {
	values.fill(0, at, at + count);
	let pos = start;
	for (let plane = 0, power = 1; plane < width; plane++, power *= 256) {
		for (let i = at; i < at + count; i++) values[i] = (values[i] as number) + (source[pos++] as number) * power;
	}
}

/** LEB128, up to eight bytes each. */
export function writeVarints(target: Uint8Array, start: number, values: Float64Array, from: number, to: number): number {
	let pos = start;
	for (let i = from; i < to; i++) {
		let rest = values[i] as number;
		while (rest >= 128) {
			target[pos++] = (rest % 128) | 128;
			rest = Math.floor(rest / 128);
		}
		target[pos++] = rest;
	}
	return pos;
}

/** Reads `count` values, zigzag coding undone, and returns the position behind, or -1 when the bytes do not suffice. */
export function readVarints(source: Uint8Array, start: number, end: number, values: Float64Array, at: number, count: number): number {
	let pos = start;
	for (let i = at; i < at + count; i++) {
		if (pos >= end) return -1;
		let byte = source[pos++] as number;
		if (byte < 128) {
			values[i] = (byte >>> 1) ^ -(byte & 1);
			continue;
		}
		let value = byte & 127;
		for (let power = 128; ; power *= 128) {
			if (pos >= end || power > 2 ** 49) return -1;
			byte = source[pos++] as number;
			value += (byte & 127) * power;
			if (byte < 128) break;
		}
		values[i] = unzigzag(value);
	}
	return pos;
}
