import { Registry } from 'prom-client';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../core/clock.ts';
import { labelsFromObject } from '../core/labels.ts';
import { silentLogger } from '../core/log.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../tests/harness/process.ts';
import type { QueryRequest } from './promql/query-service.ts';
import { QueryThread } from './query-thread.ts';
import { openStore, type Store } from './tsdb/store.ts';

let folder: TemporaryFolder;
let store: Store;
let thread: QueryThread;
const metrics = () => new Registry();

beforeEach(async () => {
	folder = temporaryFolder('query-thread');
	store = await openStore({
		dataDir: folder.path,
		retentionMs: 86_400_000,
		checkRetentionMs: 86_400_000,
		fsync: 'interval',
		log: silentLogger,
		clock: systemClock,
		metrics: metrics(),
	});
});
afterEach(async () => {
	await thread.stop();
	await store.stop();
	folder.remove();
});

function open(options: { readonly deadlineMs?: number; readonly queue?: number; readonly concurrency?: number } = {}): QueryThread {
	thread = new QueryThread({ storePort: () => store.readerPort(), log: silentLogger, metrics: metrics(), ...options });
	return thread;
}

async function write(value: number): Promise<number> {
	const now = Date.now();
	const appender = store.appender();
	appender.append(labelsFromObject({ __name__: 'm', a: 'b' }), now, value);
	await appender.commit();
	return now;
}

const instant = (query: string, timeMs = Date.now()) => thread.execute({ kind: 'instant', query, timeMs });
const textOf = (json: Uint8Array) => Buffer.from(json).toString('utf8');

test('answers from the other thread, what was written a moment ago included', async () => {
	open();
	for (const value of [1, 2, 3]) {
		const now = await write(value);
		expect(textOf((await instant('m', now)).json)).toContain(`"${value}"`);
	}
});

test('an error arrives with its code and status', async () => {
	open();
	await expect(instant('sum(')).rejects.toMatchObject({ code: 'FN_QUERY_PARSE', status: 400 });
});

/** Minutes of work within every limit. */
const endless = (): QueryRequest => {
	const endMs = Date.now();
	return {
		kind: 'range',
		query: 'quantile_over_time(0.5, (quantile_over_time(0.5, vector(1)[100s:10ms]))[1h:1s])',
		startMs: endMs - 10_000_000,
		endMs,
		stepMs: 1000,
	};
};

test('whoever goes away takes the query along, and the next one is answered', async () => {
	open({ concurrency: 1 });
	const away = new AbortController();
	const abandoned = thread.execute(endless(), { signal: away.signal });
	setTimeout(() => away.abort(), 200);
	await expect(abandoned).rejects.toMatchObject({ status: 503 });
	await expect(instant('vector(7)')).resolves.toBeDefined();
});

test('a query that exceeds its deadline ends', async () => {
	open({ deadlineMs: 300 });
	await expect(thread.execute(endless())).rejects.toMatchObject({ status: 503 });
});

test('too many waiting are refused, not piled up', async () => {
	open({ queue: 2, concurrency: 1 });
	const results = await Promise.allSettled(Array.from({ length: 20 }, () => instant('vector(1)')));
	const refused = results.filter((result) => result.status === 'rejected');
	expect(refused.length).toBeGreaterThan(0);
	for (const result of refused) expect(result).toMatchObject({ reason: { code: 'FN_QUERY_BUSY', status: 503, retryable: true } });
	await waitFor('the queue to empty', async () => (await instant('vector(1)')) !== undefined);
});

test('one who asks for much does not keep the others waiting', async () => {
	open({ concurrency: 2 });
	const order: string[] = [];
	const ask = (caller: string) =>
		thread.execute({ kind: 'instant', query: 'vector(1)', timeMs: 1000 }, { caller }).then(() => order.push(caller));
	await Promise.all([...Array.from({ length: 10 }, () => ask('board')), ask('person')]);
	expect(order.indexOf('person')).toBeLessThan(3);
	expect(order).toHaveLength(11);
});

test('after it was stopped it refuses', async () => {
	open();
	await thread.stop();
	await expect(instant('vector(1)')).rejects.toMatchObject({ code: 'FN_QUERY_THREAD' });
});
