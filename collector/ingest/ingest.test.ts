import { Registry } from 'prom-client';
import { compressSync } from 'snappy';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { formatLabels, labelsFromObject, labelValue } from '../../core/labels.ts';
import { silentLogger } from '../../core/log.ts';
import { encodeRemoteWriteV1 } from '../../protocol/remote-write/encode-v1.ts';
import { encodeRemoteWriteV2 } from '../../protocol/remote-write/encode-v2.ts';
import type { WriteSeries } from '../../protocol/remote-write/write-series.ts';
import { type TemporaryFolder, temporaryFolder } from '../../tests/harness/process.ts';
import { openTestStore } from '../../tests/harness/store/open-test-store.ts';
import { isStaleAt, type Matcher } from '../storage/storage.ts';
import { createIngest, type Ingest } from './ingest.ts';

const V1 = 'application/x-protobuf';
const V2 = 'application/x-protobuf;proto=io.prometheus.write.v2.Request';
const LIMITS = {
	max_body_bytes: 100_000,
	max_decoded_bytes: 1_000_000,
	max_labels: 10,
	max_label_name_bytes: 64,
	max_label_value_bytes: 200,
};

let folder: TemporaryFolder;
let store: Awaited<ReturnType<typeof openTestStore>>;
let ingest: Ingest;
let metrics: Registry;

beforeEach(async () => {
	folder = temporaryFolder('ingest');
	metrics = new Registry();
	store = await openTestStore(folder.path, { retentionMs: 86_400_000, metrics, maxSeries: 1000 });
	ingest = createIngest({ store, limits: LIMITS, log: silentLogger, metrics });
});

afterEach(async () => {
	await store.stop();
	folder.remove();
});

const NOW = Date.now();

function one(labels: Record<string, string>, ...samples: [number, number][]): WriteSeries {
	return {
		labels: labelsFromObject(labels),
		type: 'counter',
		help: 'What it counts.',
		unit: 'bytes',
		samples: samples.map(([timestampMs, value]) => ({ timestampMs, value })),
	};
}

function named(name: string): Matcher {
	return { name: '__name__', kind: '=', value: name, test: (value) => value === name, literals: [name] };
}

function snappy(bytes: Uint8Array): Buffer {
	return compressSync(Buffer.from(bytes));
}

