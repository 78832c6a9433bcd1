import { planeCount, readPlanes, readVarints, writePlanes, writeVarints } from './byte-streams.ts';
import { packedSize, readPacked, unzigzag, writePacked, zigzag } from './packed-integers.ts';

/** How the times of a chunk are written: low four bits of its first byte. Diagrams: docs/formats/chunk.md. */
const TIME_REGULAR = 0;
const TIME_DELTA2 = 1;
/** How the values are written: high four bits. */
const VALUE_CONST = 0;
const VALUE_DELTA_CONST = 1;
const VALUE_DELTA = 2;
const VALUE_DELTA2 = 3;
const VALUE_RAW = 4;
/** Only in compacted files, where zstd follows. */
const VALUE_DELTA_VARINTS = 5;
const VALUE_PLANES = 6;
const VALUE_DELTA_PLANES = 7;

/** Other forms of a chunk of scaled integers, for `ChunkEncoder.variant`. */
export const CHUNK_VARIANTS = [VALUE_DELTA_VARINTS, VALUE_PLANES, VALUE_DELTA_PLANES] as const;
export type ChunkVariant = (typeof CHUNK_VARIANTS)[number];

const MAX_SCALE = 9;
const POWERS = Float64Array.from({ length: MAX_SCALE + 1 }, (_, i) => 10 ** i);
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

/** Thrown for bytes that are no chunk; whoever knows where they came from turns it into a report. */
export class ChunkDamaged extends Error {}

/** Reads chunks. One decoder per thread. */
export class ChunkDecoder {
	/** Offsets in milliseconds since the bucket's start, values and their words, of the last `decode`. */
	offsets = new Float64Array(512);
	values = new Float64Array(512);
	words = new Uint32Array(this.values.buffer);
	#bytes: Uint8Array = new Uint8Array(0);
	#view: DataView = new DataView(this.#bytes.buffer);
	#pos = 0;
	#end = 0;

	/** Decodes `bytes[start .. end)` and returns the number of samples. Throws `ChunkDamaged`. */
	decode(bytes: Uint8Array, start: number, end: number): number {
		if (this.#bytes !== bytes) {
			this.#bytes = bytes;
			this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
		}
		if (end - start < 3) throw new ChunkDamaged('a chunk is too short');
		this.#pos = start + 1;
		this.#end = end;
		const codec = bytes[start] as number;
		const count = this.#varint();
		// A chunk spends at least a bit per sample unless it is regular; a day at one sample a millisecond is beyond all use.
		if (count < 1 || count > 86_400_000) throw new ChunkDamaged(`a chunk claims ${count} samples`);
		if (count > this.offsets.length) {
			const size = Math.max(count, this.offsets.length * 2);
			this.offsets = new Float64Array(size);
			this.values = new Float64Array(size);
			this.words = new Uint32Array(this.values.buffer);
		}
		this.#times(codec & 0x0f, count);
		this.#values(codec >> 4, count);
		return count;
	}

