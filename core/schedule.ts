import { type Static, Type } from 'typebox';
import { tryParseDuration } from './duration.ts';
import { type ZonedDate, zonedDate, zonedTimeMs } from './zone-time.ts';

export const DEFAULT_ZONE = 'Asia/Shanghai';

/**
 * When something is expected to happen, by the clocks of a zone. Exactly one of `every`, `at` and `cron`.
 *
 * - `every: 30m` with `offset: 5m` is 00:05, 00:35, …; `from`/`until` leave out what lies outside of them (`until` itself is in).
 * - `at: ['23:00']` is once a day each; `weekdays: [1, 5]` leaves only Mondays and Fridays.
 * - `cron: '30 2 * * *'` is minute, hour, day of month, month, day of week, as crontab(5) reads them.
 */
export const ScheduleSchema = Type.Object(
	{
		every: Type.Optional(Type.String({ minLength: 2 })),
		offset: Type.Optional(Type.String({ minLength: 1 })),
		from: Type.Optional(Type.String({ minLength: 4 })),
		until: Type.Optional(Type.String({ minLength: 4 })),
		at: Type.Optional(Type.Array(Type.String({ minLength: 4 }), { minItems: 1, maxItems: 1440 })),
		cron: Type.Optional(Type.String({ minLength: 9, maxLength: 200 })),
		weekdays: Type.Optional(Type.Array(Type.Integer({ minimum: 1, maximum: 7 }), { minItems: 1, maxItems: 7 })),
		zone: Type.Optional(Type.String({ minLength: 1 })),
	},
	{ additionalProperties: false },
);
export type ScheduleConfig = Static<typeof ScheduleSchema>;

export interface Schedule {
	readonly zone: string;
	/** Minutes of the day, ascending, without repetition, at least one. */
	readonly minutes: readonly number[];
	readonly onDay: (date: ZonedDate) => boolean;
}

export type ScheduleResult =
	| { readonly kind: 'ok'; readonly schedule: Schedule }
	| { readonly kind: 'bad'; readonly key: string; readonly message: string };

const DAY_MINUTES = 1440;
/** No zone puts its clocks forward by more: a reading that is skipped comes this much later. */
const PUT_FORWARD_MINUTES = 120;
/** A date that exists, 29 February on a given weekday, comes back within 40 years. */
const MOST_DAYS = 366 * 41;

export function parseSchedule(config: ScheduleConfig): ScheduleResult {
	const zone = config.zone ?? DEFAULT_ZONE;
	if (!isZone(zone)) return bad('zone', `"${zone}" is not a time zone; write for example ${DEFAULT_ZONE}`);
	const given = (['every', 'at', 'cron'] as const).filter((key) => config[key] !== undefined);
	if (given.length !== 1) return bad(given[1] ?? '', 'a schedule has exactly one of every, at and cron');
	if (config.every === undefined) {
		for (const key of ['offset', 'from', 'until'] as const)
			if (config[key] !== undefined) return bad(key, `only a schedule with "every" has "${key}"`);
	}
	const days = config.weekdays === undefined ? null : new Set(config.weekdays);
	const onDay = (date: ZonedDate) => days === null || days.has(date.weekday);
	if (config.cron !== undefined) {
		if (days !== null) return bad('weekdays', 'the days of a cron expression stand in the expression');
		return parseCron(config.cron, zone);
	}
	if (config.at !== undefined) {
		const minutes: number[] = [];
		for (const text of config.at) {
			const minute = minuteOfDay(text);
			if (minute === null || minute === DAY_MINUTES) return bad('at', `"${text}" is not a time of day; write for example 23:00`);
			minutes.push(minute);
		}
		return { kind: 'ok', schedule: { zone, minutes: ascending(minutes), onDay } };
	}
	return parseEvery(config, zone, onDay);
}

