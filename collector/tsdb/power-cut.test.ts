import { copyFileSync, cpSync, mkdirSync, readdirSync, rmSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { temporaryFolder } from '../../tests/harness/process.ts';
import { equals, openTestStore } from '../../tests/harness/store/open-test-store.ts';

const cleanups: (() => unknown)[] = [];

afterEach(async () => {
	for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function folder(): string {
	const made = temporaryFolder('power');
	cleanups.push(() => made.remove());
	return made.path;
}

/** Lengths of the log's files: what a disk has when the power goes right after a sync of them. */
function lengths(dataDir: string): Map<string, number> {
	const log = join(dataDir, 'store/log');
	return new Map(readdirSync(log).map((name) => [name, statSync(join(log, name)).size]));
}

/** What a power cut leaves: of each file of the log the bytes that had been synced, and a torn rest of those that had not. */
function afterPowerCut(dataDir: string, synced: ReadonlyMap<string, number>, tornBytes: number): string {
	const copy = folder();
	mkdirSync(join(copy, 'store'), { recursive: true });
	cpSync(join(dataDir, 'store'), join(copy, 'store'), { recursive: true });
	const log = join(copy, 'store/log');
	for (const name of readdirSync(log)) {
		const bytes = synced.get(name);
		if (bytes === undefined) rmSync(join(log, name));
		else truncateSync(join(log, name), Math.min(statSync(join(log, name)).size, bytes + tornBytes));
	}
	return copy;
}

async function write(store: Awaited<ReturnType<typeof openTestStore>>, i: number, baseMs: number): Promise<void> {
	const appender = store.appender();
	for (let series = 0; series < 10; series++) appender.append(['__name__', 'm', 'series', String(series)], baseMs + i * 1000, i);
	await appender.commit();
}

async function values(dataDir: string): Promise<readonly (readonly number[])[]> {
	const store = await openTestStore(dataDir);
	cleanups.push(() => store.stop());
	return (await store.select([equals('__name__', 'm')], 0, Date.now())).map((series) => [...series.values]);
}

describe('a cut of power', () => {
	test('fsync always: nothing that was acknowledged is lost, whatever of the rest reached the disk', async () => {
		const dataDir = folder();
		const store = await openTestStore(dataDir, { fsync: 'always' });
		cleanups.push(() => store.stop());
		const baseMs = Date.now() - 3_600_000;
		for (let i = 0; i < 50; i++) {
			await write(store, i, baseMs);
			if (i % 10 !== 9) continue;
			// Whatever is acknowledged is synced at this moment; the next batch is on its way when the power goes.
			const synced = lengths(dataDir);
			const pending = write(store, 1_000_000, baseMs - 1_000_000_000 + i);
			const kept = await values(afterPowerCut(dataDir, synced, i % 20 === 9 ? 0 : 100));
			await pending;
			expect(kept).toHaveLength(10);
			for (const its of kept) expect(its.filter((value) => value < 1000)).toEqual(Array.from({ length: i + 1 }, (_, k) => k));
		}
	});

	test.each([
		{ fsync: 'always', waits: true },
		{ fsync: 'interval', waits: false },
	] as const)('fsync $fsync: an acknowledgement waits for the disk: $waits', async ({ fsync, waits }) => {
		const store = await openTestStore(folder(), { fsync });
		cleanups.push(() => store.stop());
		let acknowledged = false;
		const written = write(store, 1, Date.now() - 1000).then(() => {
			acknowledged = true;
		});
		// The disk answers through the event loop, never within this turn of it.
		for (let i = 0; i < 20; i++) await Promise.resolve();
		expect(acknowledged).toBe(!waits);
		await written;
		expect(acknowledged).toBe(true);
	});

	test('fsync interval: what was acknowledged before the last sync is there, and what is torn is cut off', async () => {
		const dataDir = folder();
		const store = await openTestStore(dataDir, { fsyncIntervalMs: 20 });
		cleanups.push(() => store.stop());
		const baseMs = Date.now() - 3_600_000;
		for (let i = 0; i < 20; i++) await write(store, i, baseMs);
		// Twice the interval and a turn: the timer has synced what was written so far.
		await new Promise((resolve) => setTimeout(resolve, 100));
		const synced = lengths(dataDir);
		for (let i = 20; i < 40; i++) await write(store, i, baseMs);
		const kept = await values(afterPowerCut(dataDir, synced, 77));
		for (const its of kept) expect(its.slice(0, 20)).toEqual(Array.from({ length: 20 }, (_, k) => k));
	});

	test('a cut between the blocks and the checkpoint doubles nothing', async () => {
		const dataDir = folder();
		const store = await openTestStore(dataDir);
		const baseMs = Date.now() - 7_200_000;
		for (let i = 0; i < 40; i++) await write(store, i, baseMs);
		const index = join(dataDir, 'store/index.db');
		const log = join(dataDir, 'store/log');
		const before = folder();
		for (const name of readdirSync(log)) copyFileSync(join(log, name), join(before, name));
		await store.cutBlocks();
		await store.stop();
		// The blocks reached the disk, the checkpoint did not: the log is still whole, and the index as it was.
		rmSync(index, { force: true });
		for (const name of readdirSync(before)) copyFileSync(join(before, name), join(log, name));
		for (const its of await values(dataDir)) expect(its).toEqual(Array.from({ length: 40 }, (_, k) => k));
	});
});
