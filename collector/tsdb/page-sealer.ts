import { ChunkEncoder } from './codec/chunk-codec.ts';
import { lateOrder } from './late-order.ts';
import type { Memtable } from './memtable.ts';
import { type PagePool, pageSegment, pageWord } from './page-pool.ts';
import { BUCKET_MS, PAGE_SAMPLES, SLOT_BUCKET, SLOT_COUNT, SLOT_LATE_COUNT, SLOT_LATE_PAGE, SLOT_PAGE, SLOT_WORDS } from './shared-head.ts';

/** Compresses pages of raw samples into chunks of a memtable. */
export class PageSealer {
	readonly #pages: PagePool;
	readonly #encoder = new ChunkEncoder();
	readonly #offsets = new Uint32Array(PAGE_SAMPLES);
	readonly #words = new Uint32Array(PAGE_SAMPLES * 2);
	readonly #values = new Float64Array(this.#words.buffer);

	constructor(pages: PagePool) {
		this.#pages = pages;
	}

	/** Compresses the page of `id` into `memtable`. The caller holds the slot's generation odd and resets the count. */
	seal(slots: Int32Array, id: number, memtable: Memtable): void {
		const slot = id * SLOT_WORDS;
		const page = slots[slot + SLOT_PAGE] as number;
		const count = slots[slot + SLOT_COUNT] as number;
		const words = this.#pages.words[pageSegment(page)] as Uint32Array;
		const word = pageWord(page);
		const offsets = this.#offsets;
		const values = this.#words;
		for (let i = 0; i < count; i++) {
			offsets[i] = words[word + i] as number;
			values[i * 2] = words[word + PAGE_SAMPLES + i * 2] as number;
			values[i * 2 + 1] = words[word + PAGE_SAMPLES + i * 2 + 1] as number;
		}
		this.#link(id, memtable, slots[slot + SLOT_BUCKET] as number, 0, count, false);
	}

	/** Sorts the late page of `id` and compresses it, bucket by bucket. */
	sealLate(slots: Int32Array, id: number, memtable: Memtable): void {
		const slot = id * SLOT_WORDS;
		const page = slots[slot + SLOT_LATE_PAGE] as number;
		const count = slots[slot + SLOT_LATE_COUNT] as number;
		const segment = pageSegment(page);
		const word = pageWord(page);
		const words = this.#pages.words[segment] as Uint32Array;
		const doubles = this.#pages.doubles[segment] as Float64Array;
		const order = lateOrder(doubles, word, count);
		let bucket = 0;
		let filled = 0;
		order.forEach((index, position) => {
			const timeMs = doubles[(word + index * 4) >> 1] as number;
			const next = order[position + 1];
			if (next !== undefined && doubles[(word + next * 4) >> 1] === timeMs) return;
			const itsBucket = Math.floor(timeMs / BUCKET_MS);
			if (filled > 0 && itsBucket !== bucket) {
				this.#link(id, memtable, bucket, 0, filled, true);
				filled = 0;
			}
			bucket = itsBucket;
			this.#offsets[filled] = timeMs - bucket * BUCKET_MS;
			this.#words[filled * 2] = words[word + index * 4 + 2] as number;
			this.#words[filled * 2 + 1] = words[word + index * 4 + 3] as number;
			filled++;
		});
		if (filled > 0) this.#link(id, memtable, bucket, 0, filled, true);
	}

	#link(id: number, memtable: Memtable, bucket: number, from: number, count: number, late: boolean): void {
		const offsets = this.#offsets;
		const length = this.#encoder.encode(offsets, this.#words, this.#values, from, count);
		const header = { bucket, first: offsets[from] as number, last: offsets[from + count - 1] as number, count, late };
		memtable.link(id, header, this.#encoder.bytes, 0, length);
	}
}
