import type { Clock } from '../../core/clock.ts';
import { AppError } from '../../core/errors.ts';
import type { Labels } from '../../protocol/labels.ts';
import { SamplePool } from '../storage/sample-memory.ts';
import type { Matcher, Queryable } from '../storage/storage.ts';
import { Annotations } from './annotations.ts';
import { type Expr, TYPE_NAMES, unwrapParens, type VectorSelector } from './ast.ts';
import { type Column, type Steps, sortColumns, type Value } from './columns.ts';
import { cancelled, EvaluationGuard, timedOut } from './evaluation-guard.ts';
import { Evaluator } from './evaluator.ts';
import { parseQuery } from './parser.ts';
import { positionText } from './query-error.ts';
import { type FetchSettings, fetchSelectors } from './selector-data.ts';
import { type StreamedCall, streamedCalls, streamedValues } from './streamed-calls.ts';
import { typeOf } from './type-check.ts';

/** Points that one series of a range query may have, as in Prometheus. */
export const MAX_POINTS = 11_000;
const DEFAULT_LOOKBACK_MS = 300_000;
const DEFAULT_SAMPLE_LIMIT = 50_000_000;
const DEFAULT_TIMEOUT_MS = 120_000;
const DEFAULT_INTERVAL_MS = 60_000;
const PARSED_QUERIES = 1000;

export interface EngineOptions {
	readonly queryable: Queryable;
	readonly clock: Clock;
	/** How far back an instant selector looks. Default 5 min. */
	readonly lookbackMs?: number;
	/** Samples and intermediate values that one query may hold at once. Default 50 million. */
	readonly sampleLimit?: number;
	/** Default 2 min. */
	readonly timeoutMs?: number;
	/** Step of subqueries that name none. Default 1 min. */
	readonly evaluationIntervalMs?: number;
}

export interface QueryOptions {
	readonly signal?: AbortSignal;
	/** Element 0 becomes non-zero to end the query; may be on shared memory. */
	readonly cancelFlag?: Int32Array;
	readonly lookbackMs?: number;
	/** Counts the samples that each step uses, for `stats.stepSamples`. */
	readonly countSteps?: boolean;
	/** Every selector of the query reads only series that match this as well. */
	readonly within?: Matcher;
	/** Shortens the engine's timeout, never lengthens it. */
	readonly timeoutMs?: number;
}

export interface QueryStats {
	readonly samplesRead: number;
	readonly peakSamples: number;
	readonly durationMs: number;
	/** Of `durationMs`: until the samples were there, and from then on. */
	readonly fetchMs: number;
	readonly evaluateMs: number;
	/** Samples that each step used, when it was asked for: `startMs + i * stepMs` used `counts[i]`. */
	readonly stepSamples?: { readonly startMs: number; readonly stepMs: number; readonly counts: Float64Array };
}

export interface ResultSeries {
	readonly labels: Labels;
	readonly timestamps: Float64Array;
	readonly values: Float64Array;
}

export interface ResultSample {
	readonly labels: Labels;
	readonly value: number;
}

export type ResultValue =
	| { readonly kind: 'scalar'; readonly timeMs: number; readonly value: number }
	| { readonly kind: 'string'; readonly timeMs: number; readonly value: string }
	| { readonly kind: 'vector'; readonly timeMs: number; readonly samples: readonly ResultSample[] }
	| { readonly kind: 'matrix'; readonly series: readonly ResultSeries[] };

export interface QueryResult {
	readonly value: ResultValue;
	readonly warnings: readonly string[];
	readonly infos: readonly string[];
	readonly stats: QueryStats;
}

/**
 * Evaluates PromQL with the semantics of Prometheus 3. Errors: `FN_QUERY_PARSE`, `FN_QUERY_TOO_MANY_POINTS` (400),
 * `FN_QUERY_EXECUTION`, `FN_QUERY_SAMPLE_LIMIT` (422), `FN_QUERY_TIMEOUT`, `FN_QUERY_CANCELLED` (503).
 */
export interface Engine {
	/** The query at one time. Elements come sorted by labels unless the query orders them. */
	instant(query: string, timeMs: number, options?: QueryOptions): Promise<QueryResult>;
	/** The query at `startMs`, `startMs + stepMs`, … up to `endMs`. The result is always a matrix sorted by labels. */
	range(query: string, startMs: number, endMs: number, stepMs: number, options?: QueryOptions): Promise<QueryResult>;
	/** Parses and checks only. */
	parse(query: string): Expr;
}

