import { AppError } from '../../core/errors.ts';
import { spokenSeconds } from '../../core/spoken-duration.ts';
import { zonedDate, zonedTimeMs } from '../../core/zone-time.ts';
import type { SecondSpan } from '../inventory/calendar.ts';
import type { HolidayYear } from '../inventory/config.ts';
import { dayKind } from '../inventory/holidays.ts';

/** Time that does not count for a clock in service hours, inside the span, ascending; whole seconds. */
export type ClosedTime = (service: string | null, span: SecondSpan) => readonly SecondSpan[];

/** What a limit needs beside its text. */
export interface ClockRules {
	readonly zone: string;
	readonly holidays: readonly HolidayYear[];
	readonly closed: ClosedTime;
}

const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };
/** A clock in service time that has not run out after this long meets a calendar that never opens. */
const LONGEST_SEARCH_MS = 400 * 86_400_000;

/** Milliseconds of `5m`, `2h`, `7d`; working days have no fixed length and throw `FN_CONTRACT_LIMIT`. */
export function spanMs(limit: string): number {
	const match = /^(\d+)(s|m|h|d|w)$/.exec(limit);
	const unit = UNIT_MS[match?.[2] ?? ''];
	if (match === null || unit === undefined) {
		throw new AppError('FN_CONTRACT_LIMIT', `"${limit}" is not a span of time; write for example 5m, 2h or 7d`, { status: 400 });
	}
	return Number(match[1]) * unit;
}

/** A span as people say it: `1h` is `1 小时`. */
export function spokenSpan(limit: string, language: 'zh' | 'en'): string {
	return spokenSeconds(spanMs(limit) / 1000, language);
}

/**
 * When a limit that began at `fromMs` runs out. Working days (`5wd`) run out at the end of the n-th working day after the day it
 * began; days and weeks are 24 and 168 hours. Throws `FN_CALENDAR_YEAR` where the holidays of a year are not known.
 */
export function deadlineMs(
	fromMs: number,
	limit: string,
	rules: ClockRules,
	clock: { readonly hours: 'always' | 'service'; readonly service: string | null },
): number {
	const days = /^(\d+)wd$/.exec(limit);
	if (days !== null) return workingDayEnd(fromMs, Number(days[1]), rules);
	const length = spanMs(limit);
	if (clock.hours === 'always') return fromMs + length;
	return serviceDeadline(fromMs, length, (span) => rules.closed(clock.service, span));
}

/** The same for whoever must go on in a year whose holidays nobody has entered yet: `null` until they are known. */
export function deadlineOrUnknownMs(...parameters: Parameters<typeof deadlineMs>): number | null {
	try {
		return deadlineMs(...parameters);
	} catch (error) {
		if (error instanceof AppError && error.code === 'FN_CALENDAR_YEAR') return null;
		throw error;
	}
}

function serviceDeadline(fromMs: number, lengthMs: number, closed: (span: SecondSpan) => readonly SecondSpan[]): number {
	let left = lengthMs;
	let at = fromMs;
	while (at - fromMs < LONGEST_SEARCH_MS) {
		const end = at + Math.max(left, 86_400_000);
		const span = { from: Math.floor(at / 1000), to: Math.ceil(end / 1000) };
		for (const part of closed(span)) {
			const open = Math.max(0, part.from * 1000 - at);
			if (open >= left && part.from * 1000 > at) return at + left;
			left -= open;
			at = Math.max(at, part.to * 1000);
		}
		if (at + left <= end) return at + left;
		left -= Math.max(0, end - at);
		at = Math.max(at, end);
	}
	throw new AppError('FN_CONTRACT_LIMIT', 'the service is never open, so a limit in service hours cannot run out; check its calendar', {
		status: 400,
	});
}

function workingDayEnd(fromMs: number, days: number, { zone, holidays }: ClockRules): number {
	const start = zonedDate(fromMs, zone);
	let found = 0;
	for (let offset = 1; ; offset++) {
		const midnight = zonedTimeMs({ year: start.year, month: start.month, day: start.day + offset }, zone);
		if (found === days) return midnight;
		const date = zonedDate(midnight, zone);
		const kind = dayKind(date, holidays);
		if (kind === 'work' || (kind === 'ordinary' && date.weekday <= 5)) found++;
	}
}
