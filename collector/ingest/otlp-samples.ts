import { labelsFromObject, labelsKey, withLabel } from '../../core/labels.ts';
import { type Labels, METRIC_NAME } from '../../protocol/labels.ts';
import type { MetricType } from '../../protocol/metric-type.ts';
import type {
	OtlpAttributes,
	OtlpHistogramPoint,
	OtlpMetric,
	OtlpPoint,
	OtlpResourceMetrics,
	OtlpTemporality,
} from '../../protocol/otlp/metrics-model.ts';
import { prometheusLabel, prometheusName, prometheusUnit } from '../../protocol/otlp/prometheus-names.ts';
import type { MetricMetadata } from '../storage/storage.ts';
import type { DeltaRequest } from './delta-streams.ts';

/** Takes what a request means in Prometheus' data model. */
export interface OtlpSampleSink {
	/** `value` is null for a stale marker. */
	sample(labels: Labels, timestampMs: number, value: number | null): void;
	describe(metric: string, metadata: MetricMetadata): void;
	reject(points: number, message: string): void;
}

/** Attributes of a resource that become `job` and `instance` instead of labels of `target_info`. */
const IDENTIFYING = ['service.namespace', 'service.name', 'service.instance.id'];

/**
 * Translates a request by the compatibility specification
 * (https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/): names with units, `job` and `instance` from the
 * service, the rest of the resource into `target_info`, histograms with cumulative buckets, deltas added up.
 */
export function translateOtlp(resources: readonly OtlpResourceMetrics[], deltas: DeltaRequest, sink: OtlpSampleSink): void {
	for (const { resource, metrics } of resources) {
		const identity = identityLabels(resource);
		let newestMs = 0;
		for (const metric of metrics) newestMs = Math.max(newestMs, translateMetric(metric, { identity, deltas, sink }));
		if (newestMs > 0) targetInfo(resource, identity, { newestMs, sink });
	}
}

interface Context {
	readonly identity: Readonly<Record<string, string>>;
	readonly deltas: DeltaRequest;
	readonly sink: OtlpSampleSink;
}

/** Returns the time of the newest point. */
function translateMetric(metric: OtlpMetric, context: Context): number {
	const { data } = metric;
	const { sink } = context;
	if (data.kind === 'none') return 0;
	if (data.kind === 'exponential_histogram') {
		sink.reject(
			data.pointCount,
			`${shown(metric)} is an exponential histogram, which is not stored; let the sender aggregate with explicit buckets`,
		);
		return 0;
	}
	const monotonic = data.kind === 'sum' && data.monotonic;
	const name = prometheusName(metric.name, metric.unit, monotonic ? 'counter' : data.kind === 'gauge' ? 'gauge' : 'other');
	if (name === '') {
		sink.reject(data.points.length, `${shown(metric)} has no name that can be stored`);
		return 0;
	}
	if ((data.kind === 'sum' || data.kind === 'histogram') && data.temporality === 'unspecified') {
		sink.reject(data.points.length, `${shown(metric)} does not say whether it is cumulative or delta`);
		return 0;
	}
	const type: MetricType = data.kind === 'sum' ? (data.monotonic ? 'counter' : 'gauge') : data.kind;
	sink.describe(name, { type, help: metric.description, unit: prometheusUnit(metric.unit) });
	let newestMs = 0;
	for (const point of data.points) newestMs = Math.max(newestMs, point.timeMs);
	switch (data.kind) {
		case 'gauge':
			for (const point of data.points) sink.sample(pointLabels(name, point, context), point.timeMs, point.noValue ? null : point.value);
			break;
		case 'sum':
			for (const point of data.points) {
				const labels = pointLabels(name, point, context);
				const values = accumulated(metric, { labels, point, temporality: data.temporality, shape: '', values: [point.value] }, context);
				if (values !== null) sink.sample(labels, point.timeMs, point.noValue ? null : (values[0] as number));
			}
			break;
		case 'histogram':
			for (const point of data.points) histogramSamples(metric, { name, point, temporality: data.temporality }, context);
			break;
		case 'summary':
			for (const point of data.points) {
				const labels = pointLabels(name, point, context);
				for (const { quantile, value } of point.quantiles) {
					sink.sample(withLabel(labels, 'quantile', decimal(quantile)), point.timeMs, point.noValue ? null : value);
				}
				sink.sample(withLabel(labels, METRIC_NAME, `${name}_sum`), point.timeMs, point.noValue ? null : point.sum);
				sink.sample(withLabel(labels, METRIC_NAME, `${name}_count`), point.timeMs, point.noValue ? null : point.count);
			}
			break;
	}
	return newestMs;
}

