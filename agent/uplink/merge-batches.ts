import { labelsKey } from '../../core/labels.ts';
import type { WriteSample, WriteSeries } from '../../protocol/remote-write/write-series.ts';

/** Joins batches in their order into one with each series once, so that a backlog carries its labels once and not per round. */
export function mergeBatches(batches: readonly (readonly WriteSeries[])[]): readonly WriteSeries[] {
	if (batches.length === 1) return batches[0] ?? [];
	const merged = new Map<string, { first: WriteSeries; samples: WriteSample[] }>();
	for (const batch of batches) {
		for (const series of batch) {
			const key = labelsKey(series.labels);
			const entry = merged.get(key);
			if (entry === undefined) merged.set(key, { first: series, samples: [...series.samples] });
			else entry.samples.push(...series.samples);
		}
	}
	return [...merged.values()].map(({ first, samples }) => ({ ...first, samples: inOrder(samples) }));
}

/** Ascending by time. A clock that was set back leaves a spool out of order, and receivers refuse that within one request. */
function inOrder(samples: WriteSample[]): readonly WriteSample[] {
	for (let i = 1; i < samples.length; i++) {
		if ((samples[i] as WriteSample).timestampMs < (samples[i - 1] as WriteSample).timestampMs) {
			return samples.sort((a, b) => a.timestampMs - b.timestampMs);
		}
	}
	return samples;
}

/** Two halves, by series or, when there is only one, by its samples; `null` when nothing is left to halve. */
export function halve(seriesList: readonly WriteSeries[]): readonly [readonly WriteSeries[], readonly WriteSeries[]] | null {
	if (seriesList.length > 1) {
		const middle = seriesList.length >> 1;
		return [seriesList.slice(0, middle), seriesList.slice(middle)];
	}
	const only = seriesList[0];
	if (only === undefined || only.samples.length < 2) return null;
	const middle = only.samples.length >> 1;
	return [[{ ...only, samples: only.samples.slice(0, middle) }], [{ ...only, samples: only.samples.slice(middle) }]];
}