export function createEngine(options: EngineOptions): Engine {
	const cache = new Map<string, Expr>();
	const pool = new SamplePool();

	const parse = (query: string): Expr => {
		const known = cache.get(query);
		if (known !== undefined) {
			cache.delete(query);
			cache.set(query, known);
			return known;
		}
		const expr = parseQuery(query);
		if (cache.size >= PARSED_QUERIES) cache.delete(cache.keys().next().value ?? '');
		cache.set(query, expr);
		return expr;
	};

	// `endMs` is what `@ end()` means: the end that was asked for, which need not be a step.
	const run = async (
		query: string,
		steps: Steps,
		{ endMs, instant, ...queryOptions }: QueryOptions & { endMs: number; instant: boolean },
	): Promise<QueryResult> => {
		const expr = parse(query);
		const type = typeOf(expr);
		if (!instant && type !== 'scalar' && type !== 'vector') {
			throw new AppError(
				'FN_QUERY_PARSE',
				`invalid expression type "${TYPE_NAMES[type]}" for range query, must be Scalar or instant Vector`,
				{ status: 400 },
			);
		}
		const begun = options.clock.monotonic();
		const timeoutMs = Math.min(queryOptions.timeoutMs ?? Number.POSITIVE_INFINITY, options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
		const guard = new EvaluationGuard({
			monotonic: () => options.clock.monotonic(),
			deadlineMs: begun + timeoutMs,
			timeoutMs,
			sampleLimit: options.sampleLimit ?? DEFAULT_SAMPLE_LIMIT,
			signal: queryOptions.signal,
			cancelFlag: queryOptions.cancelFlag,
		});
		const settings: FetchSettings = {
			lookbackMs: queryOptions.lookbackMs ?? options.lookbackMs ?? DEFAULT_LOOKBACK_MS,
			evaluationIntervalMs: options.evaluationIntervalMs ?? DEFAULT_INTERVAL_MS,
			queryStartMs: steps.startMs,
			queryEndMs: endMs,
		};
		const annotations = new Annotations();
		const memory = pool.open();
		let value: ResultValue;
		let fetchedMs = begun;
		const counts = queryOptions.countSteps === true ? new Float64Array(steps.count) : undefined;
		try {
			const context = { annotations, guard };
			const place = (part: Expr | undefined) => positionText(query, part?.span.start ?? 0);
			const streams = counts === undefined ? streamedCalls(expr, steps, { context, place }) : new Map<VectorSelector, StreamedCall>();
			const data = await fetchWithin(timeoutMs, queryOptions.signal, (signal) =>
				fetchSelectors(expr, steps, {
					settings,
					queryable: options.queryable,
					guard,
					signal,
					memory,
					streams,
					within: queryOptions.within,
				}),
			);
			fetchedMs = options.clock.monotonic();
			const evaluator = new Evaluator({
				text: query,
				data,
				settings,
				context,
				streamed: streamedValues(streams),
				...(counts === undefined ? {} : { stepCounts: counts }),
			});
			value = instant ? instantValue(evaluator, expr, steps) : matrixOf(evaluator.evaluate(expr, steps), steps);
		} finally {
			// Results are copies: nothing of the samples is left in them.
			memory.release();
		}
		const ended = options.clock.monotonic();
		return {
			value,
			warnings: annotations.warnings,
			infos: annotations.infos,
			stats: {
				samplesRead: guard.read,
				peakSamples: guard.peak,
				durationMs: ended - begun,
				fetchMs: fetchedMs - begun,
				evaluateMs: ended - fetchedMs,
				...(counts === undefined ? {} : { stepSamples: { startMs: steps.startMs, stepMs: steps.stepMs, counts } }),
			},
		};
	};

	return {
		parse,
		instant: async (query, timeMs, queryOptions = {}) => {
			const startMs = Math.round(timeMs);
			return run(query, { startMs, stepMs: 1, count: 1 }, { ...queryOptions, endMs: startMs, instant: true });
		},
		range: async (query, startMs, endMs, stepMs, queryOptions = {}) =>
			run(query, rangeSteps(startMs, endMs, stepMs), { ...queryOptions, endMs: Math.round(endMs), instant: false }),
	};
}

/** Checks the times of a range query; the same limits hold whoever asks. */
export function rangeSteps(startMs: number, endMs: number, stepMs: number): Steps {
	const start = Math.round(startMs);
	const end = Math.round(endMs);
	const step = Math.round(stepMs);
	if (!(step > 0)) {
		throw new AppError(
			'FN_QUERY_BAD_PARAMETER',
			`invalid parameter "step": zero or negative query resolution step widths are not accepted. Try a positive integer`,
			{ status: 400 },
		);
	}
	if (!(end >= start)) {
		throw new AppError('FN_QUERY_BAD_PARAMETER', 'invalid parameter "end": end timestamp must not be before start time', { status: 400 });
	}
	const count = Math.floor((end - start) / step) + 1;
	if (count > MAX_POINTS) {
		throw new AppError(
			'FN_QUERY_TOO_MANY_POINTS',
			'exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)',
			{ status: 400 },
		);
	}
	return { startMs: start, stepMs: step, count };
}

async function fetchWithin<T>(timeoutMs: number, signal: AbortSignal | undefined, fetch: (signal: AbortSignal) => Promise<T>): Promise<T> {
	const deadline = new AbortController();
	const timer = setTimeout(() => deadline.abort(), timeoutMs);
	try {
		return await fetch(signal === undefined ? deadline.signal : AbortSignal.any([signal, deadline.signal]));
	} catch (error) {
		// A store that was stopped by our signal reports it in its own words.
		if (deadline.signal.aborted) throw timedOut(timeoutMs);
		if (signal?.aborted === true) throw cancelled();
		throw error;
	} finally {
		clearTimeout(timer);
	}
}

function instantValue(evaluator: Evaluator, expr: Expr, steps: Steps): ResultValue {
	const timeMs = steps.startMs;
	const inner = unwrapParens(expr);
	if (inner.kind === 'matrix' || inner.kind === 'subquery') {
		const input = evaluator.range(inner, steps);
		const endMs = input.firstEndMs;
		const series: ResultSeries[] = [];
		for (const { labels, timestamps, values } of input.series) {
			let lo = 0;
			while (lo < timestamps.length && (timestamps[lo] as number) <= endMs - input.rangeMs) lo += 1;
			let hi = lo;
			while (hi < timestamps.length && (timestamps[hi] as number) <= endMs) hi += 1;
			if (hi > lo) series.push({ labels, timestamps: timestamps.slice(lo, hi), values: values.slice(lo, hi) });
		}
		return { kind: 'matrix', series };
	}
	const value = evaluator.evaluate(expr, steps);
	if (value.kind === 'string') return { kind: 'string', timeMs, value: value.value };
	if (value.kind === 'scalar') return { kind: 'scalar', timeMs, value: value.values[0] as number };
	const columns = value.ordered ? value.columns : sortColumns(value.columns);
	return {
		kind: 'vector',
		timeMs,
		samples: columns
			.filter((column) => column.present[0] === 1)
			.map((column) => ({ labels: column.labels, value: column.values[0] as number })),
	};
}

function matrixOf(value: Value, steps: Steps): ResultValue {
	if (value.kind === 'string') return { kind: 'matrix', series: [] };
	const columns: readonly Column[] =
		value.kind === 'scalar'
			? [{ labels: [], values: value.values, present: new Uint8Array(steps.count).fill(1) }]
			: sortColumns(value.columns);
	const series: ResultSeries[] = [];
	/** The times of all series without gaps. */
	let every: Float64Array | null = null;
	for (const column of columns) {
		let points = 0;
		for (let i = 0; i < steps.count; i++) points += column.present[i] as number;
		if (points === 0) continue;
		if (points === steps.count) {
			every ??= Float64Array.from({ length: steps.count }, (_, i) => steps.startMs + i * steps.stepMs);
			series.push({ labels: column.labels, timestamps: every, values: column.values });
			continue;
		}
		const timestamps = new Float64Array(points);
		const values = new Float64Array(points);
		let next = 0;
		for (let i = 0; i < steps.count; i++) {
			if (column.present[i] === 0) continue;
			timestamps[next] = steps.startMs + i * steps.stepMs;
			values[next] = column.values[i] as number;
			next += 1;
		}
		series.push({ labels: column.labels, timestamps, values });
	}
	return { kind: 'matrix', series };
}
