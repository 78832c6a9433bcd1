import { expect, test } from 'vitest';
import { problemsOf } from '../input.fixture.ts';
import { businessDates } from './input.ts';

const at = (text: string) => Date.parse(`${text}+08:00`);
const cutOff = { time: '02:00', daysLater: 1 };

test.each([
	{ name: 'just before midnight', now: '2026-03-01T23:59:59', dates: ['2026-03-01', '2026-02-28', '2026-02-27'] },
	{ name: 'just after midnight', now: '2026-03-02T00:00:00', dates: ['2026-03-02', '2026-03-01', '2026-02-28'] },
	{ name: 'a new year', now: '2027-01-01T08:00:00', dates: ['2027-01-01', '2026-12-31', '2026-12-30'] },
])('business dates: $name', ({ now, dates }) => {
	const found = businessDates(at(now), { dates: 3, zone: 'Asia/Shanghai', cutOff });
	expect(found.map(({ date }) => date)).toEqual(dates);
});

test('the cut-off lies on the clocks of the zone, also at the end of a month', () => {
	const [today] = businessDates(at('2026-02-28T12:00:00'), { dates: 1, zone: 'Asia/Shanghai', cutOff });
	expect(today?.cutOffMs).toBe(at('2026-03-01T02:00:00'));
	const [same] = businessDates(at('2026-02-28T12:00:00'), { dates: 1, zone: 'Asia/Shanghai', cutOff: { time: '23:30', daysLater: 0 } });
	expect(same?.cutOffMs).toBe(at('2026-02-28T23:30:00'));
});

test('mistakes are told with their paths', () => {
	const sql = { address: 'h', username: 'u', query: 'SELECT 1, 2' };
	const http = { url: 'http://h/', dates: '$[*].d', counts: '$..n' };
	expect(
		problemsOf({
			reconcile: [
				{ id: 'a', zone: 'Mars/Base', cut_off: { time: '2 Uhr' }, source: { sql: { ...sql, query: 'CALL x()' } }, target: { http } },
				{ id: 'a', source: {}, target: { sql, http } },
			],
		}),
	).toEqual([
		'inputs.reconcile[0].zone: "Mars/Base" is not a time zone; write for example Asia/Shanghai',
		'inputs.reconcile[0].cut_off.time: "2 Uhr" is not a time of day; write for example 02:00',
		'inputs.reconcile[0].source.sql.query: a statement begins with SELECT, SHOW or WITH',
		'inputs.reconcile[0].target.http.counts: "$..n" is not a JSON path; write for example $.data.items[0].state',
		'inputs.reconcile[1].id: "a" is already the id of inputs.reconcile[0]',
		'inputs.reconcile[1].source: exactly one of sql and http counts this end',
		'inputs.reconcile[1].target: exactly one of sql and http counts this end',
		'inputs.reconcile[1].target.http.counts: "$..n" is not a JSON path; write for example $.data.items[0].state',
	]);
});
