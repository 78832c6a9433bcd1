import { planeCount, writePlanes, writeVarints } from './byte-streams.ts';
import {
	type ChunkVariant,
	MAX_SCALE,
	POWERS,
	TIME_DELTA2,
	VALUE_CONST,
	VALUE_DELTA,
	VALUE_DELTA_CONST,
	VALUE_DELTA_VARINTS,
	VALUE_DELTA2,
	VALUE_PLANES,
	VALUE_RAW,
} from './chunk-forms.ts';
import { packedSize, writePacked, zigzag } from './packed-integers.ts';

// biome-ignore lint/performance/noBarrelFile: whoever writes chunks also reads them; the halves are two files for their length alone
export { ChunkDamaged, ChunkDecoder } from './chunk-decoder.ts';
export { CHUNK_VARIANTS, type ChunkVariant } from './chunk-forms.ts';

/** A delta of deltas is at most four times larger than a value, and all must stay exact in a double. */
const MAX_INTEGER = 2 ** 51;

/**
 * Compresses the samples of one series inside one bucket. One encoder per thread: it owns its scratch memory.
 * Every value returns bit for bit: what is not a scaled integer (NaN payloads, -0, infinities, long fractions) is kept raw.
 */
export class ChunkEncoder {
	/** The bytes of the last `encode`, from 0. Reused by the next one. */
	bytes = new Uint8Array(2048);
	#view = new DataView(this.bytes.buffer);
	#integers = new Float64Array(256);
	#deltas = new Float64Array(256);
	#deltas2 = new Float64Array(256);
	#exceptions = new Int32Array(256);
	/** Of the last chunk: the place behind scale, exceptions and first value; -1 when it is not of scaled integers. */
	#deltasAt = -1;
	#count = 0;
	#variant = new Uint8Array(0);

	/**
	 * `offsets` are milliseconds since the bucket's start, strictly ascending; `words` and `values` are two views of the same
	 * samples. Returns the length in bytes.
	 */
	encode(offsets: Uint32Array, words: Uint32Array, values: Float64Array, from: number, count: number): number {
		this.#reserve(count);
		this.bytes[0] = 0;
		let pos = this.#varint(1, count);
		pos = this.#varint(pos, offsets[from] as number);
		pos = this.#times(pos, offsets, from, count);
		this.#deltasAt = -1;
		return this.#values(pos, words, values, from, count);
	}

