import { Counter, Registry } from 'prom-client';
import { beforeEach, expect, test } from 'vitest';
import { AppError } from '../core/errors.ts';
import { CheapQueries } from './cheap-queries.ts';
import type { InstantRequest, QueryAnswer, QueryRequest, QueryService, RangeRequest } from './promql/query-service.ts';

const HOUR_MS = 3_600_000;
const NOW = 1_800_000_000_000;
let nowMs = 0;
let threadMs = 0.3;
/** What a query takes here, or how it fails. */
let hereMs: number | AppError = 0.3;
let asked: string[] = [];
let queries: CheapQueries;

const clock = { now: () => NOW + nowMs, monotonic: () => nowMs, sleep: async () => {} };
const answer = (spentMs: number): QueryAnswer => ({ json: new Uint8Array(), warnings: [], infos: [], spentMs });
const thread: QueryService = {
	execute: async () => {
		asked.push('thread');
		return answer(threadMs);
	},
};
const here: QueryService = {
	execute: async () => {
		asked.push('here');
		if (hereMs instanceof AppError) throw hereMs;
		nowMs += hereMs;
		return answer(hereMs);
	},
};

beforeEach(() => {
	nowMs = 0;
	threadMs = 0.3;
	hereMs = 0.3;
	asked = [];
	queries = new CheapQueries({ thread, here, clock });
});

const range = (more: Partial<RangeRequest> = {}): RangeRequest => ({
	kind: 'range',
	query: 'up',
	startMs: NOW - HOUR_MS,
	endMs: NOW,
	stepMs: 15_000,
	...more,
});
const instant = (more: Partial<InstantRequest> = {}): InstantRequest => ({ kind: 'instant', query: 'up', timeMs: NOW, ...more });

async function whereIsIt(request: QueryRequest): Promise<string> {
	asked = [];
	await queries.execute(request);
	return asked.join(', ');
}

test.each<[string, QueryRequest]>([
	['a range query', range()],
	['an instant query', instant()],
	['series', { kind: 'series', selectors: ['up'], startMs: NOW - HOUR_MS, endMs: NOW }],
	['label names', { kind: 'labels', selectors: [], startMs: NOW - HOUR_MS, endMs: NOW }],
	['values of a label', { kind: 'labelValues', name: 'job', selectors: [], startMs: NOW - HOUR_MS, endMs: NOW }],
])('%s goes to the thread at first, and is answered here once it is known to be cheap', async (_name, request) => {
	expect(await whereIsIt(request)).toBe('thread');
	nowMs += 100;
	expect(await whereIsIt(request)).toBe('here');
});

test('the same board some seconds later is the same query', async () => {
	await queries.execute(range());
	nowMs += 100;
	expect(await whereIsIt(range({ startMs: NOW - HOUR_MS + 5000, endMs: NOW + 5000 }))).toBe('here');
});

test.each<[string, QueryRequest]>([
	['of another text', range({ query: 'up == 0' })],
	['of another span', range({ startMs: NOW - 2 * HOUR_MS })],
	['of another step', range({ stepMs: 30_000 })],
	['with another limit', range({ limit: 1 })],
	['with another lookback', range({ lookbackMs: 1000 })],
	['of another hour, whose data may lie on a cold disk', range({ startMs: NOW - 100 * HOUR_MS, endMs: NOW - 99 * HOUR_MS })],
	['of an instant', instant()],
])('a query %s is another one', async (_name, request) => {
	await queries.execute(range());
	nowMs += 100;
	expect(await whereIsIt(request)).toBe('thread');
});

test.each<[string, QueryRequest]>([
	['with statistics', range({ stats: 'all' })],
	['with a time limit', instant({ timeoutMs: 1000 })],
	['of federation', { kind: 'federate', selectors: ['up'], timeMs: NOW }],
	['of remote read', { kind: 'read', queries: [], sampleLimit: 1 }],
	['that is very long', instant({ query: `up{a="${'x'.repeat(3000)}"}` })],
])('a query %s always goes to the thread', async (_name, request) => {
	await queries.execute(request);
	nowMs += 100;
	expect(await whereIsIt(request)).toBe('thread');
});

test('what takes long goes to the thread, and comes back when it is cheap again', async () => {
	threadMs = 1.5;
	await queries.execute(range());
	nowMs += 100;
	expect(await whereIsIt(range())).toBe('thread');
	threadMs = 0.3;
	await queries.execute(range());
	hereMs = 1.5;
	nowMs += 100;
	expect(await whereIsIt(range())).toBe('here');
	nowMs += 100;
	expect(await whereIsIt(range())).toBe('thread');
});

test.each([
	'FN_QUERY_SAMPLE_LIMIT',
	'FN_QUERY_TIMEOUT',
])('what has become too much for here (%s) is answered by the thread', async (code) => {
	await queries.execute(range());
	nowMs += 100;
	hereMs = new AppError(code, 'too much', { status: 422 });
	expect(await whereIsIt(range())).toBe('here, thread');
});

test('an error of the query itself is the answer', async () => {
	await queries.execute(range());
	nowMs += 100;
	hereMs = new AppError('FN_QUERY_EXECUTION', 'many-to-many matching', { status: 422 });
	asked = [];
	await expect(queries.execute(range())).rejects.toMatchObject({ code: 'FN_QUERY_EXECUTION' });
	expect(asked).toEqual(['here']);
});

test('a flood of cheap queries takes a fifth of this thread at most', async () => {
	await queries.execute(range());
	asked = [];
	let spent = 0;
	const from = nowMs;
	while (nowMs - from < 1000) {
		const before = asked.length;
		await queries.execute(range());
		if (asked.at(-1) === 'here' && asked.length > before) spent += 0.3;
		else nowMs += 0.05;
	}
	expect(spent).toBeGreaterThan(160);
	expect(spent).toBeLessThan(210);
});

test('queries that are asked for once do not stay in memory', async () => {
	await queries.execute(range());
	for (let i = 0; i < 3000; i++) await queries.execute(instant({ query: `up + ${i}` }));
	nowMs += 100;
	expect(await whereIsIt(range())).toBe('thread');
	expect(await whereIsIt(instant({ query: 'up + 2999' }))).toBe('here');
});

test('what is answered here is counted', async () => {
	const registry = new Registry();
	const answered = new Counter({ name: 'answered', help: 'test', registers: [registry] });
	queries = new CheapQueries({ thread, here, clock, answered });
	for (let i = 0; i < 3; i++) {
		await queries.execute(range());
		nowMs += 100;
	}
	expect((await answered.get()).values[0]?.value).toBe(2);
});
