import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import type { Clock } from '../../core/clock.ts';
import { systemClock } from '../../core/clock.ts';
import { temporaryFolder, waitFor } from '../../tests/harness/process.ts';
import { equals, matches, openTestStore } from '../../tests/harness/store/open-test-store.ts';
import { isStaleAt } from '../storage/storage.ts';
import type { Store } from './store.ts';
import type { StoreOptions } from './store-options.ts';

const opened: Store[] = [];
const folders: { remove(): void }[] = [];

afterEach(async () => {
	for (const store of opened.splice(0)) await store.stop();
	for (const folder of folders.splice(0)) folder.remove();
});

function folder(): string {
	const made = temporaryFolder('store');
	folders.push(made);
	return made.path;
}

async function open(dataDir: string, options: Partial<StoreOptions> = {}): Promise<Store> {
	const store = await openTestStore(dataDir, options);
	opened.push(store);
	return store;
}

const HOUR = 3_600_000;
const NOW = Date.now();
const METRIC = ['__name__', 'm', 'host', 'a'];

async function append(store: Store, labels: readonly string[], samples: readonly (readonly [number, number])[]): Promise<void> {
	const appender = store.appender();
	for (const [time, value] of samples) appender.append(labels, time, value);
	await appender.commit();
}

async function read(store: Store, metric = 'm'): Promise<(readonly [number, number])[]> {
	const [series] = await store.select([equals('__name__', metric)], 0, NOW + 1e9);
	return [...(series?.timestamps ?? [])].map((time, i) => [time, series?.values[i] as number]);
}

