import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseConfig } from '../../core/config-file.ts';
import { zonedDate, zonedTimeMs } from '../../core/zone-time.ts';
import { type LayerConfig, RosterSchema } from './config.ts';
import { calendarDay, type DayKindOf, type DutyDayKind, dayNumber } from './duty-window.ts';
import { buildRoster, type DutyChange, nextShift, onDuty, type Roster, shifts } from './roster.ts';

const SHANGHAI = 'Asia/Shanghai';
const ordinary: DayKindOf = () => 'ordinary';

function roster(yaml: string): Roster {
	const parsed = parseConfig(`{ id: main, name: 一线, layers: ${yaml} }`, { file: 'test', schema: RosterSchema });
	if (parsed.kind !== 'ok') throw new Error(JSON.stringify(parsed));
	return buildRoster(parsed.config, SHANGHAI);
}

const at = (text: string, zone = SHANGHAI) => {
	const [year = 0, month = 0, day = 0, hour = 0, minute = 0] = text.split(/[-T: ]/).map(Number);
	return zonedTimeMs({ year, month, day, hour, minute }, zone);
};
const who = (made: Roster, text: string, changes: readonly DutyChange[] = [], kindOf = ordinary) =>
	onDuty(made, at(text), { kindOf, changes }).join(' ');

