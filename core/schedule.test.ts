import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { dueTime, expectedIntervalMs, nextTime, parseSchedule, previousTime, type ScheduleConfig } from './schedule.ts';
import { formatZoned, zonedDate, zonedTimeMs } from './zone-time.ts';

const at = (text: string) => Date.parse(`${text.replace(' ', 'T')}+08:00`);
const shown = (timeMs: number | null, zone = 'Asia/Shanghai') => (timeMs === null ? null : formatZoned(timeMs, zone).slice(0, 16));
function schedule(config: ScheduleConfig) {
	const result = parseSchedule(config);
	if (result.kind === 'bad') throw new Error(`${result.key}: ${result.message}`);
	return result.schedule;
}

test.each<{ name: string; config: ScheduleConfig; now: string; previous: string; next: string }>([
	{ name: 'every 10 min', config: { every: '10m' }, now: '2026-03-05 12:34:56', previous: '2026-03-05 12:30', next: '2026-03-05 12:40' },
	{
		name: 'on the dot it is the previous one',
		config: { every: '10m' },
		now: '2026-03-05 12:30:00',
		previous: '2026-03-05 12:30',
		next: '2026-03-05 12:40',
	},
	{
		name: 'half-hourly with an offset',
		config: { every: '30m', offset: '5m' },
		now: '2026-03-05 00:04:59',
		previous: '2026-03-04 23:35',
		next: '2026-03-05 00:05',
	},
	{
		name: 'hourly by day only',
		config: { every: '1h', from: '07:30', until: '21:30' },
		now: '2026-03-05 23:00:00',
		previous: '2026-03-05 21:00',
		next: '2026-03-06 08:00',
	},
	{
		name: 'hourly over midnight',
		config: { every: '1h', from: '22:00', until: '02:00' },
		now: '2026-03-05 12:00:00',
		previous: '2026-03-05 02:00',
		next: '2026-03-05 22:00',
	},
	{
		name: 'daily after 23:00',
		config: { at: ['23:00'] },
		now: '2026-03-05 22:59:59',
		previous: '2026-03-04 23:00',
		next: '2026-03-05 23:00',
	},
	{
		name: 'Mondays',
		config: { at: ['08:00'], weekdays: [1] },
		now: '2026-03-05 12:00:00',
		previous: '2026-03-02 08:00',
		next: '2026-03-09 08:00',
	},
	{ name: 'cron', config: { cron: '30 2 * * *' }, now: '2026-03-05 12:00:00', previous: '2026-03-05 02:30', next: '2026-03-06 02:30' },
	{
		name: 'cron with steps and ranges',
		config: { cron: '*/20 8-9 * * mon-fri' },
		now: '2026-03-06 12:00:00',
		previous: '2026-03-06 09:40',
		next: '2026-03-09 08:00',
	},
	{
		name: 'cron, first of the month',
		config: { cron: '0 1 1 * *' },
		now: '2026-03-05 12:00:00',
		previous: '2026-03-01 01:00',
		next: '2026-04-01 01:00',
	},
	{
		name: 'cron, either day field',
		config: { cron: '0 0 15 * 7' },
		now: '2026-03-09 12:00:00',
		previous: '2026-03-08 00:00',
		next: '2026-03-15 00:00',
	},
	{
		name: 'cron, 29 February',
		config: { cron: '0 0 29 2 *' },
		now: '2026-03-05 12:00:00',
		previous: '2024-02-29 00:00',
		next: '2028-02-29 00:00',
	},
])('$name', ({ config, now, previous, next }) => {
	const found = schedule(config);
	expect([shown(previousTime(found, at(now))), shown(nextTime(found, at(now)))]).toEqual([previous, next]);
});

test('clocks that skip an hour do not skip a run', () => {
	const found = schedule({ at: ['02:30'], zone: 'Europe/Berlin' });
	const next = nextTime(found, Date.parse('2026-03-28T12:00:00Z'));
	expect(next).toBe(Date.parse('2026-03-29T01:30:00Z'));
});

