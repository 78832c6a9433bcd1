import { copyFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { createEngine } from '../../collector/promql/engine.ts';
import { isStaleAt, STALE_SAMPLE } from '../../collector/storage/storage.ts';
import { ownWeights, pick, reduceSamples } from '../../collector/tsdb/reduce-samples.ts';
import type { Store } from '../../collector/tsdb/store.ts';
import type { StoreOptions } from '../../collector/tsdb/store-options.ts';
import { type Clock, systemClock } from '../../core/clock.ts';
import { temporaryFolder } from '../harness/process.ts';
import { equals, openTestStore } from '../harness/store/open-test-store.ts';

const MINUTE = 60_000;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const START = Date.UTC(2026, 0, 5);
const EVERY = 5 * MINUTE;
const NOW = START + 40 * DAY;

const cleanups: (() => unknown)[] = [];

afterEach(async () => {
	for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function folder(): string {
	const made = temporaryFolder('downsampling');
	cleanups.push(() => made.remove());
	return made.path;
}

async function open(dataDir: string, options: Partial<StoreOptions> = {}): Promise<Store> {
	const clock: Clock = { ...systemClock, now: () => NOW };
	const store = await openTestStore(dataDir, { clock, retentionMs: 400 * DAY, checkRetentionMs: 400 * DAY, ...options });
	cleanups.push(() => store.stop());
	return store;
}

/** Values of every kind at 15 s for two days, with a hole, a counter that is reset inside of a bucket, and stale markers. */
const KINDS: Readonly<Record<string, (i: number) => number | null>> = {
	steady_total: (i) => i * 7,
	/** Several resets within a bucket, now and then. */
	crash_total: (i) => (i % 500 < 12 ? (i % 4) * 10 : (i % 500) * 3),
	reset_total: (i) => (i % 777) * 3 + 1,
	noise: (i) => Math.round(Math.sin(i * 12.9898) * 43_758) / 100,
	constant: () => 42,
	fine: (i) => Math.sqrt(i + 1),
	holes: (i) => (i % 500 < 40 ? null : i % 13),
	probe_success: (i) => (i % 333 === 0 ? 0 : 1),
};

async function fill(store: Store): Promise<void> {
	for (let hour = 0; hour < 48; hour++) {
		const appender = store.appender();
		for (let i = hour * 240; i < (hour + 1) * 240; i++) {
			// Not on the edges of buckets, as real scrapes.
			const timeMs = START + i * 15_000 + 3217;
			for (const [name, value] of Object.entries(KINDS)) {
				const one = value(i);
				if (one !== null) appender.append(['__name__', name, 'kind', name], timeMs, one);
				else if (i % 500 === 0) appender.appendStale(['__name__', name, 'kind', name], timeMs);
			}
		}
		await appender.commit();
		await store.cutBlocks(START + (hour + 1) * HOUR);
	}
	await store.cutBlocks();
}

async function answers(store: Store, query: string, rangeMs: number): Promise<readonly (readonly [string, number, number])[]> {
	const engine = createEngine({ queryable: store, clock: systemClock });
	const stepMs = 30 * MINUTE;
	const { value } = await engine.range(query, START + rangeMs, START + 2 * DAY, stepMs);
	const series = value.kind === 'matrix' ? value.series : [];
	return series.flatMap(({ labels, timestamps, values }) =>
		[...timestamps].map((timeMs, i) => [labels.join(), timeMs, values[i] as number] as const),
	);
}

const FUNCTIONS = [
	'min_over_time',
	'max_over_time',
	'sum_over_time',
	'avg_over_time',
	'count_over_time',
	'last_over_time',
	'rate',
	'increase',
	'resets',
	'delta',
];

describe('down-sampling', () => {
	test('answers over wide windows are those of all samples, and checks keep all', async () => {
		const dataDir = folder();
		const store = await open(dataDir);
		await fill(store);
		await store.compactBlocks();
		const queries = FUNCTIONS.flatMap((name) =>
			[HOUR, 6 * HOUR, DAY].map((rangeMs) => ({ query: `${name}({__name__=~".+"}[${rangeMs / HOUR}h])`, rangeMs })),
		);
		const before = await Promise.all(queries.map(({ query, rangeMs }) => answers(store, query, rangeMs)));
		const checks = await store.select([equals('__name__', 'probe_success')], START, NOW);
		const bytesBefore = size(dataDir);
		await store.stop();
		const reduced = await open(dataDir, { downsample: { afterMs: 30 * DAY, everyMs: EVERY } });
		await reduced.compactBlocks();
		expect(size(dataDir)).toBeLessThan(bytesBefore);
		const [steady] = await reduced.select([equals('__name__', 'steady_total')], START, NOW);
		expect(steady?.values.length).toBeLessThan(48 * 12 * 2 + 10);
		expect(await reduced.select([equals('__name__', 'probe_success')], START, NOW)).toEqual(checks);
		for (const [i, { query, rangeMs }] of queries.entries()) {
			const after = await answers(reduced, query, rangeMs);
			const wanted = before[i] as Awaited<ReturnType<typeof answers>>;
			// Of a gauge that falls all the time only these are asked.
			const counters = /^(rate|increase|resets)/.test(query) ? (labels: string) => /total|constant|probe/.test(labels) : () => true;
			const of = (rows: typeof after) => rows.filter(([labels]) => counters(labels));
			expect(
				of(after).map(([labels, timeMs]) => [labels, timeMs]),
				query,
			).toEqual(of(wanted).map(([labels, timeMs]) => [labels, timeMs]));
			of(after).forEach(([labels, timeMs, value], k) => {
				const expected = of(wanted)[k]?.[2] as number;
				if (!(Math.abs(value - expected) <= Math.abs(expected) * 1e-12 + 1e-9))
					throw new Error(`${query} of ${labels} at ${timeMs}: ${value}, not ${expected}`);
			});
		}
	});

	test('samples that come late for a day that was down-sampled are added to its buckets', async () => {
		const dataDir = folder();
		const store = await open(dataDir, { downsample: { afterMs: 30 * DAY, everyMs: EVERY } });
		await fill(store);
		await store.compactBlocks();
		const late = store.appender();
		late.append(['__name__', 'constant', 'kind', 'constant'], START + 8 * MINUTE, 1000);
		late.append(['__name__', 'constant', 'kind', 'constant'], START + 9 * MINUTE, -1000);
		await late.commit();
		const check = async (its: Store) => {
			const at = async (name: string) => (await answers(its, `${name}(constant[1h])`, HOUR))[0]?.[2];
			expect(await at('max_over_time')).toBe(1000);
			expect(await at('min_over_time')).toBe(-1000);
			expect(await at('count_over_time')).toBe(242);
			expect(await at('sum_over_time')).toBe(240 * 42);
		};
		await check(store);
		await store.cutBlocks();
		await check(store);
		await store.compactBlocks();
		await check(store);
		await store.compactBlocks();
		await store.stop();
		await check(await open(dataDir));
	});

	test('hours that a crash has left beside the down-sampled file do not count twice', async () => {
		const dataDir = folder();
		const store = await open(dataDir, { downsample: { afterMs: 30 * DAY, everyMs: EVERY } });
		await fill(store);
		const late = store.appender();
		late.append(['__name__', 'steady_total', 'kind', 'steady_total'], START + 8 * MINUTE, 5);
		await late.commit();
		await store.cutBlocks();
		const blocks = join(dataDir, 'store/blocks');
		const hours = 'samples-2026-01-05.db';
		// The first attempt gives the file its mark; then it is put aside, as if the crash had come before its deletion.
		copyFileSync(join(blocks, hours), join(dataDir, 'hours'));
		const { DatabaseSync } = await import('node:sqlite');
		const marked = new DatabaseSync(join(dataDir, 'hours'));
		marked.exec('pragma application_id = 4711');
		marked.close();
		copyFileSync(join(dataDir, 'hours'), join(blocks, hours));
		await store.compactBlocks();
		const counts = async (its: Store) =>
			(await answers(its, 'count_over_time({__name__=~"steady_total|fine"}[24h])', DAY)).map(([, , value]) => value);
		const wanted = await counts(store);
		await store.stop();
		copyFileSync(join(dataDir, 'hours'), join(blocks, hours));
		const again = await open(dataDir);
		expect(await counts(again)).toEqual(wanted);
		await again.compactBlocks();
		expect(readdirSync(blocks)).not.toContain(hours);
		expect(await counts(again)).toEqual(wanted);
	});

	test('what is left of any samples has their sums, extremes, ends and resets', () => {
		const sample = fc.tuple(fc.integer({ min: 1, max: 120_000 }), fc.oneof(fc.integer({ min: -1000, max: 1000 }), fc.constant(null)));
		fc.assert(
			fc.property(fc.array(sample, { minLength: 1, maxLength: 300 }), (steps) => {
				let time = 0;
				const times = Float64Array.from(steps, ([step]) => (time += step));
				const values = Float64Array.from(steps, ([, value]) => value ?? 0);
				for (const [i, [, value]] of steps.entries()) if (value === null) values.set(STALE_SAMPLE, i);
				const all = ownWeights(times, values);
				const copy = ownWeights(times, values.slice());
				const kept = pick(copy, reduceSamples(copy, EVERY));
				for (let bucket = 0; bucket <= Math.ceil(time / EVERY); bucket++) {
					const inside = (its: typeof kept) => [...its.times.keys()].filter((i) => Math.ceil((its.times[i] as number) / EVERY) === bucket);
					const live = (its: typeof kept) => inside(its).filter((i) => !isStaleAt(its.values, i));
					const figures = (its: typeof kept) => ({
						min: Math.min(...live(its).map((i) => its.values[i] as number)),
						max: Math.max(...live(its).map((i) => its.values[i] as number)),
						first: its.times[live(its)[0] ?? -1],
						last: its.times[live(its).at(-1) ?? -1],
						sum: inside(its).reduce((sum, i) => sum + (its.sums[i] as number), 0),
						count: inside(its).reduce((sum, i) => sum + (its.counts[i] as number), 0),
						stale: inside(its).length - live(its).length,
					});
					expect(figures(kept)).toEqual(figures(all));
				}
			}),
			{ numRuns: 300 },
		);
	});
});

function size(dataDir: string): number {
	const blocks = join(dataDir, 'store/blocks');
	return readdirSync(blocks)
		.filter((name) => name.startsWith('samples'))
		.reduce((sum, name) => sum + statSync(join(blocks, name)).size, 0);
}
