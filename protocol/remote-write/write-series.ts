import type { Labels } from '../labels.ts';
import type { MetricType } from '../metric-type.ts';

/** One sample on its way to a receiver. `stale` replaces the value by the stale marker, whose NaN bits the encoders write themselves. */
export interface WriteSample {
	/** Integer milliseconds since the epoch. */
	readonly timestampMs: number;
	readonly value: number;
	readonly stale?: boolean;
}

/** Samples of one series, ascending by time, with what is known about its metric. */
export interface WriteSeries {
	/** Sorted, includes `__name__`. */
	readonly labels: Labels;
	readonly type?: MetricType;
	readonly help?: string;
	readonly unit?: string;
	readonly samples: readonly WriteSample[];
}

/** Enum `MetricType`, the same numbers in `prometheus.MetricMetadata` and `io.prometheus.write.v2.Metadata`. */
export const METRIC_TYPE_NUMBERS: Readonly<Record<MetricType, number>> = {
	unknown: 0,
	counter: 1,
	gauge: 2,
	histogram: 3,
	gaugehistogram: 4,
	summary: 5,
	info: 6,
	stateset: 7,
};
