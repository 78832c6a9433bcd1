import { MAX_COPY, MAX_OFFSET, MatchFinder, type Piece, SHORT_COPY, SHORT_OFFSET } from './match-finder.ts';

const VALUE_BYTES = 8;
const TIME_BYTES = 6;
const REMEMBERED_VALUES = 1024;
/** More bytes than anything takes. */
const NEVER = 99;
/** Below this many zeros a copy of them saves nothing. */
const WORTHWHILE_ZEROS = 4;

/** Where the parts of a request lie that change from round to round. */
export interface Places {
	readonly valueAt: Uint32Array;
	/** Behind the value of the same index. */
	readonly timeAt: Uint32Array;
}

/**
 * Snappy blocks of a text of which only the values and times of samples change: what is between them is taken apart once, and a block is put
 * together from ready pieces. That is smaller than what a compressor finds in one pass, and needs a fraction of its time
 * (`bench/uplink.ts`). Samples in a row that had the same time when this was made must keep having the same.
 */
export class PatchedBlock {
	readonly #text: Uint8Array;
	readonly #view: DataView;
	readonly #places: Places;
	/** Ready pieces; of the stretch before value i those at `code[stretchAt[i] .. stretchAt[i + 1])`, behind the last value one more. */
	readonly #code: Uint8Array;
	readonly #stretchAt: Int32Array;
	/** The copies that a stretch begins and ends with, which may take a part of the value beside them along; often the same one. */
	readonly #first: Copies;
	readonly #last: Copies;
	/** Bytes of times that stand in a literal: where in the code, and where in the text. */
	readonly #literalAt: Int32Array;
	readonly #literalFrom: Int32Array;
	readonly #sameTime: Uint8Array;
	readonly #out: Uint8Array;
	#at = 0;
	/** The copy that is not yet written, because it may go on; length 0 is none. */
	#openOffset = 0;
	#openLength = 0;
	/** Place + 1 of the last value with this hash, and of the last value with at least so many zeros. */
	readonly #lastValue = new Int32Array(REMEMBERED_VALUES);
	readonly #lastZeros = new Int32Array(VALUE_BYTES + 1);