function parseEvery(config: ScheduleConfig, zone: string, onDay: Schedule['onDay']): ScheduleResult {
	const everyMs = tryParseDuration(config.every ?? '') ?? 0;
	const step = everyMs / 60_000;
	if (!Number.isInteger(step) || step < 1 || DAY_MINUTES % step !== 0)
		return bad(
			'every',
			`"${config.every}" does not divide a day into whole minutes; write for example 10m, 30m, 1h or 1d, or use "at" or "cron"`,
		);
	const offset = (tryParseDuration(config.offset ?? '0') ?? -1) / 60_000;
	if (!Number.isInteger(offset) || offset < 0 || offset >= step)
		return bad('offset', `"${config.offset}" is not less than "every", in whole minutes`);
	const from = config.from === undefined ? 0 : minuteOfDay(config.from);
	const until = config.until === undefined ? DAY_MINUTES : minuteOfDay(config.until);
	if (from === null) return bad('from', `"${config.from}" is not a time of day; write for example 07:30`);
	if (until === null) return bad('until', `"${config.until}" is not a time of day; write for example 22:30`);
	const minutes: number[] = [];
	for (let minute = offset; minute < DAY_MINUTES; minute += step) {
		const inside = from <= until ? minute >= from && minute <= until : minute >= from || minute <= until;
		if (inside) minutes.push(minute);
	}
	if (minutes.length === 0) return bad('until', 'no run lies between "from" and "until"');
	return { kind: 'ok', schedule: { zone, minutes, onDay } };
}

/** The first expected time after `timeMs`, or `null` when there is none. */
export function nextTime(schedule: Schedule, timeMs: number): number | null {
	const start = zonedDate(timeMs, schedule.zone);
	const readMinute = start.hour * 60 + start.minute;
	for (let ahead = 0; ahead < MOST_DAYS; ahead++) {
		const date = dayFrom(start, ahead);
		if (!schedule.onDay(date)) continue;
		for (const minute of schedule.minutes) {
			// Of today only what lies ahead is worth the zone's arithmetic.
			if (ahead === 0 && minute < readMinute - PUT_FORWARD_MINUTES) continue;
			const candidate = instant(date, minute, schedule.zone);
			if (candidate > timeMs) return candidate;
		}
	}
	return null;
}

/** The last expected time at or before `timeMs`, or `null` when there is none. */
export function previousTime(schedule: Schedule, timeMs: number): number | null {
	const start = zonedDate(timeMs, schedule.zone);
	for (let back = 0; back < MOST_DAYS; back++) {
		const date = dayFrom(start, -back);
		if (!schedule.onDay(date)) continue;
		for (let i = schedule.minutes.length - 1; i >= 0; i--) {
			const candidate = instant(date, schedule.minutes[i] as number, schedule.zone);
			if (candidate <= timeMs) return candidate;
		}
	}
	return null;
}

/**
 * Until when the run that follows a success is due: the first expected time after it, plus the grace. A success up to
 * `earlyMs` before an expected time counts for it. Where there has never been a success, the last deadline that has
 * passed, so that it is late from the first look on. `null` where the schedule has no such time.
 */
export function dueTime(
	schedule: Schedule,
	lastSuccessMs: number | null,
	options: { readonly nowMs: number; readonly graceMs: number; readonly earlyMs?: number },
): number | null {
	const expected =
		lastSuccessMs === null
			? previousTime(schedule, options.nowMs - options.graceMs)
			: nextTime(schedule, lastSuccessMs + (options.earlyMs ?? 0));
	return expected === null ? null : expected + options.graceMs;
}

/** How long the expected interval is that `timeMs` lies in. */
export function expectedIntervalMs(schedule: Schedule, timeMs: number): number | null {
	const before = previousTime(schedule, timeMs);
	const after = nextTime(schedule, timeMs);
	return before === null || after === null ? null : after - before;
}

/** Minutes since midnight of `HH:MM`; 24:00 is the end of the day. */
export function minuteOfDay(text: string): number | null {
	const match = /^([01]?[0-9]|2[0-4]):([0-5][0-9])$/.exec(text);
	const minute = match === null ? -1 : Number(match[1]) * 60 + Number(match[2]);
	return minute < 0 || minute > DAY_MINUTES ? null : minute;
}

