import { expect, test } from 'vitest';
import type { ChangeAnswer } from '../protocol/change-api.ts';
import { annotations } from './annotations.ts';
import type { FaultView } from './faults/faults.ts';
import { foldWindow, type MaintenanceEvent, type MaintenanceWindow } from './maintenance/window.ts';

const request = { title: '升级', services: ['mis'], hosts: ['db-1'], fromMs: 1000, toMs: 2000, recurrence: null, reason: '', rollback: '' };
const window = (id: string, ...events: readonly MaintenanceEvent[]): MaintenanceWindow =>
	foldWindow(id, [{ kind: 'requested', atMs: 0, actor: 'ann', request }, ...events]);
const approved = { kind: 'approved', atMs: 1, actor: 'root', role: 'system', note: '' } as const;
const fault = (id: string, moments: object, stage = 'declared') =>
	({
		number: 1,
		fault: {
			id,
			stage,
			title: 'T',
			service: 'mis',
			affected: ['portal'],
			level: '1',
			causeText: '',
			moments: { onset: 1000, declared: null, restored: null, ...moments },
		},
	}) as unknown as FaultView;

interface Parts {
	readonly windows?: MaintenanceWindow[];
	readonly faults?: FaultView[];
	readonly changes?: ChangeAnswer[];
}

const found = (parts: Parts) =>
	annotations(
		{
			maintenance: { list: () => parts.windows ?? [] },
			faults: { list: async () => parts.faults ?? [] },
			changes: { touching: async () => parts.changes ?? [] },
		},
		1500,
		5000,
	);

const marks = async (parts: Parts) => (await found(parts)).map(({ id, kind, time, timeEnd }) => [kind, id, time, timeEnd]);

test('maintenance is marked where it is approved, by its actual times where they are on record', async () => {
	const started = { kind: 'started', atMs: 3, actor: 'ann', occurrenceMs: 1000, actualMs: 1200 } as const;
	expect(await marks({ windows: [window('asked'), window('planned', approved), window('worked', approved, started)] })).toEqual([
		['maintenance', 'planned:1000', 1000, 2000],
		['maintenance', 'worked:1000', 1200, 2000],
	]);
});

test('faults are marked once they were declared, from their onset to their restoration', async () => {
	const faults = [
		fault('candidate', {}),
		fault('open', { declared: 1100 }),
		fault('over', { declared: 1100, restored: 1400 }),
		fault('restored', { declared: 1100, restored: 1600 }, 'restored'),
		fault('merged', { declared: 1100 }, 'merged'),
	];
	expect(await marks({ faults })).toEqual([
		['fault', 'open', 1000, null],
		['fault', 'restored', 1000, 1600],
	]);
	const [open] = await found({ faults });
	expect(open?.services).toEqual(['mis', 'portal']);
});
