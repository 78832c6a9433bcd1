import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../../core/clock.ts';
import type { BlockThread } from './blocks/block-thread.ts';
import type { Head } from './head.ts';
import { QuietSeries } from './quiet-series.ts';
import type { BlockSpan } from './recovery.ts';
import type { StoreMetrics } from './store-metrics.ts';

export interface IndexedSeriesOptions {
	readonly head: Head;
	/** Slots whose series the index does not have, or has as gone; emptied as it gets them. */
	readonly unpersistedSeries: number[];
	/** When those lived, as far as blocks know. */
	readonly blockSpans: ReadonlyMap<number, BlockSpan>;
	/** Metrics whose metadata the index does not have yet; emptied as it gets them. */
	readonly changedMetadata: Set<string>;
	readonly metadataJson: (metric: string) => string;
	/** Tells readers about a new layout. */
	readonly publish: () => void;
	readonly clock: Clock;
	readonly metrics: StoreMetrics;
	/** A series without samples for so long leaves memory. */
	readonly quietMs: number;
}

/** Slots that are looked at without a pause. */
export const SETTLE_SLICE = 2000;
/** Series that the index is told of at once: each time costs some syncs of the disk. */
const SERIES_SLICE = 16_000;

/** Keeps the index and the slots of memory in step: the index hears of new series, and of quiet ones before they leave. */
export class IndexedSeries {
	readonly #thread: BlockThread;
	readonly #options: IndexedSeriesOptions;
	readonly #quiet: QuietSeries;

	constructor(thread: BlockThread, options: IndexedSeriesOptions) {
		this.#thread = thread;
		this.#options = options;
		this.#quiet = new QuietSeries(options.head);
	}

	/** Notes which of the slots have got samples since the last time. */
	noteHeard(from: number, to: number): void {
		this.#quiet.noteHeard(from, to, this.#options.clock.now());
	}

	/** The index must know a series before the log that defines it may go. */
	async persist(): Promise<void> {
		const { head, unpersistedSeries, changedMetadata, metadataJson } = this.#options;
		// New ones are added at the end meanwhile.
		const pending = unpersistedSeries.slice();
		for (let from = 0; from < pending.length; from += SERIES_SLICE) {
			const slots = pending.slice(from, from + SERIES_SLICE).filter((slot) => head.registry.has(slot));
			const ids = Uint32Array.from(slots, (slot) => head.idOf(slot));
			const labels = slots.map((slot) => head.registry.labelBytes(slot));
			const bytes = new Uint8Array(Buffer.concat(labels));
			const lengths = Uint32Array.from(labels.map((label) => label.length));
			const spans = new Float64Array(slots.length * 2).fill(Number.NaN);
			ids.forEach((id, i) => {
				const span = this.#options.blockSpans.get(id);
				if (span !== undefined) spans.set([span.firstMs, span.lastMs], i * 2);
			});
			await this.#thread.run({ kind: 'series', ids, lengths, labels: bytes, spans });
		}
		unpersistedSeries.splice(0, pending.length);
		const rows = [...changedMetadata].map((metric) => ({ metric, json: metadataJson(metric) }));
		if (rows.length > 0) {
			await this.#thread.run({ kind: 'metadata', rows });
			// What changed again meanwhile is in the log, and the log outlives this cut.
			for (const row of rows) if (metadataJson(row.metric) === row.json) changedMetadata.delete(row.metric);
		}
	}

	/** Series that are no longer written leave memory: first the index says so, then their slots are free. */
	async releaseQuiet(): Promise<void> {
		const { head, clock, quietMs, unpersistedSeries, metrics } = this.#options;
		const beforeMs = clock.now() - quietMs;
		const quiet: number[] = [];
		for (let from = 0; from < head.slotCount; from += SETTLE_SLICE) {
			this.#quiet.find(from, from + SETTLE_SLICE, beforeMs, quiet);
			await nextTurn();
		}
		const notYetKnown = new Set(unpersistedSeries);
		for (let from = 0; from < quiet.length; from += SERIES_SLICE) {
			const slots = quiet.slice(from, from + SERIES_SLICE).filter((slot) => !notYetKnown.has(slot));
			await this.#thread.run({ kind: 'gone', ids: Uint32Array.from(slots, (slot) => head.idOf(slot)) });
			for (let at = 0; at < slots.length; at += SETTLE_SLICE) {
				const part = slots.slice(at, at + SETTLE_SLICE);
				// Who has spoken meanwhile stays, and the index hears of it again.
				const still = part.filter((slot) => this.#quiet.isQuiet(slot, beforeMs));
				const leaving = new Set(still);
				for (const slot of part) if (!leaving.has(slot)) unpersistedSeries.push(slot);
				head.release(still);
				metrics.seriesReleased.inc(still.length);
				await nextTurn();
			}
		}
		if (quiet.length > 0) head.gatherLabels();
		this.#options.publish();
	}
}
