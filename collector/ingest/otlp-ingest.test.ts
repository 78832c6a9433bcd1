import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { AggregationTemporalityPreference, OTLPMetricExporter as JsonExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPMetricExporter as ProtobufExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { AggregationType, MeterProvider, PeriodicExportingMetricReader, type ViewOptions } from '@opentelemetry/sdk-metrics';
import { Registry } from 'prom-client';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { formatLabels } from '../../core/labels.ts';
import { silentLogger } from '../../core/log.ts';
import { type TemporaryFolder, temporaryFolder } from '../../tests/harness/process.ts';
import { openTestStore } from '../../tests/harness/store/open-test-store.ts';
import type { ColumnIngest } from '../storage/column-ingest.ts';
import { isStaleAt } from '../storage/storage.ts';
import { createOtlpIngest, type OtlpAnswer, type OtlpIngest } from './otlp-ingest.ts';

const LIMITS = {
	max_body_bytes: 100_000,
	max_decoded_bytes: 1_000_000,
	max_labels: 12,
	max_label_name_bytes: 64,
	max_label_value_bytes: 200,
};

let folder: TemporaryFolder;
let store: Awaited<ReturnType<typeof openTestStore>>;
let ingest: OtlpIngest;
let server: Server;
let url: string;
let answers: OtlpAnswer[];

beforeEach(async () => {
	folder = temporaryFolder('otlp');
	store = await openTestStore(folder.path);
	ingest = createOtlpIngest({ store, limits: LIMITS, log: silentLogger, metrics: new Registry(), maxDeltaStreams: 50 });
	answers = [];
	server = createServer((request, response) => {
		const chunks: Buffer[] = [];
		request.on('data', (chunk: Buffer) => chunks.push(chunk));
		request.on('end', () => {
			void ingest.metrics(request.headers['content-type'], request.headers['content-encoding'], Buffer.concat(chunks)).then((answer) => {
				answers.push(answer);
				response.writeHead(answer.status, answer.headers).end(answer.body);
			});
		});
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/metrics`;
});

afterEach(async () => {
	server.closeAllConnections();
	await new Promise((resolve) => server.close(resolve));
	await store.stop();
	folder.remove();
});

/** Every series with its values in order; stale markers as `stale`. */
async function stored(): Promise<Record<string, (number | 'stale')[]>> {
	const all = { name: 'none', kind: '=', value: '', test: (value: string) => value === '', literals: [''] } as const;
	const found = await store.select([all], 0, Date.now() + 60_000);
	return Object.fromEntries(
		found.map(({ labels, values }) => [formatLabels(labels), Array.from(values, (value, i) => (isStaleAt(values, i) ? 'stale' : value))]),
	);
}

const RESOURCE = {
	'service.name': 'shop',
	'service.namespace': 'web',
	'service.instance.id': 'vm-1:80',
	'host.name': 'vm-1',
	'os.build': 7,
};

function provider(encoding: string, temporality: AggregationTemporalityPreference, views: ViewOptions[] = []) {
	const Exporter = encoding === 'json' ? JsonExporter : ProtobufExporter;
	const exporter = new Exporter({ url, temporalityPreference: temporality });
	const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000, exportTimeoutMillis: 10_000 });
	return new MeterProvider({ resource: resourceFromAttributes(RESOURCE), readers: [reader], views });
}

const ID = 'instance="vm-1:80", job="web/shop"';

describe.each(['protobuf', 'json'])('the SDK of OpenTelemetry, sending %s', (encoding) => {
	test('sends gauges, sums and histograms that are cumulative', async () => {
		const metrics = provider(encoding, AggregationTemporalityPreference.CUMULATIVE, [
			{
				instrumentName: 'http.server.duration',
				aggregation: { type: AggregationType.EXPLICIT_BUCKET_HISTOGRAM, options: { boundaries: [0.005, 1, 10] } },
			},
		]);
		const meter = metrics.getMeter('test');
		const counter = meter.createCounter('http.requests', { unit: '{request}', description: 'How many.' });
		const inFlight = meter.createUpDownCounter('http.in-flight');
		const memory = meter.createObservableGauge('process.memory', { unit: 'By' });
		memory.addCallback((result) => result.observe(1.5, { 'memory.kind': 'rss', ok: true, n: 3, list: ['a', 'b'] }));
		meter.createObservableGauge('cpu.utilization', { unit: '1' }).addCallback((result) => result.observe(0.25));
		const duration = meter.createHistogram('http.server.duration', { unit: 's' });
		for (const value of [0.001, 0.5, 0.5, 99]) duration.record(value, { route: '/a' });
		counter.add(3, { 'http.method': 'GET' });
		inFlight.add(-2);
		await metrics.forceFlush();
		await new Promise((resolve) => setTimeout(resolve, 5));
		counter.add(4, { 'http.method': 'GET' });
		await metrics.forceFlush();
		await metrics.shutdown();
		expect(answers.map(({ status, body }) => [status, String(body)])).toEqual(answers.map(() => [200, encoding === 'json' ? '{}' : '']));
		const first = Object.fromEntries(Object.entries(await stored()).map(([series, values]) => [series, values.slice(0, 2)]));
		expect(first).toEqual({
			[`http_requests_total{http_method="GET", ${ID}}`]: [3, 7],
			[`http_in_flight{${ID}}`]: [-2, -2],
			[`process_memory_bytes{${ID}, list="[\\"a\\",\\"b\\"]", memory_kind="rss", n="3", ok="true"}`]: [1.5, 1.5],
			[`cpu_utilization_ratio{${ID}}`]: [0.25, 0.25],
			[`http_server_duration_seconds_bucket{${ID}, le="0.005", route="/a"}`]: [1, 1],
			[`http_server_duration_seconds_bucket{${ID}, le="1", route="/a"}`]: [3, 3],
			[`http_server_duration_seconds_bucket{${ID}, le="10", route="/a"}`]: [3, 3],
			[`http_server_duration_seconds_bucket{${ID}, le="+Inf", route="/a"}`]: [4, 4],
			[`http_server_duration_seconds_sum{${ID}, route="/a"}`]: [100.001, 100.001],
			[`http_server_duration_seconds_count{${ID}, route="/a"}`]: [4, 4],
			[`target_info{host_name="vm-1", ${ID}, os_build="7"}`]: [1, 1],
		});
		expect(store.metadata('http_requests_total').get('http_requests_total')).toEqual({ type: 'counter', help: 'How many.', unit: '' });
		expect(store.metadata('http_in_flight').get('http_in_flight')?.type).toBe('gauge');
		expect(store.metadata('http_server_duration_seconds').get('http_server_duration_seconds')).toMatchObject({
			type: 'histogram',
			unit: 'seconds',
		});
	});

	test('sends deltas, which are added up', async () => {
		const metrics = provider(encoding, AggregationTemporalityPreference.DELTA, [
			{ instrumentName: 'size', aggregation: { type: AggregationType.EXPLICIT_BUCKET_HISTOGRAM, options: { boundaries: [10] } } },
		]);
		const meter = metrics.getMeter('test');
		const counter = meter.createCounter('jobs');
		const histogram = meter.createHistogram('size');
		for (const round of [1, 2, 3]) {
			counter.add(round);
			histogram.record(round * 5);
			await metrics.forceFlush();
			await new Promise((resolve) => setTimeout(resolve, 5));
		}
		await metrics.shutdown();
		const series = await stored();
		expect(series[`jobs_total{${ID}}`]).toEqual([1, 3, 6]);
		expect(series[`size_bucket{${ID}, le="10"}`]).toEqual([1, 2, 2]);
		expect(series[`size_bucket{${ID}, le="+Inf"}`]).toEqual([1, 2, 3]);
		expect(series[`size_sum{${ID}}`]).toEqual([5, 15, 30]);
	});

	test('is told of exponential histograms that they are not taken, and the rest is', async () => {
		const metrics = provider(encoding, AggregationTemporalityPreference.CUMULATIVE, [
			{ instrumentName: 'exp', aggregation: { type: AggregationType.EXPONENTIAL_HISTOGRAM } },
		]);
		const meter = metrics.getMeter('test');
		meter.createHistogram('exp').record(1);
		meter.createCounter('good').add(1);
		await metrics.forceFlush();
		await metrics.shutdown();
		expect(answers[0]?.status).toBe(200);
		const body = Buffer.from(answers[0]?.body ?? '').toString();
		expect(body).toContain('exponential histogram');
		if (encoding === 'json') expect(JSON.parse(body)).toMatchObject({ partialSuccess: { rejectedDataPoints: '1' } });
		else expect(answers[0]?.body[2]).toBe(0x08);
		expect(Object.keys(await stored())).toContain(`good_total{${ID}}`);
		expect(Object.keys(await stored()).join()).not.toContain('exp');
	});
});

const NOW = Date.now() - 10_000;
const nanos = (ms: number) => `${ms}000000`;

function request(metric: object, resource: object[] = [{ key: 'service.name', value: { stringValue: 's' } }]) {
	return JSON.stringify({ resourceMetrics: [{ resource: { attributes: resource }, scopeMetrics: [{ metrics: [metric] }] }] });
}

function sendJson(body: string, encoding?: string) {
	return ingest.metrics('application/json; charset=utf-8', encoding, encoding === 'gzip' ? gzipSync(body) : Buffer.from(body));
}

const sum = (points: object[], temporality = 1) => ({
	name: 'c',
	sum: { aggregationTemporality: temporality, isMonotonic: true, dataPoints: points },
});
const point = (ms: number, value: number, start = 0) => ({
	timeUnixNano: nanos(NOW + ms),
	startTimeUnixNano: nanos(start),
	asInt: String(value),
});

describe('JSON', () => {
	test('of a summary, with gzip', async () => {
		const metric = {
			name: 'rpc',
			unit: 'ms',
			summary: {
				dataPoints: [
					{
						timeUnixNano: nanos(NOW),
						count: '5',
						sum: 10,
						quantileValues: [
							{ quantile: 0.5, value: 2 },
							{ quantile: 1, value: 'NaN' },
						],
					},
				],
			},
		};
		expect((await sendJson(request(metric), 'gzip')).body).toBe('{}');
		expect(await stored()).toEqual({
			'rpc_milliseconds{job="s", quantile="0.5"}': [2],
			'rpc_milliseconds{job="s", quantile="1"}': [Number.NaN],
			'rpc_milliseconds_sum{job="s"}': [10],
			'rpc_milliseconds_count{job="s"}': [5],
		});
	});

	test('of a point that says that there is no value is a stale marker', async () => {
		const points = [
			{ timeUnixNano: nanos(NOW), asDouble: 1 },
			{ timeUnixNano: nanos(NOW + 1), flags: 1 },
		];
		await sendJson(request({ name: 'g', gauge: { dataPoints: points } }));
		expect(await stored()).toEqual({ 'g{job="s"}': [1, 'stale'] });
	});

	test('of attributes that become the same label, and of one that would be the job', async () => {
		const attributes = ['b.c', 'b_c', 'job', '9x', '_y'].map((key, i) => ({ key, value: { intValue: i } }));
		await sendJson(request({ name: '1.g', gauge: { dataPoints: [{ timeUnixNano: nanos(NOW), asDouble: 1, attributes }] } }));
		expect(await stored()).toEqual({ '_1_g{b_c="0;1", job="s", key_9x="3", key_y="4"}': [1] });
	});

	test('of deltas that are repeated, late, or begin anew', async () => {
		expect((await sendJson(request(sum([point(10, 5, NOW), point(20, 5, NOW)])))).body).toBe('{}');
		for (const again of [point(20, 5, NOW), point(15, 1, NOW)]) {
			expect(JSON.parse(String((await sendJson(request(sum([again])))).body))).toMatchObject({
				partialSuccess: { rejectedDataPoints: '1' },
			});
		}
		await sendJson(request(sum([point(30, 1, NOW + 20)])));
		await sendJson(request(sum([point(40, 2, NOW - 5)])));
		expect(await stored()).toEqual({ 'c_total{job="s"}': [5, 10, 11, 2] });
	});

	test('of deltas that the store did not keep is counted when it comes again', async () => {
		let fail = false;
		const flaky: ColumnIngest = {
			findSeries: (bytes, view, start, end, hint) => store.findSeries(bytes, view, start, end, hint),
			createSeries: (canonical) => store.createSeries(canonical),
			addAlias: (bytes, start, end, id) => store.addAlias(bytes, start, end, id),
			departures: () => store.departures(),
			identity: (id) => store.identity(id),
			bounds: () => store.bounds(),
			describe: (metric, metadata) => store.describe(metric, metadata),
			write: (samples, count) => (fail ? Promise.reject(new Error('no room')) : store.write(samples, count)),
		};
		ingest = createOtlpIngest({ store: flaky, limits: LIMITS, log: silentLogger, metrics: new Registry() });
		await sendJson(request(sum([point(10, 5, NOW)])));
		fail = true;
		expect((await sendJson(request(sum([point(20, 7, NOW)])))).status).toBe(500);
		fail = false;
		expect((await sendJson(request(sum([point(20, 7, NOW)])))).body).toBe('{}');
		expect(await stored()).toEqual({ 'c_total{job="s"}': [5, 12] });
	});

	test('of more streams of deltas than can be added up', async () => {
		const many = Array.from({ length: 60 }, (_, i) => ({ ...point(10, 1), attributes: [{ key: 'i', value: { intValue: i } }] }));
		expect(JSON.parse(String((await sendJson(request(sum(many)))).body))).toMatchObject({ partialSuccess: { rejectedDataPoints: '10' } });
	});

	test.each([
		{ name: 'no temporality', metric: sum([point(0, 1)], 0), says: 'cumulative or delta' },
		{ name: 'no name', metric: { name: '…', gauge: { dataPoints: [point(0, 1)] } }, says: 'no name' },
		{
			name: 'buckets that do not fit',
			metric: {
				name: 'h',
				histogram: { aggregationTemporality: 2, dataPoints: [{ timeUnixNano: nanos(NOW), bucketCounts: ['1'], explicitBounds: [1] }] },
			},
			says: 'one more',
		},
		{ name: 'a time ahead', metric: { name: 'g', gauge: { dataPoints: [point(600_000, 1)] } }, says: '5 minutes ahead' },
		{
			name: 'a long value',
			metric: {
				name: 'g',
				gauge: { dataPoints: [{ ...point(0, 1), attributes: [{ key: 'a', value: { stringValue: 'x'.repeat(201) } }] }] },
			},
			says: 'longer than 200 bytes',
		},
	])('with $name is rejected in part', async ({ metric, says }) => {
		const answer = await sendJson(request(metric));
		expect(answer.status).toBe(200);
		expect(JSON.parse(String(answer.body))).toMatchObject({
			partialSuccess: { rejectedDataPoints: '1', errorMessage: expect.stringContaining(says) },
		});
		expect(await stored()).toEqual({});
	});

	test.each([
		'{',
		'[]',
		'{"resourceMetrics": 1}',
		'{"resourceMetrics": [1]}',
		request({ name: 1 }),
		request({ name: 'g', gauge: { dataPoints: [{ timeUnixNano: 'now' }] } }),
		request({ name: 'g', gauge: { dataPoints: [{ asInt: '0x1' }] } }),
		request({ name: 'g\ud800' }),
	])('%s is refused', async (body) => {
		const answer = await sendJson(body);
		expect(answer).toMatchObject({ status: 400, headers: { 'content-type': 'application/json' } });
		expect(JSON.parse(String(answer.body))).toMatchObject({ code: 3, message: expect.stringContaining('FN_INGEST_BODY_INVALID') });
		expect(await stored()).toEqual({});
	});
});

test('other types, broken protobuf and large bodies are refused; a store that is away is waited for', async () => {
	expect((await ingest.metrics('text/plain', undefined, Buffer.alloc(0))).status).toBe(415);
	expect((await ingest.metrics('application/x-protobuf', undefined, Buffer.from('hello'))).status).toBe(400);
	expect((await ingest.metrics('application/x-protobuf', undefined, Buffer.alloc(0))).status).toBe(200);
	expect((await ingest.metrics('application/json', 'gzip', gzipSync(Buffer.alloc(2_000_000, ' ')))).status).toBe(413);
	await store.stop();
	const answer = await sendJson(request(sum([point(0, 1)])));
	expect(answer).toMatchObject({ status: 503, headers: { 'retry-after': '5' } });
	expect(JSON.parse(String(answer.body))).toMatchObject({ code: 14 });
});
