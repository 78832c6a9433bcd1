import { labelValue } from '../../core/labels.ts';
import { METRIC_NAME } from '../../protocol/labels.ts';
import { newSlab } from '../storage/sample-memory.ts';
import type { Matcher, Queryable, SampleMemory, SampleSlab, SeriesSamples } from '../storage/storage.ts';
import { isStaleAt } from '../storage/storage.ts';
import { type CheckSamples, DEGRADED, DOWN, UP } from './check-timeline.ts';
import { equals, oneOf } from './matchers.ts';

/** Samples of one check by vantage point. */
export type Vantages = ReadonlyMap<string, CheckSamples>;

export const NO_SAMPLES: CheckSamples = { times: new Float64Array(), results: new Uint8Array() };

export interface SampleRange {
	readonly fromMs: number;
	readonly toMs: number;
	/** Beside the check's own. */
	readonly matchers?: readonly Matcher[];
	/** Used again from call to call; only what is asked for at once lies in it. */
	readonly memory?: ReusedMemory;
	readonly signal?: AbortSignal;
}

/**
 * The results of the checks `ids` between the two times, both included. Series are taken over one by one, so that at no time all samples
 * of all checks lie in memory as the store gives them.
 */
export async function readCheckSamples(
	queryable: Pick<Queryable, 'select'>,
	ids: readonly string[],
	range: SampleRange,
): Promise<ReadonlyMap<string, Vantages>> {
	const checks = new Map<string, Map<string, CheckSamples>>();
	if (ids.length === 0) return checks;
	const read = async (metric: string, take: (series: SeriesSamples, check: string, vantage: string) => void): Promise<void> => {
		const each = (series: SeriesSamples) => take(series, labelValue(series.labels, 'check'), labelValue(series.labels, 'vantage'));
		const left = await queryable.select(
			[equals(METRIC_NAME, metric), oneOf('check', ids), ...(range.matchers ?? [])],
			range.fromMs,
			range.toMs,
			{
				each,
				...(range.memory === undefined ? {} : { memory: range.memory }),
				...(range.signal === undefined ? {} : { signal: range.signal }),
			},
		);
		// Of a store that cannot hand them over one by one.
		left.forEach(each);
		range.memory?.reuse();
	};
	await read('probe_success', (series, check, vantage) => {
		const own = checks.get(check) ?? new Map<string, CheckSamples>();
		checks.set(check, own);
		const known = own.get(vantage);
		own.set(vantage, known === undefined ? resultsOf(series) : merged(known, resultsOf(series)));
	});
	await read('fournines_check_degraded', (series, check, vantage) => {
		const samples = checks.get(check)?.get(vantage);
		if (samples !== undefined) markDegraded(samples, series);
	});
	return checks;
}

/** One series without its stale markers: three million samples a year and check pass here. `UP` is 0, as new memory is. */
function resultsOf({ timestamps, values, noStale }: SeriesSamples): CheckSamples {
	const count = timestamps.length;
	const times = timestamps.slice();
	const results = new Uint8Array(count);
	if (noStale === true) {
		for (let i = 0; i < count; i++) if (values[i] !== 1) results[i] = DOWN;
		return { times, results };
	}
	let kept = 0;
	for (let i = 0; i < count; i++) {
		const value = values[i] as number;
		if (value !== value && isStaleAt(values, i)) continue;
		times[kept] = timestamps[i] as number;
		results[kept++] = value === 1 ? UP : DOWN;
	}
	return { times: times.subarray(0, kept), results: results.subarray(0, kept) };
}

/** Two series of one vantage point, because the target has moved and its `instance` has changed; where both have a time, `b` has it. */
function merged(a: CheckSamples, b: CheckSamples): CheckSamples {
	const times = new Float64Array(a.times.length + b.times.length);
	const results = new Uint8Array(times.length);
	let count = 0;
	for (let i = 0, j = 0; i < a.times.length || j < b.times.length; count++) {
		const left = i < a.times.length ? (a.times[i] as number) : Number.POSITIVE_INFINITY;
		const right = j < b.times.length ? (b.times[j] as number) : Number.POSITIVE_INFINITY;
		times[count] = Math.min(left, right);
		results[count] = right <= left ? (b.results[j] as number) : (a.results[i] as number);
		if (left <= right) i++;
		if (right <= left) j++;
	}
	return { times: times.subarray(0, count), results: results.subarray(0, count) };
}

function markDegraded({ times, results }: CheckSamples, { timestamps, values }: SeriesSamples): void {
	let at = 0;
	for (let i = 0; i < timestamps.length; i++) {
		if (values[i] !== 1) continue;
		const time = timestamps[i] as number;
		while (at < times.length && (times[at] as number) < time) at++;
		if (times[at] === time && results[at] === UP) results[at] = DEGRADED;
	}
}

/** The samples of `pieces`, which follow each other, with times from `fromMs` to `toMs`, both included. */
export function samplesBetween(pieces: readonly CheckSamples[], fromMs: number, toMs: number): CheckSamples {
	const parts: CheckSamples[] = [];
	for (const { times, results } of pieces) {
		const from = firstFrom(times, fromMs);
		const to = firstFrom(times, toMs + 1);
		if (to > from) parts.push({ times: times.subarray(from, to), results: results.subarray(from, to) });
	}
	if (parts.length < 2) return parts[0] ?? NO_SAMPLES;
	const count = parts.reduce((sum, { times }) => sum + times.length, 0);
	const joined = { times: new Float64Array(count), results: new Uint8Array(count) };
	let at = 0;
	for (const { times, results } of parts) {
		joined.times.set(times, at);
		joined.results.set(results, at);
		at += times.length;
	}
	return joined;
}

/** Index of the first time that is `ms` or later. */
export function firstFrom(times: Float64Array, ms: number): number {
	let low = 0;
	let high = times.length;
	while (low < high) {
		const middle = (low + high) >> 1;
		if ((times[middle] as number) < ms) low = middle + 1;
		else high = middle;
	}
	return low;
}

/** Slabs of one reader, each used again once what lay in it was taken over. */
export class ReusedMemory implements SampleMemory {
	#free: SampleSlab[] = [];
	#taken: SampleSlab[] = [];

	take(samples: number): SampleSlab {
		const index = this.#free.findIndex(({ times }) => times.length >= samples);
		const slab = index < 0 ? newSlab(samples) : (this.#free.splice(index, 1)[0] as SampleSlab);
		this.#taken.push(slab);
		return slab;
	}

	reuse(): void {
		this.#free = [...this.#free, ...this.#taken].sort((a, b) => a.times.length - b.times.length);
		this.#taken = [];
	}
}
