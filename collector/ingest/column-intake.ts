import type { Registry } from 'prom-client';
import { WriteColumns } from '../../protocol/remote-write/write-columns.ts';
import type { ColumnIngest } from '../storage/column-ingest.ts';
import { ColumnAdmission, Refusals } from './column-admission.ts';
import type { IngestLimits } from './config.ts';
import { createIngestMetrics, type IngestMetrics } from './ingest-metrics.ts';

export interface Intake {
	readonly written: number;
	readonly refusals: Refusals;
}

const double = new Float64Array(1);
const doubleWords = new Uint32Array(double.buffer);

/**
 * Columns for protocols that do not bring their labels as bytes: one series after the other is added with one sample, and the whole is
 * judged and written at once. Fill and `write` without yielding in between.
 */
export class ColumnIntake {
	readonly metrics: IngestMetrics;
	readonly #store: ColumnIngest;
	readonly #columns = new WriteColumns();
	readonly #admission: ColumnAdmission;
	#labels = new Uint8Array(64 * 1024);
	#used = 0;

	constructor(options: { readonly store: ColumnIngest; readonly limits: IngestLimits; readonly metrics: Registry }) {
		this.#store = options.store;
		this.#admission = new ColumnAdmission(options.store, options.limits);
		this.metrics = createIngestMetrics(options.metrics);
	}

	clear(): void {
		this.#columns.reset();
		this.#used = 0;
	}

	/** Room for label bytes at the end of what is there; `endLabels` says how much of it was used. */
	labelSpace(size: number): { readonly target: Uint8Array; readonly start: number } {
		if (this.#used + size > this.#labels.length) {
			const larger = new Uint8Array(Math.max(this.#labels.length * 2, this.#used + size));
			larger.set(this.#labels);
			this.#labels = larger;
		}
		return { target: this.#labels, start: this.#used };
	}

	/** A sample of the series whose labels lie between the last series' and `labelEnd`. A NaN gets the bits that Prometheus gives it. */
	addSample(labelEnd: number, timestampMs: number, value: number): void {
		double[0] = value;
		const nan = value !== value;
		this.addWords(labelEnd, timestampMs, nan ? 1 : (doubleWords[0] as number), nan ? 0x7ff80000 : (doubleWords[1] as number));
	}

	/** As `addSample`, with the value's bits. */
	addWords(labelEnd: number, timestampMs: number, low: number, high: number): void {
		this.#columns.addSample(timestampMs, low, high);
		this.#columns.addSeries(this.#used, labelEnd);
		this.#used = labelEnd;
	}

	/** Rejects like `ColumnIngest.write`; then nothing was kept. */
	async write(protocol: string, refusals = new Refusals()): Promise<Intake> {
		const columns = this.#columns;
		columns.labelBytes = this.#labels;
		const written = this.#admission.admit(columns, refusals);
		const samples = { ids: this.#admission.ids, timestamps: columns.timestamps, valueWords: columns.valueWords };
		const acknowledged = written > 0 ? this.#store.write(samples, written) : Promise.resolve();
		this.clear();
		await acknowledged;
		this.metrics.samples.inc({ protocol }, written);
		for (const [reason, count] of refusals.byReason) this.metrics.refused.inc({ reason }, count);
		return { written, refusals };
	}
}
