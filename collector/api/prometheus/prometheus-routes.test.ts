import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import formbody from '@fastify/formbody';
import fastify, { type FastifyInstance } from 'fastify';
import { Registry } from 'prom-client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../../core/clock.ts';
import { labelsFromObject } from '../../../core/labels.ts';
import { silentLogger } from '../../../core/log.ts';
import { findCommand, temporaryFolder } from '../../../tests/harness/process.ts';
import { createEngine } from '../../promql/engine.ts';
import { localQueryService } from '../../promql/query-service.ts';
import { createRuler } from '../../ruler/ruler.ts';
import { createMemoryStorage } from '../../storage/memory-storage.ts';
import { registerPrometheusRoutes } from './prometheus-routes.ts';

const folder = temporaryFolder('prometheus-api');
const storage = createMemoryStorage();
const engine = createEngine({ queryable: storage, clock: systemClock });
const START = 1_700_000_000_000;
let app: FastifyInstance;
let address = '';

beforeAll(async () => {
	for (let i = 0; i <= 60; i++) {
		storage.add(labelsFromObject({ __name__: 'up', job: 'node', instance: 'a' }), START + i * 15_000, 1);
		storage.add(labelsFromObject({ __name__: 'up', job: 'node', instance: 'b' }), START + i * 15_000, 0);
		storage.add(labelsFromObject({ __name__: 'requests_total', job: 'nginx', instance: 'b' }), START + i * 15_000, i * 30);
	}
	const rules = join(folder.path, 'rules.yml');
	writeFileSync(
		rules,
		`groups:
  - name: g
    rules:
      - {record: "job:up:sum", expr: sum by (job) (up)}
      - alert: Down
        expr: up == 0
        for: 5m
        labels: {severity: critical}
        annotations: {summary: "{{ $labels.instance }} is down"}
`,
	);
	const ruler = createRuler({
		engine,
		appendable: storage,
		sink: async () => {},
		clock: systemClock,
		log: silentLogger,
		metrics: new Registry(),
		externalUrl: 'http://127.0.0.1:9999',
	});
	await ruler.load([rules]);
	await ruler.evaluateOnce(START + 600_000);
	app = fastify();
	await app.register(formbody);
	await registerPrometheusRoutes(app, {
		queries: localQueryService(engine, storage),
		ruler,
		log: silentLogger,
		clock: systemClock,
		metadata: { metadata: () => new Map([['up', { type: 'gauge', help: 'Whether it is up.', unit: '' }]]) },
		storeStatus: () => ({ series: storage.seriesCount, chunks: 0, minTimeMs: START, maxTimeMs: START + 900_000 }),
		retention: '15d',
		targets: () => ({ activeTargets: [], droppedTargets: [], droppedTargetCounts: {} }),
		version: '0.1.0',
	});
	address = await app.listen({ port: 0, host: '127.0.0.1' });
});

afterAll(async () => {
	await app.close();
	folder.remove();
});

async function call(
	path: string,
	form?: string,
): Promise<{ status: number; body: { status: string; data?: unknown; error?: string; errorType?: string } }> {
	const response = await fetch(
		address + path,
		form === undefined ? {} : { method: 'POST', body: form, headers: { 'content-type': 'application/x-www-form-urlencoded' } },
	);
	return { status: response.status, body: (await response.json()) as { status: string } };
}

const TIME = START / 1000 + 600;

