/**
 * The series of one target by the bytes of their line (name and braces), as an exporter writes them each time: a known series is found
 * without taking its labels apart. Exporters repeat their order, so the successor of the last hit is compared before anything is hashed.
 * Entries are numbered from 0; what is kept per entry are columns, not objects.
 */
export class SeriesCache {
	count = 0;
	/** Id in the store; `DROPPED` when relabelling drops the series, `UNRESOLVED` while the store does not have it. */
	ids = new Int32Array(64);
	/** Whose id it was when it was looked up: ids are lent (`ColumnIngest`). */
	identities = new Float64Array(64);
	/** The scrape (by number) that last had the entry. */
	seen = new Float64Array(64);
	/** Time of the sample that this entry got last. */
	lastTime = new Float64Array(64);
	/** 1 while the series must be marked stale when it goes. */
	active = new Uint8Array(64);
	/** Label bytes of entries that are still to be looked up or created in the store. */
	readonly unresolved = new Map<number, Uint8Array>();
	#starts = new Int32Array(64);
	#ends = new Int32Array(64);
	#arena = new Uint8Array(4096);
	#used = 0;
	/** Entry + 1 per place, 0 is free; at most half full. */
	#table = new Int32Array(256);
	#next = 0;

	/** Begins another text: the first series is expected to be the first entry. */
	rewind(): void {
		this.#next = 0;
	}

	/** The entry of these bytes, or -1. */
	find(bytes: Uint8Array, start: number, end: number): number {
		const expected = this.#next;
		if (expected < this.count && this.#equals(expected, bytes, start, end)) {
			this.#next = expected + 1;
			return expected;
		}
		const mask = this.#table.length - 1;
		for (let i = hashBytes(bytes, start, end) & mask; ; i = (i + 1) & mask) {
			const entry = (this.#table[i] as number) - 1;
			if (entry < 0) return -1;
			if (this.#equals(entry, bytes, start, end)) {
				this.#next = entry + 1;
				return entry;
			}
		}
	}

	/** Adds bytes that `find` did not know. */
	add(bytes: Uint8Array, start: number, end: number): number {
		const entry = this.count;
		if (entry === this.ids.length) this.#growColumns();
		const length = end - start;
		if (this.#used + length > this.#arena.length) {
			const larger = new Uint8Array(Math.max(this.#arena.length * 2, this.#used + length));
			larger.set(this.#arena);
			this.#arena = larger;
		}
		this.#arena.set(bytes.subarray(start, end), this.#used);
		this.#starts[entry] = this.#used;
		this.#used += length;
		this.#ends[entry] = this.#used;
		this.ids[entry] = UNRESOLVED;
		this.seen[entry] = -1;
		this.lastTime[entry] = 0;
		this.active[entry] = 0;
		this.count = entry + 1;
		this.#next = this.count;
		if (this.count * 2 > this.#table.length) this.#rehash(this.#table.length * 2);
		else this.#place(entry);
		return entry;
	}

	/** Forgets the entries from `count` on, which a text that turned out bad has added. */
	truncate(count: number): void {
		if (count >= this.count) return;
		for (let entry = count; entry < this.count; entry++) this.unresolved.delete(entry);
		this.#used = this.#starts[count] as number;
		this.count = count;
		this.#rehash(this.#table.length);
	}

	/** Keeps only the entries that were in the scrape `number`, in their order. */
	keepSeen(number: number): void {
		let kept = 0;
		let used = 0;
		const unresolved = [...this.unresolved];
		this.unresolved.clear();
		const moved = new Map<number, number>();
		for (let entry = 0; entry < this.count; entry++) {
			if (this.seen[entry] !== number) continue;
			const start = this.#starts[entry] as number;
			const end = this.#ends[entry] as number;
			this.#arena.copyWithin(used, start, end);
			this.#starts[kept] = used;
			used += end - start;
			this.#ends[kept] = used;
			this.ids[kept] = this.ids[entry] as number;
			this.identities[kept] = this.identities[entry] as number;
			this.seen[kept] = number;
			this.lastTime[kept] = this.lastTime[entry] as number;
			this.active[kept] = this.active[entry] as number;
			if (unresolved.length > 0) moved.set(entry, kept);
			kept++;
		}
		for (const [entry, labels] of unresolved) {
			const to = moved.get(entry);
			if (to !== undefined) this.unresolved.set(to, labels);
		}
		this.#used = used;
		this.count = kept;
		this.#rehash(this.#table.length);
	}

	#equals(entry: number, bytes: Uint8Array, start: number, end: number): boolean {
		const from = this.#starts[entry] as number;
		if ((this.#ends[entry] as number) - from !== end - start) return false;
		const arena = this.#arena;
		// Series that follow each other differ at their end.
		for (let a = from + end - start - 1, b = end - 1; b >= start; a--, b--) if (arena[a] !== bytes[b]) return false;
		return true;
	}

	#place(entry: number): void {
		const mask = this.#table.length - 1;
		let i = hashBytes(this.#arena, this.#starts[entry] as number, this.#ends[entry] as number) & mask;
		while (this.#table[i] !== 0) i = (i + 1) & mask;
		this.#table[i] = entry + 1;
	}

	#rehash(size: number): void {
		this.#table = new Int32Array(size);
		for (let entry = 0; entry < this.count; entry++) this.#place(entry);
	}

	#growColumns(): void {
		const length = this.ids.length * 2;
		this.ids = grown(this.ids, new Int32Array(length));
		this.identities = grown(this.identities, new Float64Array(length));
		this.seen = grown(this.seen, new Float64Array(length));
		this.lastTime = grown(this.lastTime, new Float64Array(length));
		this.active = grown(this.active, new Uint8Array(length));
		this.#starts = grown(this.#starts, new Int32Array(length));
		this.#ends = grown(this.#ends, new Int32Array(length));
	}
}

export const DROPPED = -1;
export const UNRESOLVED = -2;

function grown<T extends Int32Array | Float64Array | Uint8Array>(from: T, to: T): T {
	to.set(from);
	return to;
}

/** FNV-1a, 32 bits. */
function hashBytes(bytes: Uint8Array, start: number, end: number): number {
	let hash = 0x811c9dc5;
	for (let i = start; i < end; i++) hash = Math.imul(hash ^ (bytes[i] as number), 0x01000193);
	return hash >>> 1;
}