describe('whose turn it is', () => {
	const weekly = roster("[{ name: weekly, people: [zhang, li, wang], start: '2026-11-02T09:00' }]");
	const night = roster("[{ name: night, people: [zhang, li], start: '2026-11-02', hours: '17:30-07:30', turn: { unit: day } }]");
	const office = roster(
		"[{ name: office, people: [[zhang, li], [wang, zhao]], start: '2026-09-28', hours: '09:00-17:00', days: working, turn: { unit: day, counts: active } }]",
	);
	// The National Day holidays of 2026 as an example: 1 to 7 October off, Saturday 10 October worked.
	const holidays: DayKindOf = ({ month, day }) => (month === 10 && day <= 7 ? 'off' : month === 10 && day === 10 ? 'work' : 'ordinary');

	test.each([
		{ name: 'nobody before the start', made: weekly, time: '2026-11-02T08:59', wanted: '' },
		{ name: 'the first from the start on', made: weekly, time: '2026-11-02T09:00', wanted: 'zhang' },
		{ name: 'until the hand-over', made: weekly, time: '2026-11-09T08:59', wanted: 'zhang' },
		{ name: 'then the second', made: weekly, time: '2026-11-09T09:00', wanted: 'li' },
		{ name: 'and round again, over New Year', made: weekly, time: '2027-01-04T09:00', wanted: 'zhang' },
		{ name: 'a night belongs to the day on which it began', made: night, time: '2026-11-03T07:29', wanted: 'zhang' },
		{ name: 'a night ends in the morning', made: night, time: '2026-11-03T07:30', wanted: '' },
		{ name: 'the next night is the next person', made: night, time: '2026-11-03T17:30', wanted: 'li' },
		{ name: 'two have duty together', made: office, time: '2026-09-28T09:00', wanted: 'zhang li' },
		{ name: 'a statutory day off has nobody', made: office, time: '2026-10-01T10:00', wanted: '' },
		{ name: 'holidays eat nobody a turn', made: office, time: '2026-10-08T10:00', wanted: 'wang zhao' },
		{ name: 'a Saturday that is worked counts', made: office, time: '2026-10-10T10:00', wanted: 'wang zhao' },
		{ name: 'a Sunday does not', made: office, time: '2026-10-11T10:00', wanted: '' },
	])('$name', ({ made, time, wanted }) => {
		expect(who(made, time, [], holidays)).toBe(wanted);
	});

	test('a season wraps over New Year, and a later layer replaces an earlier one', () => {
		const made = roster(`[
			{ name: all, people: [zhang], start: '2026-01-01' },
			{ name: winter, people: [li], start: '2026-01-01', hours: '21:00-24:00', season: { from: 11-01, to: 04-30 }, mode: replace },
			{ name: extra, people: [wang], start: '2026-01-01', hours: '21:00-24:00', weekdays: [6] }]`);
		expect(who(made, '2026-10-31T22:00')).toBe('zhang wang');
		expect(who(made, '2026-11-01T22:00')).toBe('li');
		expect(who(made, '2027-01-02T22:00')).toBe('li wang');
		expect(who(made, '2027-04-30T22:00')).toBe('li');
		expect(who(made, '2027-05-01T22:00')).toBe('zhang wang');
	});

	test('overrides, swaps and additions hold inside of their span, in their order', () => {
		const day = { roster: 'main', fromMs: at('2026-11-03'), toMs: at('2026-11-04') };
		const change = (instead: string, person: string): DutyChange => ({ ...day, instead, person });
		expect(who(weekly, '2026-11-03T12:00', [change('zhang', 'zhao')])).toBe('zhao');
		expect(who(weekly, '2026-11-03T12:00', [change('li', 'zhao')])).toBe('zhang');
		expect(who(weekly, '2026-11-03T12:00', [change('', 'zhao')])).toBe('zhang zhao');
		expect(who(weekly, '2026-11-03T12:00', [change('', 'zhao'), change('*', 'qian')])).toBe('qian');
		expect(who(weekly, '2026-11-03T12:00', [change('zhang', 'zhao'), change('zhao', 'qian')])).toBe('qian');
		expect(who(weekly, '2026-11-04T00:00', [change('zhang', 'zhao')])).toBe('zhang');
		expect(who(office, '2026-09-28T09:00', [{ ...change('li', 'zhao'), fromMs: at('2026-09-28'), toMs: at('2026-09-29') }])).toBe(
			'zhang zhao',
		);
		expect(who(weekly, '2026-11-03T12:00', [{ ...change('zhang', 'zhao'), roster: 'other' }])).toBe('zhang');
	});

	test('the next shift is the first that somebody else has', () => {
		const context = { kindOf: ordinary, changes: [] };
		expect(nextShift(weekly, at('2026-11-03T12:00'), context)).toMatchObject({ fromMs: at('2026-11-09T09:00'), people: ['li'] });
		expect(nextShift(night, at('2026-11-03T12:00'), context)).toMatchObject({ fromMs: at('2026-11-03T17:30'), people: ['li'] });
		// Nobody has the day between two nights.
		expect(nextShift(night, at('2026-11-03T03:00'), context)).toMatchObject({ fromMs: at('2026-11-03T17:30'), people: ['li'] });
		const alone = roster("[{ name: one, people: [zhang], start: '2026-01-01' }]");
		expect(nextShift(alone, at('2026-11-03T12:00'), context)).toBeNull();
	});

	test('clocks that change move the hand-over with them', () => {
		const parsed = parseConfig(
			"{ id: b, name: b, zone: Europe/Berlin, layers: [{ name: d, people: [a, b], start: '2026-03-27T02:30', turn: { unit: day } }] }",
			{
				file: 'test',
				schema: RosterSchema,
			},
		);
		if (parsed.kind !== 'ok') throw new Error('bad roster');
		const made = buildRoster(parsed.config, SHANGHAI);
		const context = { kindOf: ordinary, changes: [] };
		// 02:30 does not exist on 29 March: the hand-over is at 03:30.
		const skipped = at('2026-03-29T03:30', 'Europe/Berlin');
		expect(onDuty(made, skipped - 1, context)).toEqual(['b']);
		expect(onDuty(made, skipped, context)).toEqual(['a']);
		// On 25 October it comes twice: the first time counts.
		const doubled = Date.UTC(2026, 9, 25, 0, 30);
		expect(onDuty(made, doubled - 1, context)).not.toEqual(onDuty(made, doubled, context));
		expect(onDuty(made, doubled + 3_600_000, context)).toEqual(onDuty(made, doubled, context));
	});
});

