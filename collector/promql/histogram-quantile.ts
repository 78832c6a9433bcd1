import { withLabel, withoutName } from '../../core/labels.ts';
import type { Labels } from '../../protocol/labels.ts';
import { METRIC_NAME } from '../../protocol/labels.ts';
import { quantileWarning } from './aggregation.ts';
import { type Column, type EvaluationContext, isEmpty, mergeColumns, newColumn } from './columns.ts';
import { parseGoFloat } from './go-float.ts';
import { groupColumns } from './grouping.ts';

interface Bucket {
	upper: number;
	count: number;
}

interface BucketColumn {
	readonly upper: number;
	readonly column: Column;
}

/** Positions of the two arguments in the query, for annotations. */
export interface HistogramPlaces {
	readonly quantileAt: string;
	readonly vectorAt: string;
}

/** `histogram_quantile` over classic buckets: series that differ only in `le` are one histogram. */
export function histogramQuantile(
	columns: readonly Column[],
	q: Float64Array,
	context: EvaluationContext & HistogramPlaces,
): readonly Column[] {
	const groups = groupColumns(columns, (labels) => withLabel(labels, 'le', ''));
	if (groups.length > 0) {
		for (const value of q) {
			if (!(value >= 0 && value <= 1)) context.annotations.warn(quantileWarning(value, context.quantileAt));
		}
	}
	const results: Column[] = [];
	for (const group of groups) {
		context.guard.check();
		const buckets = bucketColumns(group.members, context);
		if (buckets.length === 0) continue;
		const output = newColumn(withoutName(group.labels), q.length);
		for (let i = 0; i < q.length; i++) {
			const present: Bucket[] = [];
			for (const { upper, column } of buckets) {
				if (column.present[i] === 1) present.push({ upper, count: column.values[i] as number });
			}
			if (present.length === 0) continue;
			const { value, forced } = bucketQuantile(q[i] as number, present);
			if (forced) {
				context.annotations.info(
					`input to histogram_quantile needed to be fixed for monotonicity (see https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile) for metric name "${nameOf(group.labels)}" (${context.vectorAt})`,
				);
			}
			output.values[i] = value;
			output.present[i] = 1;
		}
		if (!isEmpty(output)) results.push(output);
	}
	return mergeColumns(results);
}

function nameOf(labels: Labels): string {
	return labels[0] === METRIC_NAME ? (labels[1] as string) : '';
}

function bucketColumns(members: readonly Column[], context: EvaluationContext & HistogramPlaces): readonly BucketColumn[] {
	const result: BucketColumn[] = [];
	for (const column of members) {
		const at = column.labels.indexOf('le');
		const text = at >= 0 && at % 2 === 0 ? (column.labels[at + 1] as string) : '';
		const upper = parseGoFloat(text);
		if (upper === null) {
			context.annotations.warn(
				`bucket label "le" is missing or has a malformed value of "${text}" for metric name "${nameOf(column.labels)}" (${context.vectorAt})`,
			);
			continue;
		}
		result.push({ upper, column });
	}
	return result.sort((a, b) => a.upper - b.upper);
}

/** Relative differences up to this are rounding, not a decrease. */
const SMALL_DELTA = 1e-12;

function almostEqual(a: number, b: number): boolean {
	if (a === b) return true;
	const difference = Math.abs(a - b);
	const sum = Math.abs(a) + Math.abs(b);
	const smallest = 2.2250738585072014e-308;
	if (a === 0 || b === 0 || sum < smallest) return difference < SMALL_DELTA * smallest;
	return difference / Math.min(sum, Number.MAX_VALUE) < SMALL_DELTA;
}

/** `sorted` by bound; it is changed. Follows Prometheus' `bucketQuantile`. */
function bucketQuantile(q: number, sorted: Bucket[]): { readonly value: number; readonly forced: boolean } {
	const plain = (value: number) => ({ value, forced: false });
	if (q !== q) return plain(Number.NaN);
	if (q < 0) return plain(Number.NEGATIVE_INFINITY);
	if (q > 1) return plain(Number.POSITIVE_INFINITY);
	if (sorted.at(-1)?.upper !== Number.POSITIVE_INFINITY) return plain(Number.NaN);
	const buckets: Bucket[] = [];
	for (const bucket of sorted) {
		const last = buckets.at(-1);
		if (last !== undefined && last.upper === bucket.upper) last.count += bucket.count;
		else buckets.push(bucket);
	}
	const forced = makeMonotonic(buckets);
	if (buckets.length < 2) return { value: Number.NaN, forced };
	const top = buckets.length - 1;
	const observations = (buckets[top] as Bucket).count;
	if (observations === 0 || observations !== observations) return { value: Number.NaN, forced };
	let rank = q * observations;
	let b = 0;
	while (b < top && !((buckets[b] as Bucket).count >= rank)) b += 1;
	if (b === top) return { value: (buckets[top - 1] as Bucket).upper, forced };
	const bucket = buckets[b] as Bucket;
	if (b === 0 && bucket.upper <= 0) return { value: bucket.upper, forced };
	let start = 0;
	let count = bucket.count;
	if (b > 0) {
		const below = buckets[b - 1] as Bucket;
		start = below.upper;
		count -= below.count;
		rank -= below.count;
	}
	return { value: start + (bucket.upper - start) * (rank / count), forced };
}

function makeMonotonic(buckets: readonly Bucket[]): boolean {
	let forced = false;
	let previous = buckets[0]?.count ?? 0;
	for (let i = 1; i < buckets.length; i++) {
		const bucket = buckets[i] as Bucket;
		if (bucket.count === previous) continue;
		if (almostEqual(previous, bucket.count)) bucket.count = previous;
		else if (bucket.count < previous) {
			bucket.count = previous;
			forced = true;
		} else previous = bucket.count;
	}
	return forced;
}
