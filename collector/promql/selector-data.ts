import type { Labels } from '../../protocol/labels.ts';
import { isStaleAt, type Matcher, type Queryable, type SampleMemory, type SeriesSamples } from '../storage/storage.ts';
import { type AtModifier, type Expr, type MatcherSpec, unwrapParens, type VectorSelector } from './ast.ts';
import type { Steps } from './columns.ts';
import type { EvaluationGuard } from './evaluation-guard.ts';
import { createMatcher } from './matcher.ts';
import type { RangeSeries } from './range-window.ts';
import type { StreamedCall } from './streamed-calls.ts';

/** Samples of one series as the store gave them, and without stale markers, made when first asked for. */
export class StoredSeries {
	readonly labels: Labels;
	readonly timestamps: Float64Array;
	readonly values: Float64Array;
	#live: RangeSeries | null = null;
	/** The store knows that no value is less than the one before it. */
	readonly neverFalls: boolean;
	readonly sums?: Float64Array;
	readonly counts?: Float64Array;

	constructor(series: SeriesSamples) {
		this.labels = series.labels;
		this.timestamps = series.timestamps;
		this.values = series.values;
		this.neverFalls = series.neverFalls === true;
		if (series.sums !== undefined) this.sums = series.sums;
		if (series.counts !== undefined) this.counts = series.counts;
		if (series.noStale === true) this.#live = this;
	}

