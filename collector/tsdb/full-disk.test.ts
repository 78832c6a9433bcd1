import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { runCommand, temporaryFolder } from '../../tests/harness/process.ts';
import { equals, openTestStore } from '../../tests/harness/store/open-test-store.ts';
import type { Store } from './store.ts';

/** A small file system of its own, which only root may mount, and not in every container. */
function canMount(): boolean {
	const folder = temporaryFolder('mount');
	const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder.path]).status === 0;
	if (mounted) runCommand('umount', [folder.path]);
	folder.remove();
	return mounted;
}

async function append(store: Store, timeMs: number, value: number): Promise<void> {
	const appender = store.appender();
	for (let series = 0; series < 100; series++) appender.append(['__name__', 'm', 'series', String(series)], timeMs, value);
	await appender.commit();
}

describe.skipIf(!canMount())('full disk', () => {
	test('refuses with 507, keeps and finds what was acknowledged, starts again, and recovers when there is room', async () => {
		const folder = temporaryFolder('full');
		runCommand('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', folder.path]);
		let store: Store | null = null;
		try {
			store = await openTestStore(folder.path);
			const start = Date.now() - 86_400_000;
			let acknowledged = 0;
			let refusal: unknown = null;
			while (refusal === null) {
				await append(store, start + acknowledged * 1000, acknowledged).then(
					() => acknowledged++,
					(error: unknown) => {
						refusal = error;
					},
				);
			}
			expect(refusal).toMatchObject({ code: 'FN_STORE_FULL', status: 507, retryable: true });
			const check = async (its: Store, refused = 0) => {
				const series = await its.select([equals('__name__', 'm')], 0, Date.now());
				expect(series.map(({ values }) => values.length)).toEqual(Array(100).fill(acknowledged + refused));
			};
			// What was refused is in memory, so that rules go on with the present; the sender brings it again.
			await check(store, 1);
			await expect(append(store, start + acknowledged * 1000, acknowledged)).rejects.toMatchObject({ code: 'FN_STORE_FULL' });
			await check(store, 1);
			await expect(store.cutBlocks()).rejects.toMatchObject({ code: 'FN_STORE_BLOCK_WRITE' });
			await check(store, 1);
			await store.stop();
			store = await openTestStore(folder.path);
			expect(store.recovery).toMatchObject({ samplesFromLog: acknowledged * 100, logDamage: [], indexPutAside: null });
			await check(store);
			runCommand('mount', ['-o', 'remount,size=20m', folder.path]);
			await append(store, start + acknowledged * 1000, acknowledged);
			acknowledged++;
			await store.cutBlocks();
			await check(store);
		} finally {
			await store?.stop();
			runCommand('umount', [folder.path]);
			folder.remove();
		}
	});
});
