import { Registry } from 'prom-client';
import { afterEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import { silentLogger } from '../../core/log.ts';
import { temporaryFolder } from '../../tests/harness/process.ts';
import { isStaleAt, type Matcher } from '../storage/storage.ts';
import { openStore, type Store, type StoreOptions } from './store.ts';

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
	const store = await openStore({
		dataDir,
		retentionMs: 30 * 86_400_000,
		checkRetentionMs: 1096 * 86_400_000,
		fsync: 'interval',
		log: silentLogger,
		clock: systemClock,
		metrics: new Registry(),
		...options,
	});
	opened.push(store);
	return store;
}

function equal(name: string, value: string): Matcher {
	return { name, kind: '=', value, test: (v) => v === value, literals: [value] };
}

const NOW = Date.now();
const METRIC = ['__name__', 'm', 'host', 'a'];

describe('store', () => {
	test('gives back what was appended', async () => {
		const store = await open(folder());
		const appender = store.appender();
		appender.append(METRIC, NOW - 2000, 1);
		appender.append(METRIC, NOW - 1000, -0);
		appender.appendStale(METRIC, NOW);
		await appender.commit();
		const [series] = await store.select([equal('__name__', 'm')], NOW - 10_000, NOW);
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
				for (const host of ['a', 'b', 'c']) appender.append(['__name__', 'm', 'host', host], NOW - 8 * 3_600_000 + i * 15_000, i);
			}
			await appender.commit();
		};
		await write(first, 0, 500);
		await first.cutBlocks();
		await write(first, 500, 500);
		const check = async (store: Store) => {
			const result = await store.select([equal('__name__', 'm')], NOW - 86_400_000, NOW);
			expect(result.map((series) => series.labels[3])).toEqual(['a', 'b', 'c']);
			for (const series of result) expect([...series.values]).toEqual(Array.from({ length: 1000 }, (_, i) => i));
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
});
