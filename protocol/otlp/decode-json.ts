import {
	attributeText,
	MAX_VALUE_DEPTH,
	NO_RECORDED_VALUE,
	type OtlpAttributes,
	type OtlpData,
	type OtlpHistogramPoint,
	type OtlpMetric,
	type OtlpNumberPoint,
	type OtlpPoint,
	type OtlpResourceMetrics,
	type OtlpSummaryPoint,
	TEMPORALITIES,
} from './metrics-model.ts';

type Fields = Readonly<Record<string, unknown>>;

/** JSON that is not an OTLP request; the message names the field. */
export class OtlpJsonError extends Error {
	constructor(message: string) {
		super(message);
		this.name = 'OtlpJsonError';
	}
}

/**
 * Decodes the JSON encoding (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding): lower camel case, 64-bit integers as text or
 * numbers, enumerations as numbers. Unknown keys are ignored. Throws `OtlpJsonError`.
 */
export function decodeOtlpJson(body: string): readonly OtlpResourceMetrics[] {
	let root: unknown;
	try {
		root = JSON.parse(body);
	} catch {
		throw new OtlpJsonError('it is not JSON');
	}
	return list(record(root, 'the request'), 'resourceMetrics').map((one) => ({
		resource: one['resource'] === undefined || one['resource'] === null ? [] : attributes(record(one['resource'], 'resource')),
		metrics: list(one, 'scopeMetrics').flatMap((scope) => list(scope, 'metrics').map(metric)),
	}));
}

function metric(from: Fields): OtlpMetric {
	return { name: string(from, 'name'), description: string(from, 'description'), unit: string(from, 'unit'), data: metricData(from) };
}

function metricData(from: Fields): OtlpData {
	const part = (name: string) => (from[name] === undefined || from[name] === null ? null : record(from[name], name));
	const gauge = part('gauge');
	if (gauge !== null) return { kind: 'gauge', points: list(gauge, 'dataPoints').map(numberPoint) };
	const sum = part('sum');
	if (sum !== null) {
		const points = list(sum, 'dataPoints').map(numberPoint);
		return { kind: 'sum', temporality: temporality(sum), monotonic: sum['isMonotonic'] === true, points };
	}
	const histogram = part('histogram');
	if (histogram !== null) {
		return { kind: 'histogram', temporality: temporality(histogram), points: list(histogram, 'dataPoints').map(histogramPoint) };
	}
	const exponential = part('exponentialHistogram');
	if (exponential !== null) return { kind: 'exponential_histogram', pointCount: list(exponential, 'dataPoints').length };
	const summary = part('summary');
	if (summary !== null) return { kind: 'summary', points: list(summary, 'dataPoints').map(summaryPoint) };
	return { kind: 'none' };
}

function temporality(from: Fields) {
	return TEMPORALITIES[number(from['aggregationTemporality'] ?? 0, 'aggregationTemporality')] ?? 'unspecified';
}

function point(from: Fields): OtlpPoint {
	return {
		attributes: attributes(from),
		wire: null,
		wireStart: 0,
		wireEnd: 0,
		startMs: nanosToMs(from, 'startTimeUnixNano'),
		timeMs: nanosToMs(from, 'timeUnixNano'),
		noValue: (number(from['flags'] ?? 0, 'flags') & NO_RECORDED_VALUE) !== 0,
	};
}

function numberPoint(from: Fields): OtlpNumberPoint {
	// Senders that use JSON.stringify write a NaN as null.
	if (from['asDouble'] === null) return { ...point(from), value: Number.NaN };
	return { ...point(from), value: number(from['asDouble'] ?? from['asInt'] ?? 0, 'asDouble') };
}

function histogramPoint(from: Fields): OtlpHistogramPoint {
	return {
		...point(from),
		count: number(from['count'] ?? 0, 'count'),
		sum: from['sum'] === undefined || from['sum'] === null ? null : number(from['sum'], 'sum'),
		bucketCounts: values(from, 'bucketCounts').map((value) => number(value, 'bucketCounts')),
		bounds: values(from, 'explicitBounds').map((value) => number(value, 'explicitBounds')),
	};
}

function summaryPoint(from: Fields): OtlpSummaryPoint {
	return {
		...point(from),
		count: number(from['count'] ?? 0, 'count'),
		sum: number(from['sum'] ?? 0, 'sum'),
		quantiles: list(from, 'quantileValues').map((one) => ({
			quantile: number(one['quantile'] ?? 0, 'quantile'),
			value: number(one['value'] ?? 0, 'value'),
		})),
	};
}

function attributes(from: Fields): OtlpAttributes {
	return list(from, 'attributes').map((one) => [string(one, 'key'), attributeText(anyValue(one['value'], 0))] as const);
}

function anyValue(value: unknown, depth: number): unknown {
	if (depth > MAX_VALUE_DEPTH) throw new OtlpJsonError('an attribute is nested too deeply');
	if (value === undefined || value === null) return null;
	const from = record(value, 'value');
	if (from['arrayValue'] !== undefined) {
		return values(record(from['arrayValue'], 'arrayValue'), 'values').map((one) => anyValue(one, depth + 1));
	}
	if (from['kvlistValue'] !== undefined) {
		const entries = list(record(from['kvlistValue'], 'kvlistValue'), 'values');
		return Object.fromEntries(entries.map((one) => [string(one, 'key'), anyValue(one['value'], depth + 1)]));
	}
	const plain = from['stringValue'] ?? from['boolValue'] ?? from['intValue'] ?? from['doubleValue'] ?? from['bytesValue'] ?? null;
	if (typeof plain === 'object' && plain !== null) throw new OtlpJsonError('the value of an attribute is not plain');
	return plain;
}

function record(value: unknown, name: string): Fields {
	if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new OtlpJsonError(`${name} is not an object`);
	return value as Fields;
}

function values(from: Fields, name: string): readonly unknown[] {
	const value = from[name] ?? [];
	if (!Array.isArray(value)) throw new OtlpJsonError(`${name} is not a list`);
	return value;
}

function list(from: Fields, name: string): readonly Fields[] {
	return values(from, name).map((value) => record(value, `an entry of ${name}`));
}

function string(from: Fields, name: string): string {
	const value = from[name] ?? '';
	if (typeof value !== 'string') throw new OtlpJsonError(`${name} is not a text`);
	if (!value.isWellFormed()) throw new OtlpJsonError(`${name} has half a surrogate pair`);
	return value;
}

function number(value: unknown, name: string): number {
	if (typeof value === 'number') return value;
	if (typeof value === 'string') {
		if (/^-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/.test(value)) return Number(value);
		if (value === 'NaN' || value === 'Infinity' || value === '-Infinity') return Number(value);
	}
	throw new OtlpJsonError(`${name} is not a number`);
}

function nanosToMs(from: Fields, name: string): number {
	const value = from[name] ?? 0;
	if (typeof value === 'string' && /^[0-9]{1,20}$/.test(value)) return Number(BigInt(value) / 1_000_000n);
	if (typeof value === 'number' && value >= 0) return Math.floor(value / 1e6);
	throw new OtlpJsonError(`${name} is not a number of nanoseconds`);
}
