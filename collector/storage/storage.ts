import type { Labels } from '../../protocol/labels.ts';

/**
 * What the query engine, the ruler and the HTTP API need of a metric store. Two implementations are meant: the embedded
 * store (`collector/tsdb`) and a Prometheus-compatible backend (`collector/remote`). Consumers own this file; a store
 * adapts to it, never the other way round.
 */

/** Bits of the stale marker, a NaN with a payload of its own (Prometheus `value.StaleNaN`). V8 may canonicalise NaN: compare through views. */
export const STALE_HIGH = 0x7ff00000;
export const STALE_LOW = 0x00000002;

export type MatcherKind = '=' | '!=' | '=~' | '!~';

/** One label matcher. Regular expressions are RE2 and fully anchored; `test` is ready to call and is the only authority. */
export interface Matcher {
	readonly name: string;
	readonly kind: MatcherKind;
	readonly value: string;
	/** Whether a label value (`''` when the label is absent) satisfies the matcher. */
	readonly test: (value: string) => boolean;
	/** When the matcher accepts exactly these values, they are listed so that an index can look them up; otherwise `null`. */
	readonly literals: readonly string[] | null;
}

/**
 * The samples of one series inside the asked range, ascending by time, at most one per timestamp.
 * The arrays belong to the receiver. Stale markers are included bit for bit.
 */
export interface SeriesSamples {
	readonly labels: Labels;
	/** Integer milliseconds. */
	readonly timestamps: Float64Array;
	readonly values: Float64Array;
	/** The store knows that no value is a stale marker. */
	readonly noStale?: boolean;
	/** The store knows that no value is less than the one before it. */
	readonly neverFalls?: boolean;
	/**
	 * Where old samples were taken away (down-sampling), what each that is left stands for: the sum of the values and the number of samples of the
	 * time before it, itself included; 0 for those that another one speaks for. Only with `SelectOptions.weights`, and only where any was taken away.
	 */
	readonly sums?: Float64Array;
	readonly counts?: Float64Array;
}

/** Room for samples: `words` and `values` are two views of one buffer. */
export interface SampleSlab {
	readonly times: Float64Array<ArrayBuffer>;
	readonly values: Float64Array<ArrayBuffer>;
	readonly words: Uint32Array<ArrayBuffer>;
}

/** Where a store may put the samples of an answer, instead of memory of its own. */
export interface SampleMemory {
	/** A slab for at least so many samples; its contents are anything. */
	take(samples: number): SampleSlab;
}

export interface SelectOptions {
	readonly signal?: AbortSignal;
	/** Samples that may be read before `FN_QUERY_SAMPLE_LIMIT` is thrown. Default: unlimited. */
	readonly sampleLimit?: number;
	/** Only the newest sample of each series in the range is looked at; a store may give further ones. Default `false`. */
	readonly newestOnly?: boolean;
	/** Gives `SeriesSamples.sums` and `counts`, without which sums, averages and counts over time are not true of what was down-sampled. Default `false`. */
	readonly weights?: boolean;
	/**
	 * Only series that match this as well. Unlike a matcher among the others it may change with every call: what a store remembers of a
	 * selector must stay good, and must not fill up with one entry for each.
	 */
	readonly within?: Matcher;
	/** The arrays of the answer may lie in it: they are good until its owner gives it to others. */
	readonly memory?: SampleMemory;
	/**
	 * Takes the series one by one, sorted by labels, and the answer is empty then; the arrays are good until it returns. Series that leave memory while they
	 * are read may come last. A store that cannot do this gives the answer as usual.
	 */
	readonly each?: (series: SeriesSamples) => void;
}

/** Reads. Both ends of every range are inclusive, in milliseconds. Results are sorted by labels (`compareLabels`). */
export interface Queryable {
	select(matchers: readonly Matcher[], minMs: number, maxMs: number, options?: SelectOptions): Promise<readonly SeriesSamples[]>;
	/** Label sets of the series that have a sample in the range and match every matcher. */
	series(matchers: readonly Matcher[], minMs: number, maxMs: number, options?: SelectOptions): Promise<readonly Labels[]>;
	labelNames(matchers: readonly Matcher[], minMs: number, maxMs: number, options?: SelectOptions): Promise<readonly string[]>;
	labelValues(
		name: string,
		matchers: readonly Matcher[],
		minMs: number,
		maxMs: number,
		options?: SelectOptions,
	): Promise<readonly string[]>;
}

/** A batch of samples from inside the process (rules, scrapes, our own metrics). Must be completed with `commit` or dropped. */
export interface Appender {
	/** `value` may be a stale marker: pass `staleMarker()` (its bits survive only through typed arrays, so stores write it by flag). */
	append(labels: Labels, timestampMs: number, value: number): void;
	appendStale(labels: Labels, timestampMs: number): void;
	/** Resolves when the batch is acknowledged: it survives SIGKILL. Rejects with `FN_STORE_FULL` and friends; then nothing was kept. */
	commit(): Promise<void>;
}

export interface Appendable {
	appender(): Appender;
}

export type MetricType = 'counter' | 'gauge' | 'histogram' | 'gaugehistogram' | 'summary' | 'info' | 'stateset' | 'unknown';

export interface MetricMetadata {
	readonly type: MetricType;
	readonly help: string;
	readonly unit: string;
}

/** Metadata by metric name, for `/api/v1/metadata`. */
export interface MetadataSource {
	metadata(metric?: string): ReadonlyMap<string, MetricMetadata>;
}

const staleWords = new Uint32Array(2);
const staleFloat = new Float64Array(staleWords.buffer);
/** Little-endian is asserted at start by the store; all supported platforms are. */
staleWords[0] = STALE_LOW;
staleWords[1] = STALE_HIGH;

/** Whether `values[index]` is a stale marker, looked at through its bits. */
export function isStaleAt(values: Float64Array, index: number): boolean {
	const value = values[index] as number;
	if (value === value) return false;
	const words = new Uint32Array(values.buffer, values.byteOffset + index * 8, 2);
	return words[0] === STALE_LOW && words[1] === STALE_HIGH;
}

/** Copies the stale marker's bits into `values[index]` without passing through a JavaScript number. */
export function writeStaleAt(values: Float64Array, index: number): void {
	const target = new Uint32Array(values.buffer, values.byteOffset + index * 8, 2);
	target[0] = STALE_LOW;
	target[1] = STALE_HIGH;
}

/** A one-element array that holds the marker, for `set` copies. */
export const STALE_SAMPLE: Float64Array = staleFloat;
