import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { outagesOf, type UnknownAs } from '../availability/unknown-time.ts';
import { accidentRungs } from './accident-rules.ts';
import { assess, scoreOf } from './assess.ts';
import type { AssessedFault, AssessedOutage, AssessedProblem, AssessedService, AssessmentInput } from './assessed.ts';
import type { ContractsConfig } from './config.ts';
import { problemClocks } from './desk-rules.ts';
import { faultClocks, levelByMinutes } from './fault-rules.ts';
import { type ClockRules, deadlineMs, spanMs } from './limits.ts';
import { periodOf } from './period.ts';
import { type Cause, MOMENTS, type Moment, type Profile } from './profile.ts';
import { loadProfiles } from './profile-files.ts';
import { terminationStandings, yearStandings } from './standing.ts';
import { termAnswer, withTerm } from './term.ts';

export const CONTRACTS = join(import.meta.dirname, '../../rules/contracts');
/** Clocks that run around the clock, on ordinary working days. */
export const CLOCKS: ClockRules = { zone: 'Asia/Shanghai', holidays: [], closed: () => [] };

interface ScenarioFault extends Partial<Record<Moment, string>> {
	readonly id: string;
	readonly level: string;
	readonly service: string;
	readonly point: string;
	readonly cause?: Cause;
	readonly countersigned?: boolean;
	readonly start: string;
	readonly report: Readonly<Record<string, string>>;
	readonly accident?: { readonly grade: string; readonly told?: string };
}

interface ScenarioService {
	readonly service: string;
	readonly core: boolean;
	readonly agreed: number;
	readonly down: number;
	/** Seconds in all. */
	readonly unknown?: number;
	/** Seen down. Without an id it is named by its first second. */
	readonly outages?: readonly { id?: string; from: string; seconds: number; fault?: string; failure?: string; excused?: boolean }[];
	/** Stretches in which nothing was seen. */
	readonly unseen?: readonly { from: string; seconds: number }[];
}

/** What is worked out by hand. Only what a file names is compared. */
interface Expected {
	readonly items?: Readonly<Record<string, number>>;
	readonly score?: number;
	readonly deducted?: number;
	readonly bonus?: number;
	readonly yuan?: number;
	readonly next?: readonly { readonly rule: string; readonly seconds: number; readonly points: number; readonly yuan: number }[];
	readonly self_check?: string;
	/** Yuan by score. */
	readonly money_at?: Readonly<Record<string, number>>;
	/** By level: limits of its clocks, of its reports and of progress. */
	readonly deadlines?: Readonly<Record<string, Readonly<Record<string, string>>>>;
	readonly candidate?: string;
	readonly desk?: Readonly<Record<string, string>>;
	readonly accidents?: readonly string[];
	/** Level by seconds of unavailability. */
	readonly grades?: Readonly<Record<string, string | null>>;
	readonly term?: readonly (string | null)[];
	readonly years?: readonly (readonly [final: number | null, yuan: number | null])[];
	readonly termination?: readonly (readonly [kind: string, state: string])[];
}

interface ScenarioFile {
	readonly profile: string;
	readonly settings?: Readonly<Record<string, string>>;
	/** Where the text names no fee, the one that this file takes. */
	readonly fee_yuan?: number;
	/** As it was signed and extended. */
	readonly term?: ContractsConfig['terms'][string];
	readonly period: string;
	readonly now: string;
	readonly faults?: readonly ScenarioFault[];
	readonly services?: readonly ScenarioService[];
	readonly records?: readonly { id: string; rule: string; quantity: number; at: string }[];
	readonly problems?: readonly {
		id: string;
		received: string;
		handed?: string;
		answers: readonly { from?: string; answered?: string; until?: string }[];
	}[];
	/** Periods that are over, for years and termination. */
	readonly periods?: readonly {
		readonly final: number;
		readonly yuan?: number;
		readonly longest?: string;
		readonly recorded?: Readonly<Record<string, number>>;
	}[];
	readonly expect: Expected;
}

export interface Scenario {
	readonly name: string;
	readonly profile: string;
	readonly settings: Readonly<Record<string, string>>;
	readonly feeYuan: number | null;
	readonly term: ContractsConfig['terms'][string] | undefined;
	readonly period: string;
	readonly input: AssessmentInput;
	readonly periods: NonNullable<ScenarioFile['periods']>;
	readonly expect: Expected;
}

let read: readonly Scenario[] | null = null;

