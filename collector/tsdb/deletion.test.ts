import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { type Clock, systemClock } from '../../core/clock.ts';
import { silentLogger } from '../../core/log.ts';
import { temporaryFolder } from '../../tests/harness/process.ts';
import { equals, matches, openTestStore } from '../../tests/harness/store/open-test-store.ts';
import type { Queryable } from '../storage/storage.ts';
import { clipSpan } from './blocks/deleted-ranges.ts';
import type { Store } from './store.ts';
import type { StoreOptions } from './store-options.ts';
import { openStoreReader } from './store-reader.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const START = Date.UTC(2026, 0, 5);
const ALL = [0, START + 30 * DAY] as const;

const cleanups: (() => unknown)[] = [];

afterEach(async () => {
	for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function folder(): string {
	const made = temporaryFolder('deletion');
	cleanups.push(() => made.remove());
	return made.path;
}

async function open(dataDir: string, options: Partial<StoreOptions> = {}): Promise<Store> {
	const clock: Clock = { ...systemClock, now: () => START + 2 * DAY };
	const store = await openTestStore(dataDir, { clock, retentionMs: 400 * DAY, ...options });
	cleanups.push(() => store.stop());
	return store;
}

async function append(store: Store, labels: readonly string[], samples: readonly (readonly [number, number])[]): Promise<void> {
	const appender = store.appender();
	for (const [time, value] of samples) appender.append(labels, time, value);
	await appender.commit();
}

const M1 = ['__name__', 'm', 'host', 'a'];
const M2 = ['__name__', 'm', 'host', 'b'];
const minutes = (from: number, to: number, plus = 0) =>
	Array.from({ length: to - from }, (_, i) => [START + (from + i) * 60_000, from + i + plus] as const);

async function read(from: Queryable, host: string): Promise<number[]> {
	const found = await from.select([equals('__name__', 'm'), equals('host', host)], ...ALL);
	expect(found.length).toBeLessThanOrEqual(1);
	return [...(found[0]?.values ?? [])];
}

const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
const at = (minute: number) => START + minute * 60_000;

/** Where the samples are when they are deleted. */
const places: Record<string, (store: Store) => Promise<void>> = {
	memory: async () => {},
	hours: (store) => store.cutBlocks(),
	compacted: async (store) => {
		await store.cutBlocks();
		await store.compactBlocks();
	},
	everywhere: async (store) => {
		await store.cutBlocks(at(60));
		await store.compactBlocks();
		await store.cutBlocks(at(120));
	},
};

describe('deletion', () => {
	test.each(
		Object.keys(places),
	)('takes samples out of %s, and nothing else, also after a restart, a compaction and for another thread', async (place) => {
		const dataDir = folder();
		const store = await open(dataDir);
		await append(store, M1, minutes(0, 180));
		await append(store, M2, minutes(0, 180));
		await places[place]?.(store);
		expect(await store.deleteSeries([equals('host', 'a')], at(30), at(149))).toBe(1);
		const left = [...numbers(0, 30), ...numbers(150, 180)];
		const check = async (from: Queryable) => {
			expect(await read(from, 'a')).toEqual(left);
			expect(await read(from, 'b')).toEqual(numbers(0, 180));
		};
		await check(store);
		const reader = await openStoreReader(store.readerPort(), { log: silentLogger });
		cleanups.push(() => reader.close());
		await check(reader);
		await store.stop();
		const again = await open(dataDir);
		await check(again);
		await again.cutBlocks();
		await check(again);
		await again.cleanDeletions();
		await again.compactBlocks();
		await check(again);
		expect(readdirSync(join(dataDir, 'store/blocks')).filter((name) => name.includes('deleted'))).toEqual([]);
		await again.stop();
		await check(await open(dataDir));
	});

	test.each(Object.keys(places))('leaves what comes later, at a time that was deleted, when it was in %s', async (place) => {
		const dataDir = folder();
		const store = await open(dataDir);
		await append(store, M1, minutes(0, 180));
		await places[place]?.(store);
		await store.deleteSeries([equals('__name__', 'm')], at(10), at(169));
		await append(store, M1, minutes(60, 90, 1000));
		const left = [...numbers(0, 10), ...numbers(1060, 1090), ...numbers(170, 180)];
		expect(await read(store, 'a')).toEqual(left);
		await store.cutBlocks();
		expect(await read(store, 'a')).toEqual(left);
		await store.stop();
		const again = await open(dataDir);
		expect(await read(again, 'a')).toEqual(left);
		await again.compactBlocks();
		await again.cleanDeletions();
		expect(await read(again, 'a')).toEqual(left);
	});

	test.each(
		Object.keys(places),
	)('makes a series that has lost everything invisible to every question, when it was in %s', async (place) => {
		const dataDir = folder();
		const store = await open(dataDir);
		await append(store, M1, minutes(0, 180));
		await append(store, M2, minutes(0, 180));
		await places[place]?.(store);
		await store.deleteSeries([equals('host', 'a')], ...ALL);
		const check = async (from: Queryable) => {
			expect(await from.labelValues('host', [], ...ALL)).toEqual(['b']);
			expect(await from.series([equals('__name__', 'm')], ...ALL)).toEqual([M2]);
			expect(await from.labelNames([equals('host', 'a')], ...ALL)).toEqual([]);
		};
		await check(store);
		await store.stop();
		const again = await open(dataDir);
		await check(again);
		await append(again, M1, minutes(200, 201));
		expect(await read(again, 'a')).toEqual([200]);
		expect(await again.labelValues('host', [], ...ALL)).toEqual(['a', 'b']);
	});

	test('reaches series that have left memory', async () => {
		const dataDir = folder();
		const store = await open(dataDir, { quietMs: HOUR });
		await append(store, M1, minutes(0, 60));
		await append(store, M2, minutes(0, 60));
		const clock = { ...systemClock, now: () => START + 2 * DAY };
		await store.cutBlocks();
		await store.stop();
		const later = await open(dataDir, { quietMs: HOUR, clock });
		await append(later, ['__name__', 'other'], [[START + DAY, 1]]);
		await later.cutBlocks();
		expect(later.stats().series).toBeLessThan(3);
		expect(await later.deleteSeries([matches('host', /^(?:a)$/)], at(10), at(59))).toBe(1);
		expect(await read(later, 'a')).toEqual(numbers(0, 10));
		await later.deleteSeries([equals('host', 'a')], ...ALL);
		expect(await later.labelValues('host', [], ...ALL)).toEqual(['b']);
	});

	test('refuses series of checks unless they are meant, and deletes nothing then', async () => {
		const store = await open(folder());
		await append(store, M1, minutes(0, 10));
		await append(store, ['__name__', 'probe_success', 'host', 'a'], minutes(0, 10));
		await expect(store.deleteSeries([equals('host', 'a')], ...ALL)).rejects.toMatchObject({ code: 'FN_STORE_DELETE_CHECKS', status: 403 });
		expect(await store.series([equals('host', 'a')], ...ALL)).toHaveLength(2);
		expect(await store.deleteSeries([equals('host', 'a')], ...ALL, { includeChecks: true })).toBe(2);
		expect(await store.series([equals('host', 'a')], ...ALL)).toHaveLength(0);
	});

	test('a start finishes a deletion that the log has and the blocks do not', async () => {
		const dataDir = folder();
		const store = await open(dataDir);
		await append(store, M1, minutes(0, 180));
		await store.cutBlocks(at(60));
		await store.compactBlocks();
		await store.cutBlocks(at(120));
		const blocks = join(dataDir, 'store/blocks');
		const before = new Map(readdirSync(blocks).map((name) => [name, readFileSync(join(blocks, name))]));
		const index = readFileSync(join(dataDir, 'store/index.db'));
		await store.deleteSeries([equals('host', 'a')], at(30), at(149));
		await store.stop();
		// As if the power had gone between the record of the log and the blocks.
		for (const name of readdirSync(blocks)) rmSync(join(blocks, name));
		for (const [name, bytes] of before) writeFileSync(join(blocks, name), bytes);
		writeFileSync(join(dataDir, 'store/index.db'), index);
		const again = await open(dataDir);
		await again.cutBlocks();
		expect(await read(again, 'a')).toEqual([...numbers(0, 30), ...numbers(150, 180)]);
	});

	test('a damaged list of deletions is reported, and the file stays readable', async () => {
		const dataDir = folder();
		const store = await open(dataDir);
		await append(store, M1, minutes(0, 180));
		await store.cutBlocks();
		await store.compactBlocks();
		await store.deleteSeries([equals('host', 'a')], at(30), at(149));
		await store.stop();
		const list = join(dataDir, 'store/blocks/samples-2026-01-05.long.deleted');
		expect(existsSync(list)).toBe(true);
		writeFileSync(list, readFileSync(list, 'latin1').replace(/\d\n$/, 'x\n'));
		const errors: string[] = [];
		const log = { ...silentLogger, error: (_fields: object, message: string) => errors.push(message) };
		const again = await open(dataDir, { log });
		expect(await read(again, 'a')).toEqual(numbers(0, 180));
		expect(errors.join()).toContain('the list of what was deleted, is damaged');
	});

	test('any order of writing, cutting, compacting, deleting and restarting is as in a plain map', async () => {
		const step = fc.oneof(
			{
				weight: 4,
				arbitrary: fc.record({ kind: fc.constant('write' as const), from: fc.nat(170), count: fc.integer({ min: 1, max: 40 }) }),
			},
			{ weight: 2, arbitrary: fc.record({ kind: fc.constant('delete' as const), from: fc.nat(180), count: fc.nat(100) }) },
			{
				weight: 1,
				arbitrary: fc.record({
					kind: fc.constantFrom('cut' as const, 'cut hour' as const, 'compact' as const, 'restart' as const, 'clean' as const),
				}),
			},
		);
		await fc.assert(
			fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 14 }), async (steps) => {
				const made = temporaryFolder('deletion');
				const clock: Clock = { ...systemClock, now: () => START + 2 * DAY };
				const reopen = () => openTestStore(made.path, { clock, retentionMs: 400 * DAY });
				let store = await reopen();
				try {
					const expected = new Map<number, number>();
					let value = 0;
					for (const one of steps) {
						if (one.kind === 'write') {
							const samples = numbers(one.from, one.from + one.count).map((minute) => [at(minute), ++value] as const);
							for (const [time, its] of samples) expected.set(time, its);
							await append(store, M1, samples);
						} else if (one.kind === 'delete') {
							await store.deleteSeries([equals('host', 'a')], at(one.from), at(one.from + one.count));
							for (const time of expected.keys()) if (time >= at(one.from) && time <= at(one.from + one.count)) expected.delete(time);
						} else if (one.kind === 'cut') await store.cutBlocks();
						else if (one.kind === 'cut hour') await store.cutBlocks(at(60));
						else if (one.kind === 'compact') await store.compactBlocks();
						else if (one.kind === 'clean') await store.cleanDeletions();
						else {
							await store.stop();
							store = await reopen();
						}
						const sorted = [...expected].sort((a, b) => a[0] - b[0]).map(([, its]) => its);
						expect(await read(store, 'a')).toEqual(sorted);
						expect(await store.series([equals('host', 'a')], ...ALL)).toHaveLength(sorted.length > 0 ? 1 : 0);
						// When it lived is known by its first and last time: one that lost them piece by piece may still be named here.
						if (sorted.length > 0) expect(await store.labelValues('host', [], ...ALL)).toEqual(['a']);
					}
				} finally {
					await store.stop();
					made.remove();
				}
			}),
			{ numRuns: Number(process.env['DELETION_RUNS'] ?? 25) },
		);
	});

	test.each([
		['all', 0, 30, { firstMs: Number.POSITIVE_INFINITY, lastMs: 20 }],
		['the beginning', 0, 15, { firstMs: 16, lastMs: 20 }],
		['the end', 15, 30, { firstMs: 10, lastMs: 14 }],
		['the middle', 12, 15, { firstMs: 10, lastMs: 20 }],
		['nothing', 21, 30, { firstMs: 10, lastMs: 20 }],
	])('what is left of a life when %s goes', (_name, minMs, maxMs, left) => {
		expect(clipSpan({ firstMs: 10, lastMs: 20 }, minMs, maxMs)).toEqual(left);
	});
});
