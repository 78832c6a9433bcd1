import { Registry } from 'prom-client';
import { compressSync } from 'snappy';
import { afterEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import { silentLogger } from '../../core/log.ts';
import { encodeRemoteWriteV1 } from '../../protocol/remote-write/encode-v1.ts';
import { temporaryFolder } from '../../tests/harness/process.ts';
import { equals, openTestStore } from '../../tests/harness/store/open-test-store.ts';
import { createIngest } from './ingest.ts';

type Store = Awaited<ReturnType<typeof openTestStore>>;
type StoreOptions = NonNullable<Parameters<typeof openTestStore>[1]>;

const HOUR = 3_600_000;
const NOW = Math.floor(Date.now() / HOUR) * HOUR;

const cleanups: (() => unknown)[] = [];

afterEach(async () => {
	for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function folder(): string {
	const made = temporaryFolder('limits');
	cleanups.push(() => made.remove());
	return made.path;
}

async function open(dataDir: string, options: StoreOptions): Promise<Store> {
	const store = await openTestStore(dataDir, options);
	cleanups.push(() => store.stop());
	return store;
}

function push(store: Store, series: readonly (readonly string[])[], timestampMs = NOW) {
	const metrics = new Registry();
	const ingest = createIngest({
		store,
		limits: { max_body_bytes: 1 << 20, max_decoded_bytes: 1 << 22, max_labels: 64, max_label_name_bytes: 256, max_label_value_bytes: 4096 },
		log: silentLogger,
		metrics,
	});
	const body = encodeRemoteWriteV1(series.map((labels) => ({ labels: [...labels], samples: [{ timestampMs, value: 1 }] })));
	return ingest
		.remoteWrite('application/x-protobuf', 'snappy', compressSync(Buffer.from(body)))
		.then(async (answer) => ({ ...answer, refused: await metrics.getSingleMetricAsString('fournines_ingest_samples_refused_total') }));
}

const series = (host: string, from: number, count: number) =>
	Array.from({ length: count }, (_, i) => ['__name__', 'm', 'host', host, 'i', String(from + i)]);

describe('limits', () => {
	test('a host beyond its series is refused by name, and everybody else goes on', async () => {
		const dataDir = folder();
		const options = { maxSeriesPerHost: 10 };
		const store = await open(dataDir, options);
		expect((await push(store, series('a', 0, 10))).status).toBe(204);
		const answer = await push(store, [...series('a', 8, 5), ...series('b', 0, 9), ['__name__', 'm', 'instance', 'c']]);
		expect(answer.status).toBe(400);
		expect(answer.body).toContain('3 samples were refused, 12 were taken');
		expect(answer.body).toContain('m{host="a", i="10"} is new, and "a" has 10 series');
		expect(answer.refused).toContain('{reason="host_series_limit"} 3');
		expect(await store.series([equals('host', 'a')], 0, NOW)).toHaveLength(10);
		expect(await store.series([equals('host', 'b')], 0, NOW)).toHaveLength(9);
		await store.stop();
		// Those that were there before a start count as well.
		const again = await open(dataDir, options);
		expect((await push(again, series('a', 0, 10), NOW + 1000)).status).toBe(204);
		expect((await push(again, series('a', 10, 1))).status).toBe(400);
		expect((await push(again, series('b', 9, 1))).status).toBe(204);
	});

	test('series that leave memory make room for others of their host', async () => {
		let wall = NOW;
		const store = await open(folder(), { maxSeriesPerHost: 5, quietMs: HOUR, clock: { ...systemClock, now: () => wall } });
		expect((await push(store, series('a', 0, 5), wall)).status).toBe(204);
		expect((await push(store, series('a', 5, 1), wall)).status).toBe(400);
		for (let hour = 0; hour < 3; hour++) {
			wall += HOUR;
			await store.cutBlocks(wall);
		}
		expect((await push(store, series('a', 5, 5), wall)).status).toBe(204);
		expect(await store.series([equals('host', 'a')], 0, wall)).toHaveLength(10);
	});

	test('the limit of all series refuses new ones by name', async () => {
		const store = await open(folder(), { maxSeries: 20 });
		const answer = await push(store, series('a', 0, 25));
		expect(answer.status).toBe(400);
		expect(answer.body).toContain('5 samples were refused, 20 were taken');
		expect(answer.body).toContain('store.max_series');
		expect(answer.refused).toContain('{reason="series_limit"} 5');
		expect((await push(store, series('a', 0, 20), NOW + 1000)).status).toBe(204);
	});

	test('samples ahead of the configured time are refused, and only those', async () => {
		const store = await open(folder(), { futureMs: 60_000, clock: { ...systemClock, now: () => NOW } });
		expect((await push(store, series('a', 0, 2), NOW + 60_000)).status).toBe(204);
		const answer = await push(store, series('a', 0, 2), NOW + 60_001);
		expect(answer.status).toBe(400);
		expect(answer.body).toContain('more than 1 minutes ahead');
		expect(answer.refused).toContain('{reason="sample_too_new"} 2');
	});
});