	#times(codec: number, count: number): void {
		const offsets = this.offsets;
		const first = this.#varint();
		offsets[0] = first;
		if (count === 1) return;
		let delta = this.#varint();
		if (codec === TIME_REGULAR) {
			for (let i = 1; i < count; i++) offsets[i] = first + i * delta;
			return;
		}
		if (codec !== TIME_DELTA2) throw new ChunkDamaged(`time codec ${codec} is unknown`);
		this.#packed(offsets, 2, count - 2);
		let time = first + delta;
		offsets[1] = time;
		for (let i = 2; i < count; i++) {
			delta += offsets[i] as number;
			time += delta;
			offsets[i] = time;
		}
	}

	#values(codec: number, count: number): void {
		const { values, words } = this;
		if (codec === VALUE_CONST) {
			const low = this.#word();
			const high = this.#word();
			for (let i = 0; i < count; i++) {
				words[i * 2] = low;
				words[i * 2 + 1] = high;
			}
			return;
		}
		if (codec === VALUE_RAW) {
			for (let i = 0; i < count * 2; i++) words[i] = this.#word();
			return;
		}
		if (codec > VALUE_DELTA_PLANES) {
			throw new ChunkDamaged(`value codec ${codec} is unknown`);
		}
		if (this.#pos >= this.#end) throw new ChunkDamaged('a chunk is cut off');
		const power = POWERS[this.#bytes[this.#pos++] as number];
		if (power === undefined) throw new ChunkDamaged('a chunk has an impossible scale');
		if (codec === VALUE_DELTA_CONST) {
			const first = this.#double();
			const step = this.#double();
			for (let i = 0; i < count; i++) values[i] = (first + i * step) / power;
			return;
		}
		const exceptionCount = this.#varint();
		if (exceptionCount > count) throw new ChunkDamaged('a chunk has more exceptions than samples');
		const exceptionsAt = this.#pos;
		for (let k = 0; k < exceptionCount; k++) {
			this.#varint();
			this.#skip(8);
		}
		let integer = this.#double();
		let delta = 0;
		if (codec === VALUE_PLANES) {
			this.#planes(values, 0, count);
			for (let i = 0; i < count; i++) values[i] = (integer + (values[i] as number)) / power;
		} else if (codec !== VALUE_DELTA2) {
			this.#deltas(codec, count);
			values[0] = integer / power;
			for (let i = 1; i < count; i++) {
				integer += values[i] as number;
				values[i] = integer / power;
			}
		} else {
			delta = this.#double();
			this.#packed(values, 2, count - 2);
			values[0] = integer / power;
			integer += delta;
			if (count > 1) values[1] = integer / power;
			for (let i = 2; i < count; i++) {
				delta += values[i] as number;
				integer += delta;
				values[i] = integer / power;
			}
		}
		this.#pos = exceptionsAt;
		let index = 0;
		for (let k = 0; k < exceptionCount; k++) {
			index += this.#varint();
			if (index >= count) throw new ChunkDamaged('a chunk has an exception beyond its samples');
			words[index * 2] = this.#word();
			words[index * 2 + 1] = this.#word();
		}
	}

	/** Differences of integers, in one of three forms, from index 1. */
	#deltas(codec: number, count: number): void {
		const values = this.values;
		if (codec === VALUE_DELTA) {
			this.#packed(values, 1, count - 1);
			return;
		}
		if (codec === VALUE_DELTA_PLANES) this.#planes(values, 1, count - 1);
		else {
			this.#pos = readVarints(this.#bytes, this.#pos, this.#end, values, 1, count - 1);
			if (this.#pos < 0) throw new ChunkDamaged('a chunk is cut off');
		}
		for (let i = 1; i < count; i++) values[i] = unzigzag(values[i] as number);
	}

	#planes(target: Float64Array, at: number, count: number): void {
		if (this.#pos >= this.#end) throw new ChunkDamaged('a chunk is cut off');
		const width = this.#bytes[this.#pos++] as number;
		if (width > 7) throw new ChunkDamaged(`a chunk has integers of ${width} bytes`);
		const start = this.#pos;
		this.#skip(width * count);
		readPlanes(this.#bytes, start, target, at, count, width);
	}

	#packed(target: Float64Array, at: number, count: number): void {
		if (count <= 0) return;
		this.#pos = readPacked(this.#bytes, this.#pos, this.#end, target, at, count);
		if (this.#pos < 0) throw new ChunkDamaged('a chunk is cut off');
	}

	#varint(): number {
		let value = 0;
		for (let shift = 0; shift < 35; shift += 7) {
			if (this.#pos >= this.#end) break;
			const byte = this.#bytes[this.#pos++] as number;
			value += (byte & 0x7f) * 2 ** shift;
			if (byte < 0x80) return value;
		}
		throw new ChunkDamaged('a chunk is cut off');
	}

	#skip(count: number): void {
		if (this.#pos + count > this.#end) throw new ChunkDamaged('a chunk is cut off');
		this.#pos += count;
	}

	#word(): number {
		const pos = this.#pos;
		this.#skip(4);
		return this.#view.getUint32(pos, true);
	}

	#double(): number {
		const pos = this.#pos;
		this.#skip(8);
		return this.#view.getFloat64(pos, true);
	}
}
