import { parseDuration } from '../../core/duration.ts';
import { labelValue } from '../../core/labels.ts';
import { METRIC_NAME } from '../../protocol/labels.ts';
import type { SecondSpan } from '../inventory/calendar.ts';
import type { CheckConfig } from '../inventory/config.ts';
import type { Matcher, Queryable, SeriesSamples } from '../storage/storage.ts';
import { isStaleAt } from '../storage/storage.ts';
import { type CheckRules, type CheckSamples, checkTimeline, contextMs, DEGRADED, DOWN, UP } from './check-timeline.ts';
import { combineVantages } from './compose.ts';
import type { Timeline } from './intervals.ts';

/** How far back the beginning of an outage that was open when the window began is looked for. */
const FURTHEST_CONTEXT_MS = 7 * 86_400_000;
/** The collector writes its own life at this pace; a gap of three beats means that it was not running. */
export const COLLECTOR_BEAT_MS = 5000;
export const COLLECTOR_BEAT_METRIC = 'fournines_collector_up';

export function rulesOf(check: CheckConfig): CheckRules {
	return {
		id: check.id,
		intervalMs: parseDuration(check.interval),
		failed: check.confirm.failed,
		of: check.confirm.of,
		recovered: check.confirm.recovered,
	};
}

function equals(name: string, value: string): Matcher {
	return { name, kind: '=', value, test: (candidate) => candidate === value, literals: [value] };
}

/** The states of one check over the window, from every vantage point that watched it. */
export async function readCheck(queryable: Queryable, rules: CheckRules, window: SecondSpan, signal?: AbortSignal): Promise<Timeline> {
	const context = contextMs(rules);
	const options = signal === undefined ? {} : { signal };
	const until = window.to * 1000 + context;
	const samplesOf = async (fromMs: number): Promise<readonly CheckSamples[]> => {
		const check = equals('check', rules.id);
		const results = await queryable.select([equals(METRIC_NAME, 'probe_success'), check], fromMs, until, options);
		const degraded = await queryable.select([equals(METRIC_NAME, 'fournines_check_degraded'), check], fromMs, until, options);
		return byVantage(results, degraded);
	};
	let reach = context;
	let vantages = await samplesOf(window.from * 1000 - reach);
	while (reach < FURTHEST_CONTEXT_MS && vantages.some((samples) => !settledBefore(samples, rules, window.from * 1000))) {
		reach = Math.min(reach * 8, FURTHEST_CONTEXT_MS);
		vantages = await samplesOf(window.from * 1000 - reach);
	}
	const timelines = vantages.map((samples) => checkTimeline(samples, rules, window.from, window.to));
	if (timelines.length === 0) return checkTimeline({ times: new Float64Array(), results: new Uint8Array() }, rules, window.from, window.to);
	return combineVantages(timelines, window);
}

/** Whether what lies before `timeMs` is enough to know that no older outage is still open there. */
function settledBefore({ times, results }: CheckSamples, rules: CheckRules, timeMs: number): boolean {
	let good = 0;
	let any = false;
	for (let i = 0; i < times.length && (times[i] as number) < timeMs; i++) {
		any = true;
		good = results[i] === DOWN ? 0 : good + 1;
		if (good >= rules.recovered) return true;
	}
	// Nothing before, and it begins with a good sample: whatever was open ended here at the latest.
	return !any && (times.length === 0 || results[0] !== DOWN);
}

/** Series of one vantage point (a target may have moved, so its `instance` may change) merged by time. */
function byVantage(results: readonly SeriesSamples[], degraded: readonly SeriesSamples[]): readonly CheckSamples[] {
	const vantages = new Map<string, Map<number, number>>();
	for (const series of results) {
		const name = labelValue(series.labels, 'vantage');
		const merged = vantages.get(name) ?? new Map<number, number>();
		vantages.set(name, merged);
		for (let i = 0; i < series.timestamps.length; i++) {
			if (isStaleAt(series.values, i)) continue;
			merged.set(series.timestamps[i] as number, series.values[i] === 1 ? UP : DOWN);
		}
	}
	for (const series of degraded) {
		const merged = vantages.get(labelValue(series.labels, 'vantage'));
		if (merged === undefined) continue;
		for (let i = 0; i < series.timestamps.length; i++) {
			const time = series.timestamps[i] as number;
			if (series.values[i] === 1 && merged.get(time) === UP) merged.set(time, DEGRADED);
		}
	}
	return [...vantages.values()].map((merged) => {
		const sorted = [...merged].sort((a, b) => a[0] - b[0]);
		return { times: Float64Array.from(sorted.map(([time]) => time)), results: Uint8Array.from(sorted.map(([, result]) => result)) };
	});
}

/** Spans of the window in which this collector was not running, seen from the beats that it wrote into the store. */
export async function readCollectorGaps(queryable: Queryable, window: SecondSpan, signal?: AbortSignal): Promise<readonly SecondSpan[]> {
	const hold = COLLECTOR_BEAT_MS * 3;
	const series = await queryable.select(
		[equals(METRIC_NAME, COLLECTOR_BEAT_METRIC)],
		window.from * 1000 - hold,
		window.to * 1000,
		signal === undefined ? {} : { signal },
	);
	const times = series.flatMap((one) => [...one.timestamps]).sort((a, b) => a - b);
	const gaps: SecondSpan[] = [];
	let aliveUntil = window.from * 1000;
	for (const time of [...times, window.to * 1000]) {
		if (time > aliveUntil) gaps.push({ from: Math.ceil(aliveUntil / 1000), to: Math.floor(time / 1000) });
		aliveUntil = Math.max(aliveUntil, time + hold);
	}
	return gaps.filter((gap) => gap.to > gap.from);
}
