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

/** Bytes `[start .. end)` of packed integers; `view` is one of all of `bytes`. */
export interface PackedSource {
	readonly bytes: Uint8Array;
	readonly view: DataView;
	readonly start: number;
	readonly end: number;
}

/** Widest member that one unaligned read of 32 bits holds wherever it begins in its first byte. */
const ONE_READ_BITS = 25;

/**
 * Reads `count` integers into `values` from index `at`, zigzag coding undone, and returns the position behind, or -1 when the
 * bytes do not suffice. Each member is one read of 32 bits, a shift and a mask: every sample that a query touches passes here.
 */
export function readPacked({ bytes, view, start, end }: PackedSource, values: Float64Array, at: number, count: number): number {
	// What is read beyond the members is masked away, but it must exist.
	const safeEnd = bytes.length - 4;
	const last = at + count;
	let pos = start;
	for (let from = at; from < last; from += GROUP) {
		const to = from + GROUP < last ? from + GROUP : last;
		if (pos >= end) return -1;
		const width = bytes[pos++] as number;
		if (width === 0) {
			for (let i = from; i < to; i++) values[i] = 0;
			continue;
		}
		const size = width === WIDE ? (to - from) * 8 : ((to - from) * width + 7) >> 3;
		if ((width > 32 && width !== WIDE) || pos + size > end) return -1;
		if (width === WIDE) {
			for (let i = from, place = pos; i < to; i++, place += 8) values[i] = unzigzag(view.getFloat64(place, true));
		} else if (width <= ONE_READ_BITS && pos + size <= safeEnd) {
			const mask = (1 << width) - 1;
			for (let i = from, bit = 0; i < to; i++, bit += width) {
				const member = (view.getUint32(pos + (bit >> 3), true) >>> (bit & 7)) & mask;
				values[i] = (member >>> 1) ^ -(member & 1);
			}
		} else readSlowly(bytes, pos, width, values, from, to);
		pos += size;
	}
	return pos;
}

/** Members wider than one read holds, and those so near the end of the bytes that such a read would go beyond it. */
function readSlowly(bytes: Uint8Array, start: number, width: number, values: Float64Array, from: number, to: number): void {
	let pos = start;
	let pending = 0;
	let pendingBits = 0;
	for (let i = from; i < to; i++) {
		let value = 0;
		let got = 0;
		while (got < width) {
			const take = width - got < 24 ? width - got : 24;
			while (pendingBits < take) {
				pending |= (bytes[pos++] as number) << pendingBits;
				pendingBits += 8;
			}
			// A multiplication instead of a shift: the upper part reaches bit 31 and must not become negative.
			value += (pending & ((1 << take) - 1)) * 2 ** got;
			pending >>>= take;
			pendingBits -= take;
			got += take;
		}
		values[i] = unzigzag(value);
	}
}
