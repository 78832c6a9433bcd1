import type { Head } from './head.ts';
import type { SeriesIndex } from './series-index.ts';
import { layoutBytes } from './shared-head.ts';

export interface StoreStats {
	readonly series: number;
	/** Samples taken since the start of the process. */
	readonly samplesAppended: number;
	readonly headChunkBytes: number;
	/** Bytes of the buffers in which series and their newest samples lie. */
	readonly headMemoryBytes: number;
	readonly logBytes: number;
	readonly minTimeMs: number | null;
	readonly maxTimeMs: number | null;
	readonly labelPairs: number;
	readonly seriesByMetric: readonly { readonly name: string; readonly count: number }[];
	readonly valuesByLabel: readonly { readonly name: string; readonly count: number }[];
}

/** Counts what is in memory. The index must be up to date. */
export function storeStats(head: Head, index: SeriesIndex, logBytes: number): StoreStats {
	const byMetric: { name: string; count: number }[] = [];
	for (const [name, ids] of index.values('__name__')) byMetric.push({ name, count: ids.length });
	const byLabel = [...index.names()].map((name) => ({ name, count: index.valueCount(name) }));
	let minTimeMs = Number.POSITIVE_INFINITY;
	let maxTimeMs = Number.NEGATIVE_INFINITY;
	for (let slot = 0; slot < head.slotCount; slot++) {
		const first = head.lifetimes[slot * 2] as number;
		if (first === Number.POSITIVE_INFINITY) continue;
		minTimeMs = Math.min(minTimeMs, first);
		maxTimeMs = Math.max(maxTimeMs, head.lifetimes[slot * 2 + 1] as number);
	}
	const most = (a: { count: number }, b: { count: number }) => b.count - a.count;
	return {
		series: head.seriesCount,
		samplesAppended: head.counters.appended,
		headChunkBytes: head.chunkBytes,
		headMemoryBytes: layoutBytes(head.layout()),
		logBytes,
		minTimeMs: Number.isFinite(minTimeMs) ? minTimeMs : null,
		maxTimeMs: Number.isFinite(maxTimeMs) ? maxTimeMs : null,
		labelPairs: byLabel.reduce((sum, entry) => sum + entry.count, 0),
		seriesByMetric: byMetric.sort(most).slice(0, 10),
		valuesByLabel: byLabel.sort(most).slice(0, 10),
	};
}
