import { zonedDate, zonedTimeMs } from '../../core/zone-time.ts';
import type { CalendarConfig } from './config.ts';

/** A half-open span of whole seconds since the epoch. */
export interface SecondSpan {
	readonly from: number;
	readonly to: number;
}

/** The spans inside `[fromSeconds, toSeconds)` that lie **outside** of the service's hours, ascending, not touching. */
export function outsideHours(calendar: CalendarConfig, fromSeconds: number, toSeconds: number, zone: string): readonly SecondSpan[] {
	const open: SecondSpan[] = [];
	const first = zonedDate(fromSeconds * 1000, zone);
	// One day earlier, so that a span which began yesterday is seen; days are counted on the calendar, never as 86,400 s.
	for (let offset = -1; ; offset++) {
		const midnight = zonedTimeMs({ year: first.year, month: first.month, day: first.day + offset }, zone);
		if (midnight >= toSeconds * 1000) break;
		const date = zonedDate(midnight, zone);
		if (!calendar.weekdays.includes(date.weekday)) continue;
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
