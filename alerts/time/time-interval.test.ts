import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseConfig } from '../../core/config-file.ts';
import { buildTimeInterval, NamedTimeIntervalSchema } from './time-interval.ts';

function interval(spec: string) {
	const result = parseConfig(`{ name: t, time_intervals: [${spec}] }`, { file: 'c.yml', schema: NamedTimeIntervalSchema });
	if (result.kind === 'bad') throw new Error(JSON.stringify(result.problems));
	return buildTimeInterval(result.config);
}

describe('a moment is inside or not, as in Alertmanager', () => {
	test.each([
		{ name: 'no part at all is always', spec: '{}', at: '2026-11-22T00:00:00Z', inside: true },
		{ name: 'the start counts', spec: "{ times: [{ start_time: '09:00', end_time: '17:00' }] }", at: '2026-11-22T09:00:00Z', inside: true },
		{
			name: 'the end does not',
			spec: "{ times: [{ start_time: '09:00', end_time: '17:00' }] }",
			at: '2026-11-22T17:00:00Z',
			inside: false,
		},
		{
			name: 'the last minute before midnight',
			spec: "{ times: [{ start_time: '17:00', end_time: '24:00' }] }",
			at: '2026-11-22T23:59:59Z',
			inside: true,
		},
		{
			name: 'a location',
			spec: "{ times: [{ start_time: '00:00', end_time: '07:30' }], location: Asia/Shanghai }",
			at: '2026-11-21T23:29:00Z',
			inside: true,
		},
		{
			name: 'UTC without one',
			spec: "{ times: [{ start_time: '00:00', end_time: '07:30' }] }",
			at: '2026-11-21T23:29:00Z',
			inside: false,
		},
		{ name: 'a Sunday', spec: '{ weekdays: [sunday] }', at: '2026-11-22T12:00:00Z', inside: true },
		{ name: 'not a weekday', spec: "{ weekdays: ['monday:friday'] }", at: '2026-11-22T12:00:00Z', inside: false },
		{ name: 'capital letters', spec: '{ weekdays: [Sunday] }', at: '2026-11-22T12:00:00Z', inside: true },
		{ name: 'the last day of a short month', spec: "{ days_of_month: ['-1'] }", at: '2026-02-28T12:00:00Z', inside: true },
		{ name: 'the day before it', spec: "{ days_of_month: ['-1'] }", at: '2026-02-27T12:00:00Z', inside: false },
		{ name: 'from a day to the end', spec: "{ days_of_month: ['25:-1'] }", at: '2026-02-28T12:00:00Z', inside: true },
		{ name: 'a day that February has not', spec: "{ days_of_month: ['30:31'] }", at: '2026-02-28T12:00:00Z', inside: false },
		{ name: 'months by name', spec: "{ months: ['may:october'] }", at: '2026-10-31T12:00:00Z', inside: true },
		{ name: 'months by number', spec: "{ months: ['5:10'] }", at: '2026-11-01T00:00:00Z', inside: false },
		{ name: 'years', spec: '{ years: [2026] }', at: '2026-01-01T00:00:00Z', inside: true },
		{ name: 'all parts must hold', spec: '{ weekdays: [sunday], months: [may] }', at: '2026-11-22T12:00:00Z', inside: false },
		{ name: 'any entry may hold', spec: '{ weekdays: [monday] }, { weekdays: [sunday] }', at: '2026-11-22T12:00:00Z', inside: true },
	])('$name', ({ spec, at, inside }) => {
		expect(interval(spec).contains(Date.parse(at))).toBe(inside);
	});
});

test.each([
	"{ times: [{ start_time: '17:00', end_time: '09:00' }] }",
	"{ times: [{ start_time: '9:00', end_time: '10:00' }] }",
	"{ times: [{ start_time: '09:60', end_time: '10:00' }] }",
	"{ times: [{ start_time: '09:00', end_time: '24:01' }] }",
	'{ weekdays: [funday] }',
	"{ weekdays: ['friday:monday'] }",
	"{ days_of_month: ['0'] }",
	"{ days_of_month: ['32'] }",
	"{ days_of_month: ['-3:2'] }",
	"{ days_of_month: ['5:1'] }",
	"{ months: ['13'] }",
	"{ years: ['2027:2026'] }",
	'{ location: Nowhere/Town }',
])('%s is refused', (spec) => {
	expect(() => interval(spec)).toThrow(expect.objectContaining({ code: 'FN_ALERTS_TIME_INTERVAL' }));
});

test.each([
	{ name: 'a Thursday', date: '2026-10-08', working: true },
	{ name: 'a Thursday that is a statutory day off', date: '2026-10-01', working: false },
	{ name: 'a Saturday', date: '2026-10-17', working: false },
	{ name: 'a Saturday that is worked', date: '2026-10-10', working: true },
])('$name is decided by the statutory calendar', ({ date, working }) => {
	const kinds: Readonly<Record<string, 'off' | 'work'>> = { '10-1': 'off', '10-10': 'work' };
	const holds = (days: 'working' | 'off') =>
		buildTimeInterval(
			{
				name: 'x',
				time_intervals: [{ times: [], weekdays: [], days_of_month: [], months: [], years: [], days, location: 'Asia/Shanghai' }],
			},
			({ month, day }) => kinds[`${month}-${day}`] ?? 'ordinary',
		).contains(Date.parse(`${date}T12:00:00+08:00`));
	expect([holds('working'), holds('off')]).toEqual([working, !working]);
});

const ANY_DAY = { times: [], weekdays: [], days_of_month: [], months: [], years: [] };

test('the next time is the first minute that holds, to the first that does not', () => {
	const minute = fc.integer({ min: 0, max: 24 * 12 - 1 }).map((fifths) => fifths * 5);
	const text = (of: number) => `${String(Math.floor(of / 60)).padStart(2, '0')}:${String(of % 60).padStart(2, '0')}`;
	const spec = fc.record({
		times: fc.array(
			fc.tuple(minute, fc.integer({ min: 1, max: 60 })).map(([from, length]) => ({
				start_time: text(from),
				end_time: text(Math.min(24 * 60, from + length * 5)),
			})),
			{ maxLength: 2 },
		),
		weekdays: fc.subarray(['monday', 'wednesday:thursday', 'saturday', 'sunday'], { minLength: 1 }),
		location: fc.constantFrom('Asia/Shanghai', 'UTC'),
	});
	const STEP_MS = 300_000;
	fc.assert(
		fc.property(fc.array(spec, { minLength: 1, maxLength: 2 }), fc.integer({ min: 0, max: 2015 }), (specs, ahead) => {
			const times = buildTimeInterval({ name: 'x', time_intervals: specs.map((one) => ({ ...ANY_DAY, ...one })) });
			const fromMs = Date.UTC(2026, 9, 1) + ahead * STEP_MS;
			const next = times.next(fromMs);
			let first = fromMs;
			while (!times.contains(first)) first += STEP_MS;
			let end = first;
			while (times.contains(end) && end - first < 8 * 86_400_000) end += STEP_MS;
			expect(Math.max(next?.fromMs ?? 0, fromMs)).toBe(first);
			// All week long has no end within what is looked at.
			if (end - first < 8 * 86_400_000) expect(next?.toMs).toBe(end);
			expect(times.contains((next?.toMs ?? 0) - STEP_MS)).toBe(true);
		}),
		{ numRuns: 25 },
	);
	expect(
		buildTimeInterval({ name: 'x', time_intervals: [{ ...ANY_DAY, location: 'UTC', years: ['2020'] }] }).next(Date.UTC(2026, 0, 1)),
	).toBeNull();
});
