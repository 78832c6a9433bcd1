import { expect, test } from 'vitest';
import type { PostedAlert } from '../protocol/alert.ts';
import { type Alert, mergeAlert } from './alert.ts';
import { mergePosts } from './intake.ts';

const NOW_MS = 1_700_000_000_000;
const LIFE_MS = 300_000;
const posted: PostedAlert = {
	labels: { alertname: 'Slow', instance: 'app-1' },
	annotations: { summary: 'app-1 响应变慢' },
	startsAtMs: NOW_MS - 1000,
	endsAtMs: null,
	generatorUrl: '',
};
const first = { fingerprint: 'a', nowMs: NOW_MS, resolveTimeoutMs: LIFE_MS };
const open = mergeAlert(null, posted, first).alert;

function post(nowMs: number, alerts: readonly PostedAlert[], known: readonly Alert[]) {
	return mergePosts(
		alerts.map((alert) => ({ alert, fingerprint: 'a' })),
		{
			nowMs,
			resolveTimeoutMs: LIFE_MS,
			open: new Map(known.map((alert) => [alert.fingerprint, alert])),
			closed: new Map(),
			receiversOf: () => [],
		},
	);
}

test('a repetition only prolongs, and is neither written nor copied', () => {
	const intake = post(NOW_MS + 5000, [structuredClone(posted)], [open]);
	expect(intake).toMatchObject({ write: [], events: [], counts: { extended: 1 } });
	expect(intake.next.size).toBe(0);
	expect([...intake.extended]).toEqual([['a', NOW_MS + 5000 + LIFE_MS]]);
	expect(mergeAlert(open, posted, { ...first, nowMs: NOW_MS + 5000 }).alert).toBe(open);
});

test.each([
	{ name: 'another text', change: { annotations: { summary: 'app-1 响应很慢' } } },
	{ name: 'one text more', change: { annotations: { ...posted.annotations, action: '重启' } } },
	{ name: 'an earlier start', change: { startsAtMs: NOW_MS - 9000 } },
	{ name: 'another source', change: { generatorUrl: 'http://b/' } },
])('$name is a change, which is written', ({ change }) => {
	const intake = post(NOW_MS + 5000, [{ ...posted, ...change }], [open]);
	expect(intake.extended.size).toBe(0);
	expect(intake.write).toEqual([{ ...open, ...change, expiresAtMs: NOW_MS + 5000 + LIFE_MS, updatedAtMs: NOW_MS + 5000 }]);
});

test('what fires and is repeated in the same post is written with the later end', () => {
	const endsAtMs = NOW_MS + 2 * LIFE_MS;
	const intake = post(NOW_MS, [posted, { ...posted, endsAtMs }], []);
	expect(intake.write).toEqual([{ ...open, expiresAtMs: endsAtMs }]);
	expect(intake.next.get('a')).toBe(intake.write[0]);
	expect(intake.extended.size).toBe(0);
});
