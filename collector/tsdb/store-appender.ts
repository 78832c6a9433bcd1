import { AppError } from '../../core/errors.ts';
import { formatLabels } from '../../core/labels.ts';
import type { Labels } from '../../protocol/labels.ts';
import type { ColumnIngest } from '../storage/column-ingest.ts';
import { encodeLabelBytes } from '../storage/label-bytes.ts';
import { type Appender, STALE_HIGH, STALE_LOW } from '../storage/storage.ts';

const double = new Float64Array(1);
const words = new Uint32Array(double.buffer);

/** The slower way in, for rules and scrapes inside the process: labels as strings. */
export class StoreAppender implements Appender {
	readonly #ingest: ColumnIngest;
	readonly #labels: Uint8Array[] = [];
	#times: number[] = [];
	#words: number[] = [];

	constructor(ingest: ColumnIngest) {
		this.#ingest = ingest;
	}

	append(labels: Labels, timestampMs: number, value: number): void {
		double[0] = value;
		this.#add(labels, timestampMs, words[0] as number, words[1] as number);
	}

	appendStale(labels: Labels, timestampMs: number): void {
		this.#add(labels, timestampMs, STALE_LOW, STALE_HIGH);
	}

	async commit(): Promise<void> {
		const count = this.#labels.length;
		// Looked up now: between `append` and `commit` a quiet series may have left its slot.
		const batch = {
			ids: Uint32Array.from(this.#labels, (bytes) => this.#find(bytes)),
			timestamps: Float64Array.from(this.#times),
			valueWords: Uint32Array.from(this.#words),
		};
		this.#labels.length = 0;
		this.#times = [];
		this.#words = [];
		await this.#ingest.write(batch, count);
	}

	#add(labels: Labels, timestampMs: number, low: number, high: number): void {
		const { minMs, maxMs } = this.#ingest.bounds();
		if (!Number.isInteger(timestampMs) || timestampMs < minMs || timestampMs > maxMs) {
			throw new AppError(
				'FN_STORE_TIME_OUT_OF_BOUNDS',
				`${formatLabels(labels)} has a sample at ${timestampMs} ms, outside of what is kept (${minMs} to ${maxMs})`,
				{ status: 400 },
			);
		}
		const bytes = encodeLabelBytes(labels);
		this.#find(bytes);
		this.#labels.push(bytes);
		this.#times.push(timestampMs);
		this.#words.push(low, high);
	}

	#find(bytes: Uint8Array): number {
		const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
		const known = this.#ingest.findSeries(bytes, view, 0, bytes.length, -1);
		return known >= 0 ? known : this.#ingest.createSeries(bytes);
	}
}
