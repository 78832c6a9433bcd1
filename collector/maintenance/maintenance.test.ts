import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import { configOrThrow } from '../../core/config-file.ts';
import { type TemporaryFolder, temporaryFolder } from '../../tests/harness/process.ts';
import { parseInventoryFile } from '../inventory/inventory-yaml.ts';
import { openStateDatabase, type StateDatabase } from '../state/database.ts';
import { createMaintenance } from './maintenance.ts';
import { judgeWindow, type MaintenancePolicy } from './policy.ts';
import { foldWindow, type MaintenanceEvent, type MaintenanceRequest, occurrences } from './window.ts';

const HOUR = 3_600_000;
const T0 = Date.parse('2026-11-10T00:00:00Z');
const FROM = T0 + 100 * HOUR;
const request: MaintenanceRequest = {
	title: 'x',
	services: ['s'],
	fromMs: FROM,
	toMs: FROM + 2 * HOUR,
	recurrence: null,
	reason: '',
	rollback: '',
};
const policy: MaintenancePolicy = { noticeMs: 72 * HOUR, clientConsent: true, approverRoles: ['system'], retroactive: false };
const requested = (atMs = T0, more: Partial<MaintenanceRequest> = {}): MaintenanceEvent => ({
	kind: 'requested',
	atMs,
	actor: 'asks',
	request: { ...request, ...more },
});
const approved = (actor = 'decides', role = 'system', atMs = T0 + HOUR): MaintenanceEvent => ({
	kind: 'approved',
	atMs,
	actor,
	role,
	note: '',
});
const consented = (consentAtMs = T0 + HOUR): MaintenanceEvent => ({
	kind: 'consented',
	atMs: consentAtMs,
	actor: 'asks',
	by: 'client',
	consentAtMs,
	evidence: 'letter 7',
});
const actual = (kind: 'started' | 'ended', hours: number, occurrenceMs = FROM): MaintenanceEvent => ({
	kind,
	atMs: FROM,
	actor: 'asks',
	occurrenceMs,
	actualMs: FROM + hours * HOUR,
});
const span = { from: T0 / 1000, to: T0 / 1000 + 30 * 86_400 };

/** What is missing, and what is excluded and overrun in hours after the planned beginning. */
function judged(events: readonly MaintenanceEvent[], rules = policy) {
	const verdict = judgeWindow(foldWindow('w', events), rules, span);
	const hours = (list: readonly { from: number; to: number }[]) =>
		list.map(({ from, to }) => [(from * 1000 - FROM) / HOUR, (to * 1000 - FROM) / HOUR]);
	return { missing: verdict.missing, excluded: hours(verdict.excluded), overrun: hours(verdict.overrun) };
}