/** Minute by minute and hand-over by hand-over from the very beginning, as one would do it with a finger on a paper calendar. */
function slowWalk(
	config: { readonly zone: string; readonly layers: readonly LayerConfig[] },
	timeMs: number,
	kindOf: DayKindOf,
	changes: readonly DutyChange[],
): string[] {
	const { zone } = config;
	const reading = (date: { year: number; month: number; day: number }, text: string, moreDays = 0) => {
		const [hour = 0, minute = 0] = text.split(':').map(Number);
		return zonedTimeMs({ ...date, day: date.day + moreDays, hour, minute }, zone);
	};
	const dayMatches = (layer: LayerConfig, date: { year: number; month: number; day: number; weekday: number }) => {
		const text = `${date.year}-${String(date.month).padStart(2, '0')}-${String(date.day).padStart(2, '0')}`;
		if (layer.from !== undefined && text < layer.from) return false;
		if (layer.until !== undefined && text >= layer.until) return false;
		if (!layer.weekdays.includes(date.weekday)) return false;
		if (layer.season !== undefined) {
			const { from, to } = layer.season;
			const monthDay = text.slice(5);
			if (from <= to ? monthDay < from || monthDay > to : monthDay < from && monthDay > to) return false;
		}
		const kind = kindOf(date);
		const working = kind === 'work' || (kind !== 'off' && date.weekday < 6);
		return layer.days === 'any' || (layer.days === 'working' ? working : !working);
	};
	let people: string[] = [];
	for (const layer of config.layers) {
		const [startText = '', endText = ''] = layer.hours.split('-');
		const [year = 0, month = 0, day = 0] = layer.start.slice(0, 10).split('-').map(Number);
		const handover = layer.start.length > 10 ? layer.start.slice(11) : startText;
		let covered = false;
		let passed = -1;
		const groups = layer.people.map((entry) => (typeof entry === 'string' ? [entry] : entry));
		const first = dayNumber({ year, month, day });
		const last = dayNumber(zonedDate(timeMs, zone)) + 2;
		for (let number = Math.min(first, last - 6); number <= last; number++) {
			const date = calendarDay(number);
			if (dayMatches(layer, date)) {
				const from = reading(date, startText);
				const to = reading(date, endText, endText <= startText ? 1 : 0);
				if (timeMs >= from && timeMs < to) covered = true;
			}
			if (number < first || layer.turn.unit === 'hour') continue;
			if (reading(date, handover) > timeMs) continue;
			// The day's own hand-over has come: all days before it are over.
			if (number > first && (layer.turn.counts === 'all' || dayMatches(layer, calendarDay(number - 1)))) passed++;
			else if (number === first) passed = 0;
		}
		const startMs = reading({ year, month, day }, handover);
		if (!covered || timeMs < startMs) continue;
		if (layer.turn.unit === 'hour') passed = Math.floor((timeMs - startMs) / 3_600_000);
		const every = layer.turn.every * (layer.turn.unit === 'week' ? 7 : 1);
		const turn = groups[Math.floor(passed / every) % groups.length] ?? [];
		people = layer.mode === 'replace' ? [...turn] : [...people, ...turn];
	}
	for (const change of changes) {
		if (change.fromMs > timeMs || change.toMs <= timeMs) continue;
		if (change.instead === '*') people = [change.person];
		else if (change.instead === '') people.push(change.person);
		else people = people.map((one) => (one === change.instead ? change.person : one));
	}
	return [...new Set(people)];
}

const person = fc.constantFrom('zhang', 'li', 'wang', 'zhao', 'qian');
const clock = fc
	.tuple(fc.integer({ min: 0, max: 23 }), fc.constantFrom('00', '30'))
	.map(([hour, minute]) => `${String(hour).padStart(2, '0')}:${minute}`);
const dayText = fc
	.integer({ min: dayNumber({ year: 2025, month: 12, day: 1 }), max: dayNumber({ year: 2026, month: 12, day: 1 }) })
	.map((number) => {
		const { year, month, day } = calendarDay(number);
		return `${year}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`;
	});
