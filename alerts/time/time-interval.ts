import { type Static, Type } from 'typebox';
import { AppError } from '../../core/errors.ts';
import { type ZonedDate, zonedDate, zonedTimeMs } from '../../core/zone-time.ts';
import { type DayKindOf, isWorking } from '../roster/duty-window.ts';

const Range = Type.Union([Type.String(), Type.Integer()]);

/** One entry of `time_intervals`, keys and meaning as in Alertmanager: all that is given must hold, and ends of times are excluded. */
export const TimeSpecSchema = Type.Object(
	{
		times: Type.Array(Type.Object({ start_time: Type.String(), end_time: Type.String() }, { additionalProperties: false }), {
			default: [],
		}),
		/** `monday:friday`, `sunday`; the week begins on Sunday. */
		weekdays: Type.Array(Type.String(), { default: [] }),
		/** `1:5`, `-3:-1` (from the end of the month). */
		days_of_month: Type.Array(Range, { default: [] }),
		/** `may:october`, `5:10`. */
		months: Type.Array(Range, { default: [] }),
		years: Type.Array(Range, { default: [] }),
		/** Not Alertmanager's: by China's statutory calendar, `working` has the 调休 days that are worked, `off` weekends and statutory days off. */
		days: Type.Optional(Type.Union([Type.Literal('working'), Type.Literal('off')])),
		/** UTC when absent, as in Alertmanager. */
		location: Type.String({ default: 'UTC' }),
	},
	{ additionalProperties: false },
);
export type TimeSpecConfig = Static<typeof TimeSpecSchema>;

export const NamedTimeIntervalSchema = Type.Object(
	{ name: Type.String({ minLength: 1 }), time_intervals: Type.Array(TimeSpecSchema, { default: [] }) },
	{ additionalProperties: false },
);
export type NamedTimeIntervalConfig = Static<typeof NamedTimeIntervalSchema>;

interface Span {
	readonly from: number;
	readonly to: number;
}

interface TimeSpec {
	readonly zone: string;
	/** Minutes of the day, `to` excluded. */
	readonly times: readonly Span[];
	readonly weekdays: readonly Span[];
	readonly daysOfMonth: readonly Span[];
	readonly months: readonly Span[];
	readonly years: readonly Span[];
	readonly days: TimeSpecConfig['days'];
}

export interface TimeInterval {
	readonly name: string;
	/** Whether any of its parts holds at that moment. */
	contains(timeMs: number): boolean;
	/** The first time at or after `timeMs`, the one that is under way included; `null` when none begins within 400 days. */
	next(timeMs: number): Occurrence | null;
}

/** `[fromMs, toMs)`, parts that join put together. */
export interface Occurrence {
	readonly fromMs: number;
	readonly toMs: number;
}

const LOOK_AHEAD_DAYS = 400;
/** Parts of one occurrence that are put together; what holds all the time has no end. */
const MOST_PARTS = 100;

const WEEKDAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];
const MONTHS = ['january', 'february', 'march', 'april', 'may', 'june', 'july', 'august', 'september', 'october', 'november', 'december'];

const BY_WEEKDAY: DayKindOf = () => 'ordinary';

/** Throws `FN_ALERTS_TIME_INTERVAL`. Without `kindOf`, Monday to Friday are working days. */
export function buildTimeInterval(config: NamedTimeIntervalConfig, kindOf: DayKindOf = BY_WEEKDAY): TimeInterval {
	const specs = config.time_intervals.map(buildSpec);
	return {
		name: config.name,
		contains: (timeMs) => specs.some((spec) => holds(spec, timeMs, kindOf)),
		next: (timeMs) => {
			const first = earliest(specs, timeMs, kindOf);
			if (first === null) return null;
			let { toMs } = first;
			for (let parts = 1; parts < MOST_PARTS; parts++) {
				const more = earliest(specs, toMs, kindOf);
				if (more === null || more.fromMs > toMs) break;
				toMs = more.toMs;
			}
			return { fromMs: first.fromMs, toMs };
		},
	};
}

function buildSpec(config: TimeSpecConfig): TimeSpec {
	try {
		zonedDate(0, config.location);
	} catch (error) {
		throw bad(`location "${config.location}" is not a time zone; write for example Asia/Shanghai`, error);
	}
	return {
		zone: config.location,
		times: config.times.map(({ start_time, end_time }) => {
			const [from, to] = [minuteOf(start_time), minuteOf(end_time)];
			if (from >= to)
				throw bad(`the time ${start_time} must be before ${end_time}; write a night as two entries, up to 24:00 and from 00:00`);
			return { from, to };
		}),
		weekdays: config.weekdays.map((text) => range(text, (part) => named(part, WEEKDAYS, 0))),
		daysOfMonth: config.days_of_month.map((text) => {
			const days = range(String(text), (part) => integer(part, -31, 31), true);
			if (days.from === 0 || days.to === 0) throw bad(`days_of_month "${text}": there is no day 0`);
			if (days.from < 0 && days.to > 0) throw bad(`days_of_month "${text}": when it begins from the end of the month it must end so`);
			if (days.from < 0 === days.to < 0 && days.from > days.to) throw bad(`days_of_month "${text}" ends before it begins`);
			return days;
		}),
		months: config.months.map((text) =>
			range(String(text), (part) => (/^\d+$/.test(part) ? integer(part, 1, 12) : named(part, MONTHS, 1))),
		),
		years: config.years.map((text) => range(String(text), (part) => integer(part, 1, 9999))),
		days: config.days,
	};
}

