/** A piece of a text as snappy writes it: `offset` 0 is a literal, otherwise a copy from so far back. */
export interface Piece {
	readonly start: number;
	readonly length: number;
	readonly offset: number;
}

/** What snappy's copies with two bytes of offset can reach and hold; shorter matches than four are not worth one. */
export const MAX_OFFSET = 65_535;
export const MAX_COPY = 64;
export const SHORT_OFFSET = 2047;
export const SHORT_COPY = 11;
const MIN_MATCH = 4;
const MAX_LITERAL = 60;
/** Earlier places that are tried at each place. A text is taken apart once and sent for hours, so this may take its time. */
const TRIES = 48;

/**
 * Takes `symbols[from .. to)` apart so that its pieces take the fewest bytes in snappy's format
 * (https://github.com/google/snappy/blob/main/format_description.txt), literals and copies being weighed against each other from the end to
 * the beginning. Copies may begin anywhere before their place. A negative symbol equals nothing, not even itself.
 */
export class MatchFinder {
	readonly #symbols: Int32Array;
	/** Place + 1 that was last seen with the hash, and for each place the one before it. */
	readonly #heads = new Int32Array(1 << 14);
	readonly #before: Int32Array;
	#seen = 0;

	constructor(symbols: Int32Array) {
		this.#symbols = symbols;
		this.#before = new Int32Array(symbols.length);
	}

	/** Stretches must be asked for in ascending order. */
	pieces(from: number, to: number): readonly Piece[] {
		const count = to - from;
		// The best copy from each place, near and far.
		const nearLength = new Uint8Array(count);
		const nearOffset = new Int32Array(count);
		const farLength = new Uint8Array(count);
		const farOffset = new Int32Array(count);
		this.#enter(from);
		for (let i = 0; i < count; i++) {
			this.#search(from + i, to, (length, offset) => {
				if (offset <= SHORT_OFFSET && length > (nearLength[i] as number)) {
					nearLength[i] = length;
					nearOffset[i] = offset;
				}
				if (length > (farLength[i] as number)) {
					farLength[i] = length;
					farOffset[i] = offset;
				}
			});
			this.#enter(from + i + 1);
		}
		return cheapest(from, count, { nearLength, nearOffset, farLength, farOffset });
	}

	/** Makes what lies before `end` known. */
	#enter(end: number): void {
		const symbols = this.#symbols;
		for (; this.#seen + MIN_MATCH <= symbols.length && this.#seen < end; this.#seen++) {
			const hash = hashAt(symbols, this.#seen);
			if (hash < 0) continue;
			this.#before[this.#seen] = this.#heads[hash] as number;
			this.#heads[hash] = this.#seen + 1;
		}
	}

	#search(at: number, to: number, found: (length: number, offset: number) => void): void {
		const symbols = this.#symbols;
		const longest = Math.min(MAX_COPY, to - at);
		if (longest < MIN_MATCH || at + MIN_MATCH > symbols.length) return;
		const hash = hashAt(symbols, at);
		if (hash < 0) return;
		let place = (this.#heads[hash] as number) - 1;
		for (let tries = 0; place >= 0 && tries < TRIES && at - place <= MAX_OFFSET; tries++) {
			let length = 0;
			while (length < longest && symbols[place + length] === symbols[at + length] && (symbols[at + length] as number) >= 0) length++;
			if (length >= MIN_MATCH) found(length, at - place);
			place = (this.#before[place] as number) - 1;
		}
	}
}

/** -1 where one of the four equals nothing. */
function hashAt(symbols: Int32Array, at: number): number {
	const a = symbols[at] as number;
	const b = symbols[at + 1] as number;
	const c = symbols[at + 2] as number;
	const d = symbols[at + 3] as number;
	if ((a | b | c | d) < 0) return -1;
	return (Math.imul(a ^ (b << 8) ^ (c << 16) ^ (d << 24), 0x1e35a7bd) >>> 18) & 0x3fff;
}

interface Matches {
	readonly nearLength: Uint8Array;
	readonly nearOffset: Int32Array;
	readonly farLength: Uint8Array;
	readonly farOffset: Int32Array;
}

/** `cost[i]`: fewest bytes from place i to the end when a piece begins there; a literal costs one more than its bytes. */
function cheapest(from: number, count: number, matches: Matches): readonly Piece[] {
	const cost = new Int32Array(count + 1);
	/** Cost when a literal goes on at this place, whose header is paid already. */
	const inLiteral = new Int32Array(count + 1);
	const length = new Int32Array(count + 1);
	const offset = new Int32Array(count + 1);
	for (let i = count - 1; i >= 0; i--) {
		inLiteral[i] = 1 + Math.min(inLiteral[i + 1] as number, cost[i + 1] as number);
		let best = 1 + (inLiteral[i] as number);
		for (let size = MIN_MATCH; size <= (matches.farLength[i] as number); size++) {
			const price = 3 + (cost[i + size] as number);
			if (price <= best) {
				best = price;
				length[i] = size;
				offset[i] = matches.farOffset[i] as number;
			}
		}
		for (let size = MIN_MATCH; size <= Math.min(SHORT_COPY, matches.nearLength[i] as number); size++) {
			const price = 2 + (cost[i + size] as number);
			if (price <= best) {
				best = price;
				length[i] = size;
				offset[i] = matches.nearOffset[i] as number;
			}
		}
		cost[i] = best;
	}
	const pieces: Piece[] = [];
	for (let i = 0; i < count; ) {
		if (length[i] !== 0) {
			pieces.push({ start: from + i, length: length[i] as number, offset: offset[i] as number });
			i += length[i] as number;
			continue;
		}
		let end = i + 1;
		while (end < count && end - i < MAX_LITERAL && (inLiteral[end] as number) < (cost[end] as number)) end++;
		pieces.push({ start: from + i, length: end - i, offset: 0 });
		i = end;
	}
	return pieces;
}
