import type { TerminationAnswer, YearAnswer } from '../../protocol/contract-api.ts';
import type { UnknownAs } from '../availability/unknown-time.ts';
import type { AssessedService } from './assessed.ts';
import { spanMs } from './limits.ts';
import { type Period, periodAt, withFeeOf } from './period.ts';
import type { Profile } from './profile.ts';
import { answeredSeconds, readService } from './reading.ts';
import { termOf } from './term.ts';

/** A period as it counts for years and for termination. */
export interface PeriodStanding {
	readonly period: Period;
	readonly over: boolean;
	/** Hundredths of a point. */
	readonly self: number;
	readonly client: number;
	readonly final: number;
	/** Deductions from the fee by the final figures, in fen. */
	readonly fen: number;
	/** Units that people entered, by rule. */
	readonly recorded: Readonly<Record<string, number>>;
	/** The services that the contract prices. */
	readonly services: readonly AssessedService[];
}

/** From this share of a bound on people are warned. */
const NEAR_SHARE = 0.5;
const MOST_PERIODS = 120;
const PERIODS_OF_YEAR = { month: 12, 'contract-quarter': 4 } as const;

/** Every period from the beginning of the contract to the one that runs, or its last one, oldest first. None before it begins. */
export function periodsSoFar(profile: Pick<Profile, 'id' | 'zone' | 'contract' | 'period'>, nowMs: number): readonly Period[] {
	const term = termOf(profile);
	const periods: Period[] = [];
	for (let atMs = term.fromMs; atMs <= nowMs && (term.toMs === null || atMs < term.toMs) && periods.length < MOST_PERIODS; ) {
		const period = periodAt(profile, atMs);
		periods.push(period);
		atMs = period.toMs;
	}
	return periods;
}

/** Means by contract year, where the contract has any. */
export function yearStandings(
	profile: Pick<Profile, 'id' | 'zone' | 'year' | 'period' | 'payment' | 'contract'>,
	periods: readonly PeriodStanding[],
): readonly YearAnswer[] {
	const { year } = profile;
	if (year === undefined) return [];
	const size = PERIODS_OF_YEAR[profile.period.kind];
	const years: YearAnswer[] = [];
	for (let i = 0; i < periods.length; i += size) {
		const own = periods.slice(i, i + size);
		const over = own.filter((period) => period.over);
		const mean = (pick: (period: PeriodStanding) => number): number | null =>
			over.length === 0 ? null : Math.floor(over.reduce((sum, period) => sum + pick(period), 0) / over.length);
		const final = mean((period) => period.final);
		years.push({
			id: `y${i / size + 1}`,
			clause: year.clause,
			periods: own.map(({ period }) => period.id),
			over: over.length,
			self: mean((period) => period.self),
			client: mean((period) => period.client),
			final,
			fen:
				year.payment === 'mean' && final !== null
					? over.reduce((sum, { period }) => sum + stepFen(withFeeOf(profile, period), final), 0)
					: null,
		});
	}
	return years;
}

function stepFen({ payment, contract }: Pick<Profile, 'payment' | 'contract'>, centipoints: number): number {
	const step = [...payment.steps].sort((a, b) => a.below - b.below).find(({ below }) => centipoints < Math.round(below * 100));
	if (step === undefined) return 0;
	return Math.round((step.yuan ?? 0) * 100 + (contract.fee_yuan * Math.round(Number(step.percent_of_fee ?? '0') * 10_000)) / 10_000);
}

export function terminationStandings(
	profile: Pick<Profile, 'termination' | 'contract'>,
	periods: readonly PeriodStanding[],
): readonly TerminationAnswer[] {
	return profile.termination.map((rule) => terminationStanding(rule, profile, periods));
}

function terminationStanding(
	rule: Profile['termination'][number],
	profile: Pick<Profile, 'contract'>,
	periods: readonly PeriodStanding[],
): TerminationAnswer {
	const { clause } = rule;
	switch (rule.kind) {
		case 'money-share': {
			const fen = periods.reduce((sum, period) => sum + period.fen, 0);
			const limitFen = Math.round(profile.contract.total_yuan * Number(rule.percent_of_contract));
			return { clause, kind: rule.kind, fen, limitFen, state: stateOf(fen, limitFen) };
		}
		case 'records': {
			const most = Math.max(0, ...periods.map(({ recorded }) => recorded[rule.rule] ?? 0));
			return { clause, kind: rule.kind, rule: rule.rule, most, limit: rule.in_period, state: stateOf(most, rule.in_period) };
		}
		case 'outage': {
			const limitSeconds = spanMs(rule.longer_than) / 1000;
			const longest = longestOutage(periods, rule.unknown ?? 'left-out');
			// Longer than the limit, not as long as.
			const state = longest.seconds > limitSeconds ? 'reached' : longest.seconds >= limitSeconds * NEAR_SHARE ? 'near' : 'far';
			return { clause, kind: rule.kind, ...longest, limitSeconds, state };
		}
		case 'low-scores': {
			const low = periods.filter(({ over }) => over).map(({ final }) => final < Math.round(rule.below * 100));
			const inAll = low.filter(Boolean).length;
			let inARow = 0;
			let longestRow = 0;
			for (const isLow of low) {
				inARow = isLow ? inARow + 1 : 0;
				longestRow = Math.max(longestRow, inARow);
			}
			const reached = longestRow >= rule.in_a_row || inAll >= rule.in_all;
			const near = inARow === rule.in_a_row - 1 || inAll === rule.in_all - 1;
			return {
				clause,
				kind: rule.kind,
				below: rule.below,
				inARow,
				inAll,
				mostInARow: rule.in_a_row,
				mostInAll: rule.in_all,
				state: reached ? 'reached' : near ? 'near' : 'far',
			};
		}
	}
}

function stateOf(used: number, limit: number): TerminationAnswer['state'] {
	return used >= limit ? 'reached' : used >= limit * NEAR_SHARE ? 'near' : 'far';
}

/** By what the contractor answers for. The edge of a period does not end an outage. */
function longestOutage(
	periods: readonly PeriodStanding[],
	unknown: UnknownAs,
): { readonly service: string | null; readonly seconds: number; readonly ongoing: boolean } {
	const last = new Map<string, { readonly to: number | null; readonly seconds: number }>();
	let longest: { service: string | null; seconds: number; ongoing: boolean } = { service: null, seconds: 0, ongoing: false };
	for (const { services } of periods) {
		for (const { service, outages } of services.filter(({ core }) => core).map((one) => readService(one, unknown))) {
			for (const outage of outages) {
				const before = last.get(service);
				const joined = before?.to === outage.fromSeconds ? before.seconds : 0;
				const seconds = joined + answeredSeconds(outage);
				last.set(service, { to: outage.toSeconds, seconds });
				if (seconds > longest.seconds) longest = { service, seconds, ongoing: outage.toSeconds === null };
			}
		}
	}
	return longest;
}
