const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const DAY_MS = 86_400_000;
const QUARTER_MS = 900_000;

/** 0 to 11 of an English month name, or `null`. */
export function monthOf(name: string): number | null {
	const index = MONTHS.indexOf(name.slice(0, 3).toLowerCase());
	return index < 0 ? null : index;
}

export interface WallTime {
	readonly year: number;
	/** 0 to 11. */
	readonly month: number;
	readonly day: number;
	readonly hour: number;
	readonly minute: number;
	readonly second: number;
	readonly millisecond?: number;
}

const formatters = new Map<string, Intl.DateTimeFormat>();
const offsets = new Map<string, number>();

/** The zone of this host. */
export function hostTimeZone(): string {
	return Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** Milliseconds since the epoch of a wall clock time in `zone`. A time that a daylight-saving change repeats is taken the second time. */
export function zonedTime(wall: WallTime, zone: string): number {
	const asUtc = Date.UTC(wall.year, wall.month, wall.day, wall.hour, wall.minute, wall.second, wall.millisecond ?? 0);
	const first = asUtc - offsetMs(asUtc, zone);
	return asUtc - offsetMs(first, zone);
}

/** The zone's offset at an instant, east positive. Kept per quarter of an hour, the grain of all zones, because formatting costs microseconds and lines come by the thousand. */
function offsetMs(instantMs: number, zone: string): number {
	const quarter = Math.floor(instantMs / QUARTER_MS);
	const key = `${zone} ${quarter}`;
	const known = offsets.get(key);
	if (known !== undefined) return known;
	let formatter = formatters.get(zone);
	if (formatter === undefined) {
		formatter = new Intl.DateTimeFormat('en-US', {
			timeZone: zone,
			hourCycle: 'h23',
			...({ year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' } as const),
		});
		formatters.set(zone, formatter);
	}
	const start = quarter * QUARTER_MS;
	const parts: Record<string, number> = {};
	for (const part of formatter.formatToParts(start)) parts[part.type] = Number(part.value);
	const local = Date.UTC(
		parts['year'] ?? 0,
		(parts['month'] ?? 1) - 1,
		parts['day'] ?? 1,
		parts['hour'] ?? 0,
		parts['minute'] ?? 0,
		parts['second'] ?? 0,
	);
	if (offsets.size > 500) offsets.clear();
	offsets.set(key, local - start);
	return local - start;
}

/**
 * RFC 3164 time (`Nov 21 21:05:57`), which has neither year nor zone: the year is the one that puts it nearest before
 * `nowMs`, with a day's grace for clocks that run ahead.
 */
export function bsdTime(wall: Omit<WallTime, 'year'>, zone: string, nowMs: number): number {
	const year = new Date(nowMs).getUTCFullYear();
	for (const candidate of [year + 1, year, year - 1]) {
		const time = zonedTime({ ...wall, year: candidate }, zone);
		// 29 February exists in leap years only; elsewhere it would silently become 1 March.
		const sameMonth = new Date(Date.UTC(candidate, wall.month, wall.day)).getUTCMonth() === wall.month;
		if (sameMonth && time <= nowMs + DAY_MS) return time;
	}
	return zonedTime({ ...wall, year }, zone);
}
