import fc from 'fast-check';
import fastify, { type FastifyInstance } from 'fastify';
import { compressSync, uncompressSync } from 'snappy';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../../core/clock.ts';
import { AppError } from '../../../core/errors.ts';
import { labelsFromObject } from '../../../core/labels.ts';
import { silentLogger } from '../../../core/log.ts';
import { encodeRemoteWriteV1 } from '../../../protocol/remote-write/encode-v1.ts';
import { ProtoWriter } from '../../../protocol/remote-write/proto-writer.ts';
import { createEngine } from '../../promql/engine.ts';
import { localQueryService } from '../../promql/query-service.ts';
import { createMemoryStorage } from '../../storage/memory-storage.ts';
import { registerPrometheusRoutes } from './prometheus-routes.ts';
import { decodeReadRequest } from './read-request.ts';

const NOW = 1_700_000_000_000;
const storage = createMemoryStorage();
const callers: string[] = [];
let app: FastifyInstance;
let address = '';

beforeAll(async () => {
	const put = (labels: Readonly<Record<string, string>>, timeMs: number, value: number | null) =>
		storage.add(labelsFromObject(labels), timeMs, value);
	put({ __name__: 'up', instance: 'a', job: 'node' }, NOW - 20_000, 0);
	put({ __name__: 'up', instance: 'a', job: 'node' }, NOW - 5000, 1);
	put({ __name__: 'up', instance: 'gone', job: 'node' }, NOW - 5000, null);
	put({ __name__: 'old', instance: 'a' }, NOW - 400_000, 1);
	put({ __name__: 'job:up', job: 'line\n"quoted"\\' }, NOW - 5000, 0.5);
	const clock = { ...systemClock, now: () => NOW };
	const local = localQueryService(createEngine({ queryable: storage, clock }), storage);
	app = fastify();
	await registerPrometheusRoutes(app, {
		queries: {
			execute: (request, options) => {
				callers.push(options?.caller ?? '');
				return local.execute(request, options);
			},
		},
		ruler: { groups: () => [] },
		log: silentLogger,
		clock,
		caller: () => 'grafana',
		externalLabels: { site: 'chengdu', job: 'other' },
		targets: () => ({ activeTargets: [], droppedTargets: [], droppedTargetCounts: {} }),
		metadata: { metadata: () => new Map() },
		storeStatus: () => ({ series: 0, chunks: 0, minTimeMs: 0, maxTimeMs: 0 }),
		retention: '15d',
		version: '0.1.0',
	});
	address = await app.listen({ port: 0, host: '127.0.0.1' });
});
afterAll(() => app.close());

describe('federate', () => {
	test('gives the latest sample of each series that lives', async () => {
		const response = await fetch(`${address}/federate?match[]=up&match[]=${encodeURIComponent('{__name__=~"job:.*|old|up"}')}`);
		expect(response.headers.get('content-type')).toContain('text/plain; version=0.0.4');
		expect(await response.text()).toBe(
			`# TYPE job:up untyped\njob:up{job="line\\n\\"quoted\\"\\\\",instance="",site="chengdu"} 0.5 ${NOW - 5000}\n` +
				`# TYPE up untyped\nup{instance="a",job="node",site="chengdu"} 1 ${NOW - 5000}\n`,
		);
		expect(callers.at(-1)).toBe('grafana');
	});

	test.each([
		{ name: 'nothing is asked for', path: '/federate', status: 400 },
		{ name: 'a selector is no selector', path: '/federate?match[]=sum(up)', status: 400 },
	])('$name: $status', async ({ path, status }) => {
		expect((await fetch(address + path)).status).toBe(status);
	});
});

/** `prometheus.ReadRequest` as a client writes it, with the hints and response types that it sends. */
function readRequest(matchers: readonly (readonly [number, string, string])[], startMs: number, endMs: number): Uint8Array {
	const message = (write: (writer: ProtoWriter) => void) => {
		const writer = new ProtoWriter();
		write(writer);
		return writer.finish().slice();
	};
	const query = message((writer) => {
		writer.int64(1, startMs);
		writer.int64(2, endMs);
		for (const [type, name, value] of matchers) {
			writer.bytes(
				3,
				message((inner) => {
					inner.uint(1, type);
					inner.text(2, name);
					inner.text(3, value);
				}),
			);
		}
		writer.bytes(
			4,
			message((inner) => inner.int64(1, 15_000)),
		);
	});
	return message((writer) => {
		writer.bytes(1, query);
		writer.uint(2, 0);
	});
}