describe('queries', () => {
	test('answers an instant query by GET as Prometheus does', async () => {
		expect(await call(`/api/v1/query?query=up&time=${TIME}`)).toEqual({
			status: 200,
			body: {
				status: 'success',
				data: {
					resultType: 'vector',
					result: [
						{ metric: { __name__: 'up', instance: 'a', job: 'node' }, value: [TIME, '1'] },
						{ metric: { __name__: 'up', instance: 'b', job: 'node' }, value: [TIME, '0'] },
					],
				},
			},
		});
	});

	test('answers a range query by POST form', async () => {
		const { body } = await call('/api/v1/query_range', `query=sum(up)&start=${TIME}&end=${TIME + 30}&step=15s`);
		expect(body.data).toEqual({
			resultType: 'matrix',
			result: [
				{
					metric: {},
					values: [
						[TIME, '1'],
						[TIME + 15, '1'],
						[TIME + 30, '1'],
					],
				},
			],
		});
	});

	test.each([
		{ name: 'a scalar', path: '/api/v1/query?query=1.5&time=1.25', data: { resultType: 'scalar', result: [1.25, '1.5'] } },
		{ name: 'a string', path: '/api/v1/query?query=%22a%22&time=1', data: { resultType: 'string', result: [1, 'a'] } },
		{
			name: 'label names',
			path: '/api/v1/labels',
			data: ['__name__', 'alertname', 'alertstate', 'instance', 'job', 'severity'],
		},
		{ name: 'label names of a selector', path: '/api/v1/labels?match[]=up&limit=2', data: ['__name__', 'instance'] },
		{ name: 'label values', path: '/api/v1/label/instance/values?match[]=requests_total', data: ['b'] },
		{
			name: 'series',
			path: '/api/v1/series?match[]=requests_total',
			data: [{ __name__: 'requests_total', instance: 'b', job: 'nginx' }],
		},
		{ name: 'series outside of the time', path: `/api/v1/series?match[]=up&end=${START / 1000 - 1}`, data: [] },
		{ name: 'metadata', path: '/api/v1/metadata', data: { up: [{ type: 'gauge', help: 'Whether it is up.', unit: '' }] } },
		{ name: 'no exemplars', path: '/api/v1/query_exemplars?query=up', data: [] },
		{ name: 'no targets', path: '/api/v1/targets', data: { activeTargets: [], droppedTargets: [], droppedTargetCounts: {} } },
		{ name: 'a formatted query', path: '/api/v1/format_query?query=sum(up)by(job)', data: 'sum by (job) (up)' },
	])('answers $name', async ({ path, data }) => {
		expect(await call(path)).toMatchObject({ status: 200, body: { status: 'success', data } });
	});

	test.each([
		{ name: 'no query', path: '/api/v1/query', status: 400, errorType: 'bad_data', error: 'no expression found' },
		{ name: 'a mistake in the query', path: '/api/v1/query?query=up%20bar', status: 400, errorType: 'bad_data', error: '1:4: parse error' },
		{ name: 'a bad time', path: '/api/v1/query?query=up&time=x', status: 400, errorType: 'bad_data', error: 'invalid parameter "time"' },
		{
			name: 'a range without a step',
			path: '/api/v1/query_range?query=up&start=0&end=1',
			status: 400,
			errorType: 'bad_data',
			error: '"step"',
		},
		{
			name: 'a step of zero',
			path: '/api/v1/query_range?query=up&start=0&end=1&step=0',
			status: 400,
			errorType: 'bad_data',
			error: 'zero or negative',
		},
		{
			name: 'an end before the start',
			path: '/api/v1/query_range?query=up&start=2&end=1&step=1',
			status: 400,
			errorType: 'bad_data',
			error: 'must not be before',
		},
		{
			name: 'too many points',
			path: '/api/v1/query_range?query=up&start=0&end=11000&step=1',
			status: 400,
			errorType: 'bad_data',
			error: '11,000 points',
		},
		{
			name: 'a range vector in a range',
			path: '/api/v1/query_range?query=up[5m]&start=0&end=1&step=1',
			status: 400,
			errorType: 'bad_data',
			error: 'invalid expression type',
		},
		{
			name: 'what cannot be evaluated',
			path: `/api/v1/query?time=${TIME}&query=up%20*%20on(job)%20up`,
			status: 422,
			errorType: 'execution',
			error: 'found duplicate series',
		},
		{ name: 'series without a selector', path: '/api/v1/series', status: 400, errorType: 'bad_data', error: 'no match[]' },
		{
			name: 'a selector of everything',
			path: '/api/v1/series?match[]={a=~%22.*%22}',
			status: 400,
			errorType: 'bad_data',
			error: 'at least one non-empty matcher',
		},
		{ name: 'a limit that is no number', path: '/api/v1/labels?limit=-1', status: 400, errorType: 'bad_data', error: '"limit"' },
		{ name: 'an unknown type of rule', path: '/api/v1/rules?type=x', status: 400, errorType: 'bad_data', error: '"type"' },
	])('refuses $name', async ({ path, status, errorType, error }) => {
		const answer = await call(path);
		expect(answer).toMatchObject({ status, body: { status: 'error', errorType } });
		expect(answer.body.error).toContain(error);
	});

	test('refuses a body that is not a form', async () => {
		const response = await fetch(`${address}/api/v1/query`, {
			method: 'POST',
			body: '[1]',
			headers: { 'content-type': 'application/json' },
		});
		expect(response.status).toBe(400);
		expect(await response.json()).toMatchObject({ status: 'error', errorType: 'bad_data' });
	});
});