function histogramSamples(
	metric: OtlpMetric,
	what: { readonly name: string; readonly point: OtlpHistogramPoint; readonly temporality: OtlpTemporality },
	context: Context,
): void {
	const { name, point, temporality } = what;
	const { sink } = context;
	if (point.bucketCounts.length > 0 && point.bucketCounts.length !== point.bounds.length + 1) {
		sink.reject(1, `${shown(metric)} has ${point.bucketCounts.length} buckets for ${point.bounds.length} bounds; there must be one more`);
		return;
	}
	const labels = pointLabels(name, point, context);
	const values = accumulated(
		metric,
		{ labels, point, temporality, shape: point.bounds.join(), values: [point.count, point.sum ?? 0, ...point.bucketCounts] },
		context,
	);
	if (values === null) return;
	const [count = 0, sum = 0, ...buckets] = values;
	const time = point.timeMs;
	const bucketLabels = withLabel(labels, METRIC_NAME, `${name}_bucket`);
	let below = 0;
	for (const [i, bound] of point.bounds.entries()) {
		below += buckets[i] ?? 0;
		sink.sample(withLabel(bucketLabels, 'le', decimal(bound)), time, point.noValue ? null : below);
	}
	sink.sample(withLabel(bucketLabels, 'le', '+Inf'), time, point.noValue ? null : count);
	if (point.sum !== null || point.noValue) sink.sample(withLabel(labels, METRIC_NAME, `${name}_sum`), time, point.noValue ? null : sum);
	sink.sample(withLabel(labels, METRIC_NAME, `${name}_count`), time, point.noValue ? null : count);
}

/** The values as totals; `null` when the point was rejected. */
function accumulated(
	metric: OtlpMetric,
	what: {
		readonly labels: Labels;
		readonly point: OtlpPoint;
		readonly temporality: OtlpTemporality;
		readonly shape: string;
		readonly values: readonly number[];
	},
	{ deltas, sink }: Context,
): readonly number[] | null {
	const { point, shape, values } = what;
	if (what.temporality !== 'delta' || point.noValue) return values;
	const result = deltas.add(labelsKey(what.labels), { startMs: point.startMs, timeMs: point.timeMs, shape, values });
	if (result.kind === 'totals') return result.totals;
	sink.reject(1, `${shown(metric)}: ${result.reason}`);
	return null;
}

function pointLabels(name: string, point: OtlpPoint, { identity }: Context): Labels {
	return labelsFromObject({ ...attributeLabels(point.attributes), ...identity, [METRIC_NAME]: name });
}

/** Values of attributes that become the same label are joined by `;`, in the order of their keys. */
function attributeLabels(attributes: OtlpAttributes): Record<string, string> {
	const labels: Record<string, string> = Object.create(null);
	for (const [key, value] of [...attributes].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))) {
		if (key === '') continue;
		const label = prometheusLabel(key);
		const before = labels[label];
		labels[label] = before === undefined ? value : `${before};${value}`;
	}
	return labels;
}

function identityLabels(resource: OtlpAttributes): Readonly<Record<string, string>> {
	const value = (key: string) => resource.find(([name]) => name === key)?.[1] ?? '';
	const name = value('service.name');
	const namespace = value('service.namespace');
	const job = name !== '' && namespace !== '' ? `${namespace}/${name}` : name;
	const instance = value('service.instance.id');
	return { ...(job === '' ? {} : { job }), ...(instance === '' ? {} : { instance }) };
}

/** `target_info` carries what is known of a resource, to be joined on `job` and `instance`; without either there is nothing to join on. */
function targetInfo(
	resource: OtlpAttributes,
	identity: Readonly<Record<string, string>>,
	{ newestMs, sink }: { readonly newestMs: number; readonly sink: OtlpSampleSink },
): void {
	const rest = resource.filter(([key, value]) => !IDENTIFYING.includes(key) && value !== '');
	if (rest.length === 0 || Object.keys(identity).length === 0) return;
	sink.describe('target_info', { type: 'gauge', help: 'Target metadata', unit: '' });
	sink.sample(labelsFromObject({ ...attributeLabels(rest), ...identity, [METRIC_NAME]: 'target_info' }), newestMs, 1);
}

/** A number without an exponent, as Prometheus writes bounds of OTLP histograms. */
export function decimal(value: number): string {
	const text = String(value);
	if (value === Infinity) return '+Inf';
	if (value === -Infinity) return '-Inf';
	const match = /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(text);
	if (match === null) return text;
	const [, sign = '', first = '', rest = '', exponent = '0'] = match;
	const digits = first + rest;
	const point = 1 + Number(exponent);
	if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`;
	return point >= digits.length ? sign + digits.padEnd(point, '0') : `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
}

function shown(metric: OtlpMetric): string {
	return JSON.stringify(metric.name.slice(0, 200));
}
