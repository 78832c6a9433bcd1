import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Registry } from 'prom-client';
import { createEngine, type Engine } from '../collector/promql/engine.ts';
import { parseGoFloat } from '../collector/promql/go-float.ts';
import { dependsOn } from '../collector/ruler/dependencies.ts';
import { reachMs, recordPast } from '../collector/ruler/recorded-past.ts';
import { compareFirings, type Firing, type RangeSource, type ReplayedRule, replayRule, summarise } from '../collector/ruler/replay.ts';
import { type AlertingDefinition, parseRuleFile, type RuleDefinition } from '../collector/ruler/rule-file.ts';
import type { Queryable } from '../collector/storage/storage.ts';
import { openStore } from '../collector/tsdb/store.ts';
import { systemClock } from '../core/clock.ts';
import { configOrThrow } from '../core/config-file.ts';
import { formatDuration, parseDuration } from '../core/duration.ts';
import { formatLabels, labelsFromObject, labelsToObject } from '../core/labels.ts';
import { createLogger } from '../core/log.ts';
import { formatZoned } from '../core/zone-time.ts';
import { type CollectorAccess, callCollector, collectorAccess } from './client.ts';
import { usageError } from './command.ts';
import { remoteSamples } from './remote-samples.ts';

/** Spans that are printed of one list; the totals count all. */
const SHOWN = 20;
const DEFAULT_STEP_MS = 15_000;
const ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;

interface Present {
	/** `null`: it has no rule of that name. */
	find(name: string): ReplayedRule | null;
	readonly where: string;
}

interface Replay {
	readonly rule: string;
	readonly proposed: readonly Firing[];
	/** `null` when there is no such rule now. */
	readonly present: readonly Firing[] | null;
}

export async function replayCommand(args: readonly string[]): Promise<number> {
	const { values, positionals } = parseArgs({
		args: [...args],
		allowPositionals: true,
		options: {
			since: { type: 'string' },
			until: { type: 'string' },
			step: { type: 'string' },
			rule: { type: 'string', multiple: true },
			against: { type: 'string' },
			offline: { type: 'boolean' },
			json: { type: 'boolean' },
			url: { type: 'string' },
			'token-file': { type: 'string' },
			data: { type: 'string' },
		},
	});
	const [file, ...more] = positionals;
	if (file === undefined || more.length > 0) throw usageError('give one rule file');
	if (values.offline === true && values.url !== undefined) throw usageError('--offline reads the store itself: leave --url out');
	const toMs = values.until === undefined ? Date.now() : moment(values.until);
	const fromMs = toMs - parseDuration(values.since ?? '7d');
	const proposal = rulesOf(file);
	const wanted = alertsIn(proposal).filter(({ rule }) => values.rule === undefined || values.rule.includes(rule.name));
	if (wanted.length === 0) throw usageError(`${file} has no alert${values.rule === undefined ? '' : ` named ${values.rule.join(' or ')}`}`);
	const access = collectorAccess({ url: values.url, tokenFile: values['token-file'], data: values.data });
	const source =
		values.offline === true
			? await offlineSource(values.data ?? 'data')
			: { ranges: onlineRanges(access), samples: remoteSamples(access), close: async () => {} };
	try {
		const present = values.against !== undefined ? fromFile(values.against) : values.offline === true ? null : await fromCollector(access);
		const recorded = await recordedRanges(proposal, wanted, { samples: source.samples, fromMs, toMs });
		const replays: Replay[] = [];
		for (const { rule, intervalMs } of wanted) {
			const stepMs = values.step === undefined ? (intervalMs ?? DEFAULT_STEP_MS) : parseDuration(values.step);
			if (!(stepMs > 0)) throw usageError('--step must be longer than 0');
			const options = { ranges: source.ranges, fromMs: Math.ceil(fromMs / stepMs) * stepMs, toMs, stepMs };
			const before = present?.find(rule.name) ?? null;
			const ranges = recorded !== null && dependsOn(rule.expr, recorded.names) ? recorded.ranges : source.ranges;
			replays.push({
				rule: rule.name,
				proposed: await replayRule(rule, { ...options, ranges }),
				present: before === null ? null : await replayRule(before, options),
			});
		}
		const lines =
			values.json === true
				? [
						JSON.stringify(
							replays.map((replay) => asJson(replay, toMs)),
							null,
							2,
						),
					]
				: report(replays, toMs, present);
		for (const line of lines) process.stdout.write(`${line}\n`);
		return 0;
	} finally {
		await source.close();
	}
}

