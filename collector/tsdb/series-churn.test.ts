import { afterEach, describe, expect, test } from 'vitest';
import { type Clock, systemClock } from '../../core/clock.ts';
import { silentLogger } from '../../core/log.ts';
import { temporaryFolder } from '../../tests/harness/process.ts';
import { equals, matches, openTestStore } from '../../tests/harness/store/open-test-store.ts';
import type { Store } from './store.ts';
import { openStoreReader } from './store-reader.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const START = Date.UTC(2026, 0, 5);

const cleanups: (() => Promise<void> | void)[] = [];

afterEach(async () => {
	for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function folder(): string {
	const made = temporaryFolder('churn');
	cleanups.push(() => made.remove());
	return made.path;
}

async function open(dataDir: string, clock: Clock, quietMs = HOUR): Promise<Store> {
	const store = await openTestStore(dataDir, { clock, quietMs, retentionMs: 400 * DAY });
	cleanups.push(() => store.stop());
	return store;
}

async function append(store: Store, labels: readonly string[], samples: readonly (readonly [number, number])[]): Promise<void> {
	const appender = store.appender();
	for (const [time, value] of samples) appender.append(labels, time, value);
	await appender.commit();
}

describe('series that come and go', () => {
	test('every series replaced each hour for a day: memory stays flat, and all is found', async () => {
		let wall = START;
		const dataDir = folder();
		const store = await open(dataDir, { ...systemClock, now: () => wall });
		const perHour = 1500;
		const memory: number[] = [];
		const pad = 'x'.repeat(1500);
		for (let hour = 0; hour < 24; hour++) {
			for (let minute = 0; minute < 60; minute += 20) {
				wall = START + hour * HOUR + minute * 60_000;
				const appender = store.appender();
				for (let i = 0; i < perHour; i++) appender.append(['__name__', 'm', 'pad', pad, 'pod', `${hour}-${i}`], wall, hour * 1000 + minute);
				appender.append(['__name__', 'steady'], wall, hour);
				await appender.commit();
			}
			wall = START + (hour + 1) * HOUR;
			await store.cutBlocks(wall);
			memory.push(store.stats().headMemoryBytes);
			expect(store.stats().series).toBeLessThanOrEqual(3 * perHour + 1);
		}
		expect(Math.max(...memory.slice(6))).toBeLessThanOrEqual(Math.max(...memory.slice(0, 6)));
		const check = async (from: Store) => {
			for (const hour of [0, 11, 23]) {
				const found = await from.select([equals('__name__', 'm'), matches('pod', new RegExp(`^(?:${hour}-.*)$`))], 0, wall);
				expect(found).toHaveLength(perHour);
				expect([...(found[7]?.values ?? [])]).toEqual([hour * 1000, hour * 1000 + 20, hour * 1000 + 40]);
			}
			expect(await from.series([equals('__name__', 'm')], START + 3 * HOUR, START + 4 * HOUR - 1)).toHaveLength(perHour);
			expect(await from.labelValues('pod', [equals('__name__', 'm')], 0, wall)).toHaveLength(24 * perHour);
			expect(await from.labelValues('__name__', [], 0, wall)).toEqual(['m', 'steady']);
			const [steady] = await from.select([equals('__name__', 'steady')], 0, wall);
			expect(steady?.values).toHaveLength(72);
		};
		await check(store);
		await store.stop();
		const again = await open(dataDir, { ...systemClock, now: () => wall });
		expect(again.stats().series).toBeLessThanOrEqual(3 * perHour + 1);
		await check(again);
	});

	test('a series that has been quiet for a year answers from blocks, in this thread and in another one, and after a restart', async () => {
		let wall = START;
		const clock = { ...systemClock, now: () => wall };
		const dataDir = folder();
		const store = await open(dataDir, clock);
		await append(
			store,
			['__name__', 'old', 'host', 'a'],
			[
				[wall, 1],
				[wall + 1000, 2],
			],
		);
		wall += 365 * DAY;
		await store.cutBlocks();
		wall += 2 * HOUR;
		await append(store, ['__name__', 'new'], [[wall, 3]]);
		await store.cutBlocks();
		expect(store.stats().seriesByMetric).toEqual([{ name: 'new', count: 1 }]);
		const reader = await openStoreReader(store.readerPort(), { log: silentLogger });
		cleanups.push(() => reader.close());
		for (const from of [store, reader]) {
			expect(await from.select([matches('host', /^(?:a)$/)], START, START + HOUR)).toMatchObject([
				{ labels: ['__name__', 'old', 'host', 'a'] },
			]);
			expect(await from.labelNames([], START, START + HOUR)).toEqual(['__name__', 'host']);
			expect(await from.labelNames([], wall - HOUR, wall)).toEqual(['__name__']);
		}
		await store.stop();
		const again = await open(dataDir, clock);
		expect((await again.select([equals('__name__', 'old')], 0, wall)).map((series) => [...series.values])).toEqual([[1, 2]]);
		// It speaks again, late and new: to whoever asks it is one series.
		await append(
			again,
			['__name__', 'old', 'host', 'a'],
			[
				[START + 1000, 20],
				[START + 2000, 30],
				[wall, 40],
			],
		);
		expect((await again.select([equals('__name__', 'old')], 0, wall)).map((series) => [...series.values])).toEqual([[1, 20, 30, 40]]);
		expect(await again.series([equals('__name__', 'old')], 0, wall)).toHaveLength(1);
	});

	test('a slot that got another series never answers for the one before', async () => {
		let wall = START;
		const store = await open(folder(), { ...systemClock, now: () => wall });
		const reader = await openStoreReader(store.readerPort(), { log: silentLogger });
		cleanups.push(() => reader.close());
		const port = [store, reader];
		for (let round = 0; round < 12; round++) {
			wall += 2 * HOUR;
			for (let i = 0; i < 20; i++) await append(store, ['__name__', 'm', 'round', String(round), 'series', String(i)], [[wall + i, round]]);
			// An index that is brought up to date in the middle of things.
			if (round % 2 === 0) for (const from of port) await from.select([equals('round', String(round))], 0, wall + HOUR);
			await store.cutBlocks();
			for (const from of port) {
				for (let past = 0; past <= round; past++) {
					const found = await from.select([equals('round', String(past))], 0, wall + HOUR);
					expect(found).toHaveLength(20);
					for (const series of found) expect([...series.values]).toEqual([past]);
				}
			}
		}
		expect(store.stats().series).toBeLessThanOrEqual(40);
	});

	test('a series that is quiet, but not yet in blocks, stays', async () => {
		let wall = START;
		const store = await open(folder(), { ...systemClock, now: () => wall });
		await append(store, ['__name__', 'm'], [[wall, 1]]);
		wall += 10 * HOUR;
		await store.cutBlocks(START - HOUR);
		expect(store.stats().series).toBe(1);
		// In blocks, and heard of just now: only two hours later it is quiet.
		await store.cutBlocks();
		expect(store.stats().series).toBe(1);
		wall += 2 * HOUR;
		await store.cutBlocks();
		expect(store.stats().series).toBe(0);
	});
});