const layer = fc.record({
	name: fc.constant('layer'),
	people: fc.array(fc.oneof(person, fc.uniqueArray(person, { minLength: 1, maxLength: 2 })), { minLength: 1, maxLength: 4 }),
	start: fc.oneof(
		dayText,
		fc.tuple(dayText, clock).map(([date, time]) => `${date}T${time}`),
	),
	hours: fc.oneof(
		fc.constant('00:00-24:00'),
		fc
			.tuple(clock, clock)
			.filter(([a, b]) => a !== b)
			.map(([a, b]) => `${a}-${b}`),
	),
	weekdays: fc.oneof(fc.constant<number[]>([1, 2, 3, 4, 5, 6, 7]), fc.uniqueArray(fc.integer({ min: 1, max: 7 }), { minLength: 1 })),
	days: fc.constantFrom('any' as const, 'working' as const, 'off' as const),
	season: fc.constantFrom(undefined, { from: '05-01', to: '10-31' }, { from: '11-01', to: '04-30' }),
	from: fc.constantFrom(undefined, '2026-03-01'),
	until: fc.constantFrom(undefined, '2026-12-25'),
	turn: fc.record({
		every: fc.integer({ min: 1, max: 5 }),
		unit: fc.constantFrom('hour' as const, 'day' as const, 'week' as const),
		counts: fc.constantFrom('all' as const, 'active' as const),
	}),
	mode: fc.constantFrom('add' as const, 'replace' as const),
});
const instant = fc.integer({ min: Date.UTC(2026, 0, 1) / 60_000, max: Date.UTC(2027, 1, 1) / 60_000 }).map((minutes) => minutes * 60_000);
const change = fc.record({
	fromMs: instant,
	hours: fc.integer({ min: 1, max: 200 }),
	instead: fc.oneof(person, fc.constantFrom('', '*')),
	person,
});
const zones = fc.constantFrom(SHANGHAI, 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'UTC');
/** Every ninth day off, every thirteenth worked: more often than any government would. */
const manyHolidays: DayKindOf = (date): DutyDayKind => {
	const number = dayNumber(date);
	return number % 9 === 0 ? 'off' : number % 13 === 0 ? 'work' : 'ordinary';
};

test('every instant has exactly the people that a slow walk finds, and shifts say the same', () => {
	fc.assert(
		fc.property(
			zones,
			fc.array(layer, { minLength: 1, maxLength: 3 }),
			fc.array(change, { maxLength: 3 }),
			fc.array(instant, { minLength: 1, maxLength: 4 }),
			(zone, drawn, made, instants) => {
				const layers = drawn.map(({ season, from, until, ...rest }) => ({
					...rest,
					...(season === undefined ? {} : { season }),
					...(from === undefined ? {} : { from }),
					...(until === undefined ? {} : { until }),
				}));
				const built = buildRoster({ id: 'main', name: 'main', zone, layers, handover: false }, SHANGHAI);
				const changes = made.map(({ hours, ...rest }) => ({ ...rest, roster: 'main', toMs: rest.fromMs + hours * 3_600_000 }));
				const context = { kindOf: manyHolidays, changes };
				for (const timeMs of instants) {
					const wanted = slowWalk({ zone, layers }, timeMs, manyHolidays, changes);
					expect(onDuty(built, timeMs, context)).toEqual(wanted);
					const span = { fromMs: timeMs - 2 * 86_400_000, toMs: timeMs + 86_400_000 };
					const found = shifts(built, span, context);
					expect(found[0]?.fromMs).toBe(span.fromMs);
					expect(found.at(-1)?.toMs).toBe(span.toMs);
					expect(found.slice(1).map(({ fromMs }) => fromMs)).toEqual(found.slice(0, -1).map(({ toMs }) => toMs));
					const holding = found.find((shift) => shift.fromMs <= timeMs && timeMs < shift.toMs);
					expect([...(holding?.people ?? [])].sort()).toEqual([...wanted].sort());
				}
			},
		),
		{ numRuns: 150 },
	);
});
