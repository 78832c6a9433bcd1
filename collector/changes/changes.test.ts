import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import { configOrThrow } from '../../core/config-file.ts';
import type { Change } from '../../protocol/change-api.ts';
import { type TemporaryFolder, temporaryFolder } from '../../tests/harness/process.ts';
import { parseInventoryFile } from '../inventory/inventory-yaml.ts';
import { createAttachments } from '../state/attachments.ts';
import { openStateDatabase, type StateDatabase } from '../state/database.ts';
import { applyToChange, type ChangeAction } from './change.ts';
import { type Changes, createChanges, spanOf } from './changes.ts';

const HOUR = 3_600_000;
const T0 = Date.parse('2026-11-10T00:00:00Z');
const inventory = configOrThrow(
	parseInventoryFile(
		'inventory:\n  hosts: [{ id: db-1 }]\n  checks: [{ id: k }]\n  services: [{ id: mis, name: MIS, checks: [k] }]',
		'x.yml',
	),
);
const ann = { account: 'ann', role: 'operator' } as const;
const bob = { account: 'bob', role: 'operator' } as const;
const root = { account: 'root', role: 'system' } as const;
const owner = { account: 'owner', role: 'viewer' } as const;
const request = {
	title: '升级 Tomcat',
	nature: 'routine',
	services: ['mis'],
	hosts: ['db-1'],
	fromMs: T0 + HOUR,
	toMs: T0 + 2 * HOUR,
	coreData: false,
	plan: '停、换、启',
	rollback: '换回旧版',
	risk: '',
	maintenance: null,
} as const;

let folder: TemporaryFolder;
let state: StateDatabase;
let changes: Changes;
let nowMs = T0;

beforeEach(async () => {
	folder = temporaryFolder('changes');
	state = await openStateDatabase(folder.path);
	nowMs = T0;
	changes = createChanges({
		state,
		files: { attachments: createAttachments(folder.path), maxBytes: () => 100 },
		inventory: () => inventory,
		parties: () => ({ manager: [], client: ['owner'], supervision: [] }),
		clock: { ...systemClock, now: () => nowMs },
	});
});
afterEach(async () => {
	await state.destroy();
	folder.remove();
});

type Step = readonly [by: { readonly account: string; readonly role: 'operator' | 'system' | 'viewer' }, action: ChangeAction];
const approve: ChangeAction = { kind: 'approve', note: '' };
const checkPlan: ChangeAction = { kind: 'check-plan', note: '' };
const start: ChangeAction = { kind: 'start' };
const finish: ChangeAction = { kind: 'finish', result: '完成' };
const checkResult = (ok: boolean): ChangeAction => ({ kind: 'check-result', ok, note: '' });

async function go(id: string, steps: readonly Step[]): Promise<void> {
	for (const [by, action] of steps) await changes.act(id, action, by);
}

test('is approved, checked by a second person, done, and checked again before it is closed', async () => {
	const { change, missing } = await changes.request(request, ann);
	expect(missing).toEqual(['approve', 'check-plan']);
	await go(change.id, [
		[root, approve],
		[bob, checkPlan],
	]);
	expect((await changes.get(change.id)).missing).toEqual([]);
	nowMs = T0 + HOUR;
	await go(change.id, [[ann, start]]);
	expect(spanOf((await changes.get(change.id)).change)).toEqual({ fromMs: T0 + HOUR, toMs: null });
	nowMs = T0 + 1.5 * HOUR;
	await go(change.id, [
		[ann, finish],
		[bob, checkResult(true)],
	]);
	const { change: done } = await changes.get(change.id);
	expect(done).toMatchObject({ stage: 'closed', executor: 'ann', planCheckedBy: 'bob', resultCheckedBy: 'bob', approvedBy: 'root' });
	expect(spanOf(done)).toEqual({ fromMs: T0 + HOUR, toMs: T0 + 1.5 * HOUR });
	expect(await changes.list('open')).toEqual([]);
	const replayed = (await changes.events(change.id)).reduce<Change | null>((known, event) => applyToChange(change.id, known, event), null);
	expect(done).toEqual(replayed);
});

test('a result that the second person does not accept goes on, and can be rolled back', async () => {
	const { change } = await changes.request(request, ann);
	await go(change.id, [
		[root, approve],
		[bob, checkPlan],
		[ann, start],
		[ann, finish],
		[bob, checkResult(false)],
	]);
	expect((await changes.get(change.id)).change).toMatchObject({ stage: 'started', endedMs: null });
	await go(change.id, [
		[ann, { kind: 'roll-back', reason: '页面报错' }],
		[root, checkResult(true)],
	]);
	expect((await changes.get(change.id)).change).toMatchObject({ stage: 'closed', result: '页面报错' });
});