function moment(text: string): number {
	const ms = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : Date.parse(text);
	if (Number.isNaN(ms)) throw usageError(`--until ${text}: write a time like 2026-01-31T08:00:00+08:00, or Unix seconds`);
	return ms;
}

interface FileRule<T = RuleDefinition> {
	readonly rule: T;
	readonly intervalMs: number | null;
}

function rulesOf(file: string): readonly FileRule[] {
	const { groups, problems } = parseRuleFile(readFileSync(file, 'utf8'), file);
	configOrThrow(problems.length === 0 ? { kind: 'ok', config: null } : { kind: 'bad', problems });
	return groups.flatMap((group) => group.rules.map((rule) => ({ rule, intervalMs: group.intervalMs })));
}

function alertsIn(rules: readonly FileRule[]): readonly FileRule<AlertingDefinition>[] {
	return rules.flatMap(({ rule, intervalMs }) => (rule.kind === 'alerting' ? [{ rule, intervalMs }] : []));
}

function fromFile(file: string): Present {
	const rules = alertsIn(rulesOf(file)).map(({ rule }) => rule);
	return { where: file, find: (name) => rules.find((rule) => rule.name === name) ?? null };
}

/** The past with what the proposed file records, evaluated here; `null` when no alert that is asked for reads any of it. */
async function recordedRanges(
	rules: readonly FileRule[],
	alerts: readonly FileRule<AlertingDefinition>[],
	{ samples, fromMs, toMs }: { readonly samples: Queryable; readonly fromMs: number; readonly toMs: number },
): Promise<{ readonly names: readonly string[]; readonly ranges: RangeSource } | null> {
	const recordings = rules.flatMap(({ rule, intervalMs }) =>
		rule.kind === 'recording' ? [{ definition: rule, stepMs: intervalMs ?? DEFAULT_STEP_MS }] : [],
	);
	const names = recordings.map(({ definition }) => definition.name);
	if (!alerts.some(({ rule }) => dependsOn(rule.expr, names))) return null;
	// A rule that reads what another records reaches back through both.
	const reach = rules.reduce((sum, { rule }) => (dependsOn(rule.expr, names) ? sum + reachMs(rule.expr) : sum), 0);
	const engine = await recordPast(recordings, { queryable: samples, clock: systemClock, fromMs: fromMs - reach, toMs });
	return { names, ranges: engineRanges(engine) };
}

function engineRanges(engine: Engine): RangeSource {
	return async (query, startMs, endMs, stepMs) => {
		const { value } = await engine.range(query, startMs, endMs, stepMs);
		return value.kind === 'matrix' ? value.series : [];
	};
}

interface RulesAnswer {
	readonly data: {
		readonly groups: readonly {
			readonly rules: readonly {
				readonly name: string;
				readonly query: string;
				readonly duration: number;
				readonly keepFiringFor: number;
				readonly labels: Readonly<Record<string, string>>;
			}[];
		}[];
	};
}

async function fromCollector(access: CollectorAccess): Promise<Present> {
	const { body } = await callCollector(access, '/api/v1/rules?type=alert&exclude_alerts=true');
	const rules = (JSON.parse(body.toString('utf8')) as RulesAnswer).data.groups.flatMap((group) => group.rules);
	return {
		where: access.url,
		find: (name) => {
			const rule = rules.find((candidate) => candidate.name === name);
			if (rule === undefined) return null;
			return { name, query: rule.query, labels: rule.labels, forMs: rule.duration * 1000, keepFiringForMs: rule.keepFiringFor * 1000 };
		},
	};
}

