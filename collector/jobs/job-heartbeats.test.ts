import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import { silentLogger } from '../../core/log.ts';
import type { Labels } from '../../protocol/labels.ts';
import { type TemporaryFolder, temporaryFolder } from '../../tests/harness/process.ts';
import { openStateDatabase, type StateDatabase } from '../state/database.ts';
import type { Appendable } from '../storage/storage.ts';
import { JobHeartbeats } from './job-heartbeats.ts';

let folder: TemporaryFolder;
let state: StateDatabase;
beforeAll(async () => {
	folder = temporaryFolder('job-heartbeats');
	state = await openStateDatabase(folder.path);
});
afterAll(async () => {
	await state?.destroy();
	folder.remove();
});

/** Keeps the newest value of each series, `stale` where it ended; refuses while `full`. */
class NewestValues implements Appendable {
	readonly values = new Map<string, number | 'stale'>();
	full = false;
	/** Series of the newest batch. */
	batch: readonly string[] = [];

	appender() {
		const batch = new Map<string, number | 'stale'>();
		const name = (labels: Labels) => labels.join(' ');
		return {
			append: (labels: Labels, _timeMs: number, value: number) => void batch.set(name(labels), value),
			appendStale: (labels: Labels) => void batch.set(name(labels), 'stale'),
			commit: async () => {
				if (this.full) throw new Error('the disk is full');
				this.batch = [...batch.keys()];
				for (const [series, value] of batch) this.values.set(series, value);
			},
		};
	}
}
const SERIES = '__name__ job_runs_total instance collector job job result success task busy';

test('reports of one moment are all counted, a full disk loses none, and a start reads them again', async () => {
	const store = new NewestValues();
	const jobs = new JobHeartbeats({ state, store, clock: systemClock, log: silentLogger });
	await jobs.start();
	await Promise.all(Array.from({ length: 20 }, () => jobs.ping('busy', 'success', {})));
	expect(store.values.get(SERIES)).toBe(20);
	store.full = true;
	await jobs.ping('busy', 'success', {});
	expect(store.values.get(SERIES)).toBe(20);
	store.full = false;
	await jobs.stop();

	const again = new JobHeartbeats({ state, store, clock: systemClock, log: silentLogger });
	await again.start();
	expect(store.values.get(SERIES)).toBe(21);
	expect(await again.remove('busy')).toBe(true);
	expect(store.values.get(SERIES)).toBe('stale');
	await again.stop();
	await state.insertInto('job_heartbeat').values({ task: 'odd', state: '{"task":"odd"}', updated_at_ms: 0 }).execute();
	const last = new JobHeartbeats({ state, store, clock: systemClock, log: silentLogger });
	await last.start();
	expect(last.list()).toEqual([]);
	await last.stop();
});

test('a report writes the series of its own job, whatever number of others there is; a start writes all', async () => {
	const store = new NewestValues();
	const jobs = new JobHeartbeats({ state, store, clock: systemClock, log: silentLogger });
	await jobs.start();
	for (const job of ['one', 'two', 'three']) await jobs.ping(job, 'success', { rows: '3' });
	const tasks = () => [...new Set(store.batch.map((series) => / task (\S+)/.exec(series)?.[1]))].sort();
	expect(tasks()).toEqual(['three']);
	store.full = true;
	expect(await jobs.remove('two')).toBe(true);
	store.full = false;
	await jobs.stop();
	const again = new JobHeartbeats({ state, store, clock: systemClock, log: silentLogger });
	await again.start();
	expect(tasks()).toEqual(['one', 'three']);
	await again.stop();
});
