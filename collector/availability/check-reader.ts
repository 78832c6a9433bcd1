import { parseDuration } from '../../core/duration.ts';
import { labelValue } from '../../core/labels.ts';
import { METRIC_NAME } from '../../protocol/labels.ts';
import type { SecondSpan } from '../inventory/calendar.ts';
import type { CheckConfig, InventoryConfig } from '../inventory/config.ts';
import type { Queryable, SeriesSamples } from '../storage/storage.ts';
import { isStaleAt } from '../storage/storage.ts';
import { type CheckRules, type CheckSamples, checkTimeline, contextMs, DEGRADED, DOWN, UP } from './check-timeline.ts';
import { combineVantages, setAside, type VantageView } from './compose.ts';
import type { Timeline } from './intervals.ts';
import { equals, oneOf } from './matchers.ts';
import { explainSilence, type SilenceFacts } from './silence.ts';
import { readSilenceFacts } from './silence-facts.ts';

/** How far back the beginning of an outage that was open when the window began is looked for. */
const FURTHEST_CONTEXT_MS = 7 * 86_400_000;

export function rulesOf(check: CheckConfig): CheckRules {
	return {
		id: check.id,
		intervalMs: parseDuration(check.interval),
		failed: check.confirm.failed,
		of: check.confirm.of,
		recovered: check.confirm.recovered,
	};
}

/** Samples of one check by vantage point. */
type Vantages = ReadonlyMap<string, CheckSamples>;
const NO_SAMPLES: CheckSamples = { times: new Float64Array(), results: new Uint8Array() };

/**
 * The states of the checks `ids` over the window, every vantage point considered and silence explained: one read of the store for all
 * of them, because a store finds a hundred series of one day about as fast as one.
 */
export async function readChecks(
	queryable: Queryable,
	inventory: InventoryConfig,
	request: { readonly ids: readonly string[]; readonly window: SecondSpan; readonly signal?: AbortSignal },
): Promise<ReadonlyMap<string, Timeline>> {
	const { window, signal } = request;
	const options = signal === undefined ? {} : { signal };
	const rules = new Map(inventory.checks.map((check) => [check.id, rulesOf(check)]));
	const references = new Map(inventory.vantages.map(({ host, reference }) => [host, reference]));
	const hostChecks = new Map(inventory.hosts.flatMap(({ id, check }) => (check === undefined ? [] : [[id, check] as const])));
	const asked = request.ids.filter((id) => rules.has(id));
	const wanted = [...new Set([...asked, ...references.values()])];
	const samples = await readSamples(queryable, wanted, { rules, window, options });
	const views = new Map<string, readonly VantageView[]>();
	const timelineOf = async (id: string, vantage: string): Promise<Timeline> => {
		const rule = rules.get(id);
		if (rule === undefined) return [];
		return checkTimeline(
			await settled(queryable, samples.get(id)?.get(vantage) ?? NO_SAMPLES, { rule, vantage, window, options }),
			rule,
			window.from,
			window.to,
		);
	};
	for (const id of asked) {
		const own: VantageView[] = [];
		for (const vantage of samples.get(id)?.keys() ?? []) own.push({ vantage, timeline: await timelineOf(id, vantage) });
		views.set(id, own.length > 0 ? own : [{ vantage: '', timeline: await timelineOf(id, '') }]);
	}
	let facts: SilenceFacts | null = null;
	const result = new Map<string, Timeline>();
	for (const [id, own] of views) {
		if (own.some(({ timeline }) => timeline.some(({ state }) => state === 'unknown')))
			facts ??= await readSilenceFacts(queryable, {
				inventory,
				window,
				hostStates: await readHostStates(queryable, { hostChecks, rules, window, options }),
				...options,
			});
		const judged: VantageView[] = [];
		for (const { vantage, timeline } of own) {
			const explained = facts === null ? timeline : explainSilence(timeline, vantage, facts);
			const reference = references.get(vantage);
			const needed = reference !== undefined && reference !== id && own.length > 1 && timeline.some(({ state }) => state === 'down');
			judged.push({ vantage, timeline: explained, ...(needed ? { reference: await timelineOf(reference, vantage) } : {}) });
		}
		result.set(id, combineVantages(setAside(judged, window), window));
	}
	return result;
}

interface ReadContext {
	readonly rules: ReadonlyMap<string, CheckRules>;
	readonly window: SecondSpan;
	readonly options: { readonly signal?: AbortSignal };
}

async function readSamples(
	queryable: Pick<Queryable, 'select'>,
	ids: readonly string[],
	context: ReadContext,
): Promise<ReadonlyMap<string, Vantages>> {
	if (ids.length === 0) return new Map();
	const { rules, window, options } = context;
	const reach = Math.max(...ids.map((id) => contextMs(rules.get(id) as CheckRules)));
	const [fromMs, toMs] = [window.from * 1000 - reach, window.to * 1000 + reach];
	const matcher = oneOf('check', ids);
	const results = await queryable.select([equals(METRIC_NAME, 'probe_success'), matcher], fromMs, toMs, options);
	const degraded = await queryable.select([equals(METRIC_NAME, 'fournines_check_degraded'), matcher], fromMs, toMs, options);
	return byCheck(results, degraded);
}

