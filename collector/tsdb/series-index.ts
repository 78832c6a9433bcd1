import { PairRange, readPair } from '../storage/label-bytes.ts';
import type { Matcher } from '../storage/storage.ts';
import type { HeadReader } from './head-reader.ts';
import { IdList, type Ids } from './id-list.ts';
import { hashLabelBytes } from './registry.ts';

/** In place of an id, for a slot without series. */
const NOBODY = 0xffffffff;

/**
 * Which series carry which label pair. Built from the shared label bytes, in whatever thread asks, and brought up to date by
 * `sync` before a question; strings are made once per distinct pair, not once per series.
 */
export class SeriesIndex {
	readonly #head: HeadReader;
	#indexed = 0;
	/** The series of each slot when it was indexed. */
	#ids = new Uint32Array(1 << 12);
	/** Slots that had no series when they were last looked at. */
	#free: number[] = [];
	#generation = 0;
	#departures = 0;
	#added = 0;
	readonly #pair = new PairRange();
	#view = new DataView(new ArrayBuffer(0));
	/** Label name, then value, to the slots. */
	readonly #names = new Map<string, Map<string, IdList>>();
	#postings: IdList[] = [];
	/** Bytes of the distinct pairs, for the comparison behind a hash. */
	#pairBytes: Uint8Array[] = [];
	#pairHashes = new Int32Array(1 << 10);
	#table = new Int32Array(1 << 11);
	readonly #all = new IdList();
	readonly #sorted = new Map<string, readonly (readonly [string, Ids])[]>();
	#sortedAt = -1;

	constructor(head: HeadReader) {
		this.#head = head;
	}

	/** Slots that `sync` has still to look at, about. */
	get behind(): number {
		return this.#head.slotCount - this.#indexed + (this.#head.added === this.#added ? 0 : 1);
	}

	/** Rises with every change: the same question has the same answer until then. */
	get generation(): number {
		return this.#generation;
	}

	/** The series that was in `slot` when it was indexed. */
	idOf(slot: number): number {
		return this.#ids[slot] as number;
	}

	/** Forgets series that have gone, and indexes at most `limit` further ones. */
	sync(limit = Number.POSITIVE_INFINITY): void {
		const { departures, added } = this.#head;
		if (departures !== this.#departures) {
			this.#forgetDeparted();
			this.#departures = departures;
		}
		let left = limit;
		if (added !== this.#added) {
			left = this.#indexReused(left);
			if (left > 0) this.#added = added;
		}
		const end = Math.min(this.#head.slotCount, this.#indexed + left);
		if (end > this.#ids.length) {
			const ids = new Uint32Array(Math.max(end, this.#ids.length * 2));
			ids.set(this.#ids);
			this.#ids = ids;
		}
		for (let slot = this.#indexed; slot < end; slot++) if (!this.#indexSlot(slot)) this.#free.push(slot);
		this.#indexed = Math.max(this.#indexed, end);
	}

	#indexSlot(slot: number): boolean {
		const id = this.#head.readLabels(slot);
		this.#ids[slot] = id < 0 ? NOBODY : id;
		if (id < 0) return false;
		this.#generation++;
		const bytes = this.#head.labelBytes;
		if (this.#view.buffer !== bytes.buffer) this.#view = new DataView(bytes.buffer);
		for (let pos = 0; pos < this.#head.labelLength; ) {
			const next = readPair(bytes, pos, this.#pair);
			this.#posting(bytes, this.#view, pos, next, this.#pair).push(slot);
			pos = next;
		}
		this.#all.push(slot);
		return true;
	}

	/** Free slots may have been given to new series. Returns what is left of the limit. */
	#indexReused(limit: number): number {
		let left = limit;
		this.#free = this.#free.filter((slot) => {
			if (left <= 0) return true;
			if (!this.#indexSlot(slot)) return true;
			left--;
			return false;
		});
		return left;
	}

	#forgetDeparted(): void {
		const marked = new Uint8Array(this.#indexed);
		let any = false;
		for (let slot = 0; slot < this.#indexed; slot++) {
			const id = this.#ids[slot] as number;
			if (id === NOBODY || (this.#head.idOf(slot) === id && this.#head.isInUse(slot))) continue;
			marked[slot] = 1;
			any = true;
			this.#ids[slot] = NOBODY;
			this.#free.push(slot);
		}
		if (!any) return;
		this.#generation++;
		this.#all.remove(marked);
		for (const [name, values] of this.#names) {
			for (const [value, list] of values) {
				list.remove(marked);
				if (list.length === 0) values.delete(value);
			}
			if (values.size === 0) this.#names.delete(name);
		}
		this.#dropEmptyPairs();
	}

	/** Values that no series has any more must not stay: with names that change all the time they would fill the memory. */
	#dropEmptyPairs(): void {
		const kept = this.#postings.flatMap((list, i) => (list.length === 0 ? [] : [i]));
		const hashes = new Int32Array(Math.max(1 << 10, kept.length));
		kept.forEach((from, to) => {
			hashes[to] = this.#pairHashes[from] as number;
		});
		this.#postings = kept.map((i) => this.#postings[i] as IdList);
		this.#pairBytes = kept.map((i) => this.#pairBytes[i] as Uint8Array);
		this.#pairHashes = hashes;
		let size = 1 << 11;
		while (size < kept.length * 2) size *= 2;
		this.#table = new Int32Array(size);
		this.#fillTable(kept.length);
	}

	#fillTable(count: number): void {
		const mask = this.#table.length - 1;
		for (let entry = 1; entry <= count; entry++) {
			let i = (this.#pairHashes[entry - 1] as number) & mask;
			while (this.#table[i] !== 0) i = (i + 1) & mask;
			this.#table[i] = entry;
		}
	}

	/** Slots of the series that satisfy every matcher. The next `sync` may change what is returned. */
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

	/** As `values`, sorted by value. The order is remembered until the index changes. */
	sortedValues(name: string): readonly (readonly [string, Ids])[] {
		if (this.#sortedAt !== this.#generation) {
			this.#sorted.clear();
			this.#sortedAt = this.#generation;
		}
		let sorted = this.#sorted.get(name);
		if (sorted === undefined) {
			sorted = [...this.values(name)].sort((a, b) => (a[0] < b[0] ? -1 : 1));
			this.#sorted.set(name, sorted);
		}
		return sorted;
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
		this.#fillTable(count);
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