describe('rules', () => {
	test('lists groups, rules and their alerts', async () => {
		const { body } = await call('/api/v1/rules');
		expect(body.data).toMatchObject({
			groups: [
				{
					name: 'g',
					interval: 15,
					rules: [
						{ type: 'recording', name: 'job:up:sum', query: 'sum by (job) (up)', health: 'ok' },
						{
							type: 'alerting',
							name: 'Down',
							state: 'pending',
							duration: 300,
							keepFiringFor: 0,
							labels: { severity: 'critical' },
							alerts: [
								{ state: 'pending', value: '0e+00', labels: { alertname: 'Down', instance: 'b' }, annotations: { summary: 'b is down' } },
							],
						},
					],
				},
			],
		});
	});

	test('lists only what is asked for', async () => {
		const { body } = await call('/api/v1/rules?type=alert&exclude_alerts=true');
		expect(body.data).toMatchObject({ groups: [{ rules: [{ name: 'Down', alerts: [] }] }] });
	});

	test('lists alerts', async () => {
		const { body } = await call('/api/v1/alerts');
		expect(body.data).toMatchObject({ alerts: [{ labels: { alertname: 'Down' }, activeAt: '2023-11-14T22:23:20Z' }] });
	});
});

const promtool = findCommand('promtool');

describe.skipIf(promtool === null)("Prometheus' own promtool", () => {
	const run = (...args: readonly string[]) =>
		new Promise<{ status: number | null; output: string }>((resolve, reject) => {
			const child = spawn(promtool ?? 'promtool', args, { stdio: ['ignore', 'pipe', 'pipe'] });
			let output = '';
			child.stdout.on('data', (chunk) => {
				output += chunk;
			});
			child.stderr.on('data', (chunk) => {
				output += chunk;
			});
			child.on('error', reject);
			child.on('close', (status) => resolve({ status, output }));
		});

	test.each([
		{
			name: 'query instant',
			args: ['query', 'instant', '--time', String(TIME)],
			rest: ['up'],
			output: `up{instance="a", job="node"} => 1 @[${TIME}]\nup{instance="b", job="node"} => 0 @[${TIME}]\n`,
		},
		{
			name: 'query range',
			args: ['query', 'range', '--start', String(TIME), '--end', String(TIME + 15), '--step', '15s'],
			rest: ['requests_total / 4'],
			output: `{instance="b", job="nginx"} =>\n300 @[${TIME}]\n307.5 @[${TIME + 15}]\n`,
		},
		{
			name: 'query series',
			args: ['query', 'series', '--match', 'requests_total', '--start', String(START / 1000), '--end', String(TIME)],
			rest: [],
			output: '{__name__="requests_total", instance="b", job="nginx"}\n',
		},
		{
			name: 'query labels',
			args: ['query', 'labels', '--start', String(START / 1000), '--end', String(TIME)],
			rest: ['job'],
			output: 'nginx\nnode\n',
		},
	])('$name', async ({ args, rest, output }) => {
		// promtool 2.42: `query labels SERVER NAME`, `query series SERVER`, `query instant SERVER EXPR`.
		expect(await run(...args, address, ...rest)).toEqual({ status: 0, output });
	});

	test('tells what is wrong with a query', async () => {
		const { status, output } = await run('query', 'instant', address, 'up bar');
		expect(status).not.toBe(0);
		expect(output).toContain('1:4: parse error');
	});
});