function post(body: Uint8Array): Promise<Response> {
	return fetch(`${address}/api/v1/read`, {
		method: 'POST',
		body: new Uint8Array(body),
		headers: { 'content-type': 'application/x-protobuf', 'content-encoding': 'snappy' },
	});
}

describe('remote read', () => {
	test('gives raw samples, stale markers too', async () => {
		const response = await post(
			compressSync(
				Buffer.from(
					readRequest(
						[
							[0, '__name__', 'up'],
							[2, 'instance', 'a|gone'],
						],
						NOW - 10_000,
						NOW,
					),
				),
			),
		);
		expect(response.status).toBe(200);
		expect(response.headers.get('content-encoding')).toBe('snappy');
		const answer = uncompressSync(Buffer.from(await response.arrayBuffer()), { asBuffer: true }) as Buffer;
		const result = encodeRemoteWriteV1([
			{ labels: ['__name__', 'up', 'instance', 'a', 'job', 'node'], samples: [{ timestampMs: NOW - 5000, value: 1 }] },
			{ labels: ['__name__', 'up', 'instance', 'gone', 'job', 'node'], samples: [{ timestampMs: NOW - 5000, value: 0, stale: true }] },
		]);
		const expected = new ProtoWriter();
		expected.bytes(1, result);
		expect(answer.equals(expected.finish())).toBe(true);
	});

	test.each([
		{ name: 'is not snappy', body: Buffer.from('nonsense nonsense'), says: 400 },
		{ name: 'is not protobuf', body: compressSync(Buffer.from([0x0a, 0xff])), says: 400 },
		{ name: 'has a matcher of no known type', body: compressSync(Buffer.from(readRequest([[7, 'a', 'b']], 0, 1))), says: 400 },
		{ name: 'has no matcher', body: compressSync(Buffer.from(readRequest([], 0, 1))), says: 400 },
		{ name: 'has a bad regular expression', body: compressSync(Buffer.from(readRequest([[2, 'a', '(']], 0, 1))), says: 400 },
	])('a body that $name is refused', async ({ body, says }) => {
		expect((await post(body)).status).toBe(says);
	});

	test('any bytes are read or refused', () => {
		fc.assert(
			fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
				try {
					decodeReadRequest(bytes);
				} catch (error) {
					expect(error).toBeInstanceOf(AppError);
				}
			}),
			{ numRuns: 3000 },
		);
	});
});

test.each([
	{
		query: 'sum by (job) (rate(up{job!="a"}[5m] offset 1m)) > bool 1',
		tree: {
			type: 'binaryExpr',
			op: '>',
			bool: true,
			matching: null,
			lhs: {
				type: 'aggregation',
				op: 'sum',
				param: null,
				grouping: ['job'],
				without: false,
				expr: {
					type: 'call',
					func: { name: 'rate', argTypes: ['matrix'], variadic: 0, returnType: 'vector' },
					args: [{ type: 'matrixSelector', name: 'up', range: 300_000, offset: 60_000, timestamp: null, startOrEnd: null }],
				},
			},
			rhs: { type: 'numberLiteral', val: '1' },
		},
	},
	{ query: 'a / on(x) group_left(y) b', tree: { matching: { card: 'many-to-one', labels: ['x'], on: true, include: ['y'] } } },
	{ query: 'a and b', tree: { op: 'and', matching: { card: 'many-to-many', labels: [], on: false, include: [] } } },
	{ query: '-a @ end()', tree: { type: 'unaryExpr', op: '-', expr: { startOrEnd: 'end', timestamp: null } } },
	{ query: 'max_over_time(a[1h:5m] @ 10)', tree: { args: [{ type: 'subquery', range: 3_600_000, step: 300_000, timestamp: 10_000 }] } },
	{ query: '("x")', tree: { type: 'parenExpr', expr: { type: 'stringLiteral', val: 'x' } } },
])('parse_query $query', async ({ query, tree }) => {
	const response = await fetch(`${address}/api/v1/parse_query?${new URLSearchParams({ query })}`);
	expect(((await response.json()) as { data: object }).data).toMatchObject(tree);
});
