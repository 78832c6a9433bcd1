import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type TemporaryFolder, temporaryFolder } from '../../tests/harness/process.ts';
import { equals, matches, openTestStore } from '../../tests/harness/store/open-test-store.ts';
import type { SeriesSamples } from '../storage/storage.ts';
import type { Store } from './store.ts';

const HOUR = 3_600_000;
const START = Math.floor((Date.now() - 10 * HOUR) / HOUR) * HOUR;
const EVER = START + 100 * HOUR;

let folder: TemporaryFolder;
let store: Store;

beforeAll(async () => {
	folder = temporaryFolder('select');
	store = await openTestStore(folder.path);
});

afterAll(async () => {
	await store.stop();
	folder.remove();
});

async function append(labels: readonly string[], samples: readonly (readonly [number, number])[]): Promise<void> {
	const appender = store.appender();
	for (const [time, value] of samples) appender.append(labels, time, value);
	await appender.commit();
}

const points = (series: SeriesSamples | undefined) => [...(series?.timestamps ?? [])].map((time, i) => [time, series?.values[i]]);

describe('reading what was read before', () => {
	test('an hour that late samples changed in its block is not answered from memory', async () => {
		const labels = ['__name__', 'late', 'host', 'a'];
		await append(
			labels,
			Array.from({ length: 100 }, (_, i) => [START + i * 10_000, i]),
		);
		await store.cutBlocks();
		const all = () => store.select([equals('__name__', 'late')], START, EVER);
		expect((await all())[0]?.values.length).toBe(100);
		await append(labels, [
			[START + 5000, -1],
			[START + 10_000, -2],
		]);
		await store.cutBlocks();
		expect(points((await all())[0]).slice(0, 4)).toEqual([
			[START, 0],
			[START + 5000, -1],
			[START + 10_000, -2],
			[START + 20_000, 2],
		]);
	});

	test('a selector that was asked before finds series that came since, in their place', async () => {
		const ask = async () =>
			(await store.select([matches('host', /^x.*/), equals('__name__', 'new')], START, EVER)).map(({ labels }) => labels[3]);
		expect(await ask()).toEqual([]);
		await append(['__name__', 'new', 'host', 'xb'], [[START, 1]]);
		expect(await ask()).toEqual(['xb']);
		await append(['__name__', 'new', 'host', 'xa'], [[START, 1]]);
		await append(['__name__', 'new', 'host', 'y'], [[START, 1]]);
		expect(await ask()).toEqual(['xa', 'xb']);
		expect(await store.labelValues('host', [equals('__name__', 'new')], START, EVER)).toEqual(['xa', 'xb', 'y']);
		expect(await store.series([equals('__name__', 'new')], START, EVER)).toHaveLength(3);
	});

	test('series of one answer do not write into each other', async () => {
		for (let host = 0; host < 40; host++)
			await append(
				['__name__', 'many', 'host', String(host).padStart(2, '0')],
				Array.from({ length: 3 + host * 7 }, (_, i) => [START + i * 60_000, host * 1000 + i]),
			);
		const found = await store.select([equals('__name__', 'many')], START + 60_000, EVER);
		found.forEach((series, host) => {
			expect([...series.values]).toEqual(Array.from({ length: 2 + host * 7 }, (_, i) => host * 1000 + i + 1));
		});
		expect(found).toHaveLength(40);
	});
});

describe('the newest sample alone', () => {
	const step = fc.oneof(
		{ weight: 6, arbitrary: fc.record({ kind: fc.constant('write' as const), at: fc.nat(400), value: fc.nat(9) }) },
		{ weight: 1, arbitrary: fc.constant({ kind: 'cut' as const }) },
	);

	test('is the last of all, whatever the order of arrival', async () => {
		let round = 0;
		await fc.assert(
			fc.asyncProperty(
				fc.array(step, { minLength: 1, maxLength: 40 }),
				fc.array(fc.tuple(fc.nat(400), fc.nat(100)), { minLength: 1, maxLength: 5 }),
				async (steps, asked) => {
					const labels = ['__name__', 'newest', 'round', String(round++)];
					for (const one of steps) {
						if (one.kind === 'cut') await store.cutBlocks();
						else await append(labels, [[START + one.at * 60_000, one.value]]);
					}
					const matchers = [equals('__name__', 'newest'), equals('round', labels[3] as string)];
					for (const [end, length] of asked) {
						const [minMs, maxMs] = [START + (end - length) * 60_000, START + end * 60_000];
						const [series] = await store.select(matchers, minMs, maxMs);
						const all = points(series);
						if (series?.neverFalls === true) expect([...series.values]).toEqual([...series.values].sort((a, b) => a - b));
						const newest = points((await store.select(matchers, minMs, maxMs, { newestOnly: true }))[0]);
						expect(newest.at(-1)).toEqual(all.at(-1));
					}
				},
			),
			{ numRuns: 60 },
		);
	});
});