describe.each([
	{ version: '1', contentType: V1, encode: encodeRemoteWriteV1 },
	{ version: '2', contentType: V2, encode: encodeRemoteWriteV2 },
])('remote write $version', ({ version, contentType, encode }) => {
	const send = (series: readonly WriteSeries[]) => ingest.remoteWrite(contentType, 'snappy', snappy(encode(series)));

	test('takes samples and answers 204', async () => {
		const answer = await send([
			one({ __name__: 'm_total', host: 'a' }, [NOW - 2000, 1], [NOW - 1000, 2.5]),
			one({ __name__: 'm_total', host: 'b' }, [NOW - 1000, -0]),
		]);
		expect(answer).toMatchObject({ status: 204, body: '' });
		if (version === '2') {
			expect(answer.headers).toMatchObject({
				'x-prometheus-remote-write-samples-written': '3',
				'x-prometheus-remote-write-histograms-written': '0',
				'x-prometheus-remote-write-exemplars-written': '0',
			});
		}
		const result = await store.select([named('m_total')], NOW - 10_000, NOW);
		expect(result.map((series) => [labelValue(series.labels, 'host'), [...series.timestamps], [...series.values]])).toEqual([
			['a', [NOW - 2000, NOW - 1000], [1, 2.5]],
			['b', [NOW - 1000], [-0]],
		]);
		expect(store.metadata('m_total').get('m_total')).toEqual({ type: 'counter', help: 'What it counts.', unit: 'bytes' });
	});

	test('keeps the stale marker', async () => {
		const labels = labelsFromObject({ __name__: 'gone' });
		await send([{ labels, samples: [{ timestampMs: NOW, value: 0, stale: true }] }]);
		const [series] = await store.select([named('gone')], NOW, NOW);
		expect(isStaleAt(series?.values ?? new Float64Array(1), 0)).toBe(true);
	});

	test.each([
		{ name: 'no metric name', labels: { host: 'a' }, says: 'no metric name' },
		{ name: 'an empty label name', labels: { '': 'c', __name__: 'm' }, says: 'a label without a name' },
		{ name: 'a long label value', labels: { __name__: 'm', a: 'x'.repeat(201) }, says: 'longer than 200 bytes' },
		{ name: 'a long label name', labels: { __name__: 'm', ['x'.repeat(65)]: 'a' }, says: 'longer than 64 bytes' },
		{
			name: 'many labels',
			labels: { __name__: 'm', ...Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`l${i}`, 'v'])) },
			says: 'at most 10',
		},
		{ name: 'a time ahead', labels: { __name__: 'm' }, time: NOW + 400_000, says: '5 minutes ahead' },
		{ name: 'a time before the retention', labels: { __name__: 'm' }, time: NOW - 90_000_000, says: 'older than what is kept' },
	])('refuses $name, names it, and takes the rest', async ({ labels, time, says }) => {
		const answer = await send([one(labels as Record<string, string>, [time ?? NOW, 1]), one({ __name__: 'good' }, [NOW, 7])]);
		expect(answer.status).toBe(400);
		expect(answer.body).toContain('FN_INGEST_REFUSED');
		expect(answer.body).toContain(says);
		expect(answer.body.length).toBeLessThan(2000);
		if (version === '2') expect(answer.headers['x-prometheus-remote-write-samples-written']).toBe('1');
		const result = await store.series([{ name: 'x', kind: '=', value: '', test: (v) => v === '', literals: [''] }], 0, NOW + 1e9);
		expect(result).toEqual([['__name__', 'good']]);
	});

	test('takes names that are any text, as Prometheus 3 does', async () => {
		const labels = labelsFromObject({ __name__: 'http.server 请求', 'k8s.pod': 'a', 主机: '一号' });
		expect(await send([{ labels, samples: [{ timestampMs: NOW, value: 1 }] }])).toMatchObject({ status: 204 });
		expect(await store.series([named('http.server 请求')], 0, NOW)).toEqual([labels]);
		expect(formatLabels(labels)).toBe('{"http.server 请求", "k8s.pod"="a", "主机"="一号"}');
	});

	test('refuses a duplicate label name', async () => {
		const answer = await send([{ labels: ['__name__', 'm', 'a', '1', 'a', '2'], samples: [{ timestampMs: NOW, value: 1 }] }]);
		expect(answer).toMatchObject({ status: 400, body: expect.stringContaining('twice') });
	});

	test('knows a series again when its labels come in another order or with empty values', async () => {
		await send([{ labels: ['__name__', 'm', 'a', '1', 'b', '2'], samples: [{ timestampMs: NOW - 3000, value: 1 }] }]);
		for (const time of [NOW - 2000, NOW - 1000]) {
			await send([{ labels: ['b', '2', '__name__', 'm', 'c', '', 'a', '1'], samples: [{ timestampMs: time, value: 2 }] }]);
		}
		const result = await store.select([named('m')], 0, NOW);
		expect(result).toHaveLength(1);
		expect([...(result[0]?.values ?? [])]).toEqual([1, 2, 2]);
		expect(store.stats().series).toBe(1);
	});

	test('refuses new series over the limit and goes on with known ones', async () => {
		const many = Array.from({ length: 1005 }, (_, i) => one({ __name__: 'm', n: String(i) }, [NOW - 1000, i]));
		const answer = await send(many);
		expect(answer).toMatchObject({ status: 400, body: expect.stringContaining('max_series') });
		expect(store.stats().series).toBe(1000);
		expect(await send([one({ __name__: 'm', n: '3' }, [NOW, 1])])).toMatchObject({ status: 204 });
	});

	test('says when nothing could be kept, so that the sender tries again', async () => {
		await store.stop();
		const answer = await send([one({ __name__: 'm' }, [NOW, 1])]);
		expect(answer).toMatchObject({ status: 503, body: expect.stringContaining('FN_STORE_STOPPED'), headers: { 'retry-after': '5' } });
		if (version === '2') expect(answer.headers['x-prometheus-remote-write-samples-written']).toBe('0');
	});

	test('refuses a body that would be too large, before decompressing it', async () => {
		const answer = await ingest.remoteWrite(contentType, 'snappy', Buffer.from([0xff, 0xff, 0xff, 0x0f, 0x00]));
		expect(answer).toMatchObject({ status: 413, body: expect.stringContaining('FN_INGEST_BODY_TOO_LARGE') });
	});

	test.each([
		{ name: 'no snappy', body: Buffer.from('hello, world'), says: 'FN_INGEST_SNAPPY_INVALID' },
		{ name: 'nothing', body: Buffer.alloc(0), says: 'FN_INGEST_SNAPPY_INVALID' },
		{ name: 'no protobuf', body: snappy(Buffer.from('hello, world')), says: 'FN_INGEST_BODY_INVALID' },
		{ name: 'a series without labels', body: snappy(Buffer.from([version === '1' ? 0x0a : 0x2a, 0x00])), says: 'FN_INGEST_BODY_INVALID' },
	])('refuses a body that is $name', async ({ body, says }) => {
		const answer = await ingest.remoteWrite(contentType, 'snappy', body);
		expect(answer).toMatchObject({ status: 400, body: expect.stringContaining(says) });
	});
});

describe('content negotiation', () => {
	test.each([
		{ type: 'application/json', encoding: 'snappy' },
		{ type: undefined, encoding: 'snappy' },
		{ type: 'application/x-protobuf;proto=some.other.Message', encoding: 'snappy' },
		{ type: V1, encoding: 'gzip' },
		{ type: V1, encoding: undefined },
	])('415 for $type with $encoding', async ({ type, encoding }) => {
		expect(await ingest.remoteWrite(type, encoding, snappy(new Uint8Array(0)))).toMatchObject({ status: 415 });
	});

	test('an empty request is fine', async () => {
		expect(await ingest.remoteWrite(V1, 'snappy', snappy(new Uint8Array(0)))).toMatchObject({ status: 204 });
	});

	test('native histograms are counted and refused clearly', async () => {
		// Series { labels { name "__name__" value "h" } histograms {} }
		const label = Buffer.from([0x0a, 0x0d, 0x0a, 0x08, ...Buffer.from('__name__'), 0x12, 0x01, 0x68]);
		const series = Buffer.concat([label, Buffer.from([0x22, 0x00])]);
		const answer = await ingest.remoteWrite(V1, 'snappy', snappy(Buffer.concat([Buffer.from([0x0a, series.length]), series])));
		expect(answer).toMatchObject({ status: 400, body: expect.stringContaining('native histograms') });
	});

	test('says in its own metrics what it did', async () => {
		await ingest.remoteWrite(V1, 'snappy', snappy(encodeRemoteWriteV1([one({ __name__: 'm' }, [NOW, 1], [NOW + 1e9, 1])])));
		const text = await metrics.metrics();
		expect(text).toContain('fournines_ingest_samples_total{protocol="remote_write_1"} 1');
		expect(text).toContain('fournines_ingest_samples_refused_total{reason="sample_too_new"} 1');
		expect(text).toContain('fournines_store_series 1');
	});
});