/** The first part that ends after `timeMs`. */
function earliest(specs: readonly TimeSpec[], timeMs: number, kindOf: DayKindOf): Occurrence | null {
	const found = specs.flatMap((spec) => nextOf(spec, timeMs, kindOf) ?? []);
	return found.reduce<Occurrence | null>((first, one) => (first === null || one.fromMs < first.fromMs ? one : first), null);
}

function nextOf(spec: TimeSpec, timeMs: number, kindOf: DayKindOf): Occurrence | null {
	const today = zonedDate(timeMs, spec.zone);
	const times = spec.times.length === 0 ? [{ from: 0, to: 24 * 60 }] : [...spec.times].sort((a, b) => a.from - b.from);
	for (let ahead = 0; ahead <= LOOK_AHEAD_DAYS; ahead++) {
		const date = new Date(Date.UTC(today.year, today.month - 1, today.day + ahead));
		const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate()];
		if (!onItsDay(spec, { ...today, year, month, day, weekday: date.getUTCDay() || 7 }, kindOf)) continue;
		const at = (minute: number) => zonedTimeMs({ year, month, day, hour: Math.floor(minute / 60), minute: minute % 60 }, spec.zone);
		const span = times.find(({ to }) => at(to) > timeMs);
		if (span !== undefined) return { fromMs: at(span.from), toMs: at(span.to) };
	}
	return null;
}

function holds(spec: TimeSpec, timeMs: number, kindOf: DayKindOf): boolean {
	const now = zonedDate(timeMs, spec.zone);
	const minute = now.hour * 60 + now.minute;
	return (spec.times.length === 0 || spec.times.some(({ from, to }) => minute >= from && minute < to)) && onItsDay(spec, now, kindOf);
}

function onItsDay(spec: TimeSpec, now: ZonedDate, kindOf: DayKindOf): boolean {
	const among = (spans: readonly Span[], value: number) => spans.length === 0 || spans.some(({ from, to }) => value >= from && value <= to);
	return (
		among(spec.weekdays, now.weekday % 7) &&
		(spec.daysOfMonth.length === 0 || spec.daysOfMonth.some((span) => onDay(span, now))) &&
		among(spec.months, now.month) &&
		among(spec.years, now.year) &&
		(spec.days === undefined || (spec.days === 'working') === isWorking(now, kindOf))
	);
}

function onDay({ from, to }: Span, now: ZonedDate): boolean {
	const days = new Date(Date.UTC(now.year, now.month, 0)).getUTCDate();
	const first = from < 0 ? days + from + 1 : from;
	const last = to < 0 ? days + to + 1 : to;
	return now.day >= first && now.day <= Math.min(last, days);
}

function minuteOf(text: string): number {
	const match = /^(\d{2}):(\d{2})$/.exec(text);
	const minute = match === null ? Number.NaN : Number(match[1]) * 60 + Number(match[2]);
	if (match === null || Number(match[2]) > 59 || minute > 24 * 60)
		throw bad(`"${text}" is not a time of day; write for example 07:30 or 24:00`);
	return minute;
}

function range(text: string, read: (part: string) => number, signed = false): Span {
	const parts = text.toLowerCase().split(':');
	if (parts.length > 2) throw bad(`"${text}" is not a range; write one value, or two joined by a colon`);
	const from = read((parts[0] ?? '').trim());
	const to = read((parts.at(-1) ?? '').trim());
	if (!signed && from > to) throw bad(`"${text}" ends before it begins`);
	return { from, to };
}

function named(text: string, names: readonly string[], base: number): number {
	const at = names.indexOf(text);
	if (at === -1) throw bad(`"${text}" is not one of ${names.join(', ')}`);
	return at + base;
}

function integer(text: string, min: number, max: number): number {
	const value = /^-?\d+$/.test(text) ? Number(text) : Number.NaN;
	if (!(value >= min && value <= max)) throw bad(`"${text}" is not a number from ${min} to ${max}`);
	return value;
}

function bad(message: string, cause?: unknown): AppError {
	return new AppError('FN_ALERTS_TIME_INTERVAL', message, { status: 400, ...(cause === undefined ? {} : { cause }) });
}
