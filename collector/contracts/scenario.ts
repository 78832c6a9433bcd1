import { outagesOf, type UnknownAs } from '../availability/unknown-time.ts';
import { accidentRungs } from './accident-rules.ts';
import { type Assessment, assess, scoreOf } from './assess.ts';
import type { AssessedFault, AssessedOutage, AssessedProblem, AssessedService, AssessmentInput } from './assessed.ts';
import { problemClocks } from './desk-rules.ts';
import { faultClocks, levelByMinutes } from './fault-rules.ts';
import { type ClockRules, deadlineMs, spanMs } from './limits.ts';
import { periodOf } from './period.ts';
import { MOMENTS, type Moment, type Profile } from './profile.ts';
import type { Expected, ScenarioFile } from './scenario-file.ts';
import { terminationStandings, yearStandings } from './standing.ts';
import { termAnswer, withTerm } from './term.ts';

/** A period of a contract that somebody worked out by hand. */
export interface Scenario {
	readonly name: string;
	readonly profile: string;
	readonly settings: Readonly<Record<string, string>>;
	readonly feeYuan: number | null;
	readonly term: ScenarioFile['term'];
	readonly period: string;
	readonly input: AssessmentInput;
	readonly periods: NonNullable<ScenarioFile['periods']>;
	readonly expect: Expected;
}

type ScenarioFault = NonNullable<ScenarioFile['faults']>[number];
type ScenarioService = NonNullable<ScenarioFile['services']>[number];

/** Scenarios know no calendar: services are open around the clock, and working days are Monday to Friday. */
export function scenarioClocks(profile: Profile): ClockRules {
	return { zone: profile.zone, holidays: [], closed: () => [] };
}

/** A case of a file, as the assessment takes it. */
export function scenarioOf(name: string, file: ScenarioFile): Scenario {
	const services = (file.services ?? []).map(service);
	const records = (file.records ?? []).map(({ id, rule, quantity, at }) => ({ id, rule, quantity, atMs: Date.parse(at), note: '' }));
	const at = (text: string | undefined): number | null => (text === undefined ? null : Date.parse(text));
	const problems = (file.problems ?? []).map(
		({ id, received, handed, answers }, i): AssessedProblem => ({
			id,
			number: i + 1,
			service: null,
			receivedMs: Date.parse(received),
			handedMs: at(handed),
			rounds: answers.map(({ from, answered, until }) => ({
				fromMs: Date.parse(from ?? received),
				answeredMs: at(answered),
				delayUntilMs: at(until),
			})),
		}),
	);
	return {
		name,
		profile: file.profile,
		settings: file.settings ?? {},
		feeYuan: file.fee_yuan ?? null,
		term: file.term,
		period: file.period,
		input: { faults: (file.faults ?? []).map(faultOf), services, records, problems, nowMs: Date.parse(file.now) },
		periods: file.periods ?? [],
		expect: file.expect,
	};
}

function faultOf(fault: ScenarioFault): AssessedFault {
	const startMs = Date.parse(fault.start);
	const after = (text: string | undefined): number | null => (text === undefined ? null : startMs + spanMs(text));
	return {
		id: fault.id,
		service: fault.service,
		point: fault.point,
		level: fault.level,
		cause: fault.cause ?? 'own',
		causeCountersigned: fault.countersigned ?? false,
		moments: Object.fromEntries(MOMENTS.map((moment) => [moment, after(fault[moment])])) as Record<Moment, number | null>,
		reports: Object.entries(fault.report).map(([report, later]) => ({ report, filedMs: startMs + spanMs(later) })),
		waived: [],
		accident: fault.accident === undefined ? null : { grade: fault.accident.grade, toldMs: after(fault.accident.told) },
	};
}

/** Where stretches in which nothing was seen are written, the ledger's own reading makes outages of them. */
function service(entry: ScenarioService): AssessedService {
	const seconds = (text: string) => Date.parse(text) / 1000;
	const named = entry.outages ?? [];
	const stretches = [
		...named.map((one) => ({ from: seconds(one.from), to: seconds(one.from) + one.seconds, state: 'down' as const })),
		...(entry.unseen ?? []).map((one) => ({ from: seconds(one.from), to: seconds(one.from) + one.seconds, state: 'unknown' as const })),
	].sort((a, b) => a.from - b.from);
	const timeline = stretches.flatMap((stretch, i) => {
		const more = { reason: '', unconfirmed: false };
		const next = stretches[i + 1]?.from ?? stretch.to + 1;
		return [{ ...stretch, ...more }, ...(next > stretch.to ? [{ from: stretch.to, to: next, state: 'up' as const, ...more }] : [])];
	});
	const outagesAs = (unknown: UnknownAs) =>
		outagesOf(timeline, unknown).map((outage): AssessedOutage => {
			const like = named.find(({ from }) => seconds(from) === outage.fromSeconds);
			return {
				...outage,
				id: like?.id ?? String(outage.fromSeconds),
				service: entry.service,
				faultId: like?.fault ?? null,
				...(like?.failure === undefined ? {} : { failure: like.failure }),
				excused: like?.excused ?? false,
			};
		});
	return {
		service: entry.service,
		core: entry.core,
		agreedSeconds: entry.agreed,
		agreedSecondsOfPeriod: entry.agreed,
		downSeconds: entry.down,
		unknownSeconds: entry.unknown ?? 0,
		outages: outagesAs('left-out'),
		outagesAs: { up: outagesAs('up'), down: outagesAs('down') },
	};
}

