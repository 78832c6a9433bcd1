import { AppError } from '../../core/errors.ts';
import type { Labels } from '../../protocol/labels.ts';
import { decodeLabelBytes } from '../storage/label-bytes.ts';
import { ChunkDecoder } from './codec/chunk-codec.ts';
import { pageSegment, pageWord } from './page-pool.ts';
import { LABEL_SEGMENT_BYTES } from './registry.ts';
import type { SampleRuns } from './sample-runs.ts';
import {
	ARENA_WORDS,
	BUCKET_MS,
	CHUNK_BUCKET,
	CHUNK_BYTES,
	CHUNK_COUNT,
	CHUNK_FIRST,
	CHUNK_HEADER_WORDS,
	CHUNK_LAST,
	CHUNK_PREVIOUS,
	CONTROL_LAYOUT,
	CONTROL_SERIES,
	type HeadLayout,
	PAGE_SAMPLES,
	PAGE_WORDS,
	SLOT_BUCKET,
	SLOT_COUNT,
	SLOT_FAMILY,
	SLOT_GENERATION,
	SLOT_LABEL_AT,
	SLOT_LABEL_LENGTH,
	SLOT_LATE_COUNT,
	SLOT_LATE_PAGE,
	SLOT_PAGE,
	SLOT_WORDS,
} from './shared-head.ts';

interface MappedMemtable {
	readonly chain: Int32Array;
	readonly words: readonly Int32Array[];
	readonly bytes: readonly Uint8Array[];
}

const CACHED_LABELS = 200_000;
/** A writer rearranges a slot within microseconds; after this many looks it has most likely been descheduled. */
const SPINS = 200;
const WAIT_MS = 1;
const GIVE_UP_MS = 10_000;

/**
 * Reads the head, from any thread. A slot is copied and then looked at again: when its generation or the layout has
 * changed meanwhile, the copy is thrown away. Chunks need no such care: they never change.
 */
export class HeadReader {
	#layout: HeadLayout;
	#control: Int32Array = new Int32Array(0);
	#slots: Int32Array = new Int32Array(0);
	#lifetimes: Float64Array = new Float64Array(0);
	#labels: Uint8Array[] = [];
	#pages: Uint32Array[] = [];
	#memtables: MappedMemtable[] = [];
	readonly #receiveLayout: () => HeadLayout | null;
	readonly #decoder = new ChunkDecoder();
	readonly #page = new Uint32Array(PAGE_WORDS);
	readonly #latePage = new Uint32Array(PAGE_WORDS);
	readonly #lateTimes = new Float64Array(this.#latePage.buffer);
	readonly #labelCache = new Map<number, Labels>();
	#refs: { memtable: MappedMemtable; ref: number; late: boolean }[] = [];
	#bucket = 0;
	#count = 0;
	#lateCount = 0;

	/** `receiveLayout` gives the newest layout that has arrived since it was last called, or `null`; it must not wait. */
	constructor(layout: HeadLayout, receiveLayout: () => HeadLayout | null) {
		this.#layout = layout;
		this.#receiveLayout = receiveLayout;
		this.#map(layout);
	}

