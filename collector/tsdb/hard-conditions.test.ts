import { spawnSync } from 'node:child_process';
import { Registry } from 'prom-client';
import { afterEach, describe, expect, test } from 'vitest';
import { type Clock, systemClock } from '../../core/clock.ts';
import { runCommand, temporaryFolder, waitFor } from '../../tests/harness/process.ts';
import { equals, matches, openTestStore } from '../../tests/harness/store/open-test-store.ts';
import { writePair } from '../storage/label-bytes.ts';
import type { Store } from './store.ts';

const HOUR = 3_600_000;
const NOW = Date.now();

const cleanups: (() => unknown)[] = [];

afterEach(async () => {
	for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function folder(): string {
	const made = temporaryFolder('hard');
	cleanups.push(() => made.remove());
	return made.path;
}

async function open(dataDir: string, clock: Clock = systemClock): Promise<Store> {
	const store = await openTestStore(dataDir, { clock });
	cleanups.push(() => store.stop());
	return store;
}

async function append(store: Store, labels: readonly string[], timeMs: number, value: number): Promise<void> {
	const appender = store.appender();
	appender.append(labels, timeMs, value);
	await appender.commit();
}

describe('hard conditions', () => {
	test('labels of every shape survive memory, blocks, compaction and a restart', async () => {
		const dataDir = folder();
		const many = Array.from({ length: 32 }, (_, i) => [`label_${String(i).padStart(2, '0')}`, `值 ${i}`]).flat();
		const shapes = [
			['__name__', 'm', ...many],
			['__name__', 'm', 'empty', ''],
			['__name__', 'm', 'long', 'x'.repeat(500_000)],
			['__name__', 'm', 'quotes', '"\\\n\u0000'],
			['__name__', 'm', '标签', '值'],
			['only', 'without a name'],
		];
		const check = async (store: Store) => {
			const found = await store.select([], NOW - 3 * HOUR, NOW);
			expect(found.map((series) => series.labels.join()).sort()).toEqual(shapes.map((labels) => labels.join()).sort());
			expect(await store.series([matches('label_31', /^(?:值 31)$/)], NOW - 3 * HOUR, NOW)).toHaveLength(1);
			expect(await store.series([equals('__name__', 'm'), equals('label_00', '')], NOW - 3 * HOUR, NOW)).toHaveLength(4);
		};
		const store = await open(dataDir);
		for (const labels of shapes) await append(store, labels, NOW - 2 * HOUR, 1);
		await check(store);
		await store.cutBlocks();
		await check(store);
		await store.compactBlocks();
		await check(store);
		await store.stop();
		await check(await open(dataDir));
	});

	test('label values that are no UTF-8 stay apart from each other', async () => {
		const dataDir = folder();
		const labelsWith = (...bytes: number[]) => {
			const target = new Uint8Array(64);
			const name = writePair(target, 0, Buffer.from('__name__'), Buffer.from('m'));
			return target.slice(0, writePair(target, name, Buffer.from('raw'), Uint8Array.from(bytes)));
		};
		const store = await open(dataDir);
		for (const [i, labels] of [labelsWith(0xff), labelsWith(0xfe, 0x80), labelsWith(0xc3)].entries()) {
			const id = store.createSeries(labels);
			const samples = { ids: Uint32Array.of(id), timestamps: Float64Array.of(NOW - HOUR + i), valueWords: Uint32Array.of(0, 0x3ff00000) };
			await store.write(samples, 1);
			expect(store.findSeries(labels, new DataView(labels.buffer), 0, labels.length, -1)).toBe(id);
		}
		const count = async (from: Store) =>
			(await from.select([equals('__name__', 'm')], 0, NOW)).reduce((sum, { timestamps }) => sum + timestamps.length, 0);
		expect(await count(store)).toBe(3);
		await store.cutBlocks();
		await store.stop();
		const again = await open(dataDir);
		expect(await count(again)).toBe(3);
		await again.compactBlocks();
		expect(await count(again)).toBe(3);
	});

	test('a clock that jumps ahead and back loses nothing', async () => {
		const dataDir = folder();
		let wall = NOW;
		const clock: Clock = { ...systemClock, now: () => wall };
		const store = await open(dataDir, clock);
		const times: number[] = [];
		const at = async (timeMs: number) => {
			wall = timeMs;
			await append(store, ['__name__', 'm'], timeMs, times.push(timeMs));
			await store.cutBlocks(timeMs - HOUR);
		};
		for (const jump of [0, 1, 2, 50, 51, 3, 4, 52, -20, -19, 5]) await at(NOW + jump * HOUR);
		wall = NOW + 60 * HOUR;
		const expected = times.map((timeMs, i) => [timeMs, i + 1]).sort((a, b) => (a[0] as number) - (b[0] as number));
		const read = async (from: Store) => {
			const found = await from.select([equals('__name__', 'm')], 0, wall);
			expect(found).toHaveLength(1);
			return [...(found[0]?.timestamps ?? [])].map((timeMs, i) => [timeMs, found[0]?.values[i]]);
		};
		expect(await read(store)).toEqual(expected);
		await store.cutBlocks();
		expect(await read(store)).toEqual(expected);
		await store.stop();
		expect(await read(await open(dataDir, clock))).toEqual(expected);
	});
});

/** A file system of its own, which only root may mount, and not in every container. */
function canMount(): boolean {
	const made = temporaryFolder('mount');
	const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', made.path]).status === 0;
	if (mounted) runCommand('umount', [made.path]);
	made.remove();
	return mounted;
}

describe.skipIf(!canMount())('read-only disk', () => {
	test('serves what is there, refuses what comes, says so, and goes on by itself when it can be written again', async () => {
		const dataDir = folder();
		runCommand('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', dataDir]);
		// After the stores, so that one which a failure left open does not hide the failure behind a busy disk.
		cleanups.push(() => runCommand('umount', [dataDir]));
		const first = await open(dataDir);
		await append(first, ['__name__', 'm'], NOW - HOUR, 1);
		await first.cutBlocks();
		await append(first, ['__name__', 'm'], NOW, 2);
		await first.stop();
		runCommand('mount', ['-o', 'remount,ro', dataDir]);
		const metrics = new Registry();
		let wall = NOW;
		const stuck = await openTestStore(dataDir, { metrics, cutIntervalMs: 5, clock: { ...systemClock, now: () => wall } });
		cleanups.push(() => stuck.stop());
		const values = async (store: Store) => (await store.select([], 0, NOW + 1)).map((series) => [...series.values]);
		expect(await values(stuck)).toEqual([[1, 2]]);
		expect(stuck.isReadOnly).toBe(true);
		expect(await metrics.getSingleMetricAsString('fournines_store_read_only')).toContain('fournines_store_read_only 1');
		// Refused, so that the sender keeps it, and seen by rules all the same.
		await expect(append(stuck, ['__name__', 'm'], NOW + 1, 3)).rejects.toMatchObject({
			code: 'FN_STORE_READ_ONLY',
			status: 503,
			retryable: true,
		});
		expect(await values(stuck)).toEqual([[1, 2, 3]]);
		await expect(stuck.deleteSeries([equals('__name__', 'm')], 0, NOW)).rejects.toMatchObject({ code: 'FN_STORE_READ_ONLY' });
		await expect(stuck.cutBlocks()).rejects.toMatchObject({ code: 'FN_STORE_READ_ONLY' });
		// An hour that is due by itself must not end the process.
		wall += 2 * HOUR;
		const failures = async () =>
			Number(/total (\d+)/.exec(await metrics.getSingleMetricAsString('fournines_store_block_write_failures_total'))?.[1]);
		await waitFor('an attempt to write blocks', async () => (await failures()) > 0);
		runCommand('mount', ['-o', 'remount,rw', dataDir]);
		await append(stuck, ['__name__', 'm'], NOW + 1, 3);
		expect(stuck.isReadOnly).toBe(false);
		await stuck.cutBlocks();
		expect(await values(stuck)).toEqual([[1, 2, 3]]);
		await stuck.stop();
		const again = await open(dataDir);
		expect(await values(again)).toEqual([[1, 2, 3]]);
		await again.stop();
	});
});