describe('store', () => {
	test('gives back what was appended', async () => {
		const store = await open(folder());
		const appender = store.appender();
		appender.append(METRIC, NOW - 2000, 1);
		appender.append(METRIC, NOW - 1000, -0);
		appender.appendStale(METRIC, NOW);
		await appender.commit();
		const [series] = await store.select([equals('__name__', 'm')], NOW - 10_000, NOW);
		expect(series?.labels).toEqual(METRIC);
		expect([...(series?.timestamps ?? [])]).toEqual([NOW - 2000, NOW - 1000, NOW]);
		expect(Object.is(series?.values[1], -0)).toBe(true);
		expect(isStaleAt(series?.values ?? new Float64Array(), 2)).toBe(true);
	});

	test('has everything again after a restart, from the log and from blocks', async () => {
		const dataDir = folder();
		const first = await open(dataDir);
		const write = async (store: Store, from: number, count: number) => {
			const appender = store.appender();
			for (let i = from; i < from + count; i++) {
				for (const host of ['a', 'b', 'c']) appender.append(['__name__', 'm', 'host', host], NOW - 8 * HOUR + i * 15_000, i);
			}
			await appender.commit();
		};
		await write(first, 0, 500);
		first.describe('m', { type: 'gauge', help: 'h', unit: 's' });
		await first.cutBlocks();
		await write(first, 500, 500);
		const check = async (store: Store) => {
			const result = await store.select([equals('__name__', 'm')], NOW - 24 * HOUR, NOW);
			expect(result.map((series) => series.labels[3])).toEqual(['a', 'b', 'c']);
			for (const series of result) expect([...series.values]).toEqual(Array.from({ length: 1000 }, (_, i) => i));
			expect(store.metadata('m').get('m')).toEqual({ type: 'gauge', help: 'h', unit: 's' });
		};
		await check(first);
		await first.stop();
		const second = await open(dataDir);
		expect(second.recovery.samplesFromLog).toBe(1500);
		await check(second);
		await second.cutBlocks();
		await check(second);
		await second.stop();
		const third = await open(dataDir);
		expect(third.recovery.samplesFromLog).toBe(0);
		await check(third);
	});

	test('refuses a second process', async () => {
		const dataDir = folder();
		await open(dataDir);
		await expect(open(dataDir)).rejects.toMatchObject({ code: 'FN_STORE_LOCKED' });
	});

	test('says what is wrong when its folder cannot be made', async () => {
		const file = join(folder(), 'a-file');
		writeFileSync(file, '');
		await expect(open(file)).rejects.toMatchObject({ code: 'FN_STORE_OPEN', message: expect.stringContaining(file) });
	});

	test('cuts complete hours by itself, keeps the newer samples in memory, and drops the log behind them', async () => {
		const dataDir = folder();
		let wall = Date.UTC(2026, 0, 5, 10, 30);
		const clock: Clock = { ...systemClock, now: () => wall };
		const store = await open(dataDir, { clock, cutIntervalMs: 5, retentionMs: 2 * 24 * HOUR });
		await append(store, METRIC, [
			[wall - 1000, 1],
			[wall, 2],
		]);
		wall = Date.UTC(2026, 0, 5, 11, 2);
		await append(store, METRIC, [[wall, 3]]);
		wall = Date.UTC(2026, 0, 5, 11, 4);
		await append(store, METRIC, [[wall, 4]]);
		await waitFor('a block file', () => existsSync(join(dataDir, 'store/blocks/samples-2026-01-05.db')));
		await waitFor('the first cut', () => readdirSync(join(dataDir, 'store/log')).length === 2);
		expect((await read(store)).map(([, value]) => value)).toEqual([1, 2, 3, 4]);
		await store.stop();
		const again = await open(dataDir, { clock });
		// The samples before eleven are in a block; replay leaves them out.
		expect(again.recovery.samplesFromLog).toBe(2);
		expect((await read(again)).map(([, value]) => value)).toEqual([1, 2, 3, 4]);
	});

	test('deletes files whose retention is over, and keeps checks longer', async () => {
		const dataDir = folder();
		let wall = Date.UTC(2026, 0, 5, 10, 30);
		const clock: Clock = { ...systemClock, now: () => wall };
		const first = await open(dataDir, { clock, retentionMs: 24 * HOUR, checkRetentionMs: 400 * 24 * HOUR });
		await append(first, METRIC, [[wall, 1]]);
		await append(first, ['__name__', 'probe_success', 'check', 'c'], [[wall, 1]]);
		await first.cutBlocks();
		await first.stop();
		const blocks = join(dataDir, 'store/blocks');
		expect(
			readdirSync(blocks)
				.filter((name) => name.endsWith('.db'))
				.sort(),
		).toEqual(['checks-2026-01.db', 'samples-2026-01-05.db']);
		wall += 60 * 24 * HOUR;
		const second = await open(dataDir, { clock, retentionMs: 24 * HOUR, checkRetentionMs: 400 * 24 * HOUR, cutIntervalMs: 5 });
		await waitFor('the old file to go', () => !existsSync(join(blocks, 'samples-2026-01-05.db')));
		expect(await read(second)).toEqual([]);
		expect((await read(second, 'probe_success')).length).toBe(1);
	});

	test('any order of arrival gives the same result, whatever is cut or restarted in between', async () => {
		const times = fc.integer({ min: 0, max: 60 }).map((n) => NOW - 3 * HOUR + n * 173_000);
		const batch = fc.array(times, { minLength: 1, maxLength: 40 });
		const step = fc.oneof({ weight: 4, arbitrary: batch }, { weight: 1, arbitrary: fc.constantFrom('cut', 'cut hour', 'restart') });
		await fc.assert(
			fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
				const made = temporaryFolder('order');
				let store = await openTestStore(made.path);
				try {
					const model = new Map<number, number>();
					let value = 0;
					for (const action of steps) {
						if (action === 'cut') await store.cutBlocks();
						else if (action === 'cut hour') await store.cutBlocks(NOW - HOUR);
						else if (action === 'restart') {
							await store.stop();
							store = await openTestStore(made.path);
						} else {
							await append(
								store,
								METRIC,
								action.map((time) => [time, value++] as const),
							);
							// The last value given for a time wins.
							for (const [i, time] of action.entries()) model.set(time, value - action.length + i);
						}
					}
					expect(await read(store)).toEqual([...model].sort((a, b) => a[0] - b[0]));
				} finally {
					await store.stop();
					made.remove();
				}
			}),
			{ numRuns: 40 },
		);
	});

	test('the last value wins also when its forerunner was carried over a cut', async () => {
		const wall = Date.UTC(2026, 0, 5, 10, 30);
		const clock: Clock = { ...systemClock, now: () => wall };
		const store = await open(folder(), { clock });
		await append(store, METRIC, [
			[wall - 3000, 1],
			[wall - 1000, 1],
		]);
		// The first makes the second go the way of late samples, although its time is in the page.
		await append(store, METRIC, [
			[wall - 2000, 2],
			[wall - 3000, 2],
		]);
		await store.cutBlocks(wall - HOUR);
		await append(store, METRIC, [[wall - 3000, 3]]);
		expect((await store.select([equals('__name__', 'm')], 0, wall)).map((series) => [...series.values])).toEqual([[3, 2, 1]]);
	});

	test('counts what came twice and what was overwritten', async () => {
		const { Registry } = await import('prom-client');
		const metrics = new Registry();
		const store = await open(folder(), { metrics });
		await append(store, METRIC, [
			[NOW - 3, 1],
			[NOW - 2, 2],
			[NOW - 1, 3],
		]);
		await append(store, METRIC, [
			[NOW - 3, 1],
			[NOW - 2, 9],
			[NOW - 1, 3],
		]);
		expect(await read(store)).toEqual([
			[NOW - 3, 1],
			[NOW - 2, 9],
			[NOW - 1, 3],
		]);
		const text = await metrics.metrics();
		expect(text).toContain('fournines_store_samples_duplicate_total 2');
		expect(text).toContain('fournines_store_samples_overwritten_total 1');
	});

	test('refuses samples from the future and from before the retention', async () => {
		const store = await open(folder());
		expect(() => store.appender().append(METRIC, NOW + 600_000, 1)).toThrow(
			expect.objectContaining({ code: 'FN_STORE_TIME_OUT_OF_BOUNDS' }),
		);
		expect(() => store.appender().append(METRIC, 1000, 1)).toThrow(expect.objectContaining({ code: 'FN_STORE_TIME_OUT_OF_BOUNDS' }));
	});

	test('honours the sample limit and the signal', async () => {
		const store = await open(folder());
		await append(
			store,
			METRIC,
			Array.from({ length: 100 }, (_, i) => [NOW - 100_000 + i * 1000, i] as const),
		);
		await expect(store.select([equals('__name__', 'm')], 0, NOW, { sampleLimit: 99 })).rejects.toMatchObject({
			code: 'FN_QUERY_SAMPLE_LIMIT',
		});
		expect(await store.select([equals('__name__', 'm')], 0, NOW, { sampleLimit: 100 })).toHaveLength(1);
		await expect(store.select([equals('__name__', 'm')], 0, NOW, { signal: AbortSignal.abort() })).rejects.toMatchObject({
			code: 'FN_QUERY_CANCELLED',
		});
	});

	test('finds series by every kind of matcher', async () => {
		const store = await open(folder());
		for (const [job, zone] of [
			['node', 'a'],
			['node', 'b'],
			['redis', 'a'],
			['nginx', ''],
		]) {
			await append(store, ['__name__', 'up', 'job', job as string, ...(zone === '' ? [] : ['zone', zone as string])], [[NOW - 1000, 1]]);
		}
		const found = async (...matchers: Parameters<typeof store.select>[0]) =>
			(await store.series([equals('__name__', 'up'), ...matchers], NOW - HOUR, NOW)).map((labels) => `${labels[3]}${labels[5] ?? ''}`);
		expect(await found()).toEqual(['nginx', 'nodea', 'nodeb', 'redisa']);
		expect(await found(equals('zone', 'a'))).toEqual(['nodea', 'redisa']);
		expect(await found(equals('zone', ''))).toEqual(['nginx']);
		expect(await found(matches('job', /^(?:n.*)$/))).toEqual(['nginx', 'nodea', 'nodeb']);
		expect(await found(matches('job', /^(?:n.*)$/, true))).toEqual(['redisa']);
		expect(await found(matches('zone', /^(?:a|)$/), matches('job', /^(?:redis)$/, true))).toEqual(['nginx', 'nodea']);
		expect(await found(matches('nothing', /^(?:.+)$/))).toEqual([]);
		expect(await store.labelNames([], NOW - HOUR, NOW)).toEqual(['__name__', 'job', 'zone']);
		expect(await store.labelValues('job', [equals('zone', 'a')], NOW - HOUR, NOW)).toEqual(['node', 'redis']);
		expect(await store.labelValues('job', [], NOW - 2 * HOUR, NOW - HOUR)).toEqual([]);
		expect(await store.series([equals('job', 'node')], NOW - 500, NOW)).toEqual([]);
	});

	test('goes on when a block file or the index is damaged, and puts them aside', async () => {
		const dataDir = folder();
		const first = await open(dataDir);
		await append(first, METRIC, [
			[NOW - 30 * HOUR, 1],
			[NOW - 29 * HOUR, 2],
		]);
		await first.cutBlocks();
		await append(first, METRIC, [[NOW - 1000, 3]]);
		await first.stop();
		const blocks = join(dataDir, 'store/blocks');
		for (const name of readdirSync(blocks)) writeFileSync(join(blocks, name), 'this is no database '.repeat(1000));
		writeFileSync(join(dataDir, 'store/index.db'), 'nor is this '.repeat(1000));
		const second = await open(dataDir);
		expect(second.recovery.indexPutAside).toMatch(/index\.db\.damaged/);
		await append(second, METRIC, [
			[NOW - 30 * HOUR + 1000, 4],
			[NOW, 5],
		]);
		await second.cutBlocks();
		expect((await read(second)).map(([, value]) => value)).toContain(4);
		expect(readdirSync(blocks).some((name) => name.includes('damaged'))).toBe(true);
	});

	test('does not give ids in blocks to other series when the index is lost', async () => {
		const dataDir = folder();
		const first = await open(dataDir);
		await append(first, METRIC, [[NOW - 30 * HOUR, 1]]);
		await append(first, ['__name__', 'other'], [[NOW - 30 * HOUR, 2]]);
		await first.cutBlocks();
		await first.stop();
		const index = join(dataDir, 'store/index.db');
		const bytes = readFileSync(index);
		bytes.fill(0xff, 0, 200);
		writeFileSync(index, bytes);
		const second = await open(dataDir);
		await append(second, ['__name__', 'new'], [[NOW - 30 * HOUR, 3]]);
		await second.cutBlocks();
		expect(await read(second, 'new')).toEqual([[NOW - 30 * HOUR, 3]]);
		expect(await read(second)).toEqual([[NOW - 30 * HOUR, 1]]);
	});

	test.each([
		{ name: 'deleted', harm: (file: string) => rmSync(file) },
		{ name: 'overwritten', harm: (file: string) => writeFileSync(file, 'no database '.repeat(1000)) },
		{ name: 'emptied', harm: (file: string) => writeFileSync(file, '') },
	])('reads everything from blocks and log when the index was $name, and after one more start', async ({ harm }) => {
		const dataDir = folder();
		const first = await open(dataDir);
		const expected: (readonly [number, number])[] = [];
		for (let i = 0; i < 50; i++) {
			expected.push([NOW - 50 * HOUR + i * HOUR, i]);
			await append(first, METRIC, expected.slice(-1));
			if (i === 20 || i === 40) await first.cutBlocks();
		}
		await append(first, ['__name__', 'probe_success', 'check', 'c'], [[NOW - 40 * HOUR, 1]]);
		await first.cutBlocks();
		await append(first, METRIC, [[NOW, 50]]);
		expected.push([NOW, 50]);
		await first.stop();
		harm(join(dataDir, 'store/index.db'));
		const second = await open(dataDir);
		expect(second.recovery.seriesFromBlocks).toBe(2);
		expect(await read(second)).toEqual(expected);
		await append(second, ['__name__', 'new'], [[NOW, 7]]);
		await second.cutBlocks();
		await second.stop();
		const third = await open(dataDir);
		expect(third.recovery.seriesFromBlocks).toBe(0);
		expect(await read(third)).toEqual(expected);
		expect(await read(third, 'probe_success')).toEqual([[NOW - 40 * HOUR, 1]]);
		expect(await read(third, 'new')).toEqual([[NOW, 7]]);
	});

	test('tells of checks that came more than ten minutes late, the oldest of them, once', async () => {
		const told: number[] = [];
		const store = await open(folder(), { onOldChecks: (minMs) => told.push(minMs) });
		const check = ['__name__', 'probe_success', 'check', 'c'];
		await append(store, METRIC, [[NOW - 5 * HOUR, 1]]);
		await append(store, check, [[Date.now() - 500_000, 1]]);
		await append(store, check, [[NOW - 2 * HOUR, 1]]);
		await append(store, check, [[NOW - 3 * HOUR, 1]]);
		await append(store, ['__name__', 'fournines_check_degraded', 'check', 'c'], [[NOW - HOUR, 1]]);
		await waitFor('the call', () => told.length > 0);
		expect(told).toEqual([NOW - 3 * HOUR]);
		await append(store, check, [[NOW - HOUR, 1]]);
		await waitFor('the next call', () => told.length > 1);
		expect(told).toEqual([NOW - 3 * HOUR, NOW - HOUR]);
	});

	test.each([
		'fournines_agent_last_push_timestamp_seconds',
		'fournines_collector_up',
	])('tells of late heartbeats, too: %s', async (name) => {
		const told: number[] = [];
		const store = await open(folder(), { onOldChecks: (minMs) => told.push(minMs) });
		await append(store, ['__name__', `${name}_not`, 'host', 'a'], [[NOW - 9 * HOUR, 1]]);
		await append(store, ['__name__', name, 'host', 'a'], [[Date.now() - 500_000, 1]]);
		await append(store, ['__name__', name, 'host', 'a'], [[NOW - 4 * HOUR, 1]]);
		await waitFor('the call', () => told.length > 0);
		expect(told).toEqual([NOW - 4 * HOUR]);
	});
});
