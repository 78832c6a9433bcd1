import type { SampleColumns } from '../storage/column-ingest.ts';
import { STALE_HIGH, STALE_LOW } from '../storage/storage.ts';

const double = new Float64Array(1);
const doubleWords = new Uint32Array(double.buffer);
/** The NaN that Prometheus stores for an exposed NaN (`value.NormalNaN`). */
const NAN_LOW = 1;
const NAN_HIGH = 0x7ff80000;

/** Samples on their way into the store, in columns that are used again: a scrape fills, writes and clears it without yielding. */
export class SampleBatch implements SampleColumns {
	ids = new Uint32Array(4096);
	timestamps = new Float64Array(4096);
	valueWords = new Uint32Array(8192);
	count = 0;

	clear(): void {
		this.count = 0;
	}

	add(id: number, timestampMs: number, value: number): void {
		if (value !== value) {
			this.#addWords(id, timestampMs, NAN_LOW, NAN_HIGH);
			return;
		}
		double[0] = value;
		this.#addWords(id, timestampMs, doubleWords[0] as number, doubleWords[1] as number);
	}

	addStale(id: number, timestampMs: number): void {
		this.#addWords(id, timestampMs, STALE_LOW, STALE_HIGH);
	}

	#addWords(id: number, timestampMs: number, low: number, high: number): void {
		const index = this.count;
		if (index === this.ids.length) this.#grow();
		this.ids[index] = id;
		this.timestamps[index] = timestampMs;
		this.valueWords[index * 2] = low;
		this.valueWords[index * 2 + 1] = high;
		this.count = index + 1;
	}

	#grow(): void {
		const length = this.ids.length * 2;
		const ids = new Uint32Array(length);
		ids.set(this.ids);
		this.ids = ids;
		const timestamps = new Float64Array(length);
		timestamps.set(this.timestamps);
		this.timestamps = timestamps;
		const words = new Uint32Array(length * 2);
		words.set(this.valueWords);
		this.valueWords = words;
	}
}
