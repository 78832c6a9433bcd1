import { labelsKey } from '../../core/labels.ts';
import type { MetricType } from '../../protocol/metric-type.ts';
import type {
	OtlpAttributes,
	OtlpHistogramPoint,
	OtlpMetric,
	OtlpPoint,
	OtlpResourceMetrics,
	OtlpSummaryPoint,
	OtlpTemporality,
} from '../../protocol/otlp/metrics-model.ts';
import { prometheusName, prometheusUnit } from '../../protocol/otlp/prometheus-names.ts';
import type { MetricMetadata } from '../storage/storage.ts';
import type { DeltaRequest } from './delta-streams.ts';
import { type OtlpMetricScope, type OtlpSeries, otlpLabels } from './otlp-series.ts';

/** Takes what a request means in Prometheus' data model. */
export interface OtlpSampleSink {
	/** All samples until the next call belong to this metric. */
	begin(scope: OtlpMetricScope): void;
	/** `value` is null for a stale marker. The series is lent for the call. Throws `ProtocolError` when an attribute is not UTF-8. */
	sample(series: OtlpSeries, timestampMs: number, value: number | null): void;
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
	const scope = { name, identity: context.identity };
	sink.begin(scope);
	let newestMs = 0;
	for (const point of data.points) newestMs = Math.max(newestMs, point.timeMs);
	switch (data.kind) {
		case 'gauge':
			for (const point of data.points) sink.sample(series(scope, point), point.timeMs, point.noValue ? null : point.value);
			break;
		case 'sum':
			for (const point of data.points) {
				const values = accumulated(metric, { scope, point, temporality: data.temporality, shape: '', values: [point.value] }, context);
				if (values !== null) sink.sample(series(scope, point), point.timeMs, point.noValue ? null : (values[0] as number));
			}
			break;
		case 'histogram':
			for (const point of data.points) histogramSamples(metric, { scope, point, temporality: data.temporality }, context);
			break;
		case 'summary':
			for (const point of data.points) summarySamples(scope, point, sink);
			break;
	}
	return newestMs;
}

const lent: OtlpSeries = {
	scope: { name: '', identity: {} },
	point: { attributes: [], wire: null, wireStart: 0, wireEnd: 0 },
	role: 'value',
	bound: 0,
};

/** The one object that is lent to the sink. */
function series(scope: OtlpMetricScope, point: OtlpPoint, role: OtlpSeries['role'] = 'value', bound = 0): OtlpSeries {
	lent.scope = scope;
	lent.point = point;
	lent.role = role;
	lent.bound = bound;
	return lent;
}

function histogramSamples(
	metric: OtlpMetric,
	what: { readonly scope: OtlpMetricScope; readonly point: OtlpHistogramPoint; readonly temporality: OtlpTemporality },
	context: Context,
): void {
	const { scope, point, temporality } = what;
	const { sink } = context;
	if (point.bucketCounts.length > 0 && point.bucketCounts.length !== point.bounds.length + 1) {
		sink.reject(1, `${shown(metric)} has ${point.bucketCounts.length} buckets for ${point.bounds.length} bounds; there must be one more`);
		return;
	}
	const values = accumulated(
		metric,
		{ scope, point, temporality, shape: point.bounds.join(), values: [point.count, point.sum ?? 0, ...point.bucketCounts] },
		context,
	);
	if (values === null) return;
	const [count = 0, sum = 0] = values;
	const time = point.timeMs;
	let below = 0;
	for (let i = 0; i < point.bounds.length; i++) {
		below += values[i + 2] ?? 0;
		sink.sample(series(scope, point, 'bucket', point.bounds[i]), time, point.noValue ? null : below);
	}
	sink.sample(series(scope, point, 'bucket', Number.POSITIVE_INFINITY), time, point.noValue ? null : count);
	if (point.sum !== null || point.noValue) sink.sample(series(scope, point, 'sum'), time, point.noValue ? null : sum);
	sink.sample(series(scope, point, 'count'), time, point.noValue ? null : count);
}

function summarySamples(scope: OtlpMetricScope, point: OtlpSummaryPoint, sink: OtlpSampleSink): void {
	for (const { quantile, value } of point.quantiles) {
		sink.sample(series(scope, point, 'quantile', quantile), point.timeMs, point.noValue ? null : value);
	}
	sink.sample(series(scope, point, 'sum'), point.timeMs, point.noValue ? null : point.sum);
	sink.sample(series(scope, point, 'count'), point.timeMs, point.noValue ? null : point.count);
}

/** The values as totals; `null` when the point was rejected. */
function accumulated(
	metric: OtlpMetric,
	what: {
		readonly scope: OtlpMetricScope;
		readonly point: OtlpPoint;
		readonly temporality: OtlpTemporality;
		readonly shape: string;
		readonly values: readonly number[];
	},
	{ deltas, sink }: Context,
): readonly number[] | null {
	const { scope, point, shape, values } = what;
	if (what.temporality !== 'delta' || point.noValue) return values;
	// By labels, not by the sender's bytes: a sender that orders its attributes anew goes on with the same sum.
	const key = labelsKey(otlpLabels(series(scope, point)));
	const result = deltas.add(key, { startMs: point.startMs, timeMs: point.timeMs, shape, values });
	if (result.kind === 'totals') return result.totals;
	sink.reject(1, `${shown(metric)}: ${result.reason}`);
	return null;
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
	const scope = { name: 'target_info', identity };
	sink.begin(scope);
	const point = { attributes: rest, wire: null, wireStart: 0, wireEnd: 0 };
	sink.sample({ scope, point, role: 'value', bound: 0 }, newestMs, 1);
}

function shown(metric: OtlpMetric): string {
	return JSON.stringify(metric.name.slice(0, 200));
}