test.each<{ name: string; config: ScheduleConfig; key: string }>([
	{ name: 'nothing', config: {}, key: '' },
	{ name: 'two kinds', config: { every: '10m', at: ['23:00'] }, key: 'at' },
	{ name: 'seven minutes', config: { every: '7m' }, key: 'every' },
	{ name: 'a second', config: { every: '1s' }, key: 'every' },
	{ name: 'an offset beyond the interval', config: { every: '10m', offset: '10m' }, key: 'offset' },
	{ name: 'an offset without an interval', config: { at: ['01:00'], offset: '1m' }, key: 'offset' },
	{ name: 'no time of day', config: { at: ['25:00'] }, key: 'at' },
	{ name: 'the 24th hour', config: { at: ['24:00'] }, key: 'at' },
	{ name: 'an empty window', config: { every: '1h', from: '07:10', until: '07:50' }, key: 'until' },
	{ name: 'four fields', config: { cron: '0 0 * *    ' }, key: 'cron' },
	{ name: 'the 61st minute', config: { cron: '61 0 * * *' }, key: 'cron' },
	{ name: 'a day that never comes', config: { cron: '0 0 30 2 *' }, key: 'cron' },
	{ name: 'no zone', config: { every: '1h', zone: 'Mars/Base' }, key: 'zone' },
])('refused: $name', ({ config, key }) => {
	expect(parseSchedule(config)).toMatchObject({ kind: 'bad', key });
});

describe('due', () => {
	const daily = schedule({ at: ['23:00'] });
	const options = (now: string) => ({ nowMs: at(now), graceMs: 2 * 3_600_000, earlyMs: 10 * 60_000 });
	test.each([
		{ name: 'delivered last night', success: '2026-03-04 23:20:00', now: '2026-03-05 12:00:00', due: '2026-03-06 01:00' },
		{ name: 'a little early counts', success: '2026-03-05 22:55:00', now: '2026-03-05 23:30:00', due: '2026-03-07 01:00' },
		{ name: 'missed', success: '2026-03-03 23:20:00', now: '2026-03-05 12:00:00', due: '2026-03-05 01:00' },
		{ name: 'never: the last deadline that has passed', success: null, now: '2026-03-05 12:00:00', due: '2026-03-05 01:00' },
		{ name: 'never, within the grace', success: null, now: '2026-03-05 00:30:00', due: '2026-03-04 01:00' },
	])('$name', ({ success, now, due }) => {
		expect(shown(dueTime(daily, success === null ? null : at(success), options(now)))).toBe(due);
	});
});

test('the interval that a time lies in', () => {
	expect(expectedIntervalMs(schedule({ every: '30m' }), at('2026-03-05 12:34:00'))).toBe(30 * 60_000);
	expect(expectedIntervalMs(schedule({ every: '1h', from: '08:00', until: '20:00' }), at('2026-03-05 23:00:00'))).toBe(12 * 3_600_000);
});

test('the next of the previous is never skipped', () => {
	const configs: ScheduleConfig[] = [
		{ every: '10m' },
		{ every: '1h', from: '07:30', until: '21:30' },
		{ at: ['23:00', '05:15'], weekdays: [2, 6] },
		{ cron: '15 3 1,15 * *' },
	];
	fc.assert(
		fc.property(
			fc.constantFrom(...configs),
			fc.integer({ min: at('2025-01-01 00:00:00'), max: at('2030-01-01 00:00:00') }),
			(config, now) => {
				const found = schedule(config);
				const previous = previousTime(found, now) ?? Number.NaN;
				const next = nextTime(found, now) ?? Number.NaN;
				expect(previous).toBeLessThanOrEqual(now);
				expect(next).toBeGreaterThan(now);
				expect(nextTime(found, previous)).toBe(next);
				expect(previousTime(found, next)).toBe(next);
				expect(previousTime(found, next - 1)).toBe(previous);
			},
		),
		{ numRuns: 200 },
	);
});

test.each([
	'Europe/Berlin',
	'America/New_York',
	'Australia/Lord_Howe',
	'Antarctica/Troll',
	'Asia/Shanghai',
])('the next time in %s is the same as by a walk over every minute of the day, also where clocks are set', (zone) => {
	const parsed = parseSchedule({ at: ['00:20', '01:40', '02:10', '02:30'], zone });
	if (parsed.kind === 'bad') throw new Error(parsed.message);
	const { schedule } = parsed;
	const walked = (timeMs: number) => {
		const { year, month, day } = zonedDate(timeMs, zone);
		for (let ahead = 0; ahead < 2; ahead++)
			for (const minute of schedule.minutes) {
				const candidate = zonedTimeMs({ year, month, day: day + ahead, hour: Math.floor(minute / 60), minute: minute % 60 }, zone);
				if (candidate > timeMs) return candidate;
			}
		return null;
	};
	// Days on which clocks are set in these zones, and ordinary ones between.
	for (const day of ['2026-03-08', '2026-03-29', '2026-04-04', '2026-04-05', '2026-10-03', '2026-10-24', '2026-10-25', '2026-11-01'])
		for (let minute = 0; minute < 1440; minute += 7) {
			const timeMs = Date.parse(`${day}T00:00:30Z`) + minute * 60_000;
			expect(nextTime(schedule, timeMs)).toBe(walked(timeMs));
		}
});
