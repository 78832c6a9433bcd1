import type { SampleColumns } from '../storage/column-ingest.ts';
import type { MetricMetadata } from '../storage/storage.ts';
import type { Head } from './head.ts';
import type { SeriesDefinition } from './log/log-batch.ts';
import type { LogWriter } from './log/log-writer.ts';
import { SLOT_ID, SLOT_WORDS } from './shared-head.ts';

/** Puts samples into the log, behind what the log does not know yet of their series and metrics. */
export class LogEntries {
	readonly #log: LogWriter;
	readonly #head: Head;
	readonly #metadata: ReadonlyMap<string, MetricMetadata>;
	/** Series that exist and are in no log record yet. */
	#undefined: SeriesDefinition[] = [];
	#described = new Set<string>();
	/** Ids of the samples of a batch: slots mean nothing after a restart. */
	#ids = new Uint32Array(0);

	constructor(log: LogWriter, head: Head, metadata: ReadonlyMap<string, MetricMetadata>) {
		this.#log = log;
		this.#head = head;
		this.#metadata = metadata;
	}

	/** The next batch begins with this series. */
	define(series: SeriesDefinition): void {
		this.#undefined.push(series);
	}

	/** The next batch has the metadata of this metric. */
	describe(metric: string): void {
		this.#described.add(metric);
	}

	/**
	 * Writes samples `0 .. count` of slots. Returns whether series were defined. Throws what `LogWriter.flush` throws; what was to be defined
	 * is then in the next batch.
	 */
	write(samples: SampleColumns, count: number): boolean {
		const { batch } = this.#log;
		try {
			if (this.#undefined.length > 0) batch.series(this.#undefined);
			for (const metric of this.#described) {
				const metadata = this.#metadata.get(metric);
				if (metadata !== undefined) batch.metadata(metric, metadata);
			}
			if (count > 0) batch.samples({ ...samples, ids: this.#idsOf(samples.ids, count) }, count);
			this.#log.flush();
		} catch (error) {
			batch.discard();
			throw error;
		}
		if (this.#described.size > 0) this.#described = new Set();
		if (this.#undefined.length === 0) return false;
		this.#undefined = [];
		return true;
	}

	#idsOf(slots: Uint32Array, count: number): Uint32Array {
		if (this.#ids.length < count) this.#ids = new Uint32Array(count * 2);
		const ids = this.#ids;
		const columns = this.#head.slots;
		for (let i = 0; i < count; i++) ids[i] = columns[(slots[i] as number) * SLOT_WORDS + SLOT_ID] as number;
		return ids;
	}
}