	/** Without stale markers. */
	live(): RangeSeries {
		if (this.#live !== null) return this.#live;
		let stale = 0;
		for (let i = 0; i < this.values.length; i++) if (isStaleAt(this.values, i)) stale += 1;
		if (stale === 0) {
			this.#live = this;
			return this;
		}
		const timestamps = new Float64Array(this.values.length - stale);
		const values = new Float64Array(this.values.length - stale);
		const { sums, counts } = this;
		const liveSums = sums === undefined ? null : new Float64Array(values.length);
		const liveCounts = counts === undefined ? null : new Float64Array(values.length);
		let kept = 0;
		for (let i = 0; i < this.values.length; i++) {
			if (isStaleAt(this.values, i)) continue;
			if (liveSums !== null) liveSums[kept] = sums?.[i] as number;
			if (liveCounts !== null) liveCounts[kept] = counts?.[i] as number;
			timestamps[kept] = this.timestamps[i] as number;
			values[kept] = this.values[i] as number;
			kept += 1;
		}
		this.#live = { timestamps, values, ...(liveSums === null || liveCounts === null ? {} : { sums: liveSums, counts: liveCounts }) };
		return this.#live;
	}
}

/** All data that an expression reads, fetched before evaluation, one fetch for equal selectors whose times overlap. */
export type SelectorData = ReadonlyMap<VectorSelector, readonly StoredSeries[]>;

export interface FetchSettings {
	readonly lookbackMs: number;
	readonly evaluationIntervalMs: number;
	/** First and last evaluation time of the whole query: what `start()` and `end()` mean. */
	readonly queryStartMs: number;
	readonly queryEndMs: number;
}

interface Wanted {
	readonly selector: VectorSelector;
	readonly key: string;
	readonly minMs: number;
	readonly maxMs: number;
	/** Nothing but the newest sample is looked at: an instant selector at one time. */
	readonly newestOnly: boolean;
}

export async function fetchSelectors(
	expr: Expr,
	steps: Steps,
	options: {
		readonly settings: FetchSettings;
		readonly queryable: Queryable;
		readonly guard: EvaluationGuard;
		readonly signal: AbortSignal;
		/** Where the samples may lie until the query has ended. */
		readonly memory?: SampleMemory;
		/** Parts that take their series while they are read. */
		readonly streams?: ReadonlyMap<VectorSelector, StreamedCall>;
		/** Holds for every selector besides its own matchers. */
		readonly within?: Matcher | undefined;
	},
): Promise<SelectorData> {
	const wanted: Wanted[] = [];
	collect(expr, { startMs: steps.startMs, endMs: steps.startMs + (steps.count - 1) * steps.stepMs }, options.settings, wanted);
	const groups = new Map<string, Wanted[]>();
	for (const want of wanted) {
		const group = groups.get(want.key) ?? [];
		groups.set(want.key, group);
		group.push(want);
	}
	const data = new Map<VectorSelector, readonly StoredSeries[]>();
	for (const group of groups.values()) {
		group.sort((a, b) => a.minMs - b.minMs);
		for (let i = 0; i < group.length; ) {
			const first = group[i] as Wanted;
			let { maxMs, newestOnly } = first;
			let next = i + 1;
			while (next < group.length && (group[next] as Wanted).minMs <= maxMs) {
				const other = group[next] as Wanted;
				newestOnly &&= other.newestOnly && other.maxMs === maxMs;
				maxMs = Math.max(maxMs, other.maxMs);
				next += 1;
			}
			options.guard.check();
			const stream = next === i + 1 ? options.streams?.get(first.selector) : undefined;
			const { guard } = options;
			const found = await options.queryable.select(matchersOf(first.selector.matchers), first.minMs, maxMs, {
				signal: options.signal,
				sampleLimit: options.guard.remaining,
				newestOnly,
				weights: !newestOnly,
				...(options.within === undefined ? {} : { within: options.within }),
				...(options.memory === undefined ? {} : { memory: options.memory }),
				...(stream === undefined ? {} : { each: (series) => pass(series, stream, guard) }),
			});
			if (stream !== undefined) {
				stream.used = true;
				for (const series of found) pass(series, stream, guard);
				i = next;
				continue;
			}
			let samples = 0;
			for (const series of found) samples += series.values.length;
			options.guard.holdRead(samples);
			const stored = found.map((series) => new StoredSeries(series));
			for (; i < next; i++) data.set((group[i] as Wanted).selector, stored);
		}
	}
	return data;
}

/** The samples of the series are held only as long as it is looked at. */
function pass(series: SeriesSamples, stream: StreamedCall, guard: EvaluationGuard): void {
	const before = guard.held;
	guard.holdRead(series.values.length);
	guard.release(before);
	const stored = new StoredSeries(series);
	const { timestamps, values, neverFalls, sums, counts } = stored.live();
	stream.sink.add({
		labels: series.labels,
		timestamps,
		values,
		neverFalls: neverFalls === true,
		...(sums === undefined || counts === undefined ? {} : { sums, counts }),
	});
}

export function matchersOf(specs: readonly MatcherSpec[]): readonly Matcher[] {
	return specs.map((spec) => createMatcher(spec.kind, spec.name, spec.value));
}

interface Times {
	readonly startMs: number;
	readonly endMs: number;
}

function collect(expr: Expr, times: Times, settings: FetchSettings, wanted: Wanted[]): void {
	switch (expr.kind) {
		case 'number':
		case 'string':
			return;
		case 'selector':
			want(expr, settings.lookbackMs, times, settings, wanted, true);
			return;
		case 'matrix':
			want(expr.selector, expr.rangeMs, times, settings, wanted);
			return;
		case 'subquery': {
			const grid = subquerySteps(expr, times, settings);
			if (grid.count > 0) {
				collect(expr.expr, { startMs: grid.startMs, endMs: grid.startMs + (grid.count - 1) * grid.stepMs }, settings, wanted);
			}
			return;
		}
		case 'call':
			for (const argument of expr.args) collect(unwrapParens(argument), times, settings, wanted);
			return;
		case 'aggregation':
			if (expr.param !== null) collect(expr.param, times, settings, wanted);
			collect(expr.expr, times, settings, wanted);
			return;
		case 'binary':
			collect(expr.left, times, settings, wanted);
			collect(expr.right, times, settings, wanted);
			return;
		case 'unary':
		case 'paren':
			collect(expr.expr, times, settings, wanted);
			return;
	}
}

function want(
	selector: VectorSelector,
	windowMs: number,
	times: Times,
	settings: FetchSettings,
	wanted: Wanted[],
	isInstant = false,
): void {
	const at = atTime(selector.at, settings);
	const startMs = (at ?? times.startMs) - selector.offsetMs;
	const endMs = (at ?? times.endMs) - selector.offsetMs;
	const key = JSON.stringify(selector.matchers.map((spec) => [spec.name, spec.kind, spec.value]));
	// Windows are open on the left, so the millisecond at their edge is never needed.
	wanted.push({ selector, key, minMs: startMs - windowMs + 1, maxMs: endMs, newestOnly: isInstant && startMs === endMs });
}

/** The fixed time that an `@` modifier names, `null` when there is none. */
export function atTime(at: AtModifier | null, settings: FetchSettings): number | null {
	if (at === null) return null;
	if (at.kind === 'time') return at.timeMs;
	return at.kind === 'start' ? settings.queryStartMs : settings.queryEndMs;
}

/** The grid of a subquery: absolute multiples of its step inside `(start - range, end]`, shifted by offset and `@`. */
export function subquerySteps(
	expr: { readonly rangeMs: number; readonly stepMs: number | null; readonly offsetMs: number; readonly at: AtModifier | null },
	times: Times,
	settings: FetchSettings,
): Steps {
	const stepMs = expr.stepMs ?? settings.evaluationIntervalMs;
	const at = atTime(expr.at, settings);
	const afterMs = (at ?? times.startMs) - expr.offsetMs - expr.rangeMs;
	const endMs = (at ?? times.endMs) - expr.offsetMs;
	const startMs = (Math.floor(afterMs / stepMs) + 1) * stepMs;
	return { startMs, stepMs, count: endMs < startMs ? 0 : Math.floor((endMs - startMs) / stepMs) + 1 };
}
