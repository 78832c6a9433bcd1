/**
 * A metrics request of the OpenTelemetry protocol (https://opentelemetry.io/docs/specs/otlp/, opentelemetry/proto/metrics/v1), reduced to
 * what can be stored. Both encodings decode into it.
 */
export interface OtlpResourceMetrics {
	readonly resource: OtlpAttributes;
	readonly metrics: readonly OtlpMetric[];
}

/** Keys and values as text, in the order of the sender. Lists and maps are JSON, bytes are base64. */
export type OtlpAttributes = readonly (readonly [string, string])[];

export interface OtlpMetric {
	readonly name: string;
	readonly description: string;
	/** UCUM, as the sender wrote it. */
	readonly unit: string;
	readonly data: OtlpData;
}

export type OtlpTemporality = 'unspecified' | 'delta' | 'cumulative';

export type OtlpData =
	| { readonly kind: 'gauge'; readonly points: readonly OtlpNumberPoint[] }
	| {
			readonly kind: 'sum';
			readonly temporality: OtlpTemporality;
			readonly monotonic: boolean;
			readonly points: readonly OtlpNumberPoint[];
	  }
	| { readonly kind: 'histogram'; readonly temporality: OtlpTemporality; readonly points: readonly OtlpHistogramPoint[] }
	| { readonly kind: 'summary'; readonly points: readonly OtlpSummaryPoint[] }
	/** Only counted. */
	| { readonly kind: 'exponential_histogram'; readonly pointCount: number }
	| { readonly kind: 'none' };

/**
 * Attributes of a point. Where they came as protobuf they are decoded only when somebody asks: `wire` from `wireStart` to `wireEnd` is what
 * the sender wrote, and whoever has seen the same bytes before knows the attributes. Reading `attributes` throws `ProtocolError` then, if
 * the bytes are malformed. `wire` is null where there are no such bytes.
 */
export interface OtlpPointAttributes {
	readonly attributes: OtlpAttributes;
	readonly wire: Uint8Array | null;
	readonly wireStart: number;
	readonly wireEnd: number;
}

export interface OtlpPoint extends OtlpPointAttributes {
	/** Milliseconds; 0 when the sender does not know. */
	readonly startMs: number;
	/** Milliseconds, rounded down from nanoseconds. */
	readonly timeMs: number;
	/** The sender says that there is no value any more: a stale marker. */
	readonly noValue: boolean;
}

export interface OtlpNumberPoint extends OtlpPoint {
	readonly value: number;
}

export interface OtlpHistogramPoint extends OtlpPoint {
	readonly count: number;
	/** Absent when values may be negative. */
	readonly sum: number | null;
	/** One more than there are bounds, or none at all; each counts its own range. */
	readonly bucketCounts: readonly number[];
	/** Ascending upper bounds, inclusive. */
	readonly bounds: readonly number[];
}

export interface OtlpSummaryPoint extends OtlpPoint {
	readonly count: number;
	readonly sum: number;
	readonly quantiles: readonly { readonly quantile: number; readonly value: number }[];
}

export const TEMPORALITIES: readonly OtlpTemporality[] = ['unspecified', 'delta', 'cumulative'];
/** `DataPointFlags.NO_RECORDED_VALUE`. */
export const NO_RECORDED_VALUE = 1;
/** Lists and maps within each other, so that a request cannot exhaust the stack. */
export const MAX_VALUE_DEPTH = 16;

/** How the value of an attribute is written into a label. */
export function attributeText(value: unknown): string {
	if (value === null || value === undefined) return '';
	return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
