import chineseDays from 'chinese-days';
import { AppError } from '../../core/errors.ts';
import type { HolidayYear } from './config.ts';

/** `off`: a statutory day off. `work`: a 调休 working day. `ordinary`: its weekday decides. */
export type DayKind = 'off' | 'work' | 'ordinary';

export interface CalendarDate {
	readonly year: number;
	readonly month: number;
	readonly day: number;
}

interface YearDays {
	readonly off: ReadonlySet<string>;
	readonly work: ReadonlySet<string>;
}

const shipped = new Map<number, YearDays | null>();

/**
 * What a date is by China's statutory holidays: by `own` where it has the year, otherwise by the package chinese-days, which follows
 * the State Council's yearly notices. Throws `FN_CALENDAR_YEAR` for a year without data: taken as ordinary days, its holidays would
 * silently count as service hours.
 */
export function dayKind(date: CalendarDate, own: readonly HolidayYear[]): DayKind {
	const year = daysOf(date.year, own);
	if (year === null) {
		throw new AppError(
			'FN_CALENDAR_YEAR',
			`the statutory holidays of ${date.year} are not known; add that year under inventory.holidays (off: days off, work: 调休 working days)`,
		);
	}
	const key = `${String(date.month).padStart(2, '0')}-${String(date.day).padStart(2, '0')}`;
	return year.off.has(key) ? 'off' : year.work.has(key) ? 'work' : 'ordinary';
}

/** The same for whoever must have an answer in a year that nobody has entered yet. */
export function dayKindOrUnknown(date: CalendarDate, own: readonly HolidayYear[]): DayKind | 'unknown' {
	return knowsYear(date.year, own) ? dayKind(date, own) : 'unknown';
}

/** Whether the statutory days of the year are known. */
function knowsYear(year: number, own: readonly HolidayYear[]): boolean {
	return daysOf(year, own) !== null;
}

function daysOf(year: number, own: readonly HolidayYear[]): YearDays | null {
	const given = own.find((entry) => entry.year === year);
	if (given !== undefined) return { off: new Set(given.off), work: new Set(given.work) };
	let days = shipped.get(year);
	if (days === undefined) {
		days = readYear(year);
		shipped.set(year, days);
	}
	return days;
}

function readYear(year: number): YearDays | null {
	const off = new Set<string>();
	const work = new Set<string>();
	for (let ms = Date.UTC(year, 0, 1); ms < Date.UTC(year + 1, 0, 1); ms += 86_400_000) {
		const date = new Date(ms).toISOString().slice(0, 10);
		const { work: worked, name } = chineseDays.getDayDetail(date);
		// Ordinary days carry the English name of their weekday, statutory ones "name,名,days".
		if (!name.includes(',')) continue;
		(worked ? work : off).add(date.slice(5));
	}
	return off.size === 0 ? null : { off, work };
}
