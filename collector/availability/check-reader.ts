import { parseDuration } from '../../core/duration.ts';
import type { SecondSpan } from '../inventory/calendar.ts';
import type { CheckConfig, InventoryConfig } from '../inventory/config.ts';
import type { Queryable } from '../storage/storage.ts';
import { NO_SAMPLES, ReusedMemory, readCheckSamples, samplesBetween, type Vantages } from './check-samples.ts';
import { type CheckRules, type CheckSamples, checkTimeline, contextMs, DOWN } from './check-timeline.ts';
import { combineVantages, setAside, type VantageView } from './compose.ts';
import type { Timeline } from './intervals.ts';
import { equals } from './matchers.ts';
import { explainSilence, type SilenceFacts } from './silence.ts';
import { readSilenceFacts } from './silence-facts.ts';

/** How far back the beginning of an outage that was open when the window began is looked for. */
const FURTHEST_CONTEXT_MS = 7 * 86_400_000;
/** Samples that are read at a time; some 36 MB while they are looked at. */
const READ_SAMPLES = 4_000_000;
/** Vantage points that a check is expected to have, to plan how much is read at a time. */
const USUAL_VANTAGES = 2;
/** Longer spans are read month by month, as stores keep old checks: a piece that is cut otherwise costs up to three months of decoding. */
const LONGEST_PIECE_MS = 3 * 86_400_000;

export function rulesOf(check: CheckConfig): CheckRules {
	return {
		id: check.id,
		intervalMs: parseDuration(check.interval),
		failed: check.confirm.failed,
		of: check.confirm.of,
		recovered: check.confirm.recovered,
	};
}

/** The timelines of checks in one window by check and vantage point. */
type Views = ReadonlyMap<string, ReadonlyMap<string, Timeline>>;

interface ReadContext {
	readonly queryable: Queryable;
	readonly rules: ReadonlyMap<string, CheckRules>;
	readonly memory: ReusedMemory;
	readonly options: { readonly signal?: AbortSignal };
}

/** The states of the checks `ids` over the window, every vantage point considered and silence explained. */
export async function readChecks(
	queryable: Queryable,
	inventory: InventoryConfig,
	request: { readonly ids: readonly string[]; readonly window: SecondSpan; readonly signal?: AbortSignal },
): Promise<ReadonlyMap<string, Timeline>> {
	const { window, ...more } = request;
	const [checks] = await readCheckWindows(queryable, inventory, { ...more, windows: [window] });
	return checks ?? new Map();
}

/**
 * The same over several windows, ascending, each as if it were asked for alone: a store gives a month of samples nearly as fast as a day of
 * them, and a hundred series of one day about as fast as one.
 */
export async function readCheckWindows(
	queryable: Queryable,
	inventory: InventoryConfig,
	request: { readonly ids: readonly string[]; readonly windows: readonly SecondSpan[]; readonly signal?: AbortSignal },
): Promise<readonly ReadonlyMap<string, Timeline>[]> {
	const { windows, signal } = request;
	const rules = new Map(inventory.checks.map((check) => [check.id, rulesOf(check)]));
	const references = new Map(inventory.vantages.map(({ host, reference }) => [host, reference]));
	const hostChecks = new Map(inventory.hosts.flatMap(({ id, check }) => (check === undefined ? [] : [[id, check] as const])));
	const asked = request.ids.filter((id) => rules.has(id));
	const context = { queryable, rules, memory: new ReusedMemory(), options: signal === undefined ? {} : { signal } };
	const wanted = [...new Set([...asked, ...references.values()])].filter((id) => rules.has(id));
	const views = await readViews(context, wanted, windows);
	const result: ReadonlyMap<string, Timeline>[] = [];
	for (const [i, window] of windows.entries()) {
		const own = views[i] as Views;
		const unknown = asked.some((id) =>
			viewsOf(own, id, rules, window).some(({ timeline }) => timeline.some(({ state }) => state === 'unknown')),
		);
		const facts = unknown
			? await readSilenceFacts(queryable, {
					inventory,
					window,
					hostStates: await readHostStates(context, hostChecks, window),
					...context.options,
				})
			: null;
		result.push(new Map(asked.map((id) => [id, judge({ id, own, rules, references, facts, window })])));
	}
	return result;
}

/** Of a check that nobody has reported one view that knows nothing. */
function viewsOf(views: Views, id: string, rules: ReadonlyMap<string, CheckRules>, window: SecondSpan): readonly VantageView[] {
	const own = [...(views.get(id) ?? [])].map(([vantage, timeline]) => ({ vantage, timeline }));
	return own.length > 0 ? own : [{ vantage: '', timeline: silent(rules.get(id), window) }];
}

function silent(rule: CheckRules | undefined, window: SecondSpan): Timeline {
	return rule === undefined ? [] : checkTimeline(NO_SAMPLES, rule, window.from, window.to);
}

function judge(what: {
	readonly id: string;
	readonly own: Views;
	readonly rules: ReadonlyMap<string, CheckRules>;
	readonly references: ReadonlyMap<string, string>;
	readonly facts: SilenceFacts | null;
	readonly window: SecondSpan;
}): Timeline {
	const { id, own, rules, references, facts, window } = what;
	const views = viewsOf(own, id, rules, window);
	const judged = views.map(({ vantage, timeline }): VantageView => {
		const explained = facts === null ? timeline : explainSilence(timeline, vantage, facts);
		const reference = references.get(vantage);
		const needed = reference !== undefined && reference !== id && views.length > 1 && timeline.some(({ state }) => state === 'down');
		if (!needed) return { vantage, timeline: explained };
		return { vantage, timeline: explained, reference: own.get(reference)?.get(vantage) ?? silent(rules.get(reference), window) };
	});
	return combineVantages(setAside(judged, window), window);
}

