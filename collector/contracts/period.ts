import { AppError } from '../../core/errors.ts';
import { formatZoned, monthRange, zonedDate, zonedTimeMs } from '../../core/zone-time.ts';
import type { Profile } from './profile.ts';

/** A period of assessment, `[fromMs, toMs)`. Months are named `2023-05`, contract quarters by their number from 1: `q3`. */
export interface Period {
	readonly id: string;
	readonly fromMs: number;
	readonly toMs: number;
}

type PeriodRules = Pick<Profile, 'id' | 'zone' | 'contract' | 'period'>;

/** The period of that name. Throws `FN_CONTRACT_PERIOD`. */
export function periodOf(profile: PeriodRules, id: string): Period {
	if (profile.period.kind === 'month') {
		const range = monthRange(id, profile.zone);
		if (range === null) throw badPeriod(profile, id, 'a month is written 2023-05');
		return { id, ...range };
	}
	const quarter = /^q([1-9]\d{0,2})$/.exec(id);
	if (quarter === null) throw badPeriod(profile, id, 'a contract quarter is written q1, q2, …');
	return quarterOf(profile, Number(quarter[1]));
}

/** The period in which the moment lies. A moment before the contract belongs to no quarter: `FN_CONTRACT_PERIOD`. */
export function periodAt(profile: PeriodRules, timeMs: number): Period {
	const date = zonedDate(timeMs, profile.zone);
	if (profile.period.kind === 'month') return periodOf(profile, `${date.year}-${String(date.month).padStart(2, '0')}`);
	const start = startOf(profile);
	const months = (date.year - start.year) * 12 + date.month - start.month;
	// The day of the month decides about one quarter at most, so one step back or forth is enough.
	for (const number of [Math.floor(months / 3), Math.floor(months / 3) + 1]) {
		if (number < 1) continue;
		const quarter = quarterOf(profile, number);
		if (timeMs >= quarter.fromMs && timeMs < quarter.toMs) return quarter;
	}
	throw badPeriod(profile, formatZoned(timeMs, profile.zone), `the contract begins on ${profile.contract.start}`);
}

function quarterOf(profile: PeriodRules, number: number): Period {
	return { id: `q${number}`, fromMs: quarterStart(profile, number), toMs: quarterStart(profile, number + 1) };
}

/** A contract that starts on the 31st has quarters that start on the last day of shorter months. */
function quarterStart(profile: PeriodRules, number: number): number {
	const { year, month, day } = startOf(profile);
	const index = month - 1 + (number - 1) * 3;
	const lastDay = new Date(Date.UTC(year, index + 1, 0)).getUTCDate();
	return zonedTimeMs({ year, month: index + 1, day: Math.min(day, lastDay) }, profile.zone);
}

function startOf(profile: PeriodRules): { readonly year: number; readonly month: number; readonly day: number } {
	const [year = 0, month = 1, day = 1] = profile.contract.start.split('-').map(Number);
	return { year, month, day };
}

function badPeriod(profile: PeriodRules, id: string, hint: string): AppError {
	return new AppError('FN_CONTRACT_PERIOD', `"${id.slice(0, 40)}" is not a period of ${profile.id}: ${hint}`, { status: 400 });
}