interface MatrixAnswer {
	readonly data: {
		readonly result: readonly {
			readonly metric: Readonly<Record<string, string>>;
			readonly values: readonly (readonly [number, string])[];
		}[];
	};
}

function onlineRanges(access: CollectorAccess): RangeSource {
	return async (query, startMs, endMs, stepMs) => {
		const parameters = new URLSearchParams({
			query,
			start: String(startMs / 1000),
			end: String(endMs / 1000),
			step: String(stepMs / 1000),
		});
		const { body } = await callCollector(access, `/api/v1/query_range?${parameters}`);
		return (JSON.parse(body.toString('utf8')) as MatrixAnswer).data.result.map(({ metric, values }) => ({
			labels: labelsFromObject(metric),
			timestamps: values.map(([seconds]) => Math.round(seconds * 1000)),
			values: values.map(([, value]) => parseGoFloat(value) ?? Number.NaN),
		}));
	};
}

async function offlineSource(
	dataDir: string,
): Promise<{ readonly ranges: RangeSource; readonly samples: Queryable; readonly close: () => Promise<void> }> {
	const forever = parseDuration('100y');
	const store = await openStore({
		dataDir,
		// Nothing may be removed by looking at it.
		retentionMs: forever,
		checkRetentionMs: forever,
		fsync: 'always',
		log: createLogger('rules', { level: 'warn' }),
		clock: systemClock,
		metrics: new Registry(),
	});
	const engine = createEngine({ queryable: store, clock: systemClock });
	return {
		ranges: engineRanges(engine),
		samples: store,
		close: () => store.stop(),
	};
}

function report(replays: readonly Replay[], toMs: number, present: Present | null): readonly string[] {
	const lines: string[] = [];
	for (const { rule, proposed, present: before } of replays) {
		lines.push(`${rule}: ${totals(proposed, toMs)}`, ...spans(proposed, toMs));
		if (present === null) continue;
		if (before === null) {
			lines.push(`  ${present.where} has no rule of this name`);
			continue;
		}
		const { added, removed } = compareFirings(proposed, before, toMs);
		lines.push(`  now: ${totals(before, toMs)}`);
		if (added.length === 0 && removed.length === 0) lines.push('  no alert more and none less than now');
		if (added.length > 0) lines.push(`  more than now: ${totals(added, toMs)}`, ...spans(added, toMs));
		if (removed.length > 0) lines.push(`  less than now: ${totals(removed, toMs)}`, ...spans(removed, toMs));
	}
	return lines;
}

function totals(firings: readonly Firing[], toMs: number): string {
	const { count, totalMs, longestMs } = summarise(firings, toMs);
	if (count === 0) return 'would not have fired';
	return `${count === 1 ? 'once' : `${count} times`}, ${formatDuration(totalMs)} in all, longest ${formatDuration(longestMs)}`;
}

function spans(firings: readonly Firing[], endMs: number): readonly string[] {
	const lines = firings.slice(0, SHOWN).map(({ labels, fromMs, toMs }) => {
		const end = toMs === null ? 'still firing' : formatZoned(toMs, ZONE);
		return `    ${formatZoned(fromMs, ZONE)} – ${end}  ${formatDuration((toMs ?? endMs) - fromMs)}  ${formatLabels(labels)}`;
	});
	return firings.length > SHOWN ? [...lines, `    … and ${firings.length - SHOWN} more; --json has them all`] : lines;
}

function asJson({ rule, proposed, present }: Replay, toMs: number): object {
	const list = (firings: readonly Firing[]) =>
		firings.map((firing) => ({
			labels: labelsToObject(firing.labels),
			from: new Date(firing.fromMs).toISOString(),
			to: firing.toMs === null ? null : new Date(firing.toMs).toISOString(),
		}));
	const difference = present === null ? null : compareFirings(proposed, present, toMs);
	return {
		rule,
		summary: summarise(proposed, toMs),
		firings: list(proposed),
		present: present === null ? null : { summary: summarise(present, toMs), firings: list(present) },
		difference: difference === null ? null : { added: list(difference.added), removed: list(difference.removed) },
	};
}
