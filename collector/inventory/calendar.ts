import { AppError } from '../../core/errors.ts';
import { zonedDate, zonedTimeMs } from '../../core/zone-time.ts';
import type { CalendarConfig, HolidayYear, InventoryConfig } from './config.ts';
import { dayKind } from './holidays.ts';

/** A half-open span of whole seconds since the epoch. */
export interface SecondSpan {
	readonly from: number;
	readonly to: number;
}

/** A day means its midnight in the zone. */
export function momentMs(text: string, zone: string): number {
	const date = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
	return date === null ? Date.parse(text) : zonedTimeMs({ year: Number(date[1]), month: Number(date[2]), day: Number(date[3]) }, zone);
}

/**
 * The spans inside `span` that lie outside of the hours of the calendar `id`, by the version that holds at each moment. `always`, and
 * an id that does not exist, is never closed. Throws `FN_CALENDAR_YEAR`.
 */
export function closedSpans(
	inventory: Pick<InventoryConfig, 'calendars' | 'holidays' | 'zone'>,
	id: string,
	span: SecondSpan,
): readonly SecondSpan[] {
	const { zone, holidays } = inventory;
	const versions = inventory.calendars
		.filter((calendar) => calendar.id === id)
		.map((calendar) => ({
			calendar,
			from: calendar.valid_from === undefined ? Number.NEGATIVE_INFINITY : Math.floor(momentMs(calendar.valid_from, zone) / 1000),
		}))
		.sort((a, b) => a.from - b.from);
	const closed: { from: number; to: number }[] = [];
	versions.forEach(({ calendar, from }, i) => {
		// Before the first version nothing else is known, so it holds there as well.
		const begin = Math.max(span.from, i === 0 ? Number.NEGATIVE_INFINITY : from);
		const end = Math.min(span.to, versions[i + 1]?.from ?? Number.POSITIVE_INFINITY);
		if (begin >= end) return;
		for (const part of outsideHours(calendar, begin, end, zone, holidays)) {
			const last = closed.at(-1);
			if (last?.to === part.from) last.to = part.to;
			else closed.push({ ...part });
		}
	});
	return closed;
}

/** Whether a calendar can be asked for. Its hours may still be unknown in a year whose statutory holidays nobody has entered yet. */
export function hasCalendar({ calendars }: Pick<InventoryConfig, 'calendars'>, id: string): boolean {
	return id === 'always' || calendars.some((calendar) => calendar.id === id);
}

/**
 * Whether a moment lies inside the hours of a calendar. `null` where nobody can say: there is no such calendar, or it follows
 * statutory holidays of a year that is not known. `always` is never left.
 */
export function insideHours(
	inventory: Pick<InventoryConfig, 'calendars' | 'holidays' | 'zone'>,
	id: string,
	timeMs: number,
): boolean | null {
	if (!hasCalendar(inventory, id)) return null;
	const from = Math.floor(timeMs / 1000);
	try {
		return closedSpans(inventory, id, { from, to: from + 1 }).length === 0;
	} catch (error) {
		if (error instanceof AppError && error.code === 'FN_CALENDAR_YEAR') return null;
		throw error;
	}
}

/** The spans inside `[fromSeconds, toSeconds)` that lie **outside** of the service's hours, ascending, not touching. */
export function outsideHours(
	calendar: CalendarConfig,
	fromSeconds: number,
	toSeconds: number,
	zone: string,
	holidays: readonly HolidayYear[] = [],
): readonly SecondSpan[] {
	const open: SecondSpan[] = [];
	const first = zonedDate(fromSeconds * 1000, zone);
	const statutory = calendar.holidays === 'statutory';
	// One day earlier, so that a span which began yesterday is seen; days are counted on the calendar, never as 86,400 s.
	for (let offset = -1; ; offset++) {
		const midnight = zonedTimeMs({ year: first.year, month: first.month, day: first.day + offset }, zone);
		if (midnight >= toSeconds * 1000) break;
		const date = zonedDate(midnight, zone);
		const kind = statutory ? dayKind(date, holidays) : 'ordinary';
		if (kind === 'off' || (kind === 'ordinary' && !calendar.weekdays.includes(date.weekday))) continue;
		for (const season of calendar.seasons) {
			if (!inSeason(date.month * 100 + date.day, season.from, season.to)) continue;
			const [start, end] = season.hours.split('-').map(minutesOf) as [number, number];
			const at = (minutes: number) =>
				Math.floor(zonedTimeMs({ ...date, hour: Math.floor(minutes / 60), minute: minutes % 60 }, zone) / 1000);
			// Hours that end before they begin go on after midnight.
			open.push({ from: at(start), to: at(end > start ? end : end + 1440) });
		}
	}
	open.sort((a, b) => a.from - b.from);
	const closed: SecondSpan[] = [];
	let at = fromSeconds;
	for (const span of open) {
		if (span.from > at) closed.push({ from: at, to: Math.min(span.from, toSeconds) });
		at = Math.max(at, span.to);
		if (at >= toSeconds) break;
	}
	if (at < toSeconds) closed.push({ from: at, to: toSeconds });
	return closed.filter((span) => span.to > span.from);
}

function minutesOf(text: string): number {
	const [hours = 0, minutes = 0] = text.split(':').map(Number);
	return hours * 60 + minutes;
}

function inSeason(monthDay: number, from: string, to: string): boolean {
	const start = Number(from.replace('-', ''));
	const end = Number(to.replace('-', ''));
	return start <= end ? monthDay >= start && monthDay <= end : monthDay >= start || monthDay <= end;
}