	/** Takes what has arrived. Call at the beginning of every read. */
	refresh(): void {
		const layout = this.#receiveLayout();
		if (layout !== null && layout !== this.#layout) this.#map(layout);
	}

	/** Number of slots, including any without labels, all of which the mapped memory covers. */
	get seriesCount(): number {
		let count = 0;
		this.#settled(() => {
			count = Atomics.load(this.#control, CONTROL_SERIES);
			return Atomics.load(this.#control, CONTROL_LAYOUT) === this.#layout.version;
		});
		return count;
	}

	/** Whatever memtables before this one held is in blocks. */
	get oldestEpoch(): number {
		return this.#layout.memtables[0]?.epoch ?? 0;
	}

	family(id: number): number {
		return this.#slots[id * SLOT_WORDS + SLOT_FAMILY] as number;
	}

	/** Whether the series has lived at some moment of the range. */
	livedIn(id: number, minMs: number, maxMs: number): boolean {
		return (this.#lifetimes[id * 2] as number) <= maxMs && (this.#lifetimes[id * 2 + 1] as number) >= minMs;
	}

	/** The segment and range of the label bytes of `id`, through `use`; nothing when the slot has none. */
	withLabelBytes(id: number, use: (bytes: Uint8Array, start: number, end: number) => void): void {
		const at = this.#slots[id * SLOT_WORDS + SLOT_LABEL_AT] as number;
		const length = this.#slots[id * SLOT_WORDS + SLOT_LABEL_LENGTH] as number;
		const segment = this.#labels[Math.floor((at * 4) / LABEL_SEGMENT_BYTES)];
		if (length === 0 || segment === undefined) return;
		const start = (at * 4) % LABEL_SEGMENT_BYTES;
		use(segment, start, start + length);
	}

	labels(id: number): Labels {
		const cached = this.#labelCache.get(id);
		if (cached !== undefined) return cached;
		let labels: Labels = [];
		this.withLabelBytes(id, (bytes, start, end) => {
			labels = decodeLabelBytes(bytes, start, end);
		});
		if (this.#labelCache.size >= CACHED_LABELS) this.#labelCache.clear();
		this.#labelCache.set(id, labels);
		return labels;
	}

	/** Takes a look at series `id` between the two times; `emit` then hands over what was seen. */
	snapshot(id: number, minMs: number, maxMs: number): void {
		this.#settled(() => this.#trySnapshot(id, minMs, maxMs));
	}

	/**
	 * Adds the samples of the last snapshot to `runs`. What was in order comes first, late samples after it: a late sample with
	 * a time that exists has arrived later and wins.
	 */
	emit(runs: SampleRuns): void {
		// Chains run backwards.
		for (let i = this.#refs.length - 1; i >= 0; i--) if (!this.#refs[i]?.late) this.#addChunk(i, runs);
		if (this.#count > 0) runs.add(this.#bucket * BUCKET_MS, this.#page, 0, this.#page, PAGE_SAMPLES, this.#count);
		for (let i = this.#refs.length - 1; i >= 0; i--) if (this.#refs[i]?.late) this.#addChunk(i, runs);
		for (let i = 0; i < this.#lateCount; i++) runs.add(0, this.#lateTimes, i * 2, this.#latePage, i * 4 + 2, 1);
	}

	#addChunk(index: number, runs: SampleRuns): void {
		const { memtable: mapped, ref } = this.#refs[index] as { memtable: MappedMemtable; ref: number };
		const segment = (ref / ARENA_WORDS) | 0;
		const words = mapped.words[segment] as Int32Array;
		const at = ref % ARENA_WORDS;
		const start = (at + CHUNK_HEADER_WORDS) * 4;
		const count = this.#decoder.decode(mapped.bytes[segment] as Uint8Array, start, start + (words[at + CHUNK_BYTES] as number));
		runs.add((words[at + CHUNK_BUCKET] as number) * BUCKET_MS, this.#decoder.offsets, 0, this.#decoder.words, 0, count);
	}

	/** Repeats `look` until the writer has not moved anything under it. */
	#settled(look: () => boolean): void {
		let started = 0;
		for (let attempt = 1; !look(); attempt++) {
			this.refresh();
			if (attempt % SPINS !== 0) continue;
			if (started === 0) started = performance.now();
			if (performance.now() - started > GIVE_UP_MS) {
				throw new AppError(
					'FN_STORE_READER_LOST',
					'the store has not told its reader about new memory for 10 s; the reader must be started again',
					{ retryable: true, status: 503 },
				);
			}
			// Nobody notifies: this only sleeps.
			Atomics.wait(this.#control, this.#control.length - 1, 0, WAIT_MS);
		}
	}

	#trySnapshot(id: number, minMs: number, maxMs: number): boolean {
		if (Atomics.load(this.#control, CONTROL_LAYOUT) !== this.#layout.version) return false;
		const slots = this.#slots;
		const slot = id * SLOT_WORDS;
		const generation = Atomics.load(slots, slot + SLOT_GENERATION);
		if ((generation & 1) === 1) return false;
		this.#refs = [];
		for (let m = this.#memtables.length - 1; m >= 0; m--) this.#walk(this.#memtables[m] as MappedMemtable, id, minMs, maxMs);
		let count = Atomics.load(slots, slot + SLOT_COUNT);
		const bucket = slots[slot + SLOT_BUCKET] as number;
		if (count > 0 && ((bucket + 1) * BUCKET_MS <= minMs || bucket * BUCKET_MS > maxMs)) count = 0;
		if (count > 0) this.#copyPage(slots[slot + SLOT_PAGE] as number, this.#page);
		const lateCount = Atomics.load(slots, slot + SLOT_LATE_COUNT);
		if (lateCount > 0) this.#copyPage(slots[slot + SLOT_LATE_PAGE] as number, this.#latePage);
		if (Atomics.load(slots, slot + SLOT_GENERATION) !== generation) return false;
		if (Atomics.load(this.#control, CONTROL_LAYOUT) !== this.#layout.version) return false;
		this.#bucket = bucket;
		this.#count = count;
		this.#lateCount = lateCount;
		return true;
	}

	#walk(memtable: MappedMemtable, id: number, minMs: number, maxMs: number): void {
		const { chain, words } = memtable;
		for (let ref = Atomics.load(chain, id); ref !== 0; ) {
			const arena = words[(ref / ARENA_WORDS) | 0];
			// The segment is newer than the layout; the version check that follows finds out.
			if (arena === undefined) return;
			const at = ref % ARENA_WORDS;
			const base = (arena[at + CHUNK_BUCKET] as number) * BUCKET_MS;
			if (base + (arena[at + CHUNK_FIRST] as number) <= maxMs && base + (arena[at + CHUNK_LAST] as number) >= minMs) {
				this.#refs.push({ memtable, ref, late: (arena[at + CHUNK_COUNT] as number) < 0 });
			}
			ref = arena[at + CHUNK_PREVIOUS] as number;
		}
	}

	#copyPage(page: number, target: Uint32Array): void {
		const source = this.#pages[pageSegment(page)];
		if (page === 0 || source === undefined) return;
		const word = pageWord(page);
		for (let i = 0; i < PAGE_WORDS; i++) target[i] = source[word + i] as number;
	}

	#map(layout: HeadLayout): void {
		this.#layout = layout;
		this.#control = new Int32Array(layout.control);
		this.#slots = new Int32Array(layout.slots);
		this.#lifetimes = new Float64Array(layout.lifetimes);
		this.#labels = layout.labelSegments.map((buffer) => new Uint8Array(buffer));
		this.#pages = layout.pageSegments.map((buffer) => new Uint32Array(buffer));
		this.#memtables = layout.memtables.map((memtable) => ({
			chain: new Int32Array(memtable.chain),
			words: memtable.segments.map((buffer) => new Int32Array(buffer)),
			bytes: memtable.segments.map((buffer) => new Uint8Array(buffer)),
		}));
	}
}
