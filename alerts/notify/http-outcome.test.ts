import { expect, test } from 'vitest';
import { statusOutcome } from './http-outcome.ts';

const NOW_MS = Date.UTC(2026, 10, 21, 1, 0, 0);
const judged = (status: number, retryAfter?: string) =>
	statusOutcome(
		{ status, headers: retryAfter === undefined ? {} : { 'retry-after': retryAfter }, body: Buffer.alloc(0) },
		NOW_MS,
		'what it said',
	);

test.each([
	{ name: 'taken', status: 204, wanted: { kind: 'sent', code: '204' } },
	{ name: 'a timeout of the server', status: 408, wanted: { kind: 'retry', possiblySent: false } },
	{ name: 'too early', status: 425, wanted: { kind: 'retry' } },
	{ name: 'too many, for as long as it says', status: 429, after: ' 120 ', wanted: { kind: 'retry', afterMs: 120_000 } },
	{ name: 'until a date', status: 503, after: 'Sat, 21 Nov 2026 01:02:30 GMT', wanted: { kind: 'retry', afterMs: 150_000 } },
	{ name: 'until a date that is over', status: 503, after: 'Sat, 21 Nov 2026 00:00:00 GMT', wanted: { kind: 'retry', afterMs: 0 } },
	{ name: 'a day, of which one hour is believed', status: 503, after: '86400', wanted: { kind: 'retry', afterMs: 3_600_000 } },
	{ name: 'no', status: 404, wanted: { kind: 'refused', code: '404', reason: 'what it said' } },
])('$status is $name', ({ status, after, wanted }) => {
	expect(judged(status, after)).toMatchObject(wanted);
});

test('a time that cannot be read is none', () => {
	expect(judged(500, 'soon')).not.toHaveProperty('afterMs');
	expect(judged(500)).not.toHaveProperty('afterMs');
});
