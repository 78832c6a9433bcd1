import {
	ARENA_WORDS,
	CHUNK_BUCKET,
	CHUNK_BYTES,
	CHUNK_COUNT,
	CHUNK_FIRST,
	CHUNK_HEADER_WORDS,
	CHUNK_LAST,
	CHUNK_PREVIOUS,
	type MemtableLayout,
} from './shared-head.ts';

/** Ids of the series with chunks in a bucket, until they are too many to be worth listing (`null`: look at all). */
const LISTED_IDS = 4096;

export interface ChunkHeader {
	readonly bucket: number;
	/** Milliseconds since the bucket's start. */
	readonly first: number;
	readonly last: number;
	readonly count: number;
	readonly late: boolean;
}

/**
 * Sealed chunks that are not in a block yet: an arena that only grows, and per slot a chain from the newest chunk back.
 * A chunk never changes once it is linked, so readers follow chains without locks.
 */
export class Memtable {
	readonly epoch: number;
	/** First log segment whose samples may be here. */
	readonly firstLogSegment: number;
	chain: Int32Array;
	readonly segments: Int32Array[] = [];
	readonly buckets = new Map<number, Set<number> | null>();
	readonly #bytes: Uint8Array[] = [];
	#used = ARENA_WORDS;
	/** Bytes of arena in use. */
	sizeBytes = 0;
	readonly #onSegment: () => void;

	constructor(options: {
		readonly epoch: number;
		readonly firstLogSegment: number;
		readonly capacity: number;
		readonly onSegment: () => void;
	}) {
		this.epoch = options.epoch;
		this.firstLogSegment = options.firstLogSegment;
		this.chain = new Int32Array(new SharedArrayBuffer(options.capacity * 4));
		this.#onSegment = options.onSegment;
	}

	grow(capacity: number): void {
		const chain = new Int32Array(new SharedArrayBuffer(capacity * 4));
		chain.set(this.chain);
		this.chain = chain;
	}

	/** Copies the chunk's bytes and makes them the newest of `slot`. */
	link(slot: number, header: ChunkHeader, source: Uint8Array, start: number, length: number): void {
		const words = CHUNK_HEADER_WORDS + ((length + 3) >> 2);
		if (this.#used + words > ARENA_WORDS) {
			const buffer = new SharedArrayBuffer(ARENA_WORDS * 4);
			this.segments.push(new Int32Array(buffer));
			this.#bytes.push(new Uint8Array(buffer));
			// Reference 0 means "none", so the very first word stays empty.
			this.#used = this.segments.length === 1 ? 1 : 0;
			this.#onSegment();
		}
		const index = this.segments.length - 1;
		const arena = this.segments[index] as Int32Array;
		const at = this.#used;
		arena[at + CHUNK_PREVIOUS] = this.chain[slot] as number;
		arena[at + CHUNK_BYTES] = length;
		arena[at + CHUNK_COUNT] = header.late ? -header.count : header.count;
		arena[at + CHUNK_BUCKET] = header.bucket;
		arena[at + CHUNK_FIRST] = header.first;
		arena[at + CHUNK_LAST] = header.last;
		const target = this.#bytes[index] as Uint8Array;
		const byteAt = (at + CHUNK_HEADER_WORDS) * 4;
		for (let i = 0; i < length; i++) target[byteAt + i] = source[start + i] as number;
		this.#used = at + words;
		this.sizeBytes += words * 4;
		Atomics.store(this.chain, slot, index * ARENA_WORDS + at);
		this.#list(header.bucket, slot);
	}

	/** The chunks of a chain whose bucket is not before `bucket`, oldest first. */
	chunksSince(newest: number, bucket: number): readonly number[] {
		const refs: number[] = [];
		for (let ref = newest; ref !== 0; ) {
			const arena = this.segments[(ref / ARENA_WORDS) | 0] as Int32Array;
			const at = ref % ARENA_WORDS;
			if ((arena[at + CHUNK_BUCKET] as number) >= bucket) refs.push(ref);
			ref = arena[at + CHUNK_PREVIOUS] as number;
		}
		return refs.reverse();
	}

	/** Makes a copy of a chunk of another memtable the newest of `slot`. Returns whether it holds late samples. */
	linkCopy(slot: number, from: Memtable, ref: number): boolean {
		const arena = from.segments[(ref / ARENA_WORDS) | 0] as Int32Array;
		const at = ref % ARENA_WORDS;
		const count = arena[at + CHUNK_COUNT] as number;
		const header = {
			bucket: arena[at + CHUNK_BUCKET] as number,
			first: arena[at + CHUNK_FIRST] as number,
			last: arena[at + CHUNK_LAST] as number,
			count: Math.abs(count),
			late: count < 0,
		};
		this.link(slot, header, new Uint8Array(arena.buffer), (at + CHUNK_HEADER_WORDS) * 4, arena[at + CHUNK_BYTES] as number);
		return header.late;
	}

	#list(bucket: number, slot: number): void {
		const ids = this.buckets.get(bucket);
		if (ids === null) return;
		if (ids === undefined) this.buckets.set(bucket, new Set([slot]));
		else if (ids.size < LISTED_IDS) ids.add(slot);
		else this.buckets.set(bucket, null);
	}

	layout(): MemtableLayout {
		return {
			epoch: this.epoch,
			chain: this.chain.buffer as SharedArrayBuffer,
			segments: this.segments.map((segment) => segment.buffer as SharedArrayBuffer),
		};
	}
}
