import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseConfig } from '../../core/config-file.ts';
import { zonedTimeMs } from '../../core/zone-time.ts';
import { RosterSchema, StaffingSchema } from './config.ts';
import { icalendar } from './ical.ts';
import { buildRoster, type Roster } from './roster.ts';
import { buildStaffing, dutyGaps, overloads, type StaffingRule } from './staffing.ts';

const ZONE = 'Asia/Shanghai';
const at = (day: number, hour = 0, minute = 0) => zonedTimeMs({ year: 2026, month: 11, day, hour, minute }, ZONE);
const context = { kindOf: () => 'ordinary' as const, changes: [] };

function made<T>(yaml: string, schema: Parameters<typeof parseConfig>[1]['schema']): T {
	const parsed = parseConfig(yaml, { file: 'test', schema });
	if (parsed.kind !== 'ok') throw new Error(JSON.stringify(parsed));
	return parsed.config as T;
}
const roster = (id: string, layers: string): Roster =>
	buildRoster(made(`{ id: ${id}, name: ${id}, layers: ${layers} }`, RosterSchema), ZONE);
const rule = (yaml: string): StaffingRule => buildStaffing(made(yaml, StaffingSchema), ZONE);

/** What the Chengdu contract asks of the people on site. */
const RULES = [
	rule("{ name: 早班, hours: '07:30-09:00', minimum: 1 }"),
	rule("{ name: 白班, hours: '09:00-17:00', weekdays: [1, 2, 3, 4, 5], minimum: 2 }"),
	rule('{ name: 随时可达, minimum: 1 }'),
];
const day = roster('day', "[{ name: d, people: [zhang, li], start: '2026-11-02', hours: '07:30-17:00', turn: { unit: day } }]");
const night = roster('night', "[{ name: n, people: [wang], start: '2026-11-02', hours: '17:00-07:30' }]");
const second = roster('second', "[{ name: s, people: [zhao], start: '2026-11-02', hours: '09:00-16:00', weekdays: [1, 2, 3, 4, 5] }]");

describe('minimum staffing', () => {
	test('enough people leave no gap', () => {
		const full = roster('full', "[{ name: s, people: [zhao], start: '2026-11-02', hours: '09:00-17:00', weekdays: [1, 2, 3, 4, 5] }]");
		expect(dutyGaps(RULES, [day, night, full], { fromMs: at(3), toMs: at(17) }, context)).toEqual([]);
	});

	test('one hour too few is told with its rule, its time and who is there', () => {
		expect(dutyGaps(RULES, [day, night, second], { fromMs: at(3), toMs: at(4) }, context)).toEqual([
			{ rule: '白班', fromMs: at(3, 16), toMs: at(3, 17), wanted: 2, people: ['li'] },
		]);
	});

	test('the same person in two rosters is one person', () => {
		const again = roster('again', "[{ name: s, people: [li], start: '2026-11-02', hours: '09:00-17:00' }]");
		const gaps = dutyGaps(RULES, [day, night, again], { fromMs: at(3), toMs: at(4) }, context);
		expect(gaps).toEqual([{ rule: '白班', fromMs: at(3, 9), toMs: at(3, 17), wanted: 2, people: ['li'] }]);
	});

	test('a rule looks at its rosters only, and nights without anybody are one gap', () => {
		const only = rule('{ name: 夜间, rosters: [day], minimum: 1 }');
		expect(dutyGaps([only], [day, night], { fromMs: at(3, 12), toMs: at(5) }, context)).toEqual([
			{ rule: '夜间', fromMs: at(3, 17), toMs: at(4, 7, 30), wanted: 1, people: [] },
			{ rule: '夜间', fromMs: at(4, 17), toMs: at(5), wanted: 1, people: [] },
		]);
	});

	test('a change of duty can make a gap', () => {
		const changes = [{ roster: 'day', fromMs: at(3, 10), toMs: at(3, 11), instead: 'li', person: 'zhao' }];
		const gaps = dutyGaps(RULES, [day, night, second], { fromMs: at(3), toMs: at(3, 12) }, { ...context, changes });
		expect(gaps).toEqual([{ rule: '白班', fromMs: at(3, 10), toMs: at(3, 11), wanted: 2, people: ['zhao'] }]);
	});
});

