import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import { labelsFromObject } from '../../core/labels.ts';
import { ExpositionParser } from '../../protocol/exposition/parse.ts';
import { type TemporaryFolder, temporaryFolder } from '../../tests/harness/process.ts';
import { equals, openTestStore } from '../../tests/harness/store/open-test-store.ts';
import { SampleBatch } from './sample-batch.ts';
import { TargetSeries } from './target-series.ts';

const HOUR = 3_600_000;
const START = Date.UTC(2026, 0, 5);
let wall = START;
let folder: TemporaryFolder;
let store: Awaited<ReturnType<typeof openTestStore>>;
let batch: SampleBatch;
let target: TargetSeries;

beforeEach(async () => {
	wall = START;
	folder = temporaryFolder('target-series');
	store = await openTestStore(folder.path, { clock: { ...systemClock, now: () => wall }, quietMs: HOUR, retentionMs: 100 * HOUR });
	batch = new SampleBatch();
	const rules = {
		targetLabels: labelsFromObject({ instance: 'a', job: 'j' }),
		honorLabels: false,
		steps: [],
		labelLimit: 0,
		nameLengthLimit: 0,
		valueLengthLimit: 0,
	};
	target = new TargetSeries(
		{ store, parser: new ExpositionParser(), rules, honorTimestamps: true, sampleLimit: 0, onSkipped: () => {} },
		batch,
	);
});
afterEach(async () => {
	await store.stop();
	folder.remove();
});

async function scrape(text: string | null): Promise<void> {
	batch.clear();
	if (text === null) target.markAllStale(wall);
	else target.collect(Buffer.from(text), 'text', wall);
	target.report({ up: text === null ? 0 : 1, durationSeconds: 0, scraped: 0, kept: 0, added: 0 }, wall);
	await store.write(batch, batch.count);
}

/** Another sender whose series come and take whatever place is free. */
async function others(count: number, value: number): Promise<void> {
	const appender = store.appender();
	for (let i = 0; i < count; i++) appender.append(labelsFromObject({ __name__: 'other', n: String(i) }), wall, value);
	await appender.commit();
}

test('a target that was away for hours writes its own series, not those that took their places', async () => {
	await scrape('m{x="1"} 1\nm{x="2"} 2\n');
	for (let hour = 1; hour <= 5; hour++) {
		wall = START + hour * HOUR;
		await scrape(null);
		await store.cutBlocks(wall);
	}
	expect(store.departures()).toBeGreaterThan(0);
	await others(10, 7);
	wall += 15_000;
	await scrape('m{x="1"} 11\nm{x="2"} 12\n');
	const foreign = await store.select([equals('__name__', 'other')], START, wall);
	expect(foreign.flatMap((series) => [...series.values])).toEqual(Array(10).fill(7));
	const own = await store.select([equals('__name__', 'm')], wall, wall);
	expect(own.map((series) => [...series.values])).toEqual([[11], [12]]);
	const up = await store.select([equals('__name__', 'up')], START, wall);
	expect([...(up[0]?.values ?? [])]).toEqual([1, 0, 0, 0, 0, 0, 1]);
});

test('a series whose samples are too old to be taken does not keep a place that is another one by now', async () => {
	await scrape(`m{x="1"} 1\nold 5\n`);
	for (let hour = 1; hour <= 5; hour++) {
		wall = START + hour * HOUR;
		await scrape(`m{x="1"} ${hour}\nold 5 1000\n`);
		await store.cutBlocks(wall);
	}
	await others(10, 7);
	wall += 15_000;
	await scrape('m{x="1"} 6\nold 9\n');
	expect((await store.select([equals('__name__', 'other')], START, wall)).flatMap((series) => [...series.values])).toEqual(
		Array(10).fill(7),
	);
	expect((await store.select([equals('__name__', 'old')], wall, wall)).map((series) => [...series.values])).toEqual([[9]]);
	expect((await store.select([equals('__name__', 'm')], START + HOUR, wall)).map((series) => [...series.values])).toEqual([
		[1, 2, 3, 4, 5, 6],
	]);
});