	/** `text` is kept: it is what its owner patches before each `compress`. */
	constructor(text: Uint8Array, places: Places) {
		const { valueAt, timeAt } = places;
		const count = valueAt.length;
		this.#text = text;
		this.#view = new DataView(text.buffer, text.byteOffset, text.byteLength);
		this.#places = places;
		this.#sameTime = sameTimes(text, timeAt);
		const finder = new MatchFinder(symbolsOf(text, places, this.#sameTime));
		const code = new CodeWriter(text, timeAt);
		this.#stretchAt = new Int32Array(count + 2);
		this.#first = new Copies(count + 1);
		this.#last = new Copies(count + 1);
		for (let i = 0; i <= count; i++) {
			const from = i === 0 ? 0 : (valueAt[i - 1] as number) + VALUE_BYTES;
			const pieces = finder.pieces(from, i === count ? text.length : (valueAt[i] as number));
			for (const [n, piece] of pieces.entries()) {
				const at = code.length;
				code.piece(piece);
				if (n === 0) this.#first.set(i, piece, at, code.length);
				if (n === pieces.length - 1) this.#last.set(i, piece, at, code.length);
			}
			this.#stretchAt[i + 1] = code.length;
		}
		this.#code = code.finish();
		this.#literalAt = Int32Array.from(code.patchAt);
		this.#literalFrom = Int32Array.from(code.patchFrom);
		this.#out = new Uint8Array(10 + this.#code.length + count * (VALUE_BYTES + 3));
	}

	/** The block of the text as it is now; `null` when times differ that must not. */
	compress(): Uint8Array | null {
		const text = this.#text;
		const { valueAt, timeAt } = this.#places;
		for (let i = 1; i < timeAt.length; i++)
			if (this.#sameTime[i] === 1 && !sameBytes(text, timeAt[i] as number, timeAt[i - 1] as number)) return null;
		const code = this.#code;
		for (let i = 0; i < this.#literalAt.length; i++) code[this.#literalAt[i] as number] = text[this.#literalFrom[i] as number] as number;
		this.#lastValue.fill(0);
		this.#lastZeros.fill(0);
		const out = this.#out;
		this.#at = writeLength(out, text.length);
		this.#openLength = 0;
		this.#stretch(0, 0);
		for (let i = 0; i < valueAt.length; i++) {
			const place = valueAt[i] as number;
			if (!this.#goesOn(i, place)) this.#stretch(i + 1, this.#value(i, place));
			this.#remember(place);
		}
		this.#close(0);
		return out.slice(0, this.#at);
	}

	/** Whether one copy can bring what is open, the value, and what the next stretch begins with; then that stretch is written, too. */
	#goesOn(i: number, place: number): boolean {
		const first = this.#first;
		const offset = this.#openOffset;
		const length = this.#openLength + VALUE_BYTES + (first.length[i + 1] as number);
		if (this.#openLength === 0 || offset !== first.offset[i + 1] || length > MAX_COPY || !this.#sameValue(place, place - offset))
			return false;
		this.#openLength = length;
		const end = this.#stretchAt[i + 2] as number;
		if (first.end[i + 1] === end) return true;
		this.#close(0);
		this.#rest(i + 1, first.end[i + 1] as number);
		return true;
	}

	/** Writes a stretch but for the copy at its end, which stays open; the copy at its beginning begins `more` bytes earlier. */
	#stretch(i: number, more: number): void {
		const first = this.#first;
		let from = this.#stretchAt[i] as number;
		const end = this.#stretchAt[i + 1] as number;
		const alone = first.offset[i] !== 0 && first.end[i] === end;
		if (first.offset[i] !== 0 && !alone) {
			this.#at = writeCopy(this.#out, this.#at, (first.length[i] as number) + more, first.offset[i] as number);
			from = first.end[i] as number;
		}
		if (alone) {
			this.#openOffset = first.offset[i] as number;
			this.#openLength = (first.length[i] as number) + more;
		} else this.#rest(i, from);
	}

	/** The same from a place in its code on that is no later than where its last piece begins. */
	#rest(i: number, from: number): void {
		const last = this.#last;
		const open = last.offset[i] !== 0;
		const end = open ? (last.start[i] as number) : (this.#stretchAt[i + 1] as number);
		this.#at = copyBytes(this.#code, from, end, this.#out, this.#at);
		this.#openOffset = last.offset[i] as number;
		this.#openLength = open ? (last.length[i] as number) : 0;
	}

	/** Writes the copy that is open, longer by `more` bytes. */
	#close(more: number): void {
		if (this.#openLength > 0) this.#at = writeCopy(this.#out, this.#at, this.#openLength + more, this.#openOffset);
		this.#openLength = 0;
	}

	/**
	 * Writes a value as what is cheapest of: its first bytes by the copy before it, its last bytes by the copy behind it and the rest as it is;
	 * the same value from before; its zeros from before and the rest as it is. Returns how many bytes the copy behind it takes along.
	 */
	#value(i: number, place: number): number {
		const before = this.#openLength;
		const behind = this.#first.offset[i + 1] === 0 ? 0 : (this.#first.length[i + 1] as number);
		const head = before === 0 ? 0 : this.#sameAhead(place, this.#openOffset, MAX_COPY - before);
		const tail =
			behind === 0 ? 0 : Math.min(VALUE_BYTES - head, this.#sameBehind(place, this.#first.offset[i + 1] as number, MAX_COPY - behind));
		const joined =
			literalBytes(VALUE_BYTES - head - tail) +
			growth(before, head, this.#openOffset) +
			growth(behind, tail, this.#first.offset[i + 1] as number);
		const known = (this.#lastValue[this.#hash(place)] as number) - 1;
		const zeros = this.#zeros(place);
		const zerosAt = (this.#lastZeros[zeros] as number) - 1;
		const copied =
			known >= 0 && place - known <= MAX_OFFSET && this.#sameValue(place, known) ? copyBytesOf(VALUE_BYTES, place - known) : NEVER;
		const split =
			zeros >= WORTHWHILE_ZEROS && zerosAt >= 0 && place - zerosAt <= MAX_OFFSET
				? copyBytesOf(zeros, place - zerosAt) + literalBytes(VALUE_BYTES - zeros)
				: NEVER;
		if (joined <= copied && joined <= split) {
			this.#close(head);
			this.#literal(place + head, place + VALUE_BYTES - tail);
			return tail;
		}
		this.#close(0);
		if (copied <= split) {
			this.#at = writeCopy(this.#out, this.#at, VALUE_BYTES, place - known);
			return 0;
		}
		this.#at = writeCopy(this.#out, this.#at, zeros, place - zerosAt);
		this.#literal(place + zeros, place + VALUE_BYTES);
		return 0;
	}

	#literal(from: number, to: number): void {
		if (to === from) return;
		this.#out[this.#at++] = (to - from - 1) << 2;
		this.#at = copyBytes(this.#text, from, to, this.#out, this.#at);
	}

	/** How many bytes from the value's beginning on a copy from so far back would give, too. */
	#sameAhead(place: number, offset: number, most: number): number {
		const text = this.#text;
		const end = Math.min(VALUE_BYTES, most);
		let same = 0;
		while (same < end && text[place + same] === text[place + same - offset]) same++;
		return same;
	}

	/** The same from its end backwards. */
	#sameBehind(place: number, offset: number, most: number): number {
		const text = this.#text;
		const end = Math.min(VALUE_BYTES, most, place + VALUE_BYTES - offset);
		let same = 0;
		for (let at = place + VALUE_BYTES - 1; same < end && text[at] === text[at - offset]; at--) same++;
		return same;
	}

	#remember(place: number): void {
		this.#lastValue[this.#hash(place)] = place + 1;
		for (let zeros = this.#zeros(place); zeros >= WORTHWHILE_ZEROS; zeros--) this.#lastZeros[zeros] = place + 1;
	}

	#hash(place: number): number {
		const view = this.#view;
		return Math.imul(view.getInt32(place, true) ^ Math.imul(view.getInt32(place + 4, true), 0x01000193), 0x1e35a7bd) >>> 22;
	}

	#zeros(place: number): number {
		const text = this.#text;
		let zeros = 0;
		while (zeros < VALUE_BYTES && text[place + zeros] === 0) zeros++;
		return zeros;
	}

	#sameValue(a: number, b: number): boolean {
		const view = this.#view;
		return view.getInt32(a, true) === view.getInt32(b, true) && view.getInt32(a + 4, true) === view.getInt32(b + 4, true);
	}
}

/** Of each stretch the copy at one of its ends: `offset` 0 where it is a literal; `start` and `end` of its code. */
class Copies {
	readonly offset: Int32Array;
	readonly length: Int32Array;
	readonly start: Int32Array;
	readonly end: Int32Array;

	constructor(count: number) {
		this.offset = new Int32Array(count);
		this.length = new Int32Array(count);
		this.start = new Int32Array(count);
		this.end = new Int32Array(count);
	}

	set(i: number, { offset, length }: Piece, start: number, end: number): void {
		this.offset[i] = offset;
		this.length[i] = length;
		this.start[i] = start;
		this.end[i] = end;
	}
}

/** 1 where a time is that of the sample before. */
function sameTimes(text: Uint8Array, timeAt: Uint32Array): Uint8Array {
	const same = new Uint8Array(timeAt.length);
	for (let i = 1; i < timeAt.length; i++) same[i] = sameBytes(text, timeAt[i] as number, timeAt[i - 1] as number) ? 1 : 0;
	return same;
}

/** Bytes that stay are themselves, those of values nothing, those of times equal where the times must be. */
function symbolsOf(text: Uint8Array, { valueAt, timeAt }: Places, sameTime: Uint8Array): Int32Array {
	const symbols = Int32Array.from(text);
	let run = 0;
	for (let i = 0; i < valueAt.length; i++) {
		if (sameTime[i] === 0) run++;
		symbols.fill(-1, valueAt[i], (valueAt[i] as number) + VALUE_BYTES);
		for (let byte = 0; byte < TIME_BYTES; byte++) symbols[(timeAt[i] as number) + byte] = 256 * run + byte;
	}
	return symbols;
}

/** Gathers pieces in snappy's format, and where bytes of times stand in it. */
class CodeWriter {
	readonly patchAt: number[] = [];
	readonly patchFrom: number[] = [];
	readonly #text: Uint8Array;
	readonly #isTime: Uint8Array;
	#code = new Uint8Array(4096);
	length = 0;

	constructor(text: Uint8Array, timeAt: Uint32Array) {
		this.#text = text;
		this.#isTime = new Uint8Array(text.length);
		for (const at of timeAt) this.#isTime.fill(1, at, at + TIME_BYTES);
	}

	piece({ start, length, offset }: Piece): void {
		if (this.length + length + 3 > this.#code.length) {
			const larger = new Uint8Array(this.#code.length * 2);
			larger.set(this.#code);
			this.#code = larger;
		}
		if (offset > 0) {
			this.length = writeCopy(this.#code, this.length, length, offset);
			return;
		}
		this.#code[this.length++] = (length - 1) << 2;
		for (let i = start; i < start + length; i++) {
			if (this.#isTime[i] === 1) {
				this.patchAt.push(this.length);
				this.patchFrom.push(i);
			}
			this.#code[this.length++] = this.#text[i] as number;
		}
	}

	finish(): Uint8Array {
		return this.#code.slice(0, this.length);
	}
}

function copyBytesOf(length: number, offset: number): number {
	return length <= SHORT_COPY && offset <= SHORT_OFFSET ? 2 : 3;
}

/** What a copy costs more when it is longer by `more`. */
function growth(length: number, more: number, offset: number): number {
	return more === 0 ? 0 : copyBytesOf(length + more, offset) - copyBytesOf(length, offset);
}

function literalBytes(length: number): number {
	return length === 0 ? 0 : length + 1;
}

/** `length` of 4 to 64. */
function writeCopy(out: Uint8Array, at: number, length: number, offset: number): number {
	if (copyBytesOf(length, offset) === 2) {
		out[at] = 1 | ((length - 4) << 2) | ((offset >> 8) << 5);
		out[at + 1] = offset & 0xff;
		return at + 2;
	}
	out[at] = 2 | ((length - 1) << 2);
	out[at + 1] = offset & 0xff;
	out[at + 2] = offset >> 8;
	return at + 3;
}

function writeLength(out: Uint8Array, length: number): number {
	let at = 0;
	let rest = length;
	for (; rest >= 128; rest = Math.floor(rest / 128)) out[at++] = (rest % 128) | 128;
	out[at++] = rest;
	return at;
}

/** Stretches are a few bytes: a call of `set` with a view would cost more than they do. */
function copyBytes(from: Uint8Array, start: number, end: number, to: Uint8Array, at: number): number {
	if (end - start > 64) {
		to.set(from.subarray(start, end), at);
		return at + end - start;
	}
	let target = at;
	for (let i = start; i < end; i++) to[target++] = from[i] as number;
	return target;
}

function sameBytes(text: Uint8Array, a: number, b: number): boolean {
	for (let i = 0; i < TIME_BYTES; i++) if (text[a + i] !== text[b + i]) return false;
	return true;
}
