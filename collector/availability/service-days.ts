import type { Clock } from '../../core/clock.ts';
import type { SecondSpan } from '../inventory/calendar.ts';
import type { InventoryConfig, ServiceConfig } from '../inventory/config.ts';
import type { Queryable } from '../storage/storage.ts';
import { readCheckWindows } from './check-reader.ts';
import { checkTimeline, contextMs, DOWN, UP } from './check-timeline.ts';
import { type DayStore, encodeTimeline } from './day-store.ts';
import { type Interval, type Timeline, TimelineBuilder } from './intervals.ts';
import {
	type Condition,
	checksOf,
	conditionsOf,
	reachSeconds,
	type ServiceTree,
	serviceTree,
	treeKey,
	treeTimeline,
} from './service-tree.ts';
import type { DayWatch } from './touched-days.ts';

const DAY_SECONDS = 86_400;

/** Steps of an expression and whether it held: the largest absolute value over its series at each step that has any. */
export type EvaluateCondition = (
	expression: string,
	range: { readonly fromMs: number; readonly toMs: number; readonly stepMs: number; readonly signal?: AbortSignal },
) => Promise<ReadonlyMap<number, number>>;

export interface ServiceDaysOptions {
	readonly queryable: Queryable;
	readonly clock: Clock;
	readonly days: DayStore;
	readonly evaluate: EvaluateCondition;
	/** Called for each day that had to be computed from checks. */
	readonly onComputed?: (day: number) => void;
}

interface Asked {
	readonly tree: ServiceTree;
	readonly key: string;
	readonly reach: number;
	readonly known: Map<number, Timeline>;
}

/**
 * The timelines of several services over the window, before exclusion: day by day, finished days from the cache where it has them.
 * A day is finished when no sample that may still come in time can change it; late ones are told to the cache by `forget`.
 */
export async function serviceTimelines(
	options: ServiceDaysOptions,
	inventory: InventoryConfig,
	request: TimelinesRequest,
): Promise<ReadonlyMap<string, Timeline>> {
	const watch = options.days.watch();
	try {
		return await watchedTimelines(options, inventory, { ...request, watch });
	} finally {
		watch.end();
	}
}

interface TimelinesRequest {
	readonly services: readonly ServiceConfig[];
	readonly window: SecondSpan;
	readonly signal?: AbortSignal;
}

async function watchedTimelines(
	options: ServiceDaysOptions,
	inventory: InventoryConfig,
	request: TimelinesRequest & { readonly watch: DayWatch },
): Promise<ReadonlyMap<string, Timeline>> {
	const { clock, days } = options;
	const { window, watch, signal } = request;
	const more = signal === undefined ? {} : { signal };
	const firstDay = Math.floor(window.from / DAY_SECONDS);
	const endDay = Math.ceil(window.to / DAY_SECONDS);
	const nowSeconds = Math.floor(clock.now() / 1000);
	const asked = request.services.map((service): Asked => {
		const tree = serviceTree(inventory, service);
		return { tree, key: treeKey(inventory, tree), reach: reachSeconds(inventory, tree), known: new Map() };
	});
	for (const one of asked) {
		const stored = days.load(one.key, firstDay, endDay);
		const trusted = await trustedDays(options, inventory, { one, stored, watch, ...more });
		for (const [day, timeline] of trusted) one.known.set(day, timeline);
	}
	const fresh = new Map(asked.map(({ key }) => [key, new Map<number, Timeline>()]));
	for (const { missing, spans } of missingRuns(asked, { firstDay, endDay, window, nowSeconds })) {
		const computed = await compute(options, inventory, { trees: missing.map(({ tree }) => tree), spans, ...more });
		for (const [i, span] of spans.entries()) {
			const day = Math.floor(span.from / DAY_SECONDS);
			options.onComputed?.(day);
			for (const one of missing) {
				const timeline = computed[i]?.get(one.tree.id) ?? [];
				one.known.set(day, timeline);
				if (isFinished(day, missing, nowSeconds)) fresh.get(one.key)?.set(day, timeline);
			}
		}
	}
	const builders = new Map(asked.map(({ tree }) => [tree.id, new TimelineBuilder(window.from, window.to)]));
	for (const { tree, known } of asked) {
		const builder = builders.get(tree.id) as TimelineBuilder;
		for (let day = firstDay; day < endDay; day++)
			for (const part of known.get(day) ?? []) if (part.to > window.from) builder.until(part.to, part.state, part.reason, part.unconfirmed);
	}
	for (const [key, list] of fresh) if (list.size > 0) days.save(key, watch.untouched(list));
	return new Map([...builders].map(([id, builder]) => [id, builder.build()]));
}

/** Days that the same services miss, to be computed at once; days that can still change only as far as the window goes. */
function missingRuns(
	asked: readonly Asked[],
	at: { readonly firstDay: number; readonly endDay: number; readonly window: SecondSpan; readonly nowSeconds: number },
): readonly { readonly missing: readonly Asked[]; readonly spans: readonly SecondSpan[] }[] {
	const { window } = at;
	const runs: { missing: readonly Asked[]; spans: SecondSpan[] }[] = [];
	for (let day = at.firstDay; day < at.endDay; day++) {
		const missing = asked.filter(({ known }) => !known.has(day));
		if (missing.length === 0) continue;
		const whole = { from: day * DAY_SECONDS, to: (day + 1) * DAY_SECONDS };
		const span = isFinished(day, missing, at.nowSeconds)
			? whole
			: { from: Math.max(whole.from, window.from), to: Math.min(whole.to, window.to) };
		const last = runs.at(-1);
		if (last !== undefined && last.missing.length === missing.length && missing.every((one, i) => one === last.missing[i]))
			last.spans.push(span);
		else runs.push({ missing, spans: [span] });
	}
	return runs;
}

