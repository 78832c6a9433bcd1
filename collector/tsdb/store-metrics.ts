import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** Own metrics of the store; documented in docs/metrics/store.md. */
export interface StoreMetrics {
	readonly logSyncFailures: Counter;
	readonly blockWriteFailures: Counter;
	readonly blockSeconds: Histogram;
	readonly blockChunks: Counter;
	readonly conflictsInBlocks: Counter;
	readonly seriesReleased: Counter;
	readonly compactions: Counter;
}

/** What the gauges read when they are collected. */
export interface StoreFigures {
	readonly series: number;
	readonly appended: number;
	readonly duplicates: number;
	readonly overwritten: number;
	readonly late: number;
	readonly chunkBytes: number;
	readonly memoryBytes: number;
	readonly logBytes: number;
	readonly readOnly: number;
}

export function createStoreMetrics(registry: Registry, figures: () => StoreFigures): StoreMetrics {
	const registers = [registry];
	const gauge = (name: string, help: string, read: (figures: StoreFigures) => number) =>
		new Gauge({
			name,
			help,
			registers,
			collect() {
				this.set(read(figures()));
			},
		});
	// The head counts in plain numbers: a call per sample would cost more than the sample.
	const counter = (name: string, help: string, read: (figures: StoreFigures) => number) =>
		new Counter({
			name,
			help,
			registers,
			collect() {
				this.reset();
				this.inc(read(figures()));
			},
		});
	gauge('fournines_store_series', 'Series in memory.', (f) => f.series);
	gauge('fournines_store_head_chunk_bytes', 'Bytes of compressed samples that are not in a block yet.', (f) => f.chunkBytes);
	gauge('fournines_store_head_memory_bytes', 'Bytes of the buffers in which series and their newest samples lie.', (f) => f.memoryBytes);
	gauge('fournines_store_read_only', 'Whether the disk cannot be written: samples are refused.', (f) => f.readOnly);
	gauge('fournines_store_log_bytes', 'Bytes of the append log.', (f) => f.logBytes);
	counter('fournines_store_samples_appended_total', 'Samples taken since the start.', (f) => f.appended);
	counter('fournines_store_samples_duplicate_total', 'Samples that were there already, with the same value.', (f) => f.duplicates);
	counter(
		'fournines_store_samples_overwritten_total',
		'Samples that replaced one of the same time and another value.',
		(f) => f.overwritten,
	);
	counter('fournines_store_samples_late_total', 'Samples that came after a newer one of their series.', (f) => f.late);
	return {
		logSyncFailures: new Counter({ name: 'fournines_store_log_sync_failures_total', help: 'Failed syncs of the log.', registers }),
		blockWriteFailures: new Counter({
			name: 'fournines_store_block_write_failures_total',
			help: 'Failed attempts to write blocks.',
			registers,
		}),
		blockSeconds: new Histogram({
			name: 'fournines_store_block_write_duration_seconds',
			help: 'From the cut of a memtable until its blocks are durable.',
			buckets: [0.1, 0.5, 1, 5, 10, 30, 60, 300],
			registers,
		}),
		blockChunks: new Counter({ name: 'fournines_store_block_chunks_total', help: 'Chunks written into blocks.', registers }),
		compactions: new Counter({ name: 'fournines_store_compactions_total', help: 'Block files that were compacted.', registers }),
		seriesReleased: new Counter({
			name: 'fournines_store_series_released_total',
			help: 'Series that left memory because they were no longer written.',
			registers,
		}),
		conflictsInBlocks: new Counter({
			name: 'fournines_store_block_samples_replaced_total',
			help: 'Late samples that replaced one of the same time and another value when they were merged into a block.',
			registers,
		}),
	};
}
