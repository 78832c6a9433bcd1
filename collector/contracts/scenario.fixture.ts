import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { AssessedFault, AssessedProblem, AssessedService, AssessmentInput } from './assessed.ts';
import type { ClockRules } from './limits.ts';
import { spanMs } from './limits.ts';
import { type Cause, MOMENTS, type Moment } from './profile.ts';

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
}

interface ScenarioFile {
	readonly profile: string;
	readonly period: string;
	readonly now: string;
	readonly faults: readonly ScenarioFault[];
	readonly services: readonly {
		readonly service: string;
		readonly core: boolean;
		readonly agreed: number;
		readonly down: number;
		readonly outages: readonly { id: string; from: string; seconds: number; fault?: string; excused?: boolean }[];
	}[];
	readonly records?: readonly { id: string; rule: string; quantity: number; at: string }[];
	readonly problems?: readonly {
		id: string;
		received: string;
		handed?: string;
		answers: readonly { from?: string; answered?: string; until?: string }[];
	}[];
	readonly expect: {
		readonly items: Readonly<Record<string, number>>;
		readonly score: number;
		readonly deducted: number;
		readonly bonus: number;
		readonly yuan: number;
	};
}

export interface Scenario {
	readonly profile: string;
	readonly period: string;
	readonly input: AssessmentInput;
	readonly expect: ScenarioFile['expect'];
}

/** Reads `rules/contracts/<name>.scenario.yml`; moments of a fault are written as time after its start. */
export function readScenario(name: string): Scenario {
	const file = parse(readFileSync(join(CONTRACTS, `${name}.scenario.yml`), 'utf8')) as ScenarioFile;
	const services = file.services.map(
		(entry): AssessedService => ({
			service: entry.service,
			core: entry.core,
			agreedSeconds: entry.agreed,
			agreedSecondsOfPeriod: entry.agreed,
			downSeconds: entry.down,
			unknownSeconds: 0,
			outages: entry.outages.map((outage) => ({
				id: outage.id,
				service: entry.service,
				fromSeconds: Date.parse(outage.from) / 1000,
				toSeconds: Date.parse(outage.from) / 1000 + outage.seconds,
				downSeconds: outage.seconds,
				faultId: outage.fault ?? null,
				excused: outage.excused ?? false,
			})),
		}),
	);
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
		profile: file.profile,
		period: file.period,
		input: { faults: file.faults.map(faultOf), services, records, problems, nowMs: Date.parse(file.now) },
		expect: file.expect,
	};
}

function faultOf(fault: ScenarioFault): AssessedFault {
	const startMs = Date.parse(fault.start);
	const moments = Object.fromEntries(
		MOMENTS.map((moment) => {
			const after = fault[moment];
			return [moment, after === undefined ? null : startMs + spanMs(after)];
		}),
	) as Record<Moment, number | null>;
	return {
		id: fault.id,
		service: fault.service,
		point: fault.point,
		level: fault.level,
		cause: fault.cause ?? 'own',
		causeCountersigned: fault.countersigned ?? false,
		moments,
		reports: Object.entries(fault.report).map(([report, after]) => ({ report, filedMs: startMs + spanMs(after) })),
		waived: [],
	};
}
