/** A moment as templates see it: the methods of Go's `time.Time` that texts use (pkg.go.dev/time). */
export interface GoTime {
	readonly Format: (layout: unknown) => string;
	readonly String: () => string;
	/** Go's int64: a JavaScript number of this size would be printed as a float. */
	readonly Unix: () => bigint;
	readonly UnixMilli: () => bigint;
	/** Nanoseconds, as Go writes durations: `28800e9` is eight hours. */
	readonly Add: (nanoseconds: unknown) => GoTime;
	readonly Sub: (other: unknown) => GoDuration;
	readonly AddDate: (years: unknown, months: unknown, days: unknown) => GoTime;
	readonly After: (other: unknown) => boolean;
	readonly Before: (other: unknown) => boolean;
	readonly Equal: (other: unknown) => boolean;
	readonly IsZero: () => boolean;
	readonly UTC: () => GoTime;
	readonly Local: () => GoTime;
	readonly Year: () => number;
	readonly Month: () => string;
	readonly Day: () => number;
	readonly YearDay: () => number;
	readonly Hour: () => number;
	readonly Minute: () => number;
	readonly Second: () => number;
	readonly Weekday: () => string;
}

export interface GoDuration {
	readonly String: () => string;
	readonly Hours: () => number;
	readonly Minutes: () => number;
	readonly Seconds: () => number;
	readonly Milliseconds: () => number;
	readonly Round: (nanoseconds: unknown) => GoDuration;
	readonly Truncate: (nanoseconds: unknown) => GoDuration;
}

const MOMENT = Symbol('milliseconds since the epoch');
const LENGTH = Symbol('milliseconds');

const MONTHS = 'January February March April May June July August September October November December'.split(' ');
const DAYS = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ');
/** Go's zero time, 1 January of the year 1. */
export const GO_ZERO_TIME_MS = Date.UTC(2001, 0, 1) - 63_113_904_000_000;

/** `zone` is an IANA name. Throws `RangeError` for one that is none. */
export function goTime(ms: number, zone = 'UTC'): GoTime {
	const offsetMinutes = offsetOf(ms, zone);
	const wall = new Date(ms + offsetMinutes * 60_000);
	const again = (nextMs: number) => goTime(nextMs, zone);
	const time: GoTime & { readonly [MOMENT]: number } = {
		[MOMENT]: ms,
		Format: (layout) => formatLayout(wall, String(layout), { offsetMinutes, zone }),
		String: () => {
			const text = formatLayout(wall, '2006-01-02 15:04:05', { offsetMinutes, zone });
			const fraction = fractionOf(wall, 9).replace(/0+$/, '');
			return `${text}${fraction === '' ? '' : `.${fraction}`} ${formatLayout(wall, '-0700 MST', { offsetMinutes, zone })}`;
		},
		Unix: () => BigInt(Math.floor(ms / 1000)),
		UnixMilli: () => BigInt(Math.floor(ms)),
		Add: (nanoseconds) => again(ms + millisecondsOf(nanoseconds)),
		Sub: (other) => goDuration(ms - momentOf(other)),
		AddDate: (years, months, days) => {
			const moved = new Date(wall);
			moved.setUTCFullYear(wall.getUTCFullYear() + Number(years), wall.getUTCMonth() + Number(months), wall.getUTCDate() + Number(days));
			return again(moved.getTime() - offsetMinutes * 60_000);
		},
		After: (other) => ms > momentOf(other),
		Before: (other) => ms < momentOf(other),
		Equal: (other) => ms === momentOf(other),
		IsZero: () => ms === GO_ZERO_TIME_MS,
		UTC: () => goTime(ms),
		Local: () => goTime(ms, Intl.DateTimeFormat().resolvedOptions().timeZone),
		Year: () => wall.getUTCFullYear(),
		Month: () => MONTHS[wall.getUTCMonth()] ?? '',
		Day: () => wall.getUTCDate(),
		YearDay: () => yearDay(wall),
		Hour: () => wall.getUTCHours(),
		Minute: () => wall.getUTCMinutes(),
		Second: () => wall.getUTCSeconds(),
		Weekday: () => DAYS[wall.getUTCDay()] ?? '',
	};
	return time;
}

/** The same moment in another zone. Throws for what is no time, and for a zone that is none. */
export function inZone(time: unknown, zone: string): GoTime {
	return goTime(momentOf(time), zone);
}

/** Throws for what is no time. */
export function timeOf(value: unknown): GoTime {
	momentOf(value);
	return value as GoTime;
}

export function goDuration(ms: number): GoDuration {
	const by = (nanoseconds: unknown, round: (value: number) => number) => {
		const unit = millisecondsOf(nanoseconds);
		return goDuration(unit <= 0 ? ms : round(ms / unit) * unit);
	};
	const length: GoDuration & { readonly [LENGTH]: number } = {
		[LENGTH]: ms,
		String: () => durationText(ms),
		Hours: () => ms / 3_600_000,
		Minutes: () => ms / 60_000,
		Seconds: () => ms / 1000,
		Milliseconds: () => Math.trunc(ms),
		Round: (nanoseconds) => by(nanoseconds, Math.round),
		Truncate: (nanoseconds) => by(nanoseconds, Math.trunc),
	};
	return length;
}

/** Milliseconds of a duration of ours, or of a number of nanoseconds. */
export function millisecondsOf(value: unknown): number {
	if (typeof value === 'number') return value / 1e6;
	if (typeof value === 'object' && value !== null && LENGTH in value) return Number(value[LENGTH]);
	throw new Error('the argument is no duration');
}

function momentOf(value: unknown): number {
	if (typeof value === 'object' && value !== null && MOMENT in value) return Number(value[MOMENT]);
	throw new Error('the argument is no time');
}

