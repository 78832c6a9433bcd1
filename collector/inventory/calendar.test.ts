import { expect, test } from 'vitest';
import { parseConfig } from '../../core/config-file.ts';
import { formatRfc3339, formatZoned, monthRange, zonedTimeMs } from '../../core/zone-time.ts';
import { insideHours, outsideHours } from './calendar.ts';
import { checkInventory } from './check-inventory.ts';
import { InventoryConfigSchema } from './config.ts';

const ZONE = 'Asia/Shanghai';
const city = {
	id: 'city',
	weekdays: [1, 2, 3, 4, 5, 6, 7],
	seasons: [
		{ from: '05-01', to: '10-31', hours: '07:30-22:30' },
		{ from: '11-01', to: '04-30', hours: '07:30-21:30' },
	],
};

function closed(calendar: typeof city, from: string, to: string, zone = ZONE): string[] {
	return outsideHours(calendar, Date.parse(from) / 1000, Date.parse(to) / 1000, zone).map(
		(span) => `${formatZoned(span.from * 1000, zone).slice(5, 16)} ${formatZoned(span.to * 1000, zone).slice(5, 16)}`,
	);
}

test('the season changes at midnight of its first day', () => {
	expect(closed(city, '2026-10-31T00:00:00+08:00', '2026-11-02T00:00:00+08:00')).toEqual([
		'10-31 00:00 10-31 07:30',
		'10-31 22:30 11-01 07:30',
		'11-01 21:30 11-02 00:00',
	]);
});

test('the last day of a season that wraps over New Year belongs to it', () => {
	expect(closed(city, '2026-04-30T00:00:00+08:00', '2026-05-02T00:00:00+08:00')).toEqual([
		'04-30 00:00 04-30 07:30',
		'04-30 21:30 05-01 07:30',
		'05-01 22:30 05-02 00:00',
	]);
});

test('days are counted on the calendar where one has 25 hours', () => {
	const offices = { ...city, weekdays: [1, 2, 3, 4, 5], seasons: [{ from: '01-01', to: '12-31', hours: '08:00-20:00' }] };
	// The clocks go back in the night to Sunday 2026-10-25.
	expect(closed(offices, '2026-10-24T00:00:00+02:00', '2026-10-28T21:00:00+01:00', 'Europe/Berlin')).toEqual([
		'10-24 00:00 10-26 08:00',
		'10-26 20:00 10-27 08:00',
		'10-27 20:00 10-28 08:00',
		'10-28 20:00 10-28 21:00',
	]);
});

test('a season may wrap over New Year, and hours over midnight', () => {
	expect(
		closed(
			{ ...city, seasons: [{ from: '12-01', to: '01-31', hours: '22:00-02:00' }] },
			'2026-12-31T00:00:00+08:00',
			'2027-01-02T00:00:00+08:00',
		),
	).toEqual(['12-31 02:00 12-31 22:00', '01-01 02:00 01-01 22:00']);
});

test('days off are closed all day', () => {
	// 2026-11-21 is a Saturday.
	expect(closed({ ...city, weekdays: [1, 2, 3, 4, 5] }, '2026-11-20T12:00:00+08:00', '2026-11-23T12:00:00+08:00')).toEqual([
		'11-20 21:30 11-23 07:30',
	]);
});

test('hours follow the clocks where they change', () => {
	const spans = outsideHours(
		{ ...city, seasons: [{ from: '01-01', to: '12-31', hours: '00:00-24:00' }] },
		Date.parse('2026-03-28T00:00:00Z') / 1000,
		Date.parse('2026-03-31T00:00:00Z') / 1000,
		'Europe/Berlin',
	);
	expect(spans).toEqual([]);
});

test.each([
	{ name: 'ordinary', reading: { year: 2026, month: 11, day: 21, hour: 20, minute: 53 }, zone: ZONE, want: '2026-11-21T12:53:00.000Z' },
	{ name: 'month overflow', reading: { year: 2026, month: 13, day: 1 }, zone: ZONE, want: '2026-12-31T16:00:00.000Z' },
	{
		name: 'skipped by a clock change',
		reading: { year: 2026, month: 3, day: 29, hour: 2, minute: 30 },
		zone: 'Europe/Berlin',
		want: '2026-03-29T01:30:00.000Z',
	},
	{
		name: 'after a clock change',
		reading: { year: 2026, month: 3, day: 29, hour: 12 },
		zone: 'Europe/Berlin',
		want: '2026-03-29T10:00:00.000Z',
	},
])('a reading of a clock is an instant: $name', ({ reading, zone, want }) => {
	expect(new Date(zonedTimeMs(reading, zone)).toISOString()).toBe(want);
});

test('a month is what the calendar says in its zone', () => {
	const range = monthRange('2026-02', ZONE);
	expect(range).toEqual({ fromMs: Date.parse('2026-02-01T00:00:00+08:00'), toMs: Date.parse('2026-03-01T00:00:00+08:00') });
	expect(monthRange('2026-13', ZONE)).toBeNull();
	expect(formatRfc3339(range?.fromMs ?? 0, ZONE)).toBe('2026-02-01T00:00:00+08:00');
});

test('an inventory with several mistakes names each with its place', () => {
	const text = `
checks:
  - id: a
    interval: 100ms
services:
  - id: one
    name: One
    checks: [a, missing]
    children: [two]
  - id: two
    name: Two
    children: [one]
    calendar: nowhere
  - id: three
    name: Three
    colour: red
`;
	const result = parseConfig(text, { file: 'collector.yml', schema: InventoryConfigSchema, check: checkInventory });
	expect(result.kind === 'bad' ? result.problems.map((problem) => `${problem.line} ${problem.path}`) : []).toEqual([
		'4 checks[0].interval',
		'8 services[0].checks[1]',
		'9 services[0].children',
		'12 services[1].children',
		'13 services[1].calendar',
		'14 services[2]',
		'16 services[2].colour',
	]);
});

test('a moment lies inside the hours, outside, or nobody can say', () => {
	const inventory = {
		zone: ZONE,
		holidays: [],
		calendars: [
			{ ...city, holidays: 'none' as const },
			{ ...city, id: 'offices', holidays: 'statutory' as const },
		],
	};
	const at = (id: string, time: string) => insideHours(inventory, id, Date.parse(time));
	expect(at('city', '2026-11-20T07:30:00+08:00')).toBe(true);
	expect(at('city', '2026-11-20T21:29:59.999+08:00')).toBe(true);
	expect(at('city', '2026-11-20T21:30:00+08:00')).toBe(false);
	expect(at('always', '2026-11-20T03:00:00+08:00')).toBe(true);
	expect(at('gone', '2026-11-20T12:00:00+08:00')).toBeNull();
	expect(at('offices', '2026-10-01T12:00:00+08:00')).toBe(false);
	expect(at('offices', '2099-10-01T12:00:00+08:00')).toBeNull();
});
