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
	CONTROL_ADDED,
	CONTROL_DEPARTURES,
	CONTROL_GONE,
	CONTROL_LAYOUT,
	CONTROL_SERIES,
	type HeadLayout,
	PAGE_SAMPLES,
	PAGE_WORDS,
	SLOT_BUCKET,
	SLOT_COUNT,
	SLOT_FAMILY,
	SLOT_GENERATION,
	SLOT_ID,
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
const CACHED_TEXTS = 100_000;
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
	/** What `readLabels` found, from 0. */
	labelBytes = new Uint8Array(1024);
	labelLength = 0;
	readonly #labelCache = new Map<number, Labels>();
	readonly #texts = new Map<string, string>();
	/** Chunks that the last snapshot found, newest first, and the memtables that hold them. Arrays of plain values: this is done for every series of every query. */
	readonly #refs: number[] = [];
	readonly #refTables: MappedMemtable[] = [];
	#refCount = 0;
	#lateChunks = 0;
	#seenId = -1;
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
	get slotCount(): number {
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

	/** Rises when slots were given up: what is known of a slot may then be about another series. */
	get departures(): number {
		return Atomics.load(this.#control, CONTROL_DEPARTURES);
	}

	/** Rises with every series that is added. */
	get added(): number {
		return Atomics.load(this.#control, CONTROL_ADDED);
	}

	/** Whether there are series that only the index file knows. */
	get hasGone(): boolean {
		return Atomics.load(this.#control, CONTROL_GONE) !== 0;
	}

	/** The series that is in `slot` at this moment. */
	idOf(slot: number): number {
		return (this.#slots[slot * SLOT_WORDS + SLOT_ID] as number) >>> 0;
	}

	isInUse(slot: number): boolean {
		return this.#slots[slot * SLOT_WORDS + SLOT_LABEL_LENGTH] !== 0;
	}

	family(id: number): number {
		return this.#slots[id * SLOT_WORDS + SLOT_FAMILY] as number;
	}

	/** Whether the series has lived at some moment of the range. */
	livedIn(id: number, minMs: number, maxMs: number): boolean {
		return (this.#lifetimes[id * 2] as number) <= maxMs && (this.#lifetimes[id * 2 + 1] as number) >= minMs;
	}

	/** Copies the labels of `slot` to `labelBytes`. Returns the series they belong to, or -1 when the slot is free. */
	readLabels(slot: number): number {
		let id = -1;
		this.#settled(() => {
			if (Atomics.load(this.#control, CONTROL_LAYOUT) !== this.#layout.version) return false;
			const at = slot * SLOT_WORDS;
			const generation = Atomics.load(this.#slots, at + SLOT_GENERATION);
			if ((generation & 1) === 1) return false;
			const word = this.#slots[at + SLOT_LABEL_AT] as number;
			const length = this.#slots[at + SLOT_LABEL_LENGTH] as number;
			id = length === 0 ? -1 : this.idOf(slot);
			const segment = this.#labels[Math.floor((word * 4) / LABEL_SEGMENT_BYTES)];
			if (length > 0 && segment !== undefined) {
				const start = (word * 4) % LABEL_SEGMENT_BYTES;
				if (length > this.labelBytes.length) this.labelBytes = new Uint8Array(length * 2);
				if (length < 64) for (let i = 0; i < length; i++) this.labelBytes[i] = segment[start + i] as number;
				else this.labelBytes.set(segment.subarray(start, start + length));
			}
			this.labelLength = length;
			return (
				Atomics.load(this.#slots, at + SLOT_GENERATION) === generation &&
				Atomics.load(this.#control, CONTROL_LAYOUT) === this.#layout.version
			);
		});
		return id;
	}

	/** The labels of series `id`, which was seen in `slot`; `null` when it is not there any more. */
	labels(slot: number, id: number): Labels | null {
		const cached = this.#labelCache.get(id);
		if (cached !== undefined) return cached;
		if (this.readLabels(slot) !== id) return null;
		const labels = decodeLabelBytes(this.labelBytes, 0, this.labelLength).map((text) => this.#shared(text));
		if (this.#labelCache.size >= CACHED_LABELS) this.#labelCache.clear();
		this.#labelCache.set(id, labels);
		return labels;
	}

	/** One string for equal texts: labels repeat from series to series, and the same string is compared at a glance. */
	#shared(text: string): string {
		const known = this.#texts.get(text);
		if (known !== undefined) return known;
		if (this.#texts.size >= CACHED_TEXTS) this.#texts.clear();
		this.#texts.set(text, text);
		return text;
	}

	/**
	 * Takes a look at series `id` in `slot` between the two times; `emit` then hands over what was seen. Returns whether the series
	 * is there; one that has gone has all its samples in blocks.
	 */
	snapshot(slot: number, id: number, minMs: number, maxMs: number): boolean {
		if (!this.#trySnapshot(slot, minMs, maxMs)) this.#settled(() => this.#trySnapshot(slot, minMs, maxMs));
		return this.#seenId === id;
	}

	/**
	 * Adds the samples of the last snapshot to `runs`. What was in order comes first, late samples after it: a late sample with
	 * a time that exists has arrived later and wins.
	 */
	emit(runs: SampleRuns): void {
		// Chains run backwards.
		for (let i = this.#refCount - 1; i >= 0; i--) if (!this.#isLate(i)) this.#addChunk(i, runs);
		this.#addPage(runs);
		if (this.#lateChunks > 0) for (let i = this.#refCount - 1; i >= 0; i--) if (this.#isLate(i)) this.#addChunk(i, runs);
		for (let i = 0; i < this.#lateCount; i++) runs.add(0, this.#lateTimes, i * 2, this.#latePage, i * 4 + 2, 1);
	}

	/**
	 * Adds the newest samples of the last snapshot that lie in its range, at least the very newest. Returns `false`, and adds nothing, when memory
	 * has none or late samples make it doubtful which is the newest. What is in order in memory is newer than all that blocks hold of the series.
	 */
	emitNewest(runs: SampleRuns): boolean {
		if (this.#lateCount > 0 || this.#lateChunks > 0) return false;
		this.#addPage(runs);
		for (let i = 0; i < this.#refCount && runs.isEmpty; i++) this.#addChunk(i, runs);
		return !runs.isEmpty;
	}

	#addPage(runs: SampleRuns): void {
		if (this.#count > 0) runs.add(this.#bucket * BUCKET_MS, this.#page, 0, this.#page, PAGE_SAMPLES, this.#count);
	}

	#isLate(index: number): boolean {
		if (this.#lateChunks === 0) return false;
		const ref = this.#refs[index] as number;
		const words = (this.#refTables[index] as MappedMemtable).words[(ref / ARENA_WORDS) | 0] as Int32Array;
		return (words[(ref % ARENA_WORDS) + CHUNK_COUNT] as number) < 0;
	}

	#addChunk(index: number, runs: SampleRuns): void {
		const ref = this.#refs[index] as number;
		const mapped = this.#refTables[index] as MappedMemtable;
		const segment = (ref / ARENA_WORDS) | 0;
		const words = mapped.words[segment] as Int32Array;
		const at = ref % ARENA_WORDS;
		const start = (at + CHUNK_HEADER_WORDS) * 4;
		const place = { bytes: mapped.bytes[segment] as Uint8Array, start, end: start + (words[at + CHUNK_BYTES] as number) };
		runs.addChunk(this.#decoder, place, (words[at + CHUNK_BUCKET] as number) * BUCKET_MS);
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
		const seenId = this.idOf(id);
		this.#refCount = 0;
		this.#lateChunks = 0;
		for (let m = this.#memtables.length - 1; m >= 0; m--) this.#walk(this.#memtables[m] as MappedMemtable, id, minMs, maxMs);
		let count = Atomics.load(slots, slot + SLOT_COUNT);
		const bucket = slots[slot + SLOT_BUCKET] as number;
		if (count > 0 && ((bucket + 1) * BUCKET_MS <= minMs || bucket * BUCKET_MS > maxMs)) count = 0;
		if (count > 0) this.#copySamples(slots[slot + SLOT_PAGE] as number, count);
		const lateCount = Atomics.load(slots, slot + SLOT_LATE_COUNT);
		if (lateCount > 0) this.#copyPage(slots[slot + SLOT_LATE_PAGE] as number, this.#latePage);
		if (Atomics.load(slots, slot + SLOT_GENERATION) !== generation) return false;
		if (Atomics.load(this.#control, CONTROL_LAYOUT) !== this.#layout.version) return false;
		this.#seenId = seenId;
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
				this.#refs[this.#refCount] = ref;
				this.#refTables[this.#refCount++] = memtable;
				if ((arena[at + CHUNK_COUNT] as number) < 0) this.#lateChunks++;
			}
			ref = arena[at + CHUNK_PREVIOUS] as number;
		}
	}

	/** Of the page of samples in order only what is used: times in front, values from `PAGE_SAMPLES` on. */
	#copySamples(page: number, count: number): void {
		const source = this.#pages[pageSegment(page)];
		if (page === 0 || source === undefined) return;
		const target = this.#page;
		const word = pageWord(page);
		const samples = count < PAGE_SAMPLES ? count : PAGE_SAMPLES;
		for (let i = 0; i < samples; i++) target[i] = source[word + i] as number;
		const end = PAGE_SAMPLES + samples * 2;
		for (let i = PAGE_SAMPLES; i < end; i++) target[i] = source[word + i] as number;
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
