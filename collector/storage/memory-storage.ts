import { AppError } from '../../core/errors.ts';
import { compareLabels, labelsKey, labelValue } from '../../core/labels.ts';
import type { Labels } from '../../protocol/labels.ts';
import type { ArrivalMarks } from './arrival-marks.ts';
import { encodeLabelBytes } from './label-bytes.ts';
import {
	type Appendable,
	type Appender,
	isStaleAt,
	type Matcher,
	type Queryable,
	type SelectOptions,
	type SeriesSamples,
	writeStaleAt,
} from './storage.ts';

interface MemorySeries {
	readonly labels: Labels;
	timestamps: Float64Array;
	values: Float64Array;
	count: number;
	readonly number: number;
}

export interface MemoryStorage extends Queryable, Appendable {
	/** Adds one sample; `null` is a stale marker. A sample at a known time replaces it. */
	add(labels: Labels, timestampMs: number, value: number | null): void;
	clear(): void;
	readonly seriesCount: number;
}

/**
 * The storage interfaces over plain arrays: a second, real implementation that tests and the rule tester run on. `arrivals` is told of every
 * batch, `now` being the clock that says what is fresh.
 */
export function createMemoryStorage(options: { readonly arrivals?: ArrivalMarks; readonly now?: () => number } = {}): MemoryStorage {
	const all = new Map<string, MemorySeries>();
	const byNumber: MemorySeries[] = [];
	const { arrivals, now = Date.now } = options;
	const note = (samples: readonly { readonly number: number; readonly timestampMs: number }[]) =>
		arrivals?.note(
			{ ids: Uint32Array.from(samples, ({ number }) => number), timestamps: Float64Array.from(samples, ({ timestampMs }) => timestampMs) },
			samples.length,
			{ nowMs: now(), labelsOf: (number) => encodeLabelBytes((byNumber[number] as MemorySeries).labels) },
		);

	/** Returns the number of the series. */
	const put = (labels: Labels, timestampMs: number, value: number | null): number => {
		const key = labelsKey(labels);
		let series = all.get(key);
		if (series === undefined) {
			series = { labels, timestamps: new Float64Array(16), values: new Float64Array(16), count: 0, number: byNumber.length };
			all.set(key, series);
			byNumber.push(series);
		}
		if (series.count === series.timestamps.length) {
			const timestamps = new Float64Array(series.count * 2);
			const values = new Float64Array(series.count * 2);
			timestamps.set(series.timestamps);
			values.set(series.values);
			series.timestamps = timestamps;
			series.values = values;
		}
		const at = lowerBound(series, timestampMs);
		if (at === series.count || series.timestamps[at] !== timestampMs) {
			series.timestamps.copyWithin(at + 1, at, series.count);
			series.values.copyWithin(at + 1, at, series.count);
			series.count += 1;
		}
		series.timestamps[at] = timestampMs;
		if (value === null) writeStaleAt(series.values, at);
		else series.values[at] = value;
		return series.number;
	};

	const matching = (matchers: readonly Matcher[], minMs: number, maxMs: number) => {
		const found: { readonly series: MemorySeries; readonly lo: number; readonly hi: number }[] = [];
		for (const series of all.values()) {
			if (!matchers.every((matcher) => matcher.test(labelValue(series.labels, matcher.name)))) continue;
			const lo = lowerBound(series, minMs);
			const hi = lowerBound(series, maxMs + 1);
			if (hi > lo) found.push({ series, lo, hi });
		}
		return found.sort((a, b) => compareLabels(a.series.labels, b.series.labels));
	};

	const appender = (): Appender => {
		const batch: { readonly labels: Labels; readonly timestampMs: number; readonly value: number | null }[] = [];
		return {
			append: (labels, timestampMs, value) => void batch.push({ labels, timestampMs, value: isStale(value) ? null : value }),
			appendStale: (labels, timestampMs) => void batch.push({ labels, timestampMs, value: null }),
			commit: async () => {
				note(batch.map((sample) => ({ number: put(sample.labels, sample.timestampMs, sample.value), timestampMs: sample.timestampMs })));
			},
		};
	};

	return {
		add: (labels, timestampMs, value) => note([{ number: put(labels, timestampMs, value), timestampMs }]),
		appender,
		clear: () => all.clear(),
		get seriesCount() {
			return all.size;
		},
		select: async (matchers, minMs, maxMs, options) => {
			const result: SeriesSamples[] = [];
			const each = options?.each ?? ((series: SeriesSamples) => void result.push(series));
			let samples = 0;
			const wanted = options?.within === undefined ? matchers : [...matchers, options.within];
			for (const { series, lo, hi } of matching(wanted, minMs, maxMs)) {
				samples += hi - lo;
				checkLimits(samples, options);
				each({ labels: series.labels, timestamps: series.timestamps.slice(lo, hi), values: series.values.slice(lo, hi) });
			}
			return result;
		},
		series: async (matchers, minMs, maxMs) => matching(matchers, minMs, maxMs).map(({ series }) => series.labels),
		labelNames: async (matchers, minMs, maxMs) => {
			const names = new Set<string>();
			for (const { series } of matching(matchers, minMs, maxMs)) {
				for (let i = 0; i < series.labels.length; i += 2) names.add(series.labels[i] as string);
			}
			return [...names].sort();
		},
		labelValues: async (name, matchers, minMs, maxMs) => {
			const values = new Set<string>();
			for (const { series } of matching(matchers, minMs, maxMs)) {
				const value = labelValue(series.labels, name);
				if (value !== '') values.add(value);
			}
			return [...values].sort();
		},
	};
}

function lowerBound(series: MemorySeries, timestampMs: number): number {
	let low = 0;
	let high = series.count;
	while (low < high) {
		const middle = (low + high) >> 1;
		if ((series.timestamps[middle] as number) < timestampMs) low = middle + 1;
		else high = middle;
	}
	return low;
}

function isStale(value: number): boolean {
	return isStaleAt(new Float64Array([value]), 0);
}

function checkLimits(samples: number, options: SelectOptions | undefined): void {
	if (options?.signal?.aborted === true) throw new AppError('FN_QUERY_CANCELLED', 'the query was cancelled', { status: 503 });
	if (options?.sampleLimit !== undefined && samples > options.sampleLimit) {
		throw new AppError('FN_QUERY_SAMPLE_LIMIT', `more than ${options.sampleLimit} samples match`, { status: 422 });
	}
}