describe('is refused when', () => {
	const ready: readonly Step[] = [
		[root, approve],
		[bob, checkPlan],
	];
	test.each<{ name: string; steps: readonly Step[]; step: Step; code: string }>([
		{ name: 'nobody approved it', steps: [[bob, checkPlan]], step: [ann, start], code: 'FN_CHANGE_STEP' },
		{ name: 'nobody checked the plan', steps: [[root, approve]], step: [ann, start], code: 'FN_CHANGE_STEP' },
		{ name: 'whoever asked checks the plan', steps: [[root, approve]], step: [ann, checkPlan], code: 'FN_CHANGE_OWN' },
		{ name: 'whoever checked the plan does the work', steps: ready, step: [bob, start], code: 'FN_CHANGE_OWN' },
		{
			name: 'whoever did the work checks the result',
			steps: [...ready, [ann, start], [ann, finish]],
			step: [ann, checkResult(true)],
			code: 'FN_CHANGE_OWN',
		},
		{ name: 'an operator approves', steps: [], step: [bob, approve], code: 'FN_CHANGE_FORBIDDEN' },
		{ name: 'a viewer checks', steps: [], step: [owner, checkPlan], code: 'FN_CHANGE_FORBIDDEN' },
		{
			name: 'somebody else speaks for the client',
			steps: [],
			step: [root, { kind: 'approve-for-client', note: '' }],
			code: 'FN_CHANGE_FORBIDDEN',
		},
		{ name: 'it is finished before it began', steps: ready, step: [ann, finish], code: 'FN_CHANGE_STEP' },
		{ name: 'it begins in the future', steps: ready, step: [ann, { kind: 'start', momentMs: T0 + 1 }], code: 'FN_CHANGE_STEP' },
		{
			name: 'it is cancelled at work',
			steps: [...ready, [ann, start]],
			step: [ann, { kind: 'cancel', reason: 'x' }],
			code: 'FN_CHANGE_STEP',
		},
		{ name: 'it was refused', steps: [[root, { kind: 'refuse', reason: 'x' }]], step: [root, approve], code: 'FN_CHANGE_STEP' },
	])('$name', async ({ steps, step: [by, action], code }) => {
		const { change } = await changes.request(request, ann);
		await go(change.id, steps);
		const before = (await changes.get(change.id)).change;
		await expect(changes.act(change.id, action, by)).rejects.toMatchObject({ code });
		expect((await changes.get(change.id)).change).toEqual(before);
	});

	test('the administrator approves what he asked for himself', async () => {
		const { change } = await changes.request(request, root);
		await expect(changes.act(change.id, approve, root)).rejects.toMatchObject({ code: 'FN_CHANGE_OWN' });
	});

	test('work on core data has no word of the client', async () => {
		const { change } = await changes.request({ ...request, coreData: true }, ann);
		await go(change.id, ready);
		await expect(changes.act(change.id, start, ann)).rejects.toThrow(/approve-for-client/);
		await changes.act(change.id, { kind: 'approve-for-client', note: '' }, owner);
		expect((await changes.act(change.id, start, ann)).change.stage).toBe('started');
	});

	test('the same person is at work on another change', async () => {
		const [first, second] = [await changes.request(request, root), await changes.request(request, root)];
		const other = { account: 'other-root', role: 'system' } as const;
		for (const { change } of [first, second])
			await go(change.id, [
				[other, approve],
				[bob, checkPlan],
			]);
		await changes.act(first.change.id, start, ann);
		await expect(changes.act(second.change.id, start, ann)).rejects.toMatchObject({
			code: 'FN_CHANGE_BUSY',
			message: expect.stringContaining('change 1'),
		});
		await changes.act(first.change.id, finish, ann);
		expect((await changes.act(second.change.id, start, ann)).change.stage).toBe('started');
	});

	test.each([
		{ name: 'it names a service that is not there', more: { services: ['nowhere'] } },
		{ name: 'it names a host that is not there', more: { hosts: ['nowhere'] } },
		{ name: 'it changes nothing', more: { services: [], hosts: [] } },
		{ name: 'it ends before it begins', more: { toMs: T0 } },
	])('$name', async ({ more }) => {
		await expect(changes.request({ ...request, ...more }, ann)).rejects.toMatchObject({ code: 'FN_CHANGE_INVALID' });
		expect(await changes.list('open')).toEqual([]);
	});
});

test('charts are marked with what was planned and what was done, and with nothing that was cancelled', async () => {
	const [planned, cancelled, done] = [
		await changes.request(request, ann),
		await changes.request(request, ann),
		await changes.request(request, ann),
	];
	for (const { change } of [planned, cancelled, done])
		await go(change.id, [
			[root, approve],
			[bob, checkPlan],
		]);
	await go(cancelled.change.id, [[ann, { kind: 'cancel', reason: 'x' }]]);
	nowMs = T0 + 10 * HOUR;
	await go(done.change.id, [[ann, start]]);
	const numbers = async (fromHour: number, toHour: number) =>
		(await changes.touching(T0 + fromHour * HOUR, T0 + toHour * HOUR)).map(({ number }) => number).sort();
	expect(await numbers(0, 3)).toEqual([1]);
	expect(await numbers(2, 9)).toEqual([]);
	expect(await numbers(20, 30)).toEqual([3]);
});

test('files are kept with the change for those who work on it, until it is over', async () => {
	const { change } = await changes.request(request, ann);
	const { attachments } = (await changes.attach(change.id, '方案.pdf', Buffer.from('plan'), ann)).change;
	expect(attachments).toMatchObject([{ id: '1', name: '方案.pdf', sizeBytes: 4 }]);
	expect((await changes.attachment(change.id, '1')).bytes.toString()).toBe('plan');
	await expect(changes.attach(change.id, 'x', Buffer.from('x'), owner)).rejects.toMatchObject({ code: 'FN_CHANGE_FORBIDDEN' });
	await changes.act(change.id, { kind: 'cancel', reason: 'later' }, ann);
	await expect(changes.attach(change.id, 'x', Buffer.from('x'), ann)).rejects.toMatchObject({ code: 'FN_CHANGE_STEP' });
});
