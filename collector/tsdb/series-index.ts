import { PairRange, readPair } from '../storage/label-bytes.ts';
import type { Matcher } from '../storage/storage.ts';
import type { HeadReader } from './head-reader.ts';
import { IdList, type Ids } from './id-list.ts';
import { hashLabelBytes } from './registry.ts';

/**
 * Which series carry which label pair. Built from the shared label bytes, in whatever thread asks, and brought up to date by
 * `sync` before a question; strings are made once per distinct pair, not once per series.
 */
export class SeriesIndex {
	readonly #head: HeadReader;
	#indexed = 0;
	/** Label name, then value, to the ids in ascending order. */
	readonly #names = new Map<string, Map<string, IdList>>();
	readonly #postings: IdList[] = [];
	/** Bytes of the distinct pairs, for the comparison behind a hash. */
	readonly #pairBytes: Uint8Array[] = [];
	#pairHashes = new Int32Array(1 << 10);
	#table = new Int32Array(1 << 11);
	readonly #all = new IdList();

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
	select(matchers: readonly Matcher[]): Ids {
		const filters: Filter[] = [];
		for (const matcher of matchers) {
			// A matcher that takes absent labels is asked the other way round: which values does it refuse?
			const wanted = !matcher.test('');
			const lists = this.#lists(matcher, wanted);
			filters.push({ lists, total: lists.reduce((sum, list) => sum + list.length, 0), wanted });
		}
		// The shortest wanted list leads; the others only have to be looked up for its members.
		filters.sort((a, b) => Number(b.wanted) - Number(a.wanted) || a.total - b.total);
		const leader = filters[0]?.wanted ? filters.shift() : undefined;
		const candidates = leader === undefined ? this.#all.view() : union(leader.lists);
		const checks = filters
			.filter((filter) => filter.wanted || filter.total > 0)
			.map((filter) => ({ bits: this.#bits(filter), wanted: filter.wanted ? 1 : 0 }));
		if (checks.length === 0) return candidates;
		const chosen: number[] = [];
		for (let i = 0; i < candidates.length; i++) {
			const id = candidates[i] as number;
			if (checks.every((check) => check.bits[id] === check.wanted)) chosen.push(id);
		}
		return chosen;
	}

	names(): Iterable<string> {
		return this.#names.keys();
	}

	/** Number of distinct values of a label. */
	valueCount(name: string): number {
		return this.#names.get(name)?.size ?? 0;
	}

	/** Each value of a label with the series that have it. */
	*values(name: string): Iterable<readonly [string, Ids]> {
		for (const [value, list] of this.#names.get(name) ?? []) yield [value, list.view()];
	}

	#bits(filter: Filter): Uint8Array {
		const bits = new Uint8Array(this.#indexed);
		for (const list of filter.lists) for (const id of list.view()) bits[id] = 1;
		return bits;
	}

	/** Postings of the values that the matcher accepts (`accepted`) or refuses. */
	#lists(matcher: Matcher, accepted: boolean): readonly IdList[] {
		const values = this.#names.get(matcher.name);
		if (values === undefined) return [];
		if (accepted && matcher.literals !== null) {
			return [...new Set(matcher.literals)].map((literal) => values.get(literal)).filter((list) => list !== undefined);
		}
		const lists: IdList[] = [];
		for (const [value, list] of values) if (matcher.test(value) === accepted) lists.push(list);
		return lists;
	}

	#posting(bytes: Uint8Array, view: DataView, start: number, end: number, pair: PairRange): IdList {
		const hash = hashLabelBytes(view, start, end);
		const mask = this.#table.length - 1;
		let i = hash & mask;
		for (; ; i = (i + 1) & mask) {
			const entry = this.#table[i] as number;
			if (entry === 0) break;
			if (this.#pairHashes[entry - 1] === hash && equalBytes(this.#pairBytes[entry - 1] as Uint8Array, bytes, start, end)) {
				return this.#postings[entry - 1] as IdList;
			}
		}
		const name = text(bytes, pair.nameStart, pair.nameEnd);
		const value = text(bytes, pair.valueStart, pair.valueEnd);
		let values = this.#names.get(name);
		if (values === undefined) {
			values = new Map();
			this.#names.set(name, values);
		}
		// Invalid UTF-8 can make two pairs the same text; they share a list then.
		const shared = values.get(value);
		const posting = shared ?? new IdList();
		values.set(value, posting);
		this.#remember(bytes.slice(start, end), hash, posting, i);
		return posting;
	}

	#remember(bytes: Uint8Array, hash: number, posting: IdList, place: number): void {
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

interface Filter {
	readonly lists: readonly IdList[];
	readonly total: number;
	/** Whether a series must be in one of the lists, or in none. */
	readonly wanted: boolean;
}

/** A series has one value per label, so the lists have no member in common. */
function union(lists: readonly IdList[]): Ids {
	if (lists.length === 1) return (lists[0] as IdList).view();
	const all = new Uint32Array(lists.reduce((sum, list) => sum + list.length, 0));
	let at = 0;
	for (const list of lists) {
		all.set(list.view(), at);
		at += list.length;
	}
	return all.sort();
}

function equalBytes(stored: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
	if (stored.length !== end - start) return false;
	for (let i = 0; i < stored.length; i++) if (stored[i] !== bytes[start + i]) return false;
	return true;
}

function text(bytes: Uint8Array, start: number, end: number): string {
	return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('utf8');
}
