/** A wall-clock reading in some zone. `month` and `day` count from 1; `weekday` 1 is Monday. */
export interface ZonedDate {
	readonly year: number;
	readonly month: number;
	readonly day: number;
	readonly hour: number;
	readonly minute: number;
	readonly second: number;
	readonly weekday: number;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function formatFor(zone: string): Intl.DateTimeFormat {
	let format = formats.get(zone);
	if (format === undefined) {
		format = new Intl.DateTimeFormat('en-US', {
			timeZone: zone,
			hourCycle: 'h23',
			year: 'numeric',
			month: 'numeric',
			day: 'numeric',
			hour: 'numeric',
			minute: 'numeric',
			second: 'numeric',
		});
		formats.set(zone, format);
	}
	return format;
}

export function zonedDate(timeMs: number, zone: string): ZonedDate {
	const parts: Record<string, number> = {};
	for (const part of formatFor(zone).formatToParts(timeMs)) if (part.type !== 'literal') parts[part.type] = Number(part.value);
	const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
	const weekday = new Date(Date.UTC(year, month - 1, day)).getUTCDay();
	return { year, month, day, hour, minute, second, weekday: weekday === 0 ? 7 : weekday };
}

/**
 * The instant at which clocks in `zone` show the given reading. Readings that a clock change skips move forward by the
 * gap; readings that occur twice mean the first. `hour` 24 is the next midnight, and days overflow into months.
 */
export function zonedTimeMs(
	reading: { readonly year: number; readonly month: number; readonly day: number; readonly hour?: number; readonly minute?: number },
	zone: string,
): number {
	const asUtc = Date.UTC(reading.year, reading.month - 1, reading.day, reading.hour ?? 0, reading.minute ?? 0);
	const before = asUtc - offsetMs(asUtc - 86_400_000, zone);
	const after = asUtc - offsetMs(asUtc + 86_400_000, zone);
	if (offsetMs(before, zone) === asUtc - before) return before;
	if (offsetMs(after, zone) === asUtc - after) return after;
	return before;
}

/** How far clocks in `zone` are ahead of UTC at that instant. */
export function offsetMs(timeMs: number, zone: string): number {
	const { year, month, day, hour, minute, second } = zonedDate(timeMs, zone);
	return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(timeMs / 1000) * 1000;
}

const two = (n: number): string => String(n).padStart(2, '0');

/** `2026-11-21 20:53:09` on that zone's clocks. */
export function formatZoned(timeMs: number, zone: string): string {
	const { year, month, day, hour, minute, second } = zonedDate(timeMs, zone);
	return `${year}-${two(month)}-${two(day)} ${two(hour)}:${two(minute)}:${two(second)}`;
}

/** RFC 3339 with the zone's offset, whole seconds: `2026-11-21T20:53:09+08:00`. */
export function formatRfc3339(timeMs: number, zone: string): string {
	const offset = offsetMs(timeMs, zone);
	const sign = offset < 0 ? '-' : '+';
	const minutes = Math.abs(offset) / 60_000;
	const suffix = offset === 0 ? 'Z' : `${sign}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
	return formatZoned(timeMs, zone).replace(' ', 'T') + suffix;
}

/** `[from, to)` of a calendar month written `YYYY-MM`, or `null` when it is not one. */
export function monthRange(month: string, zone: string): { readonly fromMs: number; readonly toMs: number } | null {
	const match = /^(\d{4})-(0[1-9]|1[0-2])$/.exec(month);
	if (match === null) return null;
	const year = Number(match[1]);
	const number = Number(match[2]);
	return { fromMs: zonedTimeMs({ year, month: number, day: 1 }, zone), toMs: zonedTimeMs({ year, month: number + 1, day: 1 }, zone) };
}

/** `YYYY-MM` of the instant. */
export function monthOf(timeMs: number, zone: string): string {
	const { year, month } = zonedDate(timeMs, zone);
	return `${year}-${two(month)}`;
}
