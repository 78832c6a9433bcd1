import { formatSample } from './go-float.ts';

const encoder = new TextEncoder();
const ZERO = 0x30;
const MINUS = 0x2d;
const POINT = 0x2e;
/** Decimals that are tried before a number's shortest text is asked for. */
const DECIMALS = 4;
const SCALE = 10 ** DECIMALS;
/** Below this, a number of so many decimals has at most 15 digits, which no other double shares. */
const EXACT_BELOW = 1e11;

/**
 * JSON that is written as bytes. An answer of a board is tens of thousands of numbers: as strings, each would be made, joined
 * and encoded (bench/query.ts).
 */
export class JsonBytes {
	#bytes: Uint8Array<ArrayBuffer>;
	#length = 0;
	readonly #maxBytes: number;

	constructor(initialBytes: number, maxBytes: number) {
		this.#bytes = new Uint8Array(initialBytes);
		this.#maxBytes = maxBytes;
	}

	/** The text, at the beginning of a buffer that holds nothing else, may be longer, and belongs to the caller. */
	finish(): Uint8Array<ArrayBuffer> {
		// To copy a long text costs more than the room behind it; but a small answer must not hold on to a large buffer.
		return this.#length * 4 < this.#bytes.length ? this.#bytes.slice(0, this.#length) : this.#bytes.subarray(0, this.#length);
	}

	text(text: string): void {
		// A UTF-16 unit is at most three bytes of UTF-8.
		this.reserve(text.length * 3);
		this.#length += encoder.encodeInto(text, this.#bytes.subarray(this.#length)).written;
	}

	/** Room for what the unchecked writers write next. Throws `RangeError` beyond the limit. */
	reserve(count: number): void {
		const wanted = this.#length + count;
		if (wanted <= this.#bytes.length) return;
		if (wanted > this.#maxBytes) throw new RangeError(`the answer is longer than ${this.#maxBytes} bytes`);
		const grown = new Uint8Array(Math.min(this.#maxBytes, Math.max(wanted, this.#bytes.length * 2)));
		grown.set(this.#bytes.subarray(0, this.#length));
		this.#bytes = grown;
	}

	/** Characters below 0x80, in reserved room. */
	ascii(text: string): void {
		const bytes = this.#bytes;
		let at = this.#length;
		for (let i = 0; i < text.length; i++) bytes[at++] = text.charCodeAt(i);
		this.#length = at;
	}

	/** Copies, into reserved room. */
	bytes(source: Uint8Array, from: number, to: number): void {
		const bytes = this.#bytes;
		let at = this.#length;
		for (let i = from; i < to; i++) bytes[at++] = source[i] as number;
		this.#length = at;
	}

	/** A sample value as `formatSample` writes it, in reserved room of 32 bytes. */
	sample(value: number): void {
		const size = Math.abs(value);
		const scaled = Math.round(size * SCALE);
		if (!(size < EXACT_BELOW) || scaled / SCALE !== size || Object.is(value, -0)) {
			this.ascii(formatSample(value));
			return;
		}
		// Below 1e-6 the form is another one; four decimals never come near it.
		if (value < 0) this.#bytes[this.#length++] = MINUS;
		const whole = Math.floor(scaled / SCALE);
		this.#digits(whole);
		let rest = scaled - whole * SCALE;
		if (rest === 0) return;
		const bytes = this.#bytes;
		bytes[this.#length++] = POINT;
		for (let unit = SCALE / 10; rest > 0; unit /= 10) {
			const digit = Math.floor(rest / unit);
			bytes[this.#length++] = ZERO + digit;
			rest -= digit * unit;
		}
	}

	#digits(value: number): void {
		let size = 1;
		for (let bound = 10; bound <= value; bound *= 10) size += 1;
		const bytes = this.#bytes;
		let rest = value;
		for (let at = this.#length + size - 1; at >= this.#length; at--) {
			const next = Math.floor(rest / 10);
			bytes[at] = ZERO + rest - next * 10;
			rest = next;
		}
		this.#length += size;
	}
}
