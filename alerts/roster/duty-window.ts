import { type ZonedDate, zonedDate, zonedTimeMs } from '../../core/zone-time.ts';
import type { WindowConfig } from './config.ts';

/** `off`: a statutory day off. `work`: a 调休 working day. `ordinary`: its weekday decides. `unknown`: nobody has said yet; taken as ordinary, and reported. */
export type DutyDayKind = 'off' | 'work' | 'ordinary' | 'unknown';
export type DayKindOf = (date: CalendarDay) => DutyDayKind;

export interface CalendarDay {
	readonly year: number;
	readonly month: number;
	readonly day: number;
}

/** Half-open, milliseconds. */
export interface Span {
	readonly fromMs: number;
	readonly toMs: number;
}

const DAY_MS = 86_400_000;

/** Days since 1970-01-01 of a date on the calendar, whatever the zone. */
export function dayNumber({ year, month, day }: CalendarDay): number {
	return Math.floor(Date.UTC(year, month - 1, day) / DAY_MS);
}

export function calendarDay(number: number): CalendarDay & { readonly weekday: number } {
	const date = new Date(number * DAY_MS);
	return { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate(), weekday: date.getUTCDay() || 7 };
}

export function parseDay(text: string): number {
	const [year = 1970, month = 1, day = 1] = text.slice(0, 10).split('-').map(Number);
	return dayNumber({ year, month, day });
}

/** Minutes since midnight of `HH:MM`. */
export function minutesOf(text: string): number {
	const [hours = 0, minutes = 0] = text.split(':').map(Number);
	return hours * 60 + minutes;
}

/** The instant at which clocks of the zone show so many minutes after midnight of the day. */
export function instantOf(day: number, minutes: number, zone: string): number {
	const date = calendarDay(day);
	return zonedTimeMs({ ...date, hour: Math.floor(minutes / 60), minute: minutes % 60 }, zone);
}

export function localDay(timeMs: number, zone: string): number {
	return dayNumber(zonedDate(timeMs, zone) satisfies ZonedDate);
}

/** Hours of certain days, compiled. */
export interface DutyWindow {
	readonly zone: string;
	readonly startMinutes: number;
	/** More than a day where the hours go on after midnight. */
	readonly endMinutes: number;
	/** Whether hours begin on this day. */
	readonly onDay: (day: number, kindOf: DayKindOf) => boolean;
}

export function buildWindow(config: WindowConfig, zone: string): DutyWindow {
	const [start = 0, end = 1440] = config.hours.split('-').map(minutesOf);
	const { season, days } = config;
	const from = config.from === undefined ? Number.NEGATIVE_INFINITY : parseDay(config.from);
	const until = config.until === undefined ? Number.POSITIVE_INFINITY : parseDay(config.until);
	const weekdays = new Set(config.weekdays);
	return {
		zone,
		startMinutes: start,
		endMinutes: end > start ? end : end + 1440,
		onDay: (day, kindOf) => {
			if (day < from || day >= until) return false;
			const date = calendarDay(day);
			if (!weekdays.has(date.weekday)) return false;
			if (season !== undefined && !inSeason(date.month * 100 + date.day, season)) return false;
			return days === 'any' || (days === 'working') === isWorking(date, kindOf);
		},
	};
}

/** By the statutory calendar; `weekday` from 1 for Monday. */
export function isWorking(date: CalendarDay & { readonly weekday: number }, kindOf: DayKindOf): boolean {
	const kind = kindOf(date);
	return kind === 'work' || (kind !== 'off' && date.weekday <= 5);
}

function inSeason(monthDay: number, season: { readonly from: string; readonly to: string }): boolean {
	const from = Number(season.from.replace('-', ''));
	const to = Number(season.to.replace('-', ''));
	return from <= to ? monthDay >= from && monthDay <= to : monthDay >= from || monthDay <= to;
}

/** The hours that begin on the day, or `null`. A clock change can leave nothing of them. */
export function stintOf(window: DutyWindow, day: number, kindOf: DayKindOf): Span | null {
	if (!window.onDay(day, kindOf)) return null;
	const fromMs = instantOf(day, window.startMinutes, window.zone);
	const toMs = instantOf(day, window.endMinutes, window.zone);
	return toMs > fromMs ? { fromMs, toMs } : null;
}

/** Whether the window covers the instant. */
export function covers(window: DutyWindow, timeMs: number, kindOf: DayKindOf): boolean {
	const today = localDay(timeMs, window.zone);
	// What began yesterday may go on after midnight, and never for longer than a day by its clocks.
	for (const day of [today, today - 1]) {
		const stint = stintOf(window, day, kindOf);
		if (stint !== null && timeMs >= stint.fromMs && timeMs < stint.toMs) return true;
	}
	return false;
}

/** The window's hours inside the span, ascending, cut at its ends; stints may overlap. */
export function stintsIn(window: DutyWindow, span: Span, kindOf: DayKindOf): readonly Span[] {
	const stints: Span[] = [];
	const last = localDay(span.toMs, window.zone);
	for (let day = localDay(span.fromMs, window.zone) - 1; day <= last; day++) {
		const stint = stintOf(window, day, kindOf);
		if (stint === null || stint.toMs <= span.fromMs || stint.fromMs >= span.toMs) continue;
		stints.push({ fromMs: Math.max(stint.fromMs, span.fromMs), toMs: Math.min(stint.toMs, span.toMs) });
	}
	return stints;
}