describe('what a contract lets be excluded', () => {
	const whole = [[0, 2]];
	test.each([
		{ name: 'everything on record', events: [requested(), approved(), consented()], missing: [], excluded: whole },
		{ name: 'nobody approved', events: [requested(), consented()], missing: ['not approved'], excluded: [] },
		{
			name: 'approved by the wrong role',
			events: [requested(), approved('decides', 'operator'), consented()],
			missing: ['not approved'],
			excluded: [],
		},
		{ name: 'approved by who asked', events: [requested(), approved('asks'), consented()], missing: ['not approved'], excluded: [] },
		{
			name: 'asked for 71 hours before',
			events: [requested(FROM - 71 * HOUR), approved(), consented()],
			missing: ['notice'],
			excluded: [],
		},
		{
			name: 'asked for exactly 72 hours before',
			events: [requested(FROM - 72 * HOUR), approved(), consented()],
			missing: [],
			excluded: whole,
		},
		{ name: 'the client did not agree', events: [requested(), approved()], missing: ['consent'], excluded: [] },
		{
			name: 'the client agreed after it began',
			events: [requested(), approved(), consented(FROM + 1)],
			missing: ['consent'],
			excluded: [],
		},
		{ name: 'the client agreed as it began', events: [requested(), approved(), consented(FROM)], missing: [], excluded: whole },
		{
			name: 'begun and ended inside a second',
			events: [requested(), approved(), consented(), actual('started', 1 / 7200), actual('ended', 1 + 1 / 7200)],
			missing: [],
			excluded: [[1 / 3600, 1]],
		},
		{
			name: 'refused after all',
			events: [requested(), approved(), consented(), { kind: 'refused', atMs: T0, actor: 'decides', note: '' }],
			missing: ['not approved'],
			excluded: [],
		},
		{
			name: 'cancelled',
			events: [requested(), approved(), consented(), { kind: 'cancelled', atMs: T0, actor: 'asks', note: '' }],
			missing: ['cancelled'],
			excluded: [],
		},
		{
			name: 'begun late and ended early',
			events: [requested(), approved(), consented(), actual('started', 0.5), actual('ended', 1)],
			missing: [],
			excluded: [[0.5, 1]],
		},
	] as { name: string; events: MaintenanceEvent[]; missing: string[]; excluded: number[][] }[])('$name', ({
		events,
		missing,
		excluded,
	}) => {
		expect(judged(events)).toEqual({ missing, excluded, overrun: [] });
	});

	test('an overrun and an early start are not excluded', () => {
		expect(judged([requested(), approved(), consented(), actual('started', -0.5), actual('ended', 3)])).toEqual({
			missing: [],
			excluded: whole,
			overrun: [
				[-0.5, 0],
				[2, 3],
			],
		});
	});

	test('an overrun is seen from after the plan as well', () => {
		const late = { from: FROM / 1000 + 3 * 3600, to: span.to };
		const window = foldWindow('w', [requested(), approved(), consented(), actual('ended', 5)]);
		expect(judgeWindow(window, policy, late)).toMatchObject({ excluded: [], overrun: [{ from: late.from, to: FROM / 1000 + 5 * 3600 }] });
	});

	test('a window that is asked for and approved as it begins is not one after the fact', () => {
		const window = foldWindow('w', [requested(FROM), approved('decides', 'system', FROM)]);
		expect(judgeWindow(window, { ...policy, noticeMs: 0, clientConsent: false }, span)).toMatchObject({
			missing: [],
			excluded: [{ reason: 'maintenance: w' }],
		});
	});

	test.each([
		{
			name: 'without the client',
			rules: { ...policy, retroactive: true },
			events: [approved(), approved('second')],
			agreed: false,
			missing: ['consent'],
		},
		{ name: 'where the contract knows none', rules: policy, events: [approved(), approved('second')], missing: ['retroactive'] },
		{ name: 'approved by one', rules: { ...policy, retroactive: true }, events: [approved(), approved()], missing: ['second approval'] },
		{ name: 'approved by two', rules: { ...policy, retroactive: true }, events: [approved(), approved('second')], missing: [] },
	])('a window after the fact: $name', ({ rules, events, agreed = true, missing }) => {
		const all = [requested(FROM + HOUR), ...events, ...(agreed ? [consented(FROM + 3 * HOUR)] : [])];
		expect(judged(all, rules)).toMatchObject({ missing });
		if (missing.length === 0)
			expect(judgeWindow(foldWindow('w', all), rules, span).excluded[0]?.reason).toBe('maintenance: w (retroactive)');
	});

	test.each([
		{ name: 'at its beginning, which is in time', events: [approved('decides', 'system', FROM)], missing: [], excluded: whole },
		{
			name: 'while it went on, which is afterwards',
			events: [approved('decides', 'system', FROM + 1)],
			missing: ['approved late'],
			excluded: [],
		},
		{
			name: 'in time by the wrong role',
			events: [approved('wrong', 'operator'), approved('decides', 'system', FROM + 1)],
			missing: ['approved late'],
			excluded: [],
		},
		{
			name: 'afterwards, by one where two have to',
			rules: { ...policy, retroactive: true },
			events: [approved('decides', 'system', FROM + HOUR)],
			missing: ['approved late'],
			excluded: [],
		},
		{
			name: 'afterwards, by one whose contract wants two',
			rules: { ...policy, retroactive: true },
			events: [approved('decides', 'system', FROM + HOUR), approved('decides', 'system', FROM + 2 * HOUR)],
			missing: ['approved late'],
			excluded: [],
		},
		{
			name: 'afterwards, by two whose contract knows that',
			rules: { ...policy, retroactive: true },
			events: [approved('decides', 'system', FROM + HOUR), approved('second', 'system', FROM + 2 * HOUR)],
			missing: [],
			excluded: whole,
			reason: 'maintenance: w (retroactive)',
		},
	])('asked for in time and approved $name', ({ rules = policy, events, missing, excluded, reason = 'maintenance: w' }) => {
		const all = [requested(), ...events, consented()];
		expect(judged(all, rules)).toMatchObject({ missing, excluded });
		for (const part of judgeWindow(foldWindow('w', all), rules, span).excluded) expect(part.reason).toBe(reason);
	});

	test('of recurring windows those that began before the approval are not excluded', () => {
		const daily = requested(T0, { recurrence: { schedule: { every: '24h' }, untilMs: FROM + 72 * HOUR } });
		const { missing, excluded } = judged([daily, approved('decides', 'system', FROM + 30 * HOUR), consented()]);
		expect(missing).toEqual(['approved late']);
		expect(excluded.length).toBeGreaterThan(0);
		expect(excluded.every(([from]) => (from ?? 0) >= 30)).toBe(true);
	});

	test('a recurring window comes back with its own actual times', () => {
		const recurring = requested(T0, { recurrence: { schedule: { cron: '0 4 * * 7', zone: 'UTC' }, untilMs: T0 + 29 * 24 * HOUR } });
		// 2026-11-14 04:00 is a Saturday; Sundays follow.
		const sunday = Date.parse('2026-11-22T04:00:00Z');
		const { excluded } = judgeWindow(
			foldWindow('w', [
				recurring,
				approved(),
				consented(),
				{ kind: 'ended', atMs: sunday, actor: 'asks', occurrenceMs: sunday, actualMs: sunday + HOUR },
			]),
			policy,
			span,
		);
		expect(excluded.map(({ from, to }) => `${new Date(from * 1000).toISOString().slice(5, 13)} ${(to - from) / 3600}`)).toEqual([
			'11-14T04 2',
			'11-15T04 2',
			'11-22T04 1',
			'11-29T04 2',
			'12-06T04 2',
		]);
	});

	test('a recurrence goes on until its end, and that moment belongs to it', () => {
		const until = (hours: number) =>
			occurrences(
				{ ...request, recurrence: { schedule: { every: '6h', zone: 'UTC' }, untilMs: Date.parse('2026-11-14T12:00:00Z') + hours * HOUR } },
				T0,
				T0 + 400 * HOUR,
			).map(({ fromMs }) => new Date(fromMs).toISOString().slice(8, 13));
		expect(until(0)).toEqual(['14T04', '14T06', '14T12']);
		expect(until(-1)).toEqual(['14T04', '14T06']);
	});

	test('occurrences of a part of the time are the same as those of all', () => {
		const recurring = { ...request, recurrence: { schedule: { every: '6h', zone: 'UTC' }, untilMs: T0 + 400 * HOUR } };
		const all = occurrences(recurring, T0, T0 + 500 * HOUR);
		fc.assert(
			fc.property(fc.integer({ min: 0, max: 450 }), fc.integer({ min: 1, max: 50 }), (from, length) => {
				const [fromMs, toMs] = [T0 + from * HOUR, T0 + (from + length) * HOUR];
				expect(occurrences(recurring, fromMs, toMs)).toEqual(all.filter((one) => one.fromMs < toMs && one.toMs > fromMs));
			}),
		);
	});
});