test('too long in a row and too much in a week are told, time in two rosters counts once', () => {
	const always = roster('always', "[{ name: a, people: [zhang], start: '2026-11-01' }]");
	const also = roster('also', "[{ name: a, people: [zhang], start: '2026-11-01', hours: '09:00-17:00' }]");
	const span = { fromMs: at(2), toMs: at(16), zone: ZONE };
	expect(overloads([always, also], { max_in_row: '7d', max_hours_per_week: 168 }, span, context)).toEqual([
		{ person: 'zhang', kind: 'in-row', fromMs: at(2), toMs: at(16), hours: 336, limitHours: 168 },
	]);
	expect(overloads([also], { max_in_row: '7d', max_hours_per_week: 50 }, span, context)).toEqual([
		{ person: 'zhang', kind: 'week', fromMs: at(2), toMs: at(9), hours: 56, limitHours: 50 },
		{ person: 'zhang', kind: 'week', fromMs: at(9), toMs: at(16), hours: 56, limitHours: 50 },
	]);
});

test('hours that follow each other in two rosters are hours in a row, and exactly the limit is not too long', () => {
	const half = (id: string, hours: string) => roster(id, `[{ name: a, people: [zhang], start: '2026-11-01', hours: '${hours}' }]`);
	const both = [half('early', '00:00-12:00'), half('late', '12:00-24:00')];
	const inRow = (maximum: string, rosters: readonly Roster[]) =>
		overloads(rosters, { max_in_row: maximum, max_hours_per_week: 168 }, { fromMs: at(2), toMs: at(4), zone: ZONE }, context);
	expect(inRow('47h', both)).toMatchObject([{ person: 'zhang', kind: 'in-row', fromMs: at(2), toMs: at(4), hours: 48 }]);
	expect(inRow('48h', both)).toEqual([]);
	expect(inRow('12h', both.slice(1))).toEqual([]);
});

describe('the calendar feed', () => {
	test('is what RFC 5545 asks', () => {
		const text = icalendar(
			'一线',
			[{ uid: 'a@x', fromMs: at(3, 9), toMs: at(3, 17), summary: '值班：张伟; a, b\nc', description: '' }],
			at(1),
		);
		expect(text).toBe(
			[
				'BEGIN:VCALENDAR',
				'VERSION:2.0',
				'PRODID:-//Fournines//on-call//EN',
				'CALSCALE:GREGORIAN',
				'METHOD:PUBLISH',
				'X-WR-CALNAME:一线',
				'BEGIN:VEVENT',
				'UID:a@x',
				'DTSTAMP:20261031T160000Z',
				'DTSTART:20261103T010000Z',
				'DTEND:20261103T090000Z',
				'SUMMARY:值班：张伟\\; a\\, b\\nc',
				'DESCRIPTION:',
				'END:VEVENT',
				'END:VCALENDAR',
				'',
			].join('\r\n'),
		);
	});

	test('lines have at most 75 octets, and unfolding gives the text back', () => {
		fc.assert(
			fc.property(fc.string({ unit: 'grapheme', minLength: 60, maxLength: 300, size: 'max' }), (summary) => {
				const text = icalendar('x', [{ uid: 'u', fromMs: 0, toMs: 1000, summary, description: '' }], 0);
				for (const line of text.split('\r\n')) expect(Buffer.byteLength(line)).toBeLessThanOrEqual(75);
				const line =
					text
						.replaceAll('\r\n ', '')
						.split('\r\n')
						.find((one) => one.startsWith('SUMMARY:')) ?? '';
				const read = line.slice(8).replace(/\\(\\|;|,|n)/g, (_, mark: string) => (mark === 'n' ? '\n' : mark));
				expect(read).toBe(summary.replace(/\r\n|\r/g, '\n'));
			}),
		);
	});
});