/** By window. As many checks at a time as their samples may take memory. */
async function readViews(context: ReadContext, ids: readonly string[], windows: readonly SecondSpan[]): Promise<readonly Views[]> {
	const views = windows.map(() => new Map<string, ReadonlyMap<string, Timeline>>());
	const first = windows[0];
	const last = windows.at(-1);
	if (first === undefined || last === undefined || ids.length === 0) return views;
	const spanMs = Math.min((last.to - first.from) * 1000, 3 * 31 * 86_400_000);
	for (let from = 0; from < ids.length; ) {
		let samples = 0;
		let to = from;
		while (to < ids.length && (to === from || samples < READ_SAMPLES))
			samples += (USUAL_VANTAGES * spanMs) / (context.rules.get(ids[to++] as string) as CheckRules).intervalMs;
		await readGroup(context, ids.slice(from, to), windows, views);
		from = to;
	}
	return views;
}

/** Reads piece after piece and looks at a window as soon as all of it has come. */
async function readGroup(
	context: ReadContext,
	ids: readonly string[],
	windows: readonly SecondSpan[],
	views: readonly Map<string, ReadonlyMap<string, Timeline>>[],
): Promise<void> {
	const { queryable, rules, memory, options } = context;
	const reachMs = Math.max(...ids.map((id) => contextMs(rules.get(id) as CheckRules)));
	const endMs = (windows.at(-1) as SecondSpan).to * 1000 + reachMs;
	let pieces: { readonly endMs: number; readonly checks: ReadonlyMap<string, Vantages> }[] = [];
	let readFromMs = (windows[0] as SecondSpan).from * 1000 - reachMs;
	let readToMs = readFromMs - 1;
	for (const [i, window] of windows.entries()) {
		const neededFromMs = window.from * 1000 - reachMs;
		pieces = pieces.filter((piece) => piece.endMs >= neededFromMs);
		if (readToMs < neededFromMs) readFromMs = neededFromMs;
		while (readToMs < window.to * 1000 + reachMs) {
			const fromMs = Math.max(readToMs + 1, readFromMs);
			readToMs = endMs - fromMs <= LONGEST_PIECE_MS ? endMs : Math.min(endMs, nextMonthMs(fromMs) - 1);
			pieces.push({ endMs: readToMs, checks: await readCheckSamples(queryable, ids, { fromMs, toMs: readToMs, memory, ...options }) });
			// A year takes seconds: others get a turn.
			await new Promise((resolve) => setImmediate(resolve));
			options.signal?.throwIfAborted();
		}
		for (const id of ids) {
			const rule = rules.get(id) as CheckRules;
			const vantages = new Set(pieces.flatMap(({ checks }) => [...(checks.get(id)?.keys() ?? [])]));
			const own = new Map<string, Timeline>();
			for (const vantage of vantages) {
				const parts = pieces.flatMap(({ checks }) => checks.get(id)?.get(vantage) ?? []);
				// Its own context and not that of the others it is read with, so that the answer does not depend on who asks.
				const samples = samplesBetween(parts, window.from * 1000 - contextMs(rule), window.to * 1000 + contextMs(rule));
				if (samples.times.length === 0) continue;
				own.set(vantage, checkTimeline(await settled(context, samples, { rule, vantage, window }), rule, window.from, window.to));
			}
			(views[i] as Map<string, ReadonlyMap<string, Timeline>>).set(id, own);
		}
	}
}

function nextMonthMs(timeMs: number): number {
	const date = new Date(timeMs);
	return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
}

/** Host checks say whether a silent agent's machine lives; they are taken as they are, since their own silence explains nothing. */
async function readHostStates(
	{ queryable, rules, memory, options }: ReadContext,
	hostChecks: ReadonlyMap<string, string>,
	window: SecondSpan,
): Promise<ReadonlyMap<string, Timeline>> {
	const ids = [...new Set(hostChecks.values())].filter((id) => rules.has(id));
	const reachMs = Math.max(0, ...ids.map((id) => contextMs(rules.get(id) as CheckRules)));
	const range = { fromMs: window.from * 1000 - reachMs, toMs: window.to * 1000 + reachMs, memory, ...options };
	const samples = await readCheckSamples(queryable, ids, range);
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
	{ queryable, options }: ReadContext,
	own: CheckSamples,
	at: { readonly rule: CheckRules; readonly vantage: string; readonly window: SecondSpan },
): Promise<CheckSamples> {
	const { rule, vantage, window } = at;
	const context = contextMs(rule);
	let samples = own;
	let reach = context;
	while (reach < FURTHEST_CONTEXT_MS && !settledBefore(samples, rule, window.from * 1000)) {
		reach = Math.min(reach * 8, FURTHEST_CONTEXT_MS);
		const found = await readCheckSamples(queryable, [rule.id], {
			fromMs: window.from * 1000 - reach,
			toMs: window.to * 1000 + context,
			matchers: [equals('vantage', vantage)],
			...options,
		});
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
