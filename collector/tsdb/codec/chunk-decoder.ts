import { readPlanes, readVarints } from './byte-streams.ts';
import {
	POWERS,
	TIME_DELTA2,
	TIME_REGULAR,
	VALUE_CONST,
	VALUE_DELTA,
	VALUE_DELTA_CONST,
	VALUE_DELTA_PLANES,
	VALUE_DELTA2,
	VALUE_PLANES,
	VALUE_RAW,
} from './chunk-forms.ts';
import { readPacked } from './packed-integers.ts';

/** Thrown for bytes that are no chunk; whoever knows where they came from turns it into a report. */
export class ChunkDamaged extends Error {}

/** Where samples are decoded to: three arrays of at least the same number of samples; `words` and `values` are two views of one buffer. */
export interface SampleColumns {
	readonly times: Float64Array;
	readonly values: Float64Array;
	readonly words: Uint32Array;
}

const NAN_BITS = 0x7ff00000;
/** A chunk spends at least a bit per sample unless it is regular: a few damaged bytes may claim any number. A day at 194 samples a second is beyond all use. */
const MAX_SAMPLES = 1 << 24;

/** Reads chunks. One decoder per thread. */
export class ChunkDecoder {
	/** Offsets in milliseconds since the bucket's start, values and their words, of the last `decode`. */
	offsets = new Float64Array(512);
	values = new Float64Array(512);
	words = new Uint32Array(this.values.buffer);
	/** Whether the last chunk may hold a stale marker, or a value below the one before it: what `false` says is certain. */
	mayBeStale = false;
	mayFall = false;
	#bytes: Uint8Array = new Uint8Array(0);
	#view: DataView = new DataView(this.#bytes.buffer);
	#pos = 0;
	#end = 0;
	#codec = 0;
	#count = 0;

	/** Decodes `bytes[start .. end)` and returns the number of samples. Throws `ChunkDamaged`. */
	decode(bytes: Uint8Array, start: number, end: number): number {
		const count = this.open(bytes, start, end);
		if (count > this.offsets.length) {
			const size = Math.max(count, this.offsets.length * 2);
			this.offsets = new Float64Array(size);
			this.values = new Float64Array(size);
			this.words = new Uint32Array(this.values.buffer);
		}
		this.read({ times: this.offsets, values: this.values, words: this.words }, 0, 0);
		return count;
	}

	/** Looks at the head of a chunk and returns its number of samples; `read` then decodes them. Throws `ChunkDamaged`. */
	open(bytes: Uint8Array, start: number, end: number): number {
		if (this.#bytes !== bytes) {
			this.#bytes = bytes;
			this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
		}
		if (end - start < 3) throw new ChunkDamaged('a chunk is too short');
		this.#pos = start + 1;
		this.#end = end;
		this.#codec = bytes[start] as number;
		this.#count = this.#varint();
		if (this.#count < 1 || this.#count > MAX_SAMPLES) throw new ChunkDamaged(`a chunk claims ${this.#count} samples`);
		return this.#count;
	}

	/**
	 * Decodes the chunk that was opened into `target` from index `at`, which must have room for its samples; times are `baseMs` plus
	 * the offsets, strictly ascending. Throws `ChunkDamaged`; the target then holds anything.
	 */
	read(target: SampleColumns, at: number, baseMs: number): void {
		this.#times(target.times, at, baseMs);
		this.#values(target, at);
	}

	#times(times: Float64Array, at: number, baseMs: number): void {
		const count = this.#count;
		const codec = this.#codec & 0x0f;
		const first = this.#varint();
		let time = baseMs + first;
		times[at] = time;
		if (count === 1) return;
		let delta = this.#varint();
		if (delta < 1) throw new ChunkDamaged('the times of a chunk do not ascend');
		const end = at + count;
		if (codec === TIME_REGULAR) {
			for (let i = at + 1; i < end; i++) {
				time += delta;
				times[i] = time;
			}
			return;
		}
		if (codec !== TIME_DELTA2) throw new ChunkDamaged(`time codec ${codec} is unknown`);
		this.#packed(times, at + 2, count - 2);
		time += delta;
		times[at + 1] = time;
		let least = delta;
		for (let i = at + 2; i < end; i++) {
			delta += times[i] as number;
			if (delta < least) least = delta;
			time += delta;
			times[i] = time;
		}
		// NaN, which damaged bytes may hold, is refused as well.
		if (!(least >= 1)) throw new ChunkDamaged('the times of a chunk do not ascend');
	}

