import type { HeadCounters } from './head-counters.ts';
import type { HostSeries } from './host-series.ts';
import { Memtable } from './memtable.ts';
import { PagePool, pageSegment, pageWord } from './page-pool.ts';
import { PageSealer } from './page-sealer.ts';
import { SeriesRegistry } from './registry.ts';
import {
	BUCKET_MS,
	CONTROL_ADDED,
	CONTROL_DEPARTURES,
	CONTROL_GONE,
	CONTROL_LAYOUT,
	CONTROL_SERIES,
	CONTROL_WORDS,
	type HeadLayout,
	LATE_SAMPLES,
	PAGE_SAMPLES,
	SLOT_BUCKET,
	SLOT_COUNT,
	SLOT_EPOCH,
	SLOT_FAMILY,
	SLOT_GENERATION,
	SLOT_ID,
	SLOT_LATE_COUNT,
	SLOT_LATE_PAGE,
	SLOT_PAGE,
	SLOT_WORDS,
} from './shared-head.ts';

const FIRST_CAPACITY = 4096;
/** Label segments (4 MiB) that are emptied in one go: some milliseconds. */
const GATHER_SEGMENTS = 4;

/**
 * The newest samples of every series that is alive. Each has a slot (`id` here), which is another one's when it has gone. The last few lie raw in a page, those before as compressed chunks in a memtable.
 * Only one thread writes. What is written here is already in the log.
 */
export class Head {
	slots = new Int32Array(new SharedArrayBuffer(FIRST_CAPACITY * SLOT_WORDS * 4));
	/** First and last time per slot; `Infinity` and `-Infinity` before the first sample. */
	lifetimes = new Float64Array(new SharedArrayBuffer(FIRST_CAPACITY * 16));
	readonly registry: SeriesRegistry;
	readonly counters: HeadCounters = { appended: 0, duplicates: 0, overwritten: 0, late: 0 };
	/** Where new chunks go. */
	active: Memtable;
	/** On its way into blocks. */
	retiring: Memtable | null = null;
	/** Buckets from here on stay in memory when `retiring` goes. */
	boundaryBucket = Number.NEGATIVE_INFINITY;
	readonly #control = new Int32Array(new SharedArrayBuffer(CONTROL_WORDS * 4));
	readonly #pages: PagePool;
	readonly #sealer: PageSealer;
	readonly #hosts: HostSeries | null;
	readonly #freeSlots: number[] = [];
	/** Id of the next series that is new. */
	nextId = 0;
	#capacity = FIRST_CAPACITY;
	#layoutChanged = true;