/** Host checks say whether a silent agent's machine lives; they are taken as they are, since their own silence explains nothing. */
async function readHostStates(
	queryable: Queryable,
	context: ReadContext & { readonly hostChecks: ReadonlyMap<string, string> },
): Promise<ReadonlyMap<string, Timeline>> {
	const { hostChecks, rules, window } = context;
	const samples = await readSamples(
		queryable,
		[...new Set(hostChecks.values())].filter((id) => rules.has(id)),
		context,
	);
	const states = new Map<string, Timeline>();
	for (const [host, id] of hostChecks) {
		const rule = rules.get(id);
		// A host's word about itself is worth nothing here.
		const others = [...(samples.get(id) ?? [])].filter(([vantage]) => vantage !== host);
		if (rule === undefined || others.length === 0) continue;
		states.set(
			host,
			combineVantages(
				others.map(([, own]) => checkTimeline(own, rule, window.from, window.to)),
				window,
			),
		);
	}
	return states;
}

/** `own` with as much more before the window as it takes to know whether an outage was open there. */
async function settled(
	queryable: Queryable,
	own: CheckSamples,
	at: {
		readonly rule: CheckRules;
		readonly vantage: string;
		readonly window: SecondSpan;
		readonly options: { readonly signal?: AbortSignal };
	},
): Promise<CheckSamples> {
	const { rule, vantage, window, options } = at;
	const context = contextMs(rule);
	let samples = own;
	let reach = context;
	while (reach < FURTHEST_CONTEXT_MS && !settledBefore(samples, rule, window.from * 1000)) {
		reach = Math.min(reach * 8, FURTHEST_CONTEXT_MS);
		const found = await readSamples(
			{
				select: (matchers, _minMs, maxMs, more) =>
					queryable.select([...matchers, equals('vantage', vantage)], window.from * 1000 - reach, maxMs, more),
			},
			[rule.id],
			{ rules: new Map([[rule.id, rule]]), window, options },
		);
		samples = found.get(rule.id)?.get(vantage) ?? NO_SAMPLES;
	}
	return samples;
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

function byCheck(results: readonly SeriesSamples[], degraded: readonly SeriesSamples[]): ReadonlyMap<string, Vantages> {
	const keyOf = (series: SeriesSamples) => `${labelValue(series.labels, 'check')}\n${labelValue(series.labels, 'vantage')}`;
	const weak = Map.groupBy(degraded, keyOf);
	const checks = new Map<string, Map<string, CheckSamples>>();
	for (const [key, list] of Map.groupBy(results, keyOf)) {
		const [check = '', vantage = ''] = key.split('\n');
		const own = checks.get(check) ?? new Map<string, CheckSamples>();
		checks.set(check, own);
		const only = list[0] as SeriesSamples;
		own.set(vantage, list.length === 1 && !weak.has(key) ? single(only) : merged(list, weak.get(key) ?? []));
	}
	return checks;
}

/** The usual case, without a map: three million samples a year and check pass here. */
function single({ timestamps, values }: SeriesSamples): CheckSamples {
	const results = new Uint8Array(timestamps.length);
	let times = timestamps;
	let count = 0;
	for (let i = 0; i < timestamps.length; i++) {
		const value = values[i] as number;
		if (value !== value && isStaleAt(values, i)) {
			if (times === timestamps) times = timestamps.slice();
			continue;
		}
		if (times !== timestamps) times[count] = timestamps[i] as number;
		results[count++] = value === 1 ? UP : DOWN;
	}
	return { times: times.subarray(0, count), results: results.subarray(0, count) };
}

/** Series of one vantage point (a target may have moved, so its `instance` may change) merged by time. */
function merged(results: readonly SeriesSamples[], degraded: readonly SeriesSamples[]): CheckSamples {
	const byTime = new Map<number, number>();
	for (const series of results)
		for (let i = 0; i < series.timestamps.length; i++)
			if (!isStaleAt(series.values, i)) byTime.set(series.timestamps[i] as number, series.values[i] === 1 ? UP : DOWN);
	for (const series of degraded)
		for (let i = 0; i < series.timestamps.length; i++) {
			const time = series.timestamps[i] as number;
			if (series.values[i] === 1 && byTime.get(time) === UP) byTime.set(time, DEGRADED);
		}
	const sorted = [...byTime].sort((a, b) => a[0] - b[0]);
	return { times: Float64Array.from(sorted, ([time]) => time), results: Uint8Array.from(sorted, ([, result]) => result) };
}
