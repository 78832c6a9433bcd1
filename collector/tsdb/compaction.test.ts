import { existsSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { type Clock, systemClock } from '../../core/clock.ts';
import { temporaryFolder, waitFor } from '../../tests/harness/process.ts';
import { equals, openTestStore } from '../../tests/harness/store/open-test-store.ts';
import { isStaleAt } from '../storage/storage.ts';
import { LongGroup, packGroup } from './blocks/long-file.ts';
import { ChunkDamaged } from './codec/chunk-codec.ts';
import type { Store } from './store.ts';
import type { StoreOptions } from './store-options.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const START = Date.UTC(2026, 0, 5);

const cleanups: (() => unknown)[] = [];

afterEach(async () => {
	for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function folder(): string {
	const made = temporaryFolder('compaction');
	cleanups.push(() => made.remove());
	return made.path;
}

async function open(dataDir: string, nowMs: number, options: Partial<StoreOptions> = {}): Promise<Store> {
	const clock: Clock = { ...systemClock, now: () => nowMs };
	const store = await openTestStore(dataDir, { clock, retentionMs: 400 * DAY, ...options });
	cleanups.push(() => store.stop());
	return store;
}

async function append(store: Store, labels: readonly string[], samples: readonly (readonly [number, number])[]): Promise<void> {
	const appender = store.appender();
	for (const [time, value] of samples) appender.append(labels, time, value);
	await appender.commit();
}

function blockFiles(dataDir: string): string[] {
	return readdirSync(join(dataDir, 'store/blocks'))
		.filter((name) => name.endsWith('.db'))
		.sort();
}

async function fill(store: Store): Promise<void> {
	for (let hour = 0; hour < 30; hour++) {
		const appender = store.appender();
		for (let minute = 0; minute < 60; minute += 5) {
			const time = START + hour * HOUR + minute * 60_000;
			for (let i = 0; i < 70; i++)
				appender.append(['__name__', `m${i % 7}`, 'i', String(i)], time, i % 3 === 0 ? Math.sqrt(time + i) : hour * i);
			appender.append(['__name__', 'probe_success', 'check', 'c'], time, minute % 2);
			if (minute === 30) appender.appendStale(['__name__', 'odd'], time);
			else appender.append(['__name__', 'odd'], time, minute === 10 ? -0 : Number.NEGATIVE_INFINITY);
		}
		await appender.commit();
		await store.cutBlocks(START + (hour + 1) * HOUR);
	}
	await store.cutBlocks();
}

async function everything(store: Store) {
	const all = await store.select([], 0, START + 10 * DAY);
	return all.map(({ labels, timestamps, values }) => ({
		labels,
		timestamps: [...timestamps],
		bits: [...new BigUint64Array(values.buffer, values.byteOffset, values.length)],
	}));
}

describe('compaction', () => {
	test('keeps every bit, merges what comes late, and is found again without the index', async () => {
		const dataDir = folder();
		const store = await open(dataDir, START + 2 * DAY);
		await fill(store);
		const before = await everything(store);
		expect(before).toHaveLength(72);
		await store.compactBlocks(START + DAY);
		expect(blockFiles(dataDir)).toEqual(['checks-2026-01.db', 'samples-2026-01-05.long.db', 'samples-2026-01-06.db']);
		await store.compactBlocks();
		expect(blockFiles(dataDir)).toEqual(['checks-2026-01.long.db', 'samples-2026-01-05.long.db', 'samples-2026-01-06.long.db']);
		expect(await everything(store)).toEqual(before);
		const odd = await store.select([equals('__name__', 'odd')], START, START + HOUR - 1);
		expect(Object.is(odd[0]?.values[2], -0)).toBe(true);
		expect(isStaleAt(odd[0]?.values ?? new Float64Array(), 6)).toBe(true);

		await append(
			store,
			['__name__', 'm1', 'i', '1'],
			[
				[START + 60_000, 77],
				[START + 300_000, 78],
			],
		);
		await append(store, ['__name__', 'late'], [[START + 5 * HOUR, 1]]);
		await store.cutBlocks();
		const late = await everything(store);
		expect(late).toHaveLength(73);
		const values = async () => [...((await store.select([equals('i', '1')], START, START + 600_000))[0]?.values ?? [])];
		expect(await values()).toEqual([0, 77, 78, 0]);
		expect(blockFiles(dataDir)).toContain('samples-2026-01-05.db');
		await store.compactBlocks();
		expect(blockFiles(dataDir)).not.toContain('samples-2026-01-05.db');
		expect(await values()).toEqual([0, 77, 78, 0]);
		expect(await everything(store)).toEqual(late);
		await store.stop();
		rmSync(join(dataDir, 'store/index.db'));
		const again = await open(dataDir, START + 2 * DAY);
		expect(await everything(again)).toEqual(late);
	});

	test('happens by itself when a day is over for some hours, and retention deletes compacted files', async () => {
		const dataDir = folder();
		let wall = START + 26 * HOUR;
		const clock: Clock = { ...systemClock, now: () => wall };
		const first = await open(dataDir, 0, { clock });
		await append(first, ['__name__', 'm'], [[START + HOUR, 1]]);
		await first.cutBlocks();
		await first.stop();
		wall = START + 31 * HOUR;
		const second = await open(dataDir, 0, { clock, cutIntervalMs: 5 });
		await waitFor('the compaction', () => blockFiles(dataDir).join() === 'samples-2026-01-05.long.db');
		expect(await second.select([equals('__name__', 'm')], 0, wall)).toHaveLength(1);
		await second.stop();
		wall = START + 500 * DAY;
		await open(dataDir, 0, { clock, cutIntervalMs: 5 });
		await waitFor('the deletion', () => blockFiles(dataDir).length === 0);
	});

	test('deletes the oldest days when files take too much, but neither checks nor the newest day', async () => {
		const dataDir = folder();
		const first = await open(dataDir, START + 9 * DAY);
		for (let day = 0; day < 8; day++) {
			const noise = Array.from({ length: 3000 }, (_, i) => [START + day * DAY + i * 20_000, Math.sin(i + day)] as const);
			await append(first, ['__name__', 'm'], noise);
			await append(first, ['__name__', 'probe_success', 'check', 'c'], noise);
		}
		await first.cutBlocks();
		await first.compactBlocks();
		await first.stop();
		const sizeOf = (name: string) => statSync(join(dataDir, 'store/blocks', name)).size;
		const samples = blockFiles(dataDir).filter((name) => name.startsWith('samples'));
		expect(samples).toHaveLength(8);
		const limit = sizeOf(samples[6] ?? '') + sizeOf(samples[7] ?? '') + 100;
		const second = await open(dataDir, START + 9 * DAY, { retentionBytes: limit, cutIntervalMs: 5 });
		await waitFor('the deletion', () => blockFiles(dataDir).length === 3);
		expect(blockFiles(dataDir)).toEqual(['checks-2026-01.long.db', ...samples.slice(6)]);
		await second.stop();
		await open(dataDir, START + 9 * DAY, { retentionBytes: 1, cutIntervalMs: 5 });
		await waitFor('the next deletion', () => blockFiles(dataDir).length === 2);
		expect(blockFiles(dataDir)).toEqual(['checks-2026-01.long.db', samples[7]]);
	});

	test('another thread reads consistently while files are compacted under it', async () => {
		const dataDir = folder();
		const store = await openTestStore(dataDir);
		cleanups.push(() => store.stop());
		const stop = new Int32Array(new SharedArrayBuffer(8));
		const port = store.readerPort();
		const worker = new Worker(new URL('../../tests/harness/store/reading-thread.ts', import.meta.url), {
			workerData: { port, stop: stop.buffer, windowMs: null },
			transferList: [port],
		});
		cleanups.push(() => worker.terminate());
		const finding = new Promise((resolve, reject) => {
			worker.on('message', resolve);
			worker.on('error', reject);
		});
		await waitFor('the other thread to read', () => Atomics.load(stop, 1) === 1);
		const start = Date.now() - 2 * DAY;
		let count = 0;
		for (let round = 0; round < 25; round++) {
			const appender = store.appender();
			for (let i = 0; i < 20; i++, count++)
				for (let s = 0; s < 40; s++) appender.append(['__name__', 'm', 's', String(s)], start + count * 120_000, count);
			await appender.commit();
			await store.cutBlocks();
			await store.compactBlocks();
		}
		Atomics.store(stop, 0, 1);
		expect(await finding).toMatchObject({ problems: [], series: 40, samples: 40 * count });
	});

	test('a half-made file of an attempt that died is thrown away; both files together read the same', async () => {
		const dataDir = folder();
		const store = await open(dataDir, START + 2 * DAY);
		await append(
			store,
			['__name__', 'm'],
			[
				[START, 1],
				[START + HOUR, 2],
			],
		);
		await store.cutBlocks();
		const blocks = join(dataDir, 'store/blocks');
		writeFileSync(join(blocks, 'samples-2026-01-05.long.db.new'), 'half a file');
		await store.compactBlocks();
		expect(existsSync(join(blocks, 'samples-2026-01-05.long.db.new'))).toBe(false);
		// Died between taking the name and deleting the hours: the hours are there, too.
		await append(
			store,
			['__name__', 'm'],
			[
				[START, 1],
				[START + HOUR, 2],
			],
		);
		await store.cutBlocks();
		expect(blockFiles(dataDir)).toEqual(['samples-2026-01-05.db', 'samples-2026-01-05.long.db']);
		expect((await store.select([], 0, START + DAY)).map((series) => [...series.values])).toEqual([[1, 2]]);
	});

	test('a damaged compacted file is reported, and everything else is answered', async () => {
		const dataDir = folder();
		const store = await open(dataDir, START + 2 * DAY);
		await append(
			store,
			['__name__', 'm'],
			[
				[START, 1],
				[START + DAY, 2],
			],
		);
		await store.cutBlocks();
		await store.compactBlocks();
		await store.stop();
		writeFileSync(join(dataDir, 'store/blocks/samples-2026-01-05.long.db'), 'no database '.repeat(1000));
		const again = await open(dataDir, START + 2 * DAY);
		expect((await again.select([], 0, START + 2 * DAY)).map((series) => [...series.values])).toEqual([[2]]);
	});
});

describe('group', () => {
	const part = fc.record({ labels: fc.uint8Array({ maxLength: 40 }), chunk: fc.uint8Array({ maxLength: 60 }) });

	test('gives back what was packed', () => {
		fc.assert(
			fc.property(fc.array(part, { minLength: 1, maxLength: 40 }), (parts) => {
				const series = parts.map((each, i) => ({ id: i * 7 + 1, ...each }));
				const group = new LongGroup(packGroup(series));
				const found = series.map(({ id }, i) => {
					const place = group.chunk(id);
					return {
						id: group.idAt(i),
						labels: new Uint8Array(group.labelsAt(i)),
						chunk: new Uint8Array(group.bytes.subarray(place?.start, place?.end)),
					};
				});
				expect(found).toEqual(series);
				expect(group.chunk(3)).toBe(null);
			}),
		);
	});

	test('a changed byte is found, whichever it is', () => {
		const packed = packGroup([{ id: 1, labels: new Uint8Array(20).fill(7), chunk: Uint8Array.from({ length: 50 }, (_, i) => i) }]);
		for (let at = 0; at < packed.length; at++) {
			const changed = packed.slice();
			changed[at] = (changed[at] as number) ^ 0x20;
			expect(() => new LongGroup(changed)).toThrow(ChunkDamaged);
		}
	});
});