describe('kept', () => {
	let folder: TemporaryFolder;
	let state: StateDatabase;
	let nowMs = T0;
	const clock = { ...systemClock, now: () => nowMs };
	const inventory = configOrThrow(
		parseInventoryFile(
			`inventory:\n  zone: UTC\n  maintenance: [{ contract: c }]\n  checks: [{ id: k }]\n  services: [{ id: s, name: S, checks: [k], contract: c }, { id: free, name: F, checks: [k] }]`,
			'x.yml',
		),
	);
	const open = () => createMaintenance({ state, clock, inventory: () => inventory });
	const asks = { account: 'asks', role: 'operator' };
	const decides = { account: 'decides', role: 'system' };
	beforeEach(async () => {
		folder = temporaryFolder('maintenance');
		state = await openStateDatabase(folder.path);
		nowMs = T0;
	});
	afterEach(async () => {
		await state.destroy();
		folder.remove();
	});

	test.each([
		{ name: 'a service that is not there', change: { services: ['nobody'] }, code: 'FN_MAINTENANCE_INVALID' },
		{ name: 'an end before the beginning', change: { toMs: FROM - 1 }, code: 'FN_MAINTENANCE_INVALID' },
		{
			name: 'a recurrence that never comes',
			change: { recurrence: { schedule: { cron: '0 0 30 2 *' }, untilMs: FROM + 9e9 } },
			code: 'FN_MAINTENANCE_INVALID',
		},
		{
			name: 'a recurrence without an end',
			change: { toMs: FROM + 1000, recurrence: { schedule: { every: '1m' }, untilMs: FROM + 1e12 } },
			code: 'FN_MAINTENANCE_INVALID',
		},
	])('refuses $name', async ({ change, code }) => {
		const maintenance = await open();
		expect(() => maintenance.request({ ...request, ...change }, asks)).toThrow(expect.objectContaining({ code }));
	});

	test('what is refused or not approved does not begin', async () => {
		const maintenance = await open();
		const { id } = await maintenance.request(request, asks);
		const begin = () => maintenance.record(id, asks, { kind: 'started', occurrenceMs: FROM, actualMs: T0 });
		await expect(begin()).rejects.toMatchObject({ code: 'FN_MAINTENANCE_STATE' });
		await maintenance.refuse(id, decides, 'no');
		await expect(maintenance.approve(id, decides, '')).rejects.toMatchObject({ code: 'FN_MAINTENANCE_STATE' });
		expect(() => maintenance.get('none')).toThrow(expect.objectContaining({ code: 'FN_MAINTENANCE_UNKNOWN' }));
	});

	test('neither ends before it began nor begins after it ended', async () => {
		const maintenance = await open();
		const { id } = await maintenance.request(request, asks);
		await maintenance.approve(id, decides, '');
		nowMs = FROM + 3 * HOUR;
		const record = (kind: 'started' | 'ended', hours: number) =>
			maintenance.record(id, asks, { kind, occurrenceMs: FROM, actualMs: FROM + hours * HOUR });
		await record('ended', 1);
		await expect(record('started', 2)).rejects.toMatchObject({ code: 'FN_MAINTENANCE_INVALID' });
		await record('started', 0.5);
		await expect(record('ended', 0.25)).rejects.toMatchObject({ code: 'FN_MAINTENANCE_INVALID' });
		expect(maintenance.get(id).actual.get(FROM)).toEqual({ startMs: FROM + HOUR / 2, endMs: FROM + HOUR });
	});
});
