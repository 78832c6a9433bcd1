import formbody from '@fastify/formbody';
import fastify, { type FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { registerPrometheusRoutes } from '../../collector/api/prometheus/prometheus-routes.ts';
import { createEngine } from '../../collector/promql/engine.ts';
import { localQueryService } from '../../collector/promql/query-service.ts';
import { createMemoryStorage } from '../../collector/storage/memory-storage.ts';
import { systemClock } from '../../core/clock.ts';
import { silentLogger } from '../../core/log.ts';
import { type PrometheusServer, prometheusAvailable, startPrometheus } from '../harness/prometheus-server.ts';
import type { GeneratedSeries } from '../harness/query-generator.ts';

const START = 1_700_000_000;
const END = START + 3600;

function seriesList(): readonly GeneratedSeries[] {
	const list: GeneratedSeries[] = [];
	for (const host of ['web-1', 'web-2', 'db-1']) {
		const times = Array.from({ length: 240 }, (_, i) => START + i * 15);
		const job = host.startsWith('db') ? 'mysql' : 'node';
		list.push({ labels: ['__name__', 'up', 'instance', host, 'job', job], samples: times.map((time) => [time * 1000, 1] as const) });
		list.push({
			labels: ['__name__', 'node_cpu_seconds_total', 'instance', host, 'job', job, 'mode', 'idle'],
			samples: times.map((time, i) => [time * 1000, i * 12.5] as const),
		});
	}
	return list;
}

/**
 * What Grafana's Prometheus data source sends: its health check, variables, the builder and the explorer's metric browser,
 * panels, annotations and alert lists. `same`: the data themselves must be equal, not only their shape.
 */
const CALLS: readonly { readonly name: string; readonly path: string; readonly form?: boolean; readonly same: boolean }[] = [
	{ name: 'health check', path: `/api/v1/query?query=1%2B1&time=${END}`, form: true, same: true },
	{ name: 'version', path: '/api/v1/status/buildinfo', same: false },
	{ name: 'metric names', path: `/api/v1/label/__name__/values?start=${START}&end=${END}`, same: true },
	{ name: 'label_values(up, instance)', path: `/api/v1/label/instance/values?match[]=up&start=${START}&end=${END}`, same: true },
	{ name: 'label_values of nothing', path: `/api/v1/label/instance/values?match[]=nothing&start=${START}&end=${END}`, same: true },
	{ name: 'label_names()', path: `/api/v1/labels?start=${START}&end=${END}`, form: true, same: true },
	{ name: 'label_names of a metric', path: `/api/v1/labels?match[]=up&start=${START}&end=${END}`, same: true },
	{ name: 'series of the builder', path: `/api/v1/series?match[]=up&start=${START}&end=${END}`, form: true, same: true },
	{ name: 'query_result()', path: `/api/v1/query?query=up&time=${END}`, same: true },
	{
		name: 'a panel',
		path: `/api/v1/query_range?query=rate(node_cpu_seconds_total%5B5m%5D)&start=${START + 600}&end=${END}&step=60`,
		form: true,
		same: true,
	},
	{ name: 'a panel without data', path: `/api/v1/query_range?query=nothing&start=${START}&end=${END}&step=15`, form: true, same: true },
	{ name: 'a table panel', path: `/api/v1/query?query=sum%20by%20(job)%20(up)&time=${END}.5`, form: true, same: true },
	{ name: 'a string', path: `/api/v1/query?query=%22a%22&time=${END}`, same: true },
	{
		name: 'an annotation',
		path: `/api/v1/query_range?query=changes(up%5B1m%5D)%20%3E%200&start=${START}&end=${END}&step=60s`,
		form: true,
		same: true,
	},
	{ name: 'exemplars', path: `/api/v1/query_exemplars?query=up&start=${START}&end=${END}`, form: true, same: true },
	{ name: 'metadata', path: '/api/v1/metadata', same: true },
	{ name: 'metadata with limits', path: '/api/v1/metadata?limit_per_metric=1&limit=3', same: true },
	{ name: 'rules', path: '/api/v1/rules', same: true },
	{ name: 'alerting rules', path: '/api/v1/rules?type=alert', same: true },
	{ name: 'alerts', path: '/api/v1/alerts', same: true },
	{ name: 'a bad query', path: `/api/v1/query_range?query=sum(&start=${START}&end=${END}&step=15`, form: true, same: false },
	{ name: 'a bad step', path: `/api/v1/query_range?query=up&start=${START}&end=${END}&step=0`, form: true, same: false },
	{ name: 'too many points', path: `/api/v1/query_range?query=up&start=${START}&end=${END}&step=0.1`, form: true, same: false },
	{ name: 'series of nothing in particular', path: '/api/v1/series', form: true, same: false },
	{ name: 'an execution error', path: `/api/v1/query?query=up%20%2B%20on(job)%20up&time=${END}`, form: true, same: false },
	{ name: 'format_query', path: '/api/v1/format_query?query=sum(up)by(job)', same: true },
];

/** Names and kinds of everything in a body; lists by their first element. */
function shapeOf(value: unknown): unknown {
	if (Array.isArray(value)) return value.length === 0 ? [] : [shapeOf(value[0])];
	if (typeof value !== 'object' || value === null) return value === null ? 'null' : typeof value;
	return Object.fromEntries(
		Object.entries(value)
			.sort(([a], [b]) => (a < b ? -1 : 1))
			.map(([key, inner]) => [key, shapeOf(inner)]),
	);
}

/** Labels within a series, and series within an answer, have no order of their own. */
function sorted(value: unknown): unknown {
	if (Array.isArray(value)) {
		const list = value.map(sorted);
		return list.every((entry) => typeof entry === 'object' && entry !== null && !Array.isArray(entry))
			? list.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
			: list;
	}
	// Versions of Prometheus differ in the last digit, by the order in which they multiply.
	if (typeof value === 'string' && /^\d+\.\d{12,}$/.test(value)) return Number(value).toPrecision(12);
	if (typeof value !== 'object' || value === null) return value;
	return Object.fromEntries(
		Object.entries(value)
			.sort(([a], [b]) => (a < b ? -1 : 1))
			.map(([key, inner]) => [key, sorted(inner)]),
	);
}

interface Answer {
	readonly status: number;
	readonly body: { readonly status: string; readonly errorType?: string; readonly data?: unknown };
}

async function ask(address: string, path: string, form: boolean): Promise<Answer> {
	const [route = '', parameters = ''] = path.split('?');
	const response = form
		? await fetch(address + route, { method: 'POST', body: new URLSearchParams(parameters) })
		: await fetch(address + path);
	return { status: response.status, body: (await response.json()) as Answer['body'] };
}

describe.skipIf(!prometheusAvailable)('calls of the Grafana data source', () => {
	let theirs: PrometheusServer;
	let app: FastifyInstance;
	let ours = '';

	beforeAll(async () => {
		const series = seriesList();
		theirs = await startPrometheus(series);
		const storage = createMemoryStorage();
		for (const { labels, samples } of series) for (const [timeMs, value] of samples) storage.add(labels, timeMs, value);
		app = fastify();
		await app.register(formbody);
		await registerPrometheusRoutes(app, {
			queries: localQueryService(createEngine({ queryable: storage, clock: systemClock }), storage),
			ruler: { groups: () => [] },
			log: silentLogger,
			clock: systemClock,
			targets: () => ({ activeTargets: [], droppedTargets: [], droppedTargetCounts: {} }),
			metadata: { metadata: () => new Map() },
			storeStatus: () => ({ series: 6, chunks: 6, minTimeMs: START * 1000, maxTimeMs: END * 1000 }),
			retention: '15d',
			version: '0.1.0',
		});
		ours = await app.listen({ port: 0, host: '127.0.0.1' });
	});

	afterAll(async () => {
		await app.close();
		await theirs.stop();
	});

	test.each(CALLS)('$name', async ({ path, form, same }) => {
		const left = await ask(theirs.address, path, form === true);
		const right = await ask(ours, path, form === true);
		expect(right.status).toBe(left.status);
		expect(right.body.status).toBe(left.body.status);
		expect(right.body.errorType).toBe(left.body.errorType);
		expect(shapeOf(right.body.data)).toEqual(shapeOf(left.body.data));
		if (same) expect(sorted(right.body.data)).toEqual(sorted(left.body.data));
	});

	test('a panel asked for by POST and by GET is the same', async () => {
		const path = `/api/v1/query_range?query=up&start=${START}&end=${END}&step=60`;
		expect(await ask(ours, path, true)).toEqual(await ask(ours, path, false));
	});
});
