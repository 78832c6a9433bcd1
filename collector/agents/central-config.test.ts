import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import { type TemporaryFolder, temporaryFolder } from '../../tests/harness/process.ts';
import { openStateDatabase, type StateDatabase } from '../state/database.ts';
import { createCentralConfigs } from './central-config.ts';

let folder: TemporaryFolder;
let state: StateDatabase;
beforeEach(async () => {
	folder = temporaryFolder('central');
	state = await openStateDatabase(folder.path);
});
afterEach(async () => {
	await state.destroy();
	folder.remove();
});

test.each([
	{ name: 'the clock was put back', laterMs: -86_400_000 },
	{ name: 'both come in the same millisecond', laterMs: 0 },
	{ name: 'time has passed', laterMs: 60_000 },
])('agents are told what was written last when $name', async ({ laterMs }) => {
	let nowMs = 1_800_000_000_000;
	const configs = createCentralConfigs({
		state,
		clock: { ...systemClock, now: () => nowMs },
		check: () => [],
		operations: { record: async () => {} },
	});
	const by = { name: 'ann', address: '' };
	// Often enough that chance does not order them.
	for (let turn = 1; turn <= 8; turn++) {
		await configs.write('all', { text: `interval: ${turn}s`, note: '' }, by);
		nowMs += laterMs;
		expect((await configs.of({ host: 'app-1', system: '', zone: '' })).config).toEqual({ interval: `${turn}s` });
	}
	expect((await configs.read('all')).history.map(({ text }) => text)[0]).toBe('interval: 8s');
});
