import { afterEach, beforeEach, expect, test } from 'vitest';
import { type OpenPorts, openAlertingPorts } from '../../tests/harness/alerting-ports.ts';
import { createManualClock } from '../../tests/harness/manual-clock.ts';
import { type TemporaryFolder, temporaryFolder } from '../../tests/harness/process.ts';
import { type DutyChangeRequest, DutyChanges } from './duty-changes.ts';

const HOUR_MS = 3_600_000;
const PEOPLE = new Set(['zhang', 'li']);

let folder: TemporaryFolder;
let ports: OpenPorts;

beforeEach(async () => {
	folder = temporaryFolder('duty-changes');
	ports = await openAlertingPorts(folder.path);
});

afterEach(async () => {
	await ports.close();
	folder.remove();
});

test('a swap gives each the other’s hours, in force after a restart, until it is cancelled, and stays in the history', async () => {
	const clock = createManualClock();
	const [first, second] = [1, 25].map((hours) => ({
		fromMs: clock.now() + hours * HOUR_MS,
		toMs: clock.now() + (hours + 8) * HOUR_MS,
	})) as [{ fromMs: number; toMs: number }, { fromMs: number; toMs: number }];
	const changes = new DutyChanges(ports.onCall, clock);
	const made = await changes.change('first', { kind: 'swap', a: 'zhang', b: 'li', first, second, reason: '请假' }, 'zhang.wei', PEOPLE);
	const again = new DutyChanges(ports.onCall, clock);
	await again.load();
	expect(again.inForce()).toEqual([
		{ roster: 'first', ...first, instead: 'zhang', person: 'li' },
		{ roster: 'first', ...second, instead: 'li', person: 'zhang' },
	]);
	await again.cancel(made.id, '不请了', 'li');
	expect(again.inForce()).toEqual([]);
	await expect(again.cancel(made.id, '', 'li')).rejects.toMatchObject({ code: 'FN_ONCALL_CHANGE' });
	expect(again.history('first')).toMatchObject([{ by: 'zhang.wei', reason: '请假', cancelled: { by: 'li', reason: '不请了' } }]);
	expect(again.history('second')).toEqual([]);
});

test.each([
	{ name: 'an end before its beginning', more: { fromMs: 2 * HOUR_MS, toMs: HOUR_MS }, why: /after its beginning/ },
	{ name: 'an end that is now', more: { fromMs: -HOUR_MS, toMs: 0 }, why: /in the past/ },
	{ name: 'more than a year', more: { fromMs: 0, toMs: 366 * 24 * HOUR_MS + 1 }, why: /longer than a year/ },
	{ name: 'somebody who does not exist', more: { person: 'wang' }, why: /"wang"/ },
	{ name: 'the place of somebody who does not exist', more: { instead: 'wang' }, why: /"wang"/ },
])('$name is refused, and nothing is kept', async ({ more, why }) => {
	const clock = createManualClock();
	const changes = new DutyChanges(ports.onCall, clock);
	const wanted = { kind: 'replace' as const, instead: 'zhang', person: 'li', fromMs: 0, toMs: HOUR_MS, reason: '', ...more };
	const request: DutyChangeRequest = { ...wanted, fromMs: clock.now() + wanted.fromMs, toMs: clock.now() + wanted.toMs };
	await expect(async () => changes.change('first', request, 'zhang.wei', PEOPLE)).rejects.toThrow(why);
	expect(changes.history('first')).toEqual([]);
});

test('what has begun can still be changed, alone leaves one person and an addition adds one', async () => {
	const clock = createManualClock();
	const changes = new DutyChanges(ports.onCall, clock);
	const span = { fromMs: clock.now() - HOUR_MS, toMs: clock.now() + 1 };
	for (const kind of ['alone', 'add'] as const) await changes.change('first', { kind, person: 'li', ...span, reason: '' }, 'li', PEOPLE);
	expect(changes.inForce().map(({ instead, person }) => `${instead} ${person}`)).toEqual(['* li', ' li']);
});