export function isZone(zone: string): boolean {
	// The first use of Intl loads its data, which is a tenth of a second's wait less at a start that needs no other zone.
	if (zone === DEFAULT_ZONE) return true;
	try {
		new Intl.DateTimeFormat('en', { timeZone: zone });
		return true;
	} catch {
		return false;
	}
}

const FIELDS = [
	{ name: 'minute', min: 0, max: 59 },
	{ name: 'hour', min: 0, max: 23 },
	{ name: 'day of month', min: 1, max: 31 },
	{ name: 'month', min: 1, max: 12 },
	{ name: 'day of week', min: 0, max: 7 },
] as const;
const NAMES: Readonly<Record<string, number>> = Object.fromEntries([
	...['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'].map((name, i) => [name, i + 1]),
	...['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'].map((name, i) => [name, i]),
]);

/** crontab(5): when both day fields are restricted, a day that fits either of them counts. */
function parseCron(text: string, zone: string): ScheduleResult {
	const parts = text.trim().split(/\s+/);
	if (parts.length !== 5) return bad('cron', `"${text}" has ${parts.length} fields instead of five; write for example 30 2 * * *`);
	const sets: ReadonlySet<number>[] = [];
	for (const [i, field] of FIELDS.entries()) {
		const values = cronField(parts[i] as string, field);
		if (values === null) return bad('cron', `"${parts[i]}" is not a ${field.name} (${field.min} to ${field.max}) in "${text}"`);
		sets.push(values);
	}
	const [minutes, hours, monthDays, months, weekdays] = sets as [Set<number>, Set<number>, Set<number>, Set<number>, Set<number>];
	if (weekdays.has(0)) weekdays.add(7);
	const anyMonthDay = (parts[2] as string).startsWith('*');
	const anyWeekday = (parts[4] as string).startsWith('*');
	const list: number[] = [];
	for (const hour of hours) for (const minute of minutes) list.push(hour * 60 + minute);
	const schedule: Schedule = {
		zone,
		minutes: ascending(list),
		onDay: (date) => {
			if (!months.has(date.month)) return false;
			const byMonth = monthDays.has(date.day);
			const byWeek = weekdays.has(date.weekday);
			return anyMonthDay || anyWeekday ? byMonth && byWeek : byMonth || byWeek;
		},
	};
	if (nextTime(schedule, 0) === null) return bad('cron', `"${text}" never comes`);
	return { kind: 'ok', schedule };
}

function cronField(text: string, { min, max }: (typeof FIELDS)[number]): Set<number> | null {
	const values = new Set<number>();
	for (const part of text.toLowerCase().split(',')) {
		const match = /^(?:\*|([0-9]+|[a-z]{3})(?:-([0-9]+|[a-z]{3}))?)(?:\/([0-9]+))?$/.exec(part);
		if (match === null) return null;
		const number = (word: string) => (/^[0-9]/.test(word) ? Number(word) : (NAMES[word] ?? -1));
		const step = match[3] === undefined ? 1 : Number(match[3]);
		const first = match[1] === undefined ? min : number(match[1]);
		const last = match[1] === undefined ? max : match[2] !== undefined ? number(match[2]) : match[3] !== undefined ? max : first;
		if (step < 1 || first < min || last > max || first > last) return null;
		for (let value = first; value <= last; value += step) values.add(value);
	}
	return values;
}

function ascending(minutes: readonly number[]): readonly number[] {
	return [...new Set(minutes)].sort((a, b) => a - b);
}

function dayFrom(start: ZonedDate, days: number): ZonedDate {
	const date = new Date(Date.UTC(start.year, start.month - 1, start.day + days));
	const weekday = date.getUTCDay();
	return {
		year: date.getUTCFullYear(),
		month: date.getUTCMonth() + 1,
		day: date.getUTCDate(),
		hour: 0,
		minute: 0,
		second: 0,
		weekday: weekday === 0 ? 7 : weekday,
	};
}

function instant(date: ZonedDate, minute: number, zone: string): number {
	return zonedTimeMs({ ...date, hour: Math.floor(minute / 60), minute: minute % 60 }, zone);
}

function bad(key: string, message: string): ScheduleResult {
	return { kind: 'bad', key, message };
}