/** Every case of every `*.scenario.yml`; a file may hold several, one after the other. Read once: properties ask hundreds of times. */
export function allScenarios(): readonly Scenario[] {
	read ??= readdirSync(CONTRACTS)
		.filter((name) => name.endsWith('.scenario.yml'))
		.sort()
		.flatMap((name) => {
			const documents = parseAllDocuments(readFileSync(join(CONTRACTS, name), 'utf8')) as { toJS(): unknown }[];
			return documents.map((document, i) => scenarioOf(`${name} ${i + 1}`, document.toJS() as ScenarioFile));
		});
	return read;
}

/** The first case of `rules/contracts/<name>.scenario.yml`. */
export function readScenario(name: string): Scenario {
	const found = allScenarios().find((scenario) => scenario.name === `${name}.scenario.yml 1`);
	if (found === undefined) throw new Error(`there is no scenario of ${name}`);
	return found;
}

let profiles: ReturnType<typeof loadProfiles> | null = null;

/** A profile of `rules/contracts` with these answers. */
export function shippedProfile(id: string, answers: Readonly<Record<string, string>> = {}): Profile {
	profiles ??= loadProfiles(CONTRACTS);
	const found = profiles.find((profile) => profile.id === id);
	if (found === undefined) throw new Error(`there is no profile ${id}`);
	return found.with(answers);
}

/** What the first case of a file costs under other answers, or with some of its input changed. */
export function runScenario(name: string, answers: Readonly<Record<string, string>> = {}, change: Partial<AssessmentInput> = {}) {
	const scenario = readScenario(name);
	const profile = shippedProfile(scenario.profile, answers);
	return { scenario, profile, result: assess(profile, periodOf(profile, scenario.period), { ...scenario.input, ...change }, CLOCKS) };
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

/** Moments of a fault are written as time after its start. */
function scenarioOf(name: string, file: ScenarioFile): Scenario {
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

/** What a profile makes of a case, in the words of `expect`, of which it answers what the file names. */
export function outcome(profile: Profile, scenario: Scenario): Expected {
	const { feeYuan, term, expect: asked } = scenario;
	const signed = withTerm(profile, term);
	const priced = feeYuan === null ? signed : { ...signed, contract: { ...signed.contract, fee_yuan: feeYuan } };
	const result = assess(priced, periodOf(priced, scenario.period), scenario.input, CLOCKS);
	const standings = scenario.periods.map(({ final, yuan = 0, longest, recorded = {} }, i) => {
		const seconds = longest === undefined ? 0 : spanMs(longest) / 1000;
		const services = [
			service({ service: 's', core: true, agreed: 0, down: seconds, outages: [{ from: new Date(i * 1e10).toISOString(), seconds }] }),
		];
		const period = { id: `p${i + 1}`, fromMs: 0, toMs: 0 };
		const points = Math.round(final * 100);
		return { period, over: true, self: points, client: points, final: points, fen: Math.round(yuan * 100), recorded, services };
	});
	const level = (id: string): Readonly<Record<string, string>> => limitsOf(priced, id, asked.deadlines?.[id] ?? {});
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
			const clocks = problemClocks(priced, problem, CLOCKS, fromMs).map(
				({ clock, dueMs }) => [clock, sameSpan(asked.desk?.[clock], dueMs - fromMs)] as const,
			);
			return Object.fromEntries(clocks.filter(([clock]) => asked.desk?.[clock] !== undefined));
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
function limitsOf(profile: Profile, id: string, asked: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
	const moments = Object.fromEntries(MOMENTS.map((name) => [name, 0])) as Record<Moment, number | null>;
	const found: Record<string, number> = {};
	for (const { clock, dueMs } of faultClocks(profile, { level: id, moments, service: null }, CLOCKS, 0)) found[clock] = dueMs;
	for (const duty of profile.reports)
		if (duty.levels.includes(id)) found[duty.id] = deadlineMs(0, duty.within, CLOCKS, { hours: 'always', service: null });
	const progress = profile.levels.find((level) => level.id === id)?.tell.progress;
	if (progress !== undefined) found['progress'] = spanMs(progress);
	return Object.fromEntries(Object.entries(found).map(([key, ms]) => [key, sameSpan(asked[key], ms)]));
}

/** The text that was asked for where it means so many milliseconds, otherwise these. */
function sameSpan(text: string | undefined, ms: number): string {
	return text !== undefined && spanMs(text) === ms ? text : `${ms} ms`;
}
