import { PairRange, readPair } from '../storage/label-bytes.ts';
import type { Matcher } from '../storage/storage.ts';
import type { HeadReader } from './head-reader.ts';
import { hashLabelBytes } from './registry.ts';

/**
 * Which series carry which label pair. Built from the shared label bytes, in whatever thread asks, and brought up to date by
 * `sync` before a question; strings are made once per distinct pair, not once per series.
 */
export class SeriesIndex {
	readonly #head: HeadReader;
	#indexed = 0;
	/** Label name, then value, to the ids in ascending order. */
	readonly #names = new Map<string, Map<string, number[]>>();
	readonly #postings: number[][] = [];
	/** Bytes of the distinct pairs, for the comparison behind a hash. */
	readonly #pairBytes: Uint8Array[] = [];
	#pairHashes = new Int32Array(1 << 10);
	#table = new Int32Array(1 << 11);
	readonly #all: number[] = [];

	constructor(head: HeadReader) {
		this.#head = head;
	}

	/** Series that `sync` has still to look at. */
	get behind(): number {
		return this.#head.seriesCount - this.#indexed;
	}

	/** Indexes at most `limit` further series. */
	sync(limit = Number.POSITIVE_INFINITY): void {
		const end = Math.min(this.#head.seriesCount, this.#indexed + limit);
		const pair = new PairRange();
		for (let id = this.#indexed; id < end; id++) {
			let seen = false;
			this.#head.withLabelBytes(id, (bytes, start, stop) => {
				seen = true;
				const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
				for (let pos = start; pos < stop; ) {
					const next = readPair(bytes, pos, pair);
					this.#posting(bytes, view, pos, next, pair).push(id);
					pos = next;
				}
			});
			if (seen) this.#all.push(id);
		}
		this.#indexed = Math.max(this.#indexed, end);
	}

	/** Ids of the series that satisfy every matcher, ascending. */
	select(matchers: readonly Matcher[]): readonly number[] {
		let candidates: readonly number[] | null = null;
		const filters: { bits: Uint8Array; expected: number }[] = [];
		const lists: { lists: readonly (readonly number[])[]; total: number; expected: number }[] = [];
		for (const matcher of matchers) {
			const takesAbsent = matcher.test('');
			const matching = takesAbsent ? this.#lists(matcher, false) : this.#lists(matcher, true);
			const total = matching.reduce((sum, list) => sum + list.length, 0);
			lists.push({ lists: matching, total, expected: takesAbsent ? 0 : 1 });
		}
		lists.sort((a, b) => b.expected - a.expected || a.total - b.total);
		for (const entry of lists) {
			if (entry.expected === 1 && candidates === null) {
				candidates = entry.lists.length === 1 ? (entry.lists[0] as readonly number[]) : entry.lists.flat().sort((a, b) => a - b);
				continue;
			}
			if (entry.expected === 0 && entry.total === 0) continue;
			const bits = new Uint8Array(this.#indexed);
			for (const list of entry.lists) for (const id of list) bits[id] = 1;
			filters.push({ bits, expected: entry.expected });
		}
		const base: readonly number[] = candidates ?? this.#all;
		if (filters.length === 0) return base.slice();
		return base.filter((id) => filters.every((filter) => filter.bits[id] === filter.expected));
	}

	names(): Iterable<string> {
		return this.#names.keys();
	}

	values(name: string): ReadonlyMap<string, readonly number[]> {
		return this.#names.get(name) ?? new Map();
	}

	/** Postings of the values that the matcher accepts (`accepted`) or refuses. */
	#lists(matcher: Matcher, accepted: boolean): readonly (readonly number[])[] {
		const values = this.#names.get(matcher.name);
		if (values === undefined) return [];
		if (accepted && matcher.literals !== null) {
			return [...new Set(matcher.literals)].map((literal) => values.get(literal)).filter((list) => list !== undefined);
		}
		const lists: number[][] = [];
		for (const [value, list] of values) if (matcher.test(value) === accepted) lists.push(list);
		return lists;
	}

	#posting(bytes: Uint8Array, view: DataView, start: number, end: number, pair: PairRange): number[] {
		const hash = hashLabelBytes(view, start, end);
		const mask = this.#table.length - 1;
		let i = hash & mask;
		for (; ; i = (i + 1) & mask) {
			const entry = this.#table[i] as number;
			if (entry === 0) break;
			if (this.#pairHashes[entry - 1] === hash && equalBytes(this.#pairBytes[entry - 1] as Uint8Array, bytes, start, end)) {
				return this.#postings[entry - 1] as number[];
			}
		}
		const list: number[] = [];
		const name = text(bytes, pair.nameStart, pair.nameEnd);
		const value = text(bytes, pair.valueStart, pair.valueEnd);
		let values = this.#names.get(name);
		if (values === undefined) {
			values = new Map();
			this.#names.set(name, values);
		}
		// Invalid UTF-8 can make two pairs the same text; they share a list then.
		const shared = values.get(value);
		const posting = shared ?? list;
		values.set(value, posting);
		this.#remember(bytes.slice(start, end), hash, posting, i);
		return posting;
	}

	#remember(bytes: Uint8Array, hash: number, posting: number[], place: number): void {
		this.#pairBytes.push(bytes);
		this.#postings.push(posting);
		const count = this.#postings.length;
		if (count > this.#pairHashes.length) {
			const hashes = new Int32Array(this.#pairHashes.length * 2);
			hashes.set(this.#pairHashes);
			this.#pairHashes = hashes;
		}
		this.#pairHashes[count - 1] = hash;
		if (count * 2 <= this.#table.length) {
			this.#table[place] = count;
			return;
		}
		this.#table = new Int32Array(this.#table.length * 2);
		const mask = this.#table.length - 1;
		for (let entry = 1; entry <= count; entry++) {
			let i = (this.#pairHashes[entry - 1] as number) & mask;
			while (this.#table[i] !== 0) i = (i + 1) & mask;
			this.#table[i] = entry;
		}
	}
}

function equalBytes(stored: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
	if (stored.length !== end - start) return false;
	for (let i = 0; i < stored.length; i++) if (stored[i] !== bytes[start + i]) return false;
	return true;
}

function text(bytes: Uint8Array, start: number, end: number): string {
	return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('utf8');
}