function offsetOf(ms: number, zone: string): number {
	if (zone === 'UTC') return 0;
	const parts = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' }).formatToParts(ms);
	const match = /GMT([+-])(\d\d):(\d\d)/.exec(parts.find(({ type }) => type === 'timeZoneName')?.value ?? '');
	if (match === null) return 0;
	return (match[1] === '-' ? -1 : 1) * (Number(match[2]) * 60 + Number(match[3]));
}

/** Go's name of a zone: `CST` for Asia/Shanghai, which `Intl` calls GMT+8. */
function zoneName(wall: Date, { offsetMinutes, zone }: ZoneOffset): string {
	if (zone === 'UTC') return 'UTC';
	if (['Asia/Shanghai', 'PRC', 'Asia/Chongqing', 'Asia/Taipei'].includes(zone)) return 'CST';
	const parts = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'short' }).formatToParts(
		wall.getTime() - offsetMinutes * 60_000,
	);
	const name = parts.find(({ type }) => type === 'timeZoneName')?.value ?? '';
	return /^[A-Z]{3,5}$/.test(name) ? name : offsetText(offsetMinutes, '').replace(/00$/, '');
}

interface ZoneOffset {
	readonly offsetMinutes: number;
	readonly zone: string;
}

/** The elements of a Go layout, longest first where one begins another. */
const LAYOUT =
	/January|Jan|Monday|Mon|MST|2006|Z07:00|Z0700|Z07|-07:00|-0700|-07|__2|_2006|_2|002|0[1-6]|15|[.,]0+(?!\d)|[.,]9+(?!\d)|PM|pm|1|2|3|4|5/g;

function formatLayout(wall: Date, layout: string, zone: ZoneOffset): string {
	const two = (value: number) => String(value).padStart(2, '0');
	const hour12 = wall.getUTCHours() % 12 === 0 ? 12 : wall.getUTCHours() % 12;
	const month = MONTHS[wall.getUTCMonth()] ?? '';
	const day = DAYS[wall.getUTCDay()] ?? '';
	const year = String(wall.getUTCFullYear()).padStart(4, '0');
	const elements: Readonly<Record<string, () => string>> = {
		January: () => month,
		Jan: () => month.slice(0, 3),
		Monday: () => day,
		Mon: () => day.slice(0, 3),
		MST: () => zoneName(wall, zone),
		'2006': () => year,
		_2006: () => `_${year}`,
		'06': () => year.slice(-2),
		'01': () => two(wall.getUTCMonth() + 1),
		'1': () => String(wall.getUTCMonth() + 1),
		'02': () => two(wall.getUTCDate()),
		_2: () => String(wall.getUTCDate()).padStart(2),
		'2': () => String(wall.getUTCDate()),
		'002': () => String(yearDay(wall)).padStart(3, '0'),
		__2: () => String(yearDay(wall)).padStart(3),
		'15': () => two(wall.getUTCHours()),
		'03': () => two(hour12),
		'3': () => String(hour12),
		'04': () => two(wall.getUTCMinutes()),
		'4': () => String(wall.getUTCMinutes()),
		'05': () => two(wall.getUTCSeconds()),
		'5': () => String(wall.getUTCSeconds()),
		PM: () => (wall.getUTCHours() < 12 ? 'AM' : 'PM'),
		pm: () => (wall.getUTCHours() < 12 ? 'am' : 'pm'),
		'-0700': () => offsetText(zone.offsetMinutes, ''),
		'-07:00': () => offsetText(zone.offsetMinutes, ':'),
		'-07': () => offsetText(zone.offsetMinutes, '').slice(0, 3),
		Z0700: () => (zone.offsetMinutes === 0 ? 'Z' : offsetText(zone.offsetMinutes, '')),
		'Z07:00': () => (zone.offsetMinutes === 0 ? 'Z' : offsetText(zone.offsetMinutes, ':')),
		Z07: () => (zone.offsetMinutes === 0 ? 'Z' : offsetText(zone.offsetMinutes, '').slice(0, 3)),
	};
	return layout.replace(LAYOUT, (element) => {
		const separator = element[0] ?? '';
		if (separator !== '.' && separator !== ',') return elements[element]?.() ?? element;
		const digits = fractionOf(wall, element.length - 1);
		if (element[1] === '0') return `${separator}${digits}`;
		const short = digits.replace(/0+$/, '');
		return short === '' ? '' : `${separator}${short}`;
	});
}

function fractionOf(wall: Date, digits: number): string {
	return `${String(wall.getUTCMilliseconds()).padStart(3, '0')}000000`.padEnd(digits, '0').slice(0, digits);
}

function offsetText(offsetMinutes: number, separator: string): string {
	const minutes = Math.abs(offsetMinutes);
	const two = (value: number) => String(value).padStart(2, '0');
	return `${offsetMinutes < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}${separator}${two(minutes % 60)}`;
}

function yearDay(wall: Date): number {
	const newYear = new Date(wall);
	newYear.setUTCMonth(0, 1);
	return Math.round((wall.getTime() - newYear.getTime()) / 86_400_000) + 1;
}

/** `1h2m3.5s`, as Go prints a duration. */
function durationText(ms: number): string {
	if (ms === 0) return '0s';
	const sign = ms < 0 ? '-' : '';
	const size = Math.abs(ms);
	if (size < 1000) return `${sign}${Number(size.toFixed(6))}ms`;
	const hours = Math.floor(size / 3_600_000);
	const minutes = Math.floor((size % 3_600_000) / 60_000);
	const seconds = Number(((size % 60_000) / 1000).toFixed(9));
	return `${sign}${hours > 0 ? `${hours}h` : ''}${hours > 0 || minutes > 0 ? `${minutes}m` : ''}${seconds}s`;
}