	/** `hosts` is told which series come and go. */
	constructor(firstLogSegment: number, hosts: HostSeries | null = null) {
		this.#hosts = hosts;
		this.registry = new SeriesRegistry(this, this.#markLayout);
		this.#pages = new PagePool(this.#markLayout);
		this.#sealer = new PageSealer(this.#pages);
		this.active = this.#memtable(0, firstLogSegment);
	}

	/** Slots that have ever been in use; some may be free. */
	get slotCount(): number {
		return this.registry.count;
	}

	/** Series that are in a slot. */
	get seriesCount(): number {
		return this.registry.inUse;
	}

	/** The series in `slot`. */
	idOf(slot: number): number {
		return (this.slots[slot * SLOT_WORDS + SLOT_ID] as number) >>> 0;
	}

	/** Rises when series have left their slots. */
	get departures(): number {
		return Atomics.load(this.#control, CONTROL_DEPARTURES);
	}

	/** Bytes of sealed chunks in memory. */
	get chunkBytes(): number {
		return this.active.sizeBytes + (this.retiring?.sizeBytes ?? 0);
	}

	/** Gives series `id` a slot, and returns that. Ids are for ever; slots are where the series is now. */
	addSeries(id: number, labels: Uint8Array, family: number): number {
		const slot = this.#freeSlots.at(-1) ?? this.registry.count;
		if (slot >= this.#capacity) this.#grow(slot + 1);
		const at = slot * SLOT_WORDS;
		this.#turn(slot);
		try {
			this.slots[at + SLOT_ID] = id;
			this.slots[at + SLOT_FAMILY] = family;
			this.slots[at + SLOT_EPOCH] = this.active.epoch;
			this.lifetimes[slot * 2] = Number.POSITIVE_INFINITY;
			this.lifetimes[slot * 2 + 1] = Number.NEGATIVE_INFINITY;
			this.registry.insert(slot, labels);
		} finally {
			this.#turn(slot);
		}
		this.#freeSlots.pop();
		this.#hosts?.add(slot, labels);
		if (id >= this.nextId) this.nextId = id + 1;
		Atomics.store(this.#control, CONTROL_SERIES, this.registry.count);
		Atomics.add(this.#control, CONTROL_ADDED, 1);
		return slot;
	}

	/** Makes new series get ids from `count` on, when lower ones are taken by series that are in no slot. */
	reserveIds(count: number): void {
		if (count > this.nextId) this.nextId = count;
	}

	/** Takes quiet series out of their slots. The index must say by then that they are gone. */
	release(quiet: readonly number[]): void {
		Atomics.store(this.#control, CONTROL_GONE, 1);
		for (const slot of quiet) {
			this.#turn(slot);
			this.#releasePages(slot);
			this.registry.remove(slot);
			this.#hosts?.remove(slot);
			this.lifetimes[slot * 2] = Number.POSITIVE_INFINITY;
			this.lifetimes[slot * 2 + 1] = Number.NEGATIVE_INFINITY;
			this.#turn(slot);
			this.#freeSlots.push(slot);
		}
		Atomics.add(this.#control, CONTROL_DEPARTURES, 1);
	}

	/** Tells readers that the index has series that are in no slot. */
	markGone(): void {
		Atomics.store(this.#control, CONTROL_GONE, 1);
	}

	/** Moves labels together, so that the memory of those that went can be used again: a few segments at a time. */
	gatherLabels(): void {
		const sparse = this.registry.sparseSegments(GATHER_SEGMENTS);
		if (sparse.size === 0) return;
		for (let slot = 0; slot < this.slotCount; slot++) {
			if (!sparse.has(this.registry.segmentOf(slot))) continue;
			this.#turn(slot);
			this.registry.moveLabels(slot);
			this.#turn(slot);
		}
	}

	#releasePages(slot: number): void {
		for (const field of [SLOT_PAGE, SLOT_LATE_PAGE]) {
			const page = this.slots[slot * SLOT_WORDS + field] as number;
			if (page !== 0) this.#pages.release(page);
			this.slots[slot * SLOT_WORDS + field] = 0;
		}
	}

	/** Takes the samples of `slot` out of memory; the series stays. */
	empty(slot: number): void {
		this.settleSlots(slot, slot + 1);
		this.#turn(slot);
		this.#releasePages(slot);
		this.slots[slot * SLOT_WORDS + SLOT_COUNT] = 0;
		this.slots[slot * SLOT_WORDS + SLOT_LATE_COUNT] = 0;
		Atomics.store(this.active.chain, slot, 0);
		if (this.retiring !== null) Atomics.store(this.retiring.chain, slot, 0);
		this.#turn(slot);
	}

	/** Makes the slot's generation odd, and even again: readers that looked in between look again. */
	#turn(slot: number): void {
		const at = slot * SLOT_WORDS + SLOT_GENERATION;
		Atomics.store(this.slots, at, (this.slots[at] as number) + 1);
	}

	/** What blocks say of a series that has nothing in memory. */
	widenLifetime(id: number, firstMs: number, lastMs: number): void {
		if (firstMs < (this.lifetimes[id * 2] as number)) this.lifetimes[id * 2] = firstMs;
		if (lastMs > (this.lifetimes[id * 2 + 1] as number)) this.lifetimes[id * 2 + 1] = lastMs;
	}

	/** Takes one sample; `low` and `high` are the words of its value. */
	append(id: number, timeMs: number, low: number, high: number): void {
		const slots = this.slots;
		const slot = id * SLOT_WORDS;
		if (slots[slot + SLOT_EPOCH] !== this.active.epoch) this.#settle(id);
		const lifetimes = this.lifetimes;
		if (timeMs <= (lifetimes[id * 2 + 1] as number)) {
			this.#appendLate(id, timeMs, low, high);
			return;
		}
		let count = slots[slot + SLOT_COUNT] as number;
		let offset = timeMs - (slots[slot + SLOT_BUCKET] as number) * BUCKET_MS;
		let page = slots[slot + SLOT_PAGE] as number;
		if (count === PAGE_SAMPLES || page === 0 || offset >= BUCKET_MS || offset < 0) {
			Atomics.store(slots, slot + SLOT_GENERATION, (slots[slot + SLOT_GENERATION] as number) + 1);
			if (count > 0) this.#sealer.seal(this.slots, id, this.active);
			if (page === 0) {
				page = this.#pages.take();
				slots[slot + SLOT_PAGE] = page;
			}
			count = 0;
			const bucket = Math.floor(timeMs / BUCKET_MS);
			slots[slot + SLOT_BUCKET] = bucket;
			slots[slot + SLOT_COUNT] = 0;
			offset = timeMs - bucket * BUCKET_MS;
			Atomics.store(slots, slot + SLOT_GENERATION, (slots[slot + SLOT_GENERATION] as number) + 1);
			if (timeMs < (lifetimes[id * 2] as number)) lifetimes[id * 2] = timeMs;
		}
		const words = this.#pages.words[pageSegment(page)] as Uint32Array;
		const word = pageWord(page);
		words[word + count] = offset;
		words[word + PAGE_SAMPLES + count * 2] = low;
		words[word + PAGE_SAMPLES + count * 2 + 1] = high;
		lifetimes[id * 2 + 1] = timeMs;
		Atomics.store(slots, slot + SLOT_COUNT, count + 1);
		this.counters.appended++;
	}

	#appendLate(id: number, timeMs: number, low: number, high: number): void {
		const slots = this.slots;
		const slot = id * SLOT_WORDS;
		const page = slots[slot + SLOT_PAGE] as number;
		const count = slots[slot + SLOT_COUNT] as number;
		const offset = timeMs - (slots[slot + SLOT_BUCKET] as number) * BUCKET_MS;
		if (count > 0 && offset >= 0 && offset < BUCKET_MS && slots[slot + SLOT_LATE_COUNT] === 0) {
			// A batch that is sent again finds its samples in the page; only what is new goes the expensive way.
			const words = this.#pages.words[pageSegment(page)] as Uint32Array;
			const word = pageWord(page);
			for (let i = count - 1; i >= 0 && (words[word + i] as number) >= offset; i--) {
				if (words[word + i] !== offset) continue;
				const value = word + PAGE_SAMPLES + i * 2;
				if (words[value] === low && words[value + 1] === high) {
					this.counters.duplicates++;
					return;
				}
				Atomics.store(slots, slot + SLOT_GENERATION, (slots[slot + SLOT_GENERATION] as number) + 1);
				words[value] = low;
				words[value + 1] = high;
				Atomics.store(slots, slot + SLOT_GENERATION, (slots[slot + SLOT_GENERATION] as number) + 1);
				this.counters.overwritten++;
				return;
			}
		}
		let latePage = slots[slot + SLOT_LATE_PAGE] as number;
		let lateCount = slots[slot + SLOT_LATE_COUNT] as number;
		if (latePage === 0 || lateCount === LATE_SAMPLES) {
			Atomics.store(slots, slot + SLOT_GENERATION, (slots[slot + SLOT_GENERATION] as number) + 1);
			if (lateCount > 0) this.#sealer.sealLate(this.slots, id, this.active);
			if (latePage === 0) {
				latePage = this.#pages.take();
				slots[slot + SLOT_LATE_PAGE] = latePage;
			}
			lateCount = 0;
			slots[slot + SLOT_LATE_COUNT] = 0;
			Atomics.store(slots, slot + SLOT_GENERATION, (slots[slot + SLOT_GENERATION] as number) + 1);
		}
		const segment = pageSegment(latePage);
		const word = pageWord(latePage) + lateCount * 4;
		(this.#pages.doubles[segment] as Float64Array)[word >> 1] = timeMs;
		const words = this.#pages.words[segment] as Uint32Array;
		words[word + 2] = low;
		words[word + 3] = high;
		if (timeMs < (this.lifetimes[id * 2] as number)) this.lifetimes[id * 2] = timeMs;
		Atomics.store(slots, slot + SLOT_LATE_COUNT, lateCount + 1);
		this.counters.late++;
		this.counters.appended++;
	}

	/**
	 * Begins a new memtable. What the old one holds of buckets before `boundaryBucket` can then go into blocks, once every
	 * slot has been settled; newer buckets are carried over. Only when no memtable is retiring.
	 */
	rotate(boundaryBucket: number, firstLogSegment: number): void {
		this.retiring = this.active;
		this.boundaryBucket = boundaryBucket;
		this.active = this.#memtable(this.active.epoch + 1, firstLogSegment);
		this.#markLayout();
	}

	/** Moves slots `from .. to` to the active memtable. Appending to a slot does the same for it. */
	settleSlots(from: number, to: number): void {
		const end = Math.min(to, this.slotCount);
		for (let id = from; id < end; id++) {
			if (this.slots[id * SLOT_WORDS + SLOT_EPOCH] !== this.active.epoch) this.#settle(id);
		}
	}

	#settle(id: number): void {
		const slots = this.slots;
		const slot = id * SLOT_WORDS;
		const retiring = this.retiring;
		Atomics.store(slots, slot + SLOT_GENERATION, (slots[slot + SLOT_GENERATION] as number) + 1);
		if (retiring !== null) {
			if ((slots[slot + SLOT_COUNT] as number) > 0 && (slots[slot + SLOT_BUCKET] as number) < this.boundaryBucket) {
				this.#sealer.seal(this.slots, id, retiring);
				slots[slot + SLOT_COUNT] = 0;
			}
			const carriedLate = this.#settleLate(id, retiring);
			if (carriedLate && (slots[slot + SLOT_COUNT] as number) > 0) {
				// Late chunks overrule the page. A value that comes after the cut must overrule them, so it may not find its time in the page.
				this.#sealer.seal(this.slots, id, this.active);
				slots[slot + SLOT_COUNT] = 0;
			}
			if ((slots[slot + SLOT_COUNT] as number) === 0 && (slots[slot + SLOT_PAGE] as number) !== 0) {
				// A series that has gone quiet gives its page back; one that goes on takes one again.
				this.#pages.release(slots[slot + SLOT_PAGE] as number);
				slots[slot + SLOT_PAGE] = 0;
			}
		}
		slots[slot + SLOT_EPOCH] = this.active.epoch;
		Atomics.store(slots, slot + SLOT_GENERATION, (slots[slot + SLOT_GENERATION] as number) + 1);
	}

	/** Seals what is late, and carries the chunks of newer buckets over. Returns whether late ones were among them. */
	#settleLate(id: number, retiring: Memtable): boolean {
		const slots = this.slots;
		const slot = id * SLOT_WORDS;
		if ((slots[slot + SLOT_LATE_COUNT] as number) > 0) this.#sealer.sealLate(this.slots, id, retiring);
		if ((slots[slot + SLOT_LATE_PAGE] as number) !== 0) {
			this.#pages.release(slots[slot + SLOT_LATE_PAGE] as number);
			slots[slot + SLOT_LATE_PAGE] = 0;
		}
		slots[slot + SLOT_LATE_COUNT] = 0;
		return this.#carry(id, retiring, retiring.chain[id] as number);
	}

	/** Copies the chunks of newer buckets into the active memtable, oldest first, because the order decides which value wins. */
	#carry(id: number, from: Memtable, newest: number): boolean {
		let late = false;
		for (const ref of from.chunksSince(newest, this.boundaryBucket)) if (this.active.linkCopy(id, from, ref)) late = true;
		return late;
	}

	/** The retiring memtable is in blocks: readers find its samples there. */
	dropRetired(): void {
		this.retiring = null;
		this.#markLayout();
	}

	/** The layout when it has changed since the last call, else `null`. Must reach the readers before the change is used. */
	takeLayout(): HeadLayout | null {
		if (!this.#layoutChanged) return null;
		this.#layoutChanged = false;
		return this.layout();
	}

	layout(): HeadLayout {
		return {
			version: this.#control[CONTROL_LAYOUT] as number,
			control: this.#control.buffer as SharedArrayBuffer,
			slots: this.slots.buffer as SharedArrayBuffer,
			lifetimes: this.lifetimes.buffer as SharedArrayBuffer,
			labelSegments: this.registry.segments.map((segment) => segment.buffer),
			pageSegments: this.#pages.words.map((segment) => segment.buffer as SharedArrayBuffer),
			memtables: [...(this.retiring === null ? [] : [this.retiring.layout()]), this.active.layout()],
		};
	}

	readonly #markLayout = (): void => {
		this.#layoutChanged = true;
		Atomics.add(this.#control, CONTROL_LAYOUT, 1);
	};

	#memtable(epoch: number, firstLogSegment: number): Memtable {
		return new Memtable({ epoch, firstLogSegment, capacity: this.#capacity, onSegment: this.#markLayout });
	}

	#grow(needed: number): void {
		let capacity = this.#capacity * 2;
		while (capacity < needed) capacity *= 2;
		this.#capacity = capacity;
		const slots = new Int32Array(new SharedArrayBuffer(capacity * SLOT_WORDS * 4));
		slots.set(this.slots);
		this.slots = slots;
		const lifetimes = new Float64Array(new SharedArrayBuffer(capacity * 16));
		lifetimes.set(this.lifetimes);
		this.lifetimes = lifetimes;
		this.active.grow(capacity);
		this.retiring?.grow(capacity);
		this.#markLayout();
	}
}
