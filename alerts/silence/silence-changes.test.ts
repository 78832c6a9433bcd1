import { afterEach, beforeEach, expect, test } from 'vitest';
import { type OpenPorts, openAlertingPorts } from '../../tests/harness/alerting-ports.ts';
import { createManualClock, type ManualClock } from '../../tests/harness/manual-clock.ts';
import { type TemporaryFolder, temporaryFolder } from '../../tests/harness/process.ts';
import type { SilenceStore } from '../ports.ts';
import { compileSilence, silencedBy, silenceState } from './silence.ts';
import { type SilenceRequest, Silences } from './silences.ts';

let folder: TemporaryFolder;
let ports: OpenPorts;
let clock: ManualClock;
let silences: Silences;

beforeEach(async () => {
	folder = temporaryFolder('silence-changes');
	ports = await openAlertingPorts(folder.path);
	clock = createManualClock();
	silences = new Silences(ports.silences, clock);
});

afterEach(async () => {
	await ports.close();
	folder.remove();
});

const MATCHER = { name: 'alertname', operator: '=', value: 'A' } as const;
const request = (more: Partial<SilenceRequest> = {}): SilenceRequest => ({
	matchers: [MATCHER],
	startsAtMs: clock.now(),
	endsAtMs: clock.now() + 3_600_000,
	createdBy: '张三',
	comment: '升级',
	...more,
});

test('a silence begins and ends to the millisecond', () => {
	const times = { startsAtMs: 1000, endsAtMs: 2000, updatedAtMs: 0, createdBy: 'a', comment: 'b', recurrence: [] };
	const silence = compileSilence({ id: 's', matchers: [MATCHER], ...times });
	const hides = (nowMs: number) => silencedBy([silence], { alertname: 'A' }, nowMs).length > 0;
	expect([999, 1000, 1999, 2000].map(hides)).toEqual([false, true, true, false]);
	expect([999, 1000, 2000].map((nowMs) => silenceState(silence.silence, nowMs))).toEqual(['pending', 'active', 'expired']);
});

test.each([
	{ name: 'no owner', more: { createdBy: ' ' }, why: /owner/ },
	{ name: 'no reason', more: { comment: '\n' }, why: /reason/ },
	{ name: 'no matcher', more: { matchers: [] }, why: /at least one matcher/ },
	{
		name: 'matchers that accept everything',
		more: { matchers: [{ ...MATCHER, operator: '=~' as const, value: '.*' }] },
		why: /every alert/,
	},
	{ name: 'no time', more: { endsAtMs: 0 }, why: /after its start/ },
])('one with $name is refused, and nothing is kept', async ({ more, why }) => {
	await expect(silences.set(request(more))).rejects.toThrow(why);
	expect(silences.list()).toEqual([]);
});

const kept = async () => {
	const again = new Silences(ports.silences, clock);
	await again.load(86_400_000);
	return again.list().map(({ id, startsAtMs, endsAtMs, matchers }) => ({ id, startsAtMs, endsAtMs, value: matchers[0]?.value }));
};

test('one that is in force can be prolonged; other matchers make another one, so that the record of what was hidden stays true', async () => {
	const beganMs = clock.now();
	const id = await silences.set(request());
	await clock.advance(60_000);
	const endsAtMs = clock.now() + 7_200_000;
	expect(await silences.set(request({ id, startsAtMs: beganMs, endsAtMs }))).toBe(id);
	const other = await silences.set(request({ id, startsAtMs: beganMs, endsAtMs, matchers: [{ ...MATCHER, value: 'B' }] }));
	expect(other).not.toBe(id);
	expect(await kept()).toEqual([
		{ id, startsAtMs: beganMs, endsAtMs: clock.now(), value: 'A' },
		{ id: other, startsAtMs: clock.now(), endsAtMs, value: 'B' },
	]);
	await silences.expire(other);
	await expect(silences.expire(other)).rejects.toThrow(/already ended/);
	await expect(silences.expire('nothing')).rejects.toMatchObject({ code: 'FN_ALERTS_SILENCE_UNKNOWN' });
});

test('one that cannot be kept hides nothing', async () => {
	const broken: SilenceStore = { ...ports.silences, saveSilence: () => Promise.reject(new Error('disk full')) };
	const dying = new Silences(broken, clock);
	await expect(dying.set(request())).rejects.toThrow('disk full');
	expect(dying.silencedBy({ alertname: 'A' }, clock.now())).toEqual([]);
});