function isFinished(day: number, services: readonly Asked[], nowSeconds: number): boolean {
	return services.every(({ reach }) => (day + 1) * DAY_SECONDS + reach <= nowSeconds);
}

/** The stored days that still hold. The edges of suspect ones are computed again; where one differs, its day goes and its neighbours are suspect in turn. */
async function trustedDays(
	options: ServiceDaysOptions,
	inventory: InventoryConfig,
	request: {
		readonly one: Asked;
		readonly stored: ReturnType<DayStore['load']>;
		readonly watch: DayWatch;
		readonly signal?: AbortSignal;
	},
): Promise<ReadonlyMap<number, Timeline>> {
	const { one, stored, watch, signal } = request;
	const trusted = new Map([...stored].map(([day, { timeline }]) => [day, timeline] as const));
	const queue = [...stored].flatMap(([day, { suspect }]) => (suspect ? [day] : []));
	const checked = new Map<number, Timeline>();
	for (let day = queue.pop(); day !== undefined; day = queue.pop()) {
		const timeline = trusted.get(day);
		if (timeline === undefined || checked.has(day)) continue;
		const from = day * DAY_SECONDS;
		const edges = [
			{ from, to: from + Math.min(one.reach, DAY_SECONDS) },
			{ from: from + Math.max(0, DAY_SECONDS - one.reach), to: from + DAY_SECONDS },
		];
		const computed = await compute(options, inventory, { trees: [one.tree], spans: edges, ...(signal === undefined ? {} : { signal }) });
		const same = edges.every((span, i) => encodeTimeline(computed[i]?.get(one.tree.id) ?? []) === encodeTimeline(clip(timeline, span)));
		checked.set(day, timeline);
		if (same) continue;
		trusted.delete(day);
		checked.delete(day);
		for (const neighbour of [day - 1, day + 1]) {
			options.days.suspect(one.key, neighbour);
			checked.delete(neighbour);
			queue.push(neighbour);
		}
	}
	if (checked.size > 0) options.days.save(one.key, watch.untouched(checked));
	return trusted;
}

/** Services from checks, over any ascending spans; nothing is cached. */
async function compute(
	{ queryable, evaluate }: ServiceDaysOptions,
	inventory: InventoryConfig,
	request: { readonly trees: readonly ServiceTree[]; readonly spans: readonly SecondSpan[]; readonly signal?: AbortSignal },
): Promise<readonly ReadonlyMap<string, Timeline>[]> {
	const { trees, spans, signal } = request;
	const more = signal === undefined ? {} : { signal };
	const checks = await readCheckWindows(queryable, inventory, { ids: [...new Set(trees.flatMap(checksOf))], windows: spans, ...more });
	const result: ReadonlyMap<string, Timeline>[] = [];
	for (const [i, span] of spans.entries()) {
		const conditions = new Map<string, Timeline>();
		for (const condition of trees.flatMap(conditionsOf))
			if (!conditions.has(condition.rules.id))
				conditions.set(condition.rules.id, await conditionTimeline(evaluate, condition, span, signal));
		const partOf = (id: string, kind: 'check' | 'condition') => (kind === 'check' ? checks[i] : conditions)?.get(id) ?? [];
		result.push(new Map(trees.map((tree) => [tree.id, treeTimeline(tree, partOf, span)])));
	}
	return result;
}

/** A condition as a check: it holds where any series is not 0, fails where all are, and says nothing where there is none. */
async function conditionTimeline(
	evaluate: EvaluateCondition,
	{ expression, rules }: Condition,
	span: SecondSpan,
	signal?: AbortSignal,
): Promise<Timeline> {
	const { intervalMs } = rules;
	const reach = contextMs(rules);
	// On a grid of their own, so that the same steps are evaluated wherever a window is cut.
	const fromMs = Math.floor((span.from * 1000 - reach) / intervalMs) * intervalMs;
	const steps = await evaluate(expression, {
		fromMs,
		toMs: span.to * 1000 + reach,
		stepMs: intervalMs,
		...(signal === undefined ? {} : { signal }),
	});
	const sorted = [...steps].sort((a, b) => a[0] - b[0]);
	const samples = {
		times: Float64Array.from(sorted, ([time]) => time),
		results: Uint8Array.from(sorted, ([, value]) => (value === 0 ? DOWN : UP)),
	};
	return checkTimeline(samples, rules, span.from, span.to).map((interval) => ({
		...interval,
		reason: interval.reason.replace(/^check: /, 'condition: '),
	}));
}

export function clip(timeline: Timeline, span: SecondSpan): readonly Interval[] {
	return timeline
		.filter((interval) => interval.to > span.from && interval.from < span.to)
		.map((interval) => ({ ...interval, from: Math.max(interval.from, span.from), to: Math.min(interval.to, span.to) }));
}
