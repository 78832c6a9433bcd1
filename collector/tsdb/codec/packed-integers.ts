/**
 * Integers in groups of 16, each group with the number of bits that its largest member needs. Magnitudes are zigzag
 * coded as doubles, because deltas of scaled values go beyond 32 bits; a group that does is stored as plain doubles.
 */
export const GROUP = 16;
/** Width byte of a group of eight-byte doubles. */
const WIDE = 64;

const wide = new Float64Array(1);
const wideBytes = new Uint8Array(wide.buffer);

export function zigzag(value: number): number {
	return value >= 0 ? value * 2 : -value * 2 - 1;
}

export function unzigzag(value: number): number {
	return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}

function groupWidth(values: Float64Array, from: number, to: number): number {
	let bits = 0;
	for (let i = from; i < to; i++) {
		const value = values[i] as number;
		if (value > 0xffffffff) return WIDE;
		bits |= value;
	}
	return 32 - Math.clz32(bits);
}

/** Bytes that `values[from .. to)` (zigzag coded) take. */
export function packedSize(values: Float64Array, from: number, to: number): number {
	let size = 0;
	for (let i = from; i < to; i += GROUP) {
		const end = i + GROUP < to ? i + GROUP : to;
		size += 1 + (((end - i) * groupWidth(values, i, end) + 7) >> 3);
	}
	return size;
}

/** Writes and returns the position behind. The target must have `packedSize` bytes left. */
export function writePacked(target: Uint8Array, start: number, values: Float64Array, from: number, to: number): number {
	let pos = start;
	for (let i = from; i < to; i += GROUP) {
		const end = i + GROUP < to ? i + GROUP : to;
		const width = groupWidth(values, i, end);
		target[pos++] = width;
		if (width === 0) continue;
		if (width === WIDE) {
			for (let k = i; k < end; k++) {
				wide[0] = values[k] as number;
				target.set(wideBytes, pos);
				pos += 8;
			}
			continue;
		}
		let pending = 0;
		let pendingBits = 0;
		for (let k = i; k < end; k++) {
			const value = values[k] as number;
			// At most 7 bits are pending, so that 24 more still fit into a signed 32-bit integer.
			let rest = value >>> 0;
			let left = width;
			while (left > 0) {
				const take = left < 24 ? left : 24;
				pending |= (rest & ((1 << take) - 1)) << pendingBits;
				pendingBits += take;
				rest >>>= take;
				left -= take;
				while (pendingBits >= 8) {
					target[pos++] = pending & 0xff;
					pending >>>= 8;
					pendingBits -= 8;
				}
			}
		}
		if (pendingBits > 0) target[pos++] = pending;
	}
	return pos;
}

/** Reads `count` integers into `values` from index `at`, and returns the position behind, or -1 when the bytes do not suffice. */
export function readPacked(source: Uint8Array, start: number, end: number, values: Float64Array, at: number, count: number): number {
	let pos = start;
	for (let i = 0; i < count; i += GROUP) {
		const size = count - i < GROUP ? count - i : GROUP;
		if (pos >= end) return -1;
		const width = source[pos++] as number;
		if (width === 0) {
			for (let k = 0; k < size; k++) values[at + i + k] = 0;
			continue;
		}
		if (width === WIDE) {
			if (pos + size * 8 > end) return -1;
			for (let k = 0; k < size; k++) {
				for (let b = 0; b < 8; b++) wideBytes[b] = source[pos + b] as number;
				values[at + i + k] = unzigzag(wide[0] as number);
				pos += 8;
			}
			continue;
		}
		if (width > 32 || pos + ((size * width + 7) >> 3) > end) return -1;
		let pending = 0;
		let pendingBits = 0;
		for (let k = 0; k < size; k++) {
			let value = 0;
			let got = 0;
			while (got < width) {
				const take = width - got < 24 ? width - got : 24;
				while (pendingBits < take) {
					pending |= (source[pos++] as number) << pendingBits;
					pendingBits += 8;
				}
				// A multiplication instead of a shift: the upper part reaches bit 31 and must not become negative.
				value += (pending & ((1 << take) - 1)) * 2 ** got;
				pending >>>= take;
				pendingBits -= take;
				got += take;
			}
			values[at + i + k] = unzigzag(value);
		}
	}
	return pos;
}