/** The profile as the case was signed, and the period priced under it. */
export function assessScenario(profile: Profile, scenario: Scenario): { readonly priced: Profile; readonly result: Assessment } {
	const { feeYuan, term } = scenario;
	const signed = withTerm(profile, term);
	const priced = feeYuan === null ? signed : { ...signed, contract: { ...signed.contract, fee_yuan: feeYuan } };
	return { priced, result: assess(priced, periodOf(priced, scenario.period), scenario.input, scenarioClocks(priced)) };
}

/** What a profile makes of a case, in the words of `expect`, of which it answers what the file names. */
export function outcome(profile: Profile, scenario: Scenario): Expected {
	const { expect: asked } = scenario;
	const { priced, result } = assessScenario(profile, scenario);
	const clocks = scenarioClocks(priced);
	const standings = scenario.periods.map(({ final, yuan = 0, longest, recorded = {} }, i) => {
		const seconds = longest === undefined ? 0 : spanMs(longest) / 1000;
		const services = [
			service({ service: 's', core: true, agreed: 0, down: seconds, outages: [{ from: new Date(i * 1e10).toISOString(), seconds }] }),
		];
		const period = { id: `p${i + 1}`, fromMs: 0, toMs: 0 };
		const points = Math.round(final * 100);
		return { period, over: true, self: points, client: points, final: points, fen: Math.round(yuan * 100), recorded, services };
	});
	const level = (id: string): Readonly<Record<string, string>> => limitsOf(priced, id, asked.deadlines?.[id] ?? {}, clocks);
	const all: { readonly [K in keyof Expected]-?: () => Expected[K] } = {
		items: () => Object.fromEntries(result.items.map((item) => [item.key, item.counted / 100])),
		score: () => result.score.centipoints / 100,
		deducted: () => result.score.deducted / 100,
		bonus: () => result.score.bonus / 100,
		yuan: () => result.score.fen / 100,
		next: () => result.next.map(({ rule, seconds, centipoints, fen }) => ({ rule, seconds, points: centipoints / 100, yuan: fen / 100 })),
		self_check: () => (result.selfCheckDueMs === null ? '' : new Date(result.selfCheckDueMs).toISOString()),
		money_at: () => Object.fromEntries(Object.keys(asked.money_at ?? {}).map((score) => [score, moneyAt(priced, Number(score))])),
		deadlines: () => Object.fromEntries(priced.levels.map(({ id }) => [id, level(id)])),
		candidate: () => sameSpan(asked.candidate, spanMs(priced.candidate.escalate_after)),
		desk: () => {
			// Working days have no length of their own; those clocks are worked out by problems.
			const fromMs = scenario.input.nowMs;
			const problem = { handedMs: null, receivedMs: fromMs, rounds: [{ fromMs, answeredMs: null, delayUntilMs: null }] };
			const limits = problemClocks(priced, problem, clocks, fromMs).map(
				({ clock, dueMs }) => [clock, sameSpan(asked.desk?.[clock], dueMs - fromMs)] as const,
			);
			return Object.fromEntries(limits.filter(([clock]) => asked.desk?.[clock] !== undefined));
		},
		accidents: () => {
			const moments = { ...Object.fromEntries(MOMENTS.map((name) => [name, null])), onset: 0 } as Record<Moment, number | null>;
			const rungs = accidentRungs(priced, { accident: { grade: '1', toldMs: null }, moments });
			return [spanMs(priced.accidents?.tell_within ?? '0s'), ...rungs].map((ms, i) => sameSpan(asked.accidents?.[i], ms));
		},
		grades: () => Object.fromEntries(Object.keys(asked.grades ?? {}).map((seconds) => [seconds, levelByMinutes(priced, Number(seconds))])),
		term: () => {
			const { firstDay, lastDay } = termAnswer(priced, 0);
			return [firstDay, lastDay];
		},
		years: () =>
			yearStandings(priced, standings).map(({ final, fen }) => [final === null ? null : final / 100, fen === null ? null : fen / 100]),
		termination: () => terminationStandings(priced, standings).map(({ kind, state }) => [kind, state]),
	};
	return Object.fromEntries(Object.keys(asked).map((key) => [key, all[key as keyof Expected]()]));
}

function moneyAt(profile: Profile, score: number): number {
	const counted = Math.round(score * 100) - Math.round(profile.base.points * 100);
	return scoreOf(profile, [{ counted, fen: 0, clause: '', reason: { zh: '', en: '' } }]).fen / 100;
}

/** Everything that has a time at the level: its clocks, its reports, progress. */
function limitsOf(
	profile: Profile,
	id: string,
	asked: Readonly<Record<string, string>>,
	clocks: ClockRules,
): Readonly<Record<string, string>> {
	const moments = Object.fromEntries(MOMENTS.map((name) => [name, 0])) as Record<Moment, number | null>;
	const found: Record<string, number> = {};
	for (const { clock, dueMs } of faultClocks(profile, { level: id, moments, service: null }, clocks, 0)) found[clock] = dueMs;
	for (const duty of profile.reports)
		if (duty.levels.includes(id)) found[duty.id] = deadlineMs(0, duty.within, clocks, { hours: 'always', service: null });
	const progress = profile.levels.find((level) => level.id === id)?.tell.progress;
	if (progress !== undefined) found['progress'] = spanMs(progress);
	return Object.fromEntries(Object.entries(found).map(([key, ms]) => [key, sameSpan(asked[key], ms)]));
}

/** The text that was asked for where it means so many milliseconds, otherwise these. */
function sameSpan(text: string | undefined, ms: number): string {
	return text !== undefined && spanMs(text) === ms ? text : `${ms} ms`;
}