	#values({ values, words }: SampleColumns, at: number): void {
		const codec = this.#codec >> 4;
		const end = at + this.#count;
		this.mayBeStale = false;
		this.mayFall = false;
		if (codec === VALUE_CONST) {
			const low = this.#word();
			const high = this.#word();
			this.mayBeStale = (high & NAN_BITS) === NAN_BITS;
			for (let i = at; i < end; i++) {
				words[i * 2] = low;
				words[i * 2 + 1] = high;
			}
			return;
		}
		if (codec === VALUE_RAW) {
			this.mayBeStale = true;
			this.mayFall = true;
			for (let i = at * 2; i < end * 2; i++) words[i] = this.#word();
			return;
		}
		if (codec > VALUE_DELTA_PLANES) throw new ChunkDamaged(`value codec ${codec} is unknown`);
		if (this.#pos >= this.#end) throw new ChunkDamaged('a chunk is cut off');
		const power = POWERS[this.#bytes[this.#pos++] as number];
		if (power === undefined) throw new ChunkDamaged('a chunk has an impossible scale');
		if (codec === VALUE_DELTA_CONST) {
			const first = this.#double();
			const step = this.#double();
			this.mayFall = !(step >= 0);
			for (let i = at; i < end; i++) values[i] = (first + (i - at) * step) / power;
			return;
		}
		const exceptionCount = this.#varint();
		if (exceptionCount > this.#count) throw new ChunkDamaged('a chunk has more exceptions than samples');
		const exceptionsAt = this.#pos;
		for (let k = 0; k < exceptionCount; k++) {
			this.#varint();
			this.#skip(8);
		}
		this.#integers(values, at, codec);
		// Most counters and whole gauges have no decimals.
		if (power !== 1) for (let i = at; i < end; i++) values[i] = (values[i] as number) / power;
		if (exceptionCount > 0) this.#exceptions(words, at, exceptionsAt, exceptionCount);
	}

	#integers(values: Float64Array, at: number, codec: number): void {
		const end = at + this.#count;
		let integer = this.#double();
		if (codec === VALUE_PLANES) {
			this.#planes(values, at, this.#count, false);
			this.mayFall = true;
			for (let i = at; i < end; i++) values[i] = integer + (values[i] as number);
			return;
		}
		if (codec === VALUE_DELTA2) {
			let delta = this.#double();
			this.#packed(values, at + 2, this.#count - 2);
			values[at] = integer;
			integer += delta;
			if (this.#count > 1) values[at + 1] = integer;
			let least = delta;
			for (let i = at + 2; i < end; i++) {
				delta += values[i] as number;
				if (delta < least) least = delta;
				integer += delta;
				values[i] = integer;
			}
			this.mayFall = !(least >= 0);
			return;
		}
		if (codec === VALUE_DELTA) this.#packed(values, at + 1, this.#count - 1);
		else if (codec === VALUE_DELTA_PLANES) this.#planes(values, at + 1, this.#count - 1, true);
		else {
			this.#pos = readVarints(this.#bytes, this.#pos, this.#end, values, at + 1, this.#count - 1);
			if (this.#pos < 0) throw new ChunkDamaged('a chunk is cut off');
		}
		values[at] = integer;
		let least = 0;
		for (let i = at + 1; i < end; i++) {
			const delta = values[i] as number;
			if (delta < least) least = delta;
			integer += delta;
			values[i] = integer;
		}
		this.mayFall = !(least >= 0);
	}

	#exceptions(words: Uint32Array, at: number, exceptionsAt: number, exceptionCount: number): void {
		this.mayBeStale = true;
		this.mayFall = true;
		this.#pos = exceptionsAt;
		let index = 0;
		for (let k = 0; k < exceptionCount; k++) {
			index += this.#varint();
			if (index >= this.#count) throw new ChunkDamaged('a chunk has an exception beyond its samples');
			words[(at + index) * 2] = this.#word();
			words[(at + index) * 2 + 1] = this.#word();
		}
	}

	#planes(target: Float64Array, at: number, count: number, signed: boolean): void {
		if (this.#pos >= this.#end) throw new ChunkDamaged('a chunk is cut off');
		const width = this.#bytes[this.#pos++] as number;
		if (width > 7) throw new ChunkDamaged(`a chunk has integers of ${width} bytes`);
		const start = this.#pos;
		this.#skip(width * count);
		readPlanes(this.#bytes, start, target, at, { count, width }, signed);
	}

	#packed(target: Float64Array, at: number, count: number): void {
		if (count <= 0) return;
		this.#pos = readPacked({ bytes: this.#bytes, view: this.#view, start: this.#pos, end: this.#end }, target, at, count);
		if (this.#pos < 0) throw new ChunkDamaged('a chunk is cut off');
	}

	#varint(): number {
		const bytes = this.#bytes;
		let pos = this.#pos;
		if (pos < this.#end && (bytes[pos] as number) < 0x80) {
			this.#pos = pos + 1;
			return bytes[pos] as number;
		}
		let value = 0;
		for (let power = 1; power < 2 ** 35; power *= 128) {
			if (pos >= this.#end) break;
			const byte = bytes[pos++] as number;
			value += (byte & 0x7f) * power;
			if (byte < 0x80) {
				this.#pos = pos;
				return value;
			}
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
