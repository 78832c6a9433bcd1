import { AppError } from '../../core/errors.ts';
import type { WriteColumns } from '../../protocol/remote-write/write-columns.ts';
import type { ColumnIngest } from '../storage/column-ingest.ts';
import type { IngestLimits } from './config.ts';
import { describeSeries, judgeSeries, type RefusalReason } from './series-policy.ts';

/** Reasons shown in one answer; the rest is counted. */
const SHOWN_REFUSALS = 5;

/** Errors of a store that mean one series, not the request. */
const LIMITS: Readonly<Record<string, RefusalReason>> = {
	FN_STORE_SERIES_LIMIT: 'series_limit',
	FN_STORE_HOST_SERIES_LIMIT: 'host_series_limit',
	FN_STORE_LABELS_TOO_LONG: 'labels_too_long',
};

/** What was not taken, and why. */
export class Refusals {
	samples = 0;
	readonly byReason = new Map<RefusalReason, number>();
	readonly messages: string[] = [];

	add(reason: RefusalReason, samples: number, message: () => string): void {
		this.samples += samples;
		this.byReason.set(reason, (this.byReason.get(reason) ?? 0) + samples);
		if (this.messages.length < SHOWN_REFUSALS) this.messages.push(message());
	}
}

/**
 * Turns decoded columns into what a store takes: finds or creates the series, leaves out what is refused. The samples that
 * are admitted move to the front of the columns, so nothing is copied when all are. One per ingest: it owns the column of ids.
 */
export class ColumnAdmission {
	ids = new Uint32Array(4096);
	readonly #store: ColumnIngest;
	readonly #limits: IngestLimits;
	#bytes: Uint8Array = new Uint8Array(0);
	#minMs = 0;
	#maxMs = 0;

	constructor(store: ColumnIngest, limits: IngestLimits) {
		this.#store = store;
		this.#limits = limits;
	}

	/** Returns how many samples are admitted: index `0 ..` of `ids` and of the columns' times and values. */
	admit(columns: WriteColumns, refusals: Refusals): number {
		const count = columns.sampleCount;
		if (this.ids.length < count) this.ids = new Uint32Array(Math.max(count, this.ids.length * 2));
		const bytes = columns.labelBytes;
		const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
		this.#bytes = bytes;
		const { minMs, maxMs } = this.#store.bounds();
		this.#minMs = minMs;
		this.#maxMs = maxMs;
		const store = this.#store;
		const ids = this.ids;
		const { timestamps, valueWords, labelStart, labelEnd, sampleEnd } = columns;
		let hint = -1;
		let admitted = 0;
		let sample = 0;
		for (let series = 0; series < columns.seriesCount; series++) {
			const end = sampleEnd[series] as number;
			if (sample === end) continue;
			const start = labelStart[series] as number;
			const stop = labelEnd[series] as number;
			let id = store.findSeries(bytes, view, start, stop, hint);
			if (id < 0) {
				id = this.#newSeries(columns, series, sample, end, refusals);
				if (id < 0) {
					sample = end;
					continue;
				}
			}
			hint = id;
			for (; sample < end; sample++) {
				const time = timestamps[sample] as number;
				if (time > maxMs || time < minMs) {
					this.#refuseTime(columns, series, time, refusals);
					continue;
				}
				if (admitted !== sample) {
					timestamps[admitted] = time;
					valueWords[admitted * 2] = valueWords[sample * 2] as number;
					valueWords[admitted * 2 + 1] = valueWords[sample * 2 + 1] as number;
				}
				ids[admitted++] = id;
			}
		}
		this.#bytes = new Uint8Array(0);
		return admitted;
	}

	/** The id of a series that the store did not find under these bytes, or -1 when none of its samples can be taken. */
	#newSeries(columns: WriteColumns, series: number, from: number, to: number, refusals: Refusals): number {
		const start = columns.labelStart[series] as number;
		const end = columns.labelEnd[series] as number;
		const verdict = judgeSeries(this.#bytes, start, end, this.#limits);
		if (verdict.kind === 'refused') {
			refusals.add(verdict.reason, to - from, () => verdict.message);
			return -1;
		}
		const { canonical } = verdict;
		const same =
			canonical.buffer === this.#bytes.buffer ||
			(canonical.length === end - start && canonical.every((byte, i) => byte === this.#bytes[start + i]));
		if (!same) {
			const known = this.#store.findSeries(
				canonical,
				new DataView(canonical.buffer, canonical.byteOffset, canonical.length),
				0,
				canonical.length,
				-1,
			);
			if (known >= 0) {
				this.#store.addAlias(this.#bytes, start, end, known);
				return known;
			}
		}
		if (!this.#anyInTime(columns, from, to)) {
			for (let i = from; i < to; i++) this.#refuseTime(columns, series, columns.timestamps[i] as number, refusals);
			return -1;
		}
		try {
			const id = this.#store.createSeries(canonical);
			if (!same) this.#store.addAlias(this.#bytes, start, end, id);
			return id;
		} catch (error) {
			const reason = error instanceof AppError ? LIMITS[error.code] : undefined;
			if (!(error instanceof AppError) || reason === undefined) throw error;
			refusals.add(reason, to - from, () => `${describeSeries(this.#bytes, start, end)} is new, and ${error.message}`);
			return -1;
		}
	}

	#anyInTime(columns: WriteColumns, from: number, to: number): boolean {
		for (let i = from; i < to; i++) {
			const time = columns.timestamps[i] as number;
			if (time >= this.#minMs && time <= this.#maxMs) return true;
		}
		return false;
	}

	#ahead(): string {
		const { futureMs = 300_000 } = this.#store.bounds();
		return futureMs % 60_000 === 0 ? `${futureMs / 60_000} minutes` : `${futureMs / 1000} s`;
	}

	#refuseTime(columns: WriteColumns, series: number, timeMs: number, refusals: Refusals): void {
		const tooNew = timeMs > this.#maxMs;
		refusals.add(tooNew ? 'sample_too_new' : 'sample_too_old', 1, () => {
			const labels = describeSeries(this.#bytes, columns.labelStart[series] as number, columns.labelEnd[series] as number);
			return tooNew
				? `${labels} has a sample at ${timeMs} ms, more than ${this.#ahead()} ahead of this server; check the sender's clock`
				: `${labels} has a sample at ${timeMs} ms, older than what is kept (from ${this.#minMs} ms on)`;
		});
	}
}
