const SLAB_BYTES = 1 << 20;
/** A chunk that would leave much of a slab empty is read again each time; ordinary ones have some hundred bytes. */
const LARGEST_CHUNK_BYTES = SLAB_BYTES >> 3;
/** Of a series and a day: the typed array, its object and the entry of the map. */
const DAY_BYTES = 320;
const HOURS = 24;
const ABSENT = -1;

export interface ChunkPlace {
	readonly bytes: Uint8Array;
	readonly start: number;
	readonly end: number;
}

/**
 * Bytes of chunks that were read from files of hours: a row of SQLite costs several microseconds, and boards ask for the same
 * rows all day (bench/query.ts). When it is full it is emptied. One per thread, over all files.
 */
export class ChunkCache {
	readonly #capacityBytes: number;
	#slabs: Uint8Array[] = [];
	/** Bytes of the last slab that are taken. */
	#used = SLAB_BYTES;
	#bytes = 0;
	/** Rises when it was emptied: places from before mean nothing then. */
	generation = 0;

	constructor(capacityBytes: number) {
		this.#capacityBytes = capacityBytes;
	}

	/** Keeps a copy and returns its place, or -1 when it is too large. */
	hold(data: Uint8Array): number {
		if (data.length > LARGEST_CHUNK_BYTES) return -1;
		if (this.#used + data.length > SLAB_BYTES) {
			if (this.#bytes + SLAB_BYTES > this.#capacityBytes) this.#empty();
			this.#slabs.push(new Uint8Array(SLAB_BYTES));
			this.#bytes += SLAB_BYTES;
			this.#used = 0;
		}
		const start = this.#used;
		(this.#slabs.at(-1) as Uint8Array).set(data, start);
		this.#used += data.length;
		return (this.#slabs.length - 1) * SLAB_BYTES + start;
	}

	slab(place: number): Uint8Array {
		return this.#slabs[Math.floor(place / SLAB_BYTES)] as Uint8Array;
	}

	/** Counts what a file remembers of places. */
	account(bytes: number): void {
		this.#bytes += bytes;
	}

	#empty(): void {
		this.#slabs = [];
		this.#bytes = 0;
		this.generation++;
	}
}

/** Which chunks of one file are in the cache, by day, series and hour. */
export class CachedChunks {
	readonly #cache: ChunkCache;
	readonly #firstBucket: number;
	/** Per day of the file and series: place and length of each hour; a length of 0 is not known, -1 is known to be absent. */
	#days: Map<number, Int32Array>[] = [];
	#generation = -1;

	constructor(cache: ChunkCache, firstBucket: number) {
		this.#cache = cache;
		this.#firstBucket = firstBucket;
	}

	/** What is known of the file is out of date. */
	forget(): void {
		this.#days = [];
	}

	/** The chunk of a series in a bucket; `read` gets it from the file, `null` when there is none. */
	get(id: number, bucket: number, read: () => Uint8Array | null): ChunkPlace | null {
		const hour = (bucket - this.#firstBucket) % HOURS;
		const places = this.#places(id, (bucket - this.#firstBucket - hour) / HOURS);
		const length = places[hour * 2 + 1] as number;
		if (length === ABSENT) return null;
		if (length > 0) {
			const place = places[hour * 2] as number;
			const start = place % SLAB_BYTES;
			return { bytes: this.#cache.slab(place), start, end: start + length };
		}
		const data = read();
		const place = data === null ? 0 : this.#cache.hold(data);
		if (place >= 0) this.#remember(places, hour, place, data === null ? ABSENT : data.length);
		return data === null ? null : { bytes: data, start: 0, end: data.length };
	}

	#remember(places: Int32Array, hour: number, place: number, length: number): void {
		// To hold this chunk the cache may have been emptied, and then `places` belongs to nobody any more.
		if (this.#generation !== this.#cache.generation) return;
		places[hour * 2] = place;
		places[hour * 2 + 1] = length;
	}

	#places(id: number, day: number): Int32Array {
		if (this.#generation !== this.#cache.generation) {
			this.#generation = this.#cache.generation;
			this.#days = [];
		}
		while (this.#days.length <= day) this.#days.push(new Map());
		const series = this.#days[day] as Map<number, Int32Array>;
		let places = series.get(id);
		if (places === undefined) {
			places = new Int32Array(HOURS * 2);
			series.set(id, places);
			this.#cache.account(DAY_BYTES);
		}
		return places;
	}
}