	#times(start: number, offsets: Uint32Array, from: number, count: number): number {
		if (count === 1) return start;
		const step = (offsets[from + 1] as number) - (offsets[from] as number);
		let regular = true;
		for (let i = 2; i < count; i++) {
			if ((offsets[from + i] as number) - (offsets[from + i - 1] as number) !== step) {
				regular = false;
				break;
			}
		}
		const pos = this.#varint(start, step);
		if (regular) return pos;
		this.bytes[0] = TIME_DELTA2;
		const deltas = this.#deltas;
		let previous = step;
		for (let i = 2; i < count; i++) {
			const delta = (offsets[from + i] as number) - (offsets[from + i - 1] as number);
			deltas[i] = zigzag(delta - previous);
			previous = delta;
		}
		return writePacked(this.bytes, pos, deltas, 2, count);
	}

	#values(start: number, words: Uint32Array, values: Float64Array, from: number, count: number): number {
		const bytes = this.bytes;
		const low = words[from * 2] as number;
		const high = words[from * 2 + 1] as number;
		let constant = true;
		for (let i = from + 1; i < from + count; i++) {
			if (words[i * 2] !== low || words[i * 2 + 1] !== high) {
				constant = false;
				break;
			}
		}
		if (constant) {
			bytes[0] = (bytes[0] as number) | (VALUE_CONST << 4);
			return this.#word(this.#word(start, low), high);
		}
		const scale = this.#scale(values, from, count);
		if (scale < 0) return this.#raw(start, words, from, count);
		const exceptionCount = this.#toIntegers(words, values, from, count, scale);
		if (exceptionCount * 4 > count) return this.#raw(start, words, from, count);
		return this.#scaled(start, words, from, count, scale, exceptionCount);
	}

	#raw(start: number, words: Uint32Array, from: number, count: number): number {
		this.bytes[0] = (this.bytes[0] as number) | (VALUE_RAW << 4);
		let pos = start;
		for (let i = from * 2; i < (from + count) * 2; i++) pos = this.#word(pos, words[i] as number);
		return pos;
	}

	/** The power of ten that makes (nearly) all values integers, or -1 when too many are none. */
	#scale(values: Float64Array, from: number, count: number): number {
		let scale = 0;
		let misses = 0;
		for (let i = from; i < from + count; i++) {
			const value = values[i] as number;
			let fit = scale;
			while (fit <= MAX_SCALE) {
				const power = POWERS[fit] as number;
				const integer = Math.round(value * power);
				if (integer / power === value && integer <= MAX_INTEGER && integer >= -MAX_INTEGER) break;
				fit++;
			}
			if (fit <= MAX_SCALE) scale = fit;
			else if (++misses * 4 > count) return -1;
		}
		return scale;
	}

	#toIntegers(words: Uint32Array, values: Float64Array, from: number, count: number, scale: number): number {
		const integers = this.#integers;
		const exceptions = this.#exceptions;
		const power = POWERS[scale] as number;
		let exceptionCount = 0;
		let previous = 0;
		for (let i = 0; i < count; i++) {
			const value = values[from + i] as number;
			const integer = Math.round(value * power);
			const negativeZero = words[(from + i) * 2 + 1] === 0x80000000 && words[(from + i) * 2] === 0;
			if (integer / power === value && integer <= MAX_INTEGER && integer >= -MAX_INTEGER && !negativeZero) {
				previous = integer;
			} else {
				exceptions[exceptionCount++] = i;
			}
			integers[i] = previous;
		}
		return exceptionCount;
	}

	#scaled(start: number, words: Uint32Array, from: number, count: number, scale: number, exceptionCount: number): number {
		const bytes = this.bytes;
		const integers = this.#integers;
		const deltas = this.#deltas;
		const deltas2 = this.#deltas2;
		const first = integers[0] as number;
		const step = count > 1 ? (integers[1] as number) - first : 0;
		let steady = exceptionCount === 0;
		let previous = step;
		for (let i = 1; i < count; i++) {
			const delta = (integers[i] as number) - (integers[i - 1] as number);
			if (delta !== step) steady = false;
			deltas[i] = zigzag(delta);
			deltas2[i] = zigzag(delta - previous);
			previous = delta;
		}
		let pos = start;
		bytes[pos++] = scale;
		if (steady) {
			bytes[0] = (bytes[0] as number) | (VALUE_DELTA_CONST << 4);
			return this.#double(this.#double(pos, first), step);
		}
		pos = this.#varint(pos, exceptionCount);
		let last = 0;
		for (let k = 0; k < exceptionCount; k++) {
			const i = this.#exceptions[k] as number;
			pos = this.#varint(pos, i - last);
			pos = this.#word(this.#word(pos, words[(from + i) * 2] as number), words[(from + i) * 2 + 1] as number);
			last = i;
		}
		pos = this.#double(pos, first);
		this.#deltasAt = pos;
		this.#count = count;
		if (8 + packedSize(deltas2, 2, count) < packedSize(deltas, 1, count)) {
			bytes[0] = (bytes[0] as number) | (VALUE_DELTA2 << 4);
			return writePacked(bytes, this.#double(pos, step), deltas2, 2, count);
		}
		bytes[0] = (bytes[0] as number) | (VALUE_DELTA << 4);
		return writePacked(bytes, pos, deltas, 1, count);
	}

	/**
	 * The last chunk in another form, in bytes of its own; `null` when it has a form that nothing improves. The caller compresses them
	 * and keeps the shortest.
	 */
	variant(kind: ChunkVariant): Uint8Array | null {
		if (this.#deltasAt < 0) return null;
		const count = this.#count;
		const integers = this.#integers;
		if (this.#variant.length < this.#deltasAt + 16 + count * 8) this.#variant = new Uint8Array(this.#deltasAt + 16 + count * 8);
		const bytes = this.#variant;
		bytes.set(this.bytes.subarray(0, this.#deltasAt));
		bytes[0] = ((bytes[0] as number) & 0x0f) | (kind << 4);
		let pos = this.#deltasAt;
		let values = this.#deltas;
		let from = 1;
		if (kind === VALUE_PLANES) {
			let lowest = integers[0] as number;
			for (let i = 1; i < count; i++) if ((integers[i] as number) < lowest) lowest = integers[i] as number;
			values = this.#deltas2;
			from = 0;
			for (let i = 0; i < count; i++) values[i] = (integers[i] as number) - lowest;
			new DataView(bytes.buffer).setFloat64(pos - 8, lowest, true);
		}
		if (kind === VALUE_DELTA_VARINTS) return bytes.slice(0, writeVarints(bytes, pos, values, from, count));
		const width = planeCount(values, from, count);
		bytes[pos++] = width;
		return bytes.slice(0, writePlanes(bytes, pos, values, from, count, width));
	}

	#reserve(count: number): void {
		if (count > this.#integers.length) {
			const size = Math.max(count, this.#integers.length * 2);
			this.#integers = new Float64Array(size);
			this.#deltas = new Float64Array(size);
			this.#deltas2 = new Float64Array(size);
			this.#exceptions = new Int32Array(size);
		}
		// Worst case: both streams wide, a quarter of the values exceptions of up to 13 bytes.
		const bytes = 64 + count * 24;
		if (bytes > this.bytes.length) {
			this.bytes = new Uint8Array(bytes * 2);
			this.#view = new DataView(this.bytes.buffer);
		}
	}

	#varint(start: number, value: number): number {
		let pos = start;
		let rest = value;
		while (rest >= 0x80) {
			this.bytes[pos++] = (rest & 0x7f) | 0x80;
			rest >>>= 7;
		}
		this.bytes[pos++] = rest;
		return pos;
	}

	#word(pos: number, value: number): number {
		this.#view.setUint32(pos, value, true);
		return pos + 4;
	}

	#double(pos: number, value: number): number {
		this.#view.setFloat64(pos, value, true);
		return pos + 8;
	}
}
