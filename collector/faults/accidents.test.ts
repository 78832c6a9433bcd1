import { afterEach, beforeEach, expect, test } from 'vitest';
import { type FaultWorld, openFaultWorld } from './fault-world.fixture.ts';
import type { FaultCaller } from './faults.ts';

const MINUTE = 60_000;
const T0 = Date.parse('2021-08-10T10:00:00+08:00');
const ann: FaultCaller = { account: 'ann', role: 'operator', address: '' };
let world: FaultWorld;
beforeEach(async () => {
	world = await openFaultWorld(T0);
});
afterEach(() => world.close());

test('a quality accident is told in time, climbs the ladder until it is resolved, and is priced when it was told late', async () => {
	const { faults, outside, watch, notices, contracts } = world;
	const { fault } = await faults.report({ service: 'mis', title: '数据误删', point: 'p', onsetMs: T0, channel: 'phone', level: '3' }, ann);
	const act = (action: Parameters<typeof faults.act>[1]) => faults.act(fault.id, action, ann);
	await expect(act({ kind: 'tell-accident', told: ['采购人'], channel: '电话' })).rejects.toThrow(/no quality accident/);
	await expect(act({ kind: 'accident', grade: '5', reason: 'r' })).rejects.toThrow(/known: 1, 2, 3, 4/);
	const { steps } = await act({ kind: 'accident', grade: '2', reason: '误操作' });
	expect(steps.find(({ step }) => step === 'tell-accident')).toMatchObject({ dueMs: T0 + 120 * MINUTE, clock: 'tell-accident' });
	for (const minutes of [59, 60, 61, 115, 239, 240, 1440]) {
		outside.nowMs = T0 + minutes * MINUTE;
		await watch.turn();
	}
	const told = notices.filter(({ step }) => step.includes('accident')).map(({ step, dueMs }) => [step, (dueMs - T0) / MINUTE]);
	expect(told).toEqual([
		['accident-rung-1', 60],
		['tell-accident', 120],
		['accident-rung-2', 240],
		['accident-rung-3', 1440],
	]);
	await act({ kind: 'tell-accident', told: ['采购人'], channel: '电话', momentMs: T0 + 121 * MINUTE });
	await expect(act({ kind: 'tell-accident', told: ['采购人'], channel: '电话' })).rejects.toThrow(/told already/);
	await act({ kind: 'resolve', text: '已恢复数据' });
	outside.nowMs = T0 + 2881 * MINUTE;
	await watch.turn();
	expect(notices.some(({ step }) => step === 'accident-rung-4')).toBe(false);
	const { assessment } = await contracts.assess('chengdu-2021', 'q1');
	expect(assessment.items.find(({ rule }) => rule === 'accident-untold')).toMatchObject({
		faultId: fault.id,
		clock: 'tell-accident',
		counted: 0,
		fen: 100_000,
	});
});

test('it is not closed before it was told, and a contract without accidents knows none', async () => {
	const { faults, outside } = world;
	const { fault } = await faults.report({ service: null, title: 't', point: '', onsetMs: T0, channel: 'phone' }, ann);
	await faults.act(fault.id, { kind: 'accident', grade: '1', reason: 'r' }, ann);
	await faults.act(fault.id, { kind: 'resolve', text: 'done' }, ann);
	await expect(faults.act(fault.id, { kind: 'close', text: 'done' }, ann)).rejects.toThrow(/telling of the quality accident/);
	outside.contract = 'shaanxi-2023';
	const other = await faults.report({ service: null, title: 't', point: '', onsetMs: T0, channel: 'phone' }, ann);
	await expect(faults.act(other.fault.id, { kind: 'accident', grade: '1', reason: 'r' }, ann)).rejects.toThrow(/known: none/);
});
