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

/**
 * Reads values into `values` from index `at`, with `signed` undoing zigzag coding. The source must have `count × width` bytes at `start`.
 */
export function readPlanes(
	source: Uint8Array,
	start: number,
	values: Float64Array,
	at: number,
	{ count, width, signed }: { readonly count: number; readonly width: number; readonly signed: boolean },
): void {
	if (width > 3) {
		readWidePlanes(source, start, values, at, { count, width });
		if (signed) for (let i = at; i < at + count; i++) values[i] = unzigzag(values[i] as number);
		return;
	}
	// One loop each, so that a value stays in a register until it is whole.
	const second = start + count;
	const third = second + count;
	for (let i = 0; i < count; i++) {
		let value = 0;
		if (width > 0) value = source[start + i] as number;
		if (width > 1) value |= (source[second + i] as number) << 8;
		if (width > 2) value |= (source[third + i] as number) << 16;
		values[at + i] = signed ? (value >>> 1) ^ -(value & 1) : value;
	}
}

function readWidePlanes(
	source: Uint8Array,
	start: number,
	values: Float64Array,
	at: number,
	{ count, width }: { readonly count: number; readonly width: number },
): void {
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
