import { AppError } from '../../core/errors.ts';
import { formatZoned, monthRange, zonedDate, zonedTimeMs } from '../../core/zone-time.ts';
import type { Profile } from './profile.ts';
import { dayOf, termOf, withinTerm } from './term.ts';

/** A period of assessment, `[fromMs, toMs)`, as far as the contract runs. Months are named `2023-05`, contract quarters by their number from 1: `q3`. */
export interface Period {
	readonly id: string;
	readonly fromMs: number;
	readonly toMs: number;
}

const DAY_MS = 86_400_000;

type PeriodRules = Pick<Profile, 'id' | 'zone' | 'contract' | 'period'>;

/** The period of that name. Throws `FN_CONTRACT_PERIOD`, and `FN_CONTRACT_TERM` for one outside of the contract's term. */
export function periodOf(profile: PeriodRules, id: string): Period {
	return withinTerm(profile, wholePeriod(profile, id), id);
}

/** The month or the quarter of that name, whether or not the contract runs all of it. Throws `FN_CONTRACT_PERIOD`. */
function wholePeriod(profile: PeriodRules, id: string): Period {
	if (profile.period.kind === 'month') {
		const range = monthRange(id, profile.zone);
		if (range === null) throw badPeriod(profile, id, 'a month is written 2023-05');
		return { id, ...range };
	}
	const quarter = /^q([1-9]\d{0,2})$/.exec(id);
	if (quarter === null) throw badPeriod(profile, id, 'a contract quarter is written q1, q2, …');
	const number = Number(quarter[1]);
	return { id, fromMs: quarterStart(profile, number), toMs: quarterStart(profile, number + 1) };
}

/** The profile with the fee of this period, in whole fen, where the contract gives a period that it cuts its share of the days only. */
export function withFeeOf<T extends PeriodRules>(profile: T, period: Period): T {
	if (profile.contract.fee_of_cut_period !== 'by-days') return profile;
	const feeFen = Math.round(profile.contract.fee_yuan * 100);
	const whole = daysOf(wholePeriod(profile, period.id));
	// Halves up, in integers.
	const fen = Math.floor((2 * feeFen * daysOf(period) + whole) / (2 * whole));
	return { ...profile, contract: { ...profile.contract, fee_yuan: fen / 100 } };
}

/** Periods begin and end at midnight; a change of the clock makes a day an hour longer or shorter. */
function daysOf({ fromMs, toMs }: Period): number {
	return Math.round((toMs - fromMs) / DAY_MS);
}

/** The period in which the moment lies. Throws `FN_CONTRACT_TERM` for one before or after the contract. */
export function periodAt(profile: PeriodRules, timeMs: number): Period {
	const term = termOf(profile);
	if (timeMs < term.fromMs || (term.toMs !== null && timeMs >= term.toMs))
		withinTerm(profile, { fromMs: timeMs, toMs: timeMs }, formatZoned(timeMs, profile.zone));
	const date = zonedDate(timeMs, profile.zone);
	if (profile.period.kind === 'month') return periodOf(profile, `${date.year}-${String(date.month).padStart(2, '0')}`);
	const start = dayOf(profile.contract.start);
	const months = (date.year - start.year) * 12 + date.month - start.month;
	// The day of the month decides about one quarter: the one that was counted to has begun, or begins later this month.
	const counted = Math.floor(months / 3) + 1;
	return periodOf(profile, `q${timeMs < quarterStart(profile, counted) ? counted - 1 : counted}`);
}

/** A contract that starts on the 31st has quarters that start on the last day of shorter months. */
function quarterStart(profile: PeriodRules, number: number): number {
	const { year, month, day } = dayOf(profile.contract.start);
	const index = month - 1 + (number - 1) * 3;
	const lastDay = new Date(Date.UTC(year, index + 1, 0)).getUTCDate();
	return zonedTimeMs({ year, month: index + 1, day: Math.min(day, lastDay) }, profile.zone);
}

function badPeriod(profile: PeriodRules, id: string, hint: string): AppError {
	return new AppError('FN_CONTRACT_PERIOD', `"${id.slice(0, 40)}" is not a period of ${profile.id}: ${hint}`, { status: 400 });
}
