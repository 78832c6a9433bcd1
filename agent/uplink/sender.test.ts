import { createServer, type IncomingMessage, type Server } from 'node:http';
import { uncompress } from 'snappyjs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import { silentLogger } from '../../core/log.ts';
import { Secret } from '../../core/secret.ts';
import { decodeWriteV1 } from '../../protocol/remote-write/decode-v1.ts';
import { decodeWriteV2 } from '../../protocol/remote-write/decode-v2.ts';
import { WriteColumns } from '../../protocol/remote-write/write-columns.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../../tests/harness/process.ts';
import { type AgentMetrics, createAgentMetrics } from '../self-metrics.ts';
import { BackOff } from './back-off.ts';
import { RemoteWriteClient } from './remote-write-client.ts';
import { Sender } from './sender.ts';
import { Spool } from './spool.ts';

interface Received {
	readonly version: 1 | 2;
	readonly values: readonly number[];
	readonly authorization: string;
}

interface Answer {
	readonly status: number;
	readonly headers?: Readonly<Record<string, string>>;
}

let folder: TemporaryFolder;
let server: Server;
let url: string;
let spool: Spool;
let metrics: AgentMetrics;
let sender: Sender;
/** Values that the receiver acknowledged. */
let taken: number[];
let requests: Received[];
let respond: (request: Received) => Answer;

const written = { 'x-prometheus-remote-write-samples-written': '1' };

beforeEach(async () => {
	folder = temporaryFolder('sender');
	taken = [];
	requests = [];
	respond = () => ({ status: 204, headers: written });
	server = createServer((request, response) => {
		const chunks: Buffer[] = [];
		request.on('data', (chunk: Buffer) => chunks.push(chunk));
		request.on('end', () => {
			const received = decode(request, Buffer.concat(chunks));
			requests.push(received);
			const answer = respond(received);
			if (answer.status < 300) taken.push(...received.values);
			response.writeHead(answer.status, answer.headers);
			response.end('because');
		});
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	const address = server.address();
	url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}/api/v1/write`;
	metrics = createAgentMetrics('test');
	spool = new Spool({ folder: folder.path, maxBytes: 1e7, maxAgeMs: 1e12, log: silentLogger, onDrop: () => {} });
	const client = new RemoteWriteClient({
		url,
		token: () => new Secret('t0ken'),
		timeoutMs: 60_000,
		userAgent: 'test',
		now: () => systemClock.now(),
	});
	sender = new Sender({
		spool,
		client,
		clock: systemClock,
		log: silentLogger,
		metrics: metrics.uplink,
		backOff: new BackOff({ firstMs: 5, maxMs: 20 }),
	});
});

afterEach(async () => {
	await sender.stop(0);
	spool.close();
	server.closeAllConnections();
	await new Promise((resolve) => server.close(resolve));
	folder.remove();
});

function decode(request: IncomingMessage, body: Buffer): Received {
	const version = (request.headers['content-type'] ?? '').includes('v2') ? 2 : 1;
	const columns = new WriteColumns();
	const plain = new Uint8Array(uncompress(body));
	if (version === 2) decodeWriteV2(plain, columns);
	else decodeWriteV1(plain, columns);
	const values = Array.from(columns.values.subarray(0, columns.sampleCount));
	return { version, values, authorization: request.headers.authorization ?? '' };
}

function append(values: readonly number[], timestampMs = Date.now()): void {
	spool.append(
		values.map((value) => ({
			labels: ['__name__', 'm', 'value', String(value)],
			type: 'gauge' as const,
			help: 'h',
			samples: [{ timestampMs, value }],
		})),
		Date.now(),
	);
}

/** Sum over the series of a metric that have this label, or any. */
async function counter(name: string, reason?: string): Promise<number> {
	const metric = await metrics.registry.getSingleMetric(name)?.get();
	if (metric === undefined) throw new Error(`there is no metric ${name}`);
	return metric.values.reduce((sum, entry) => (reason === undefined || entry.labels['reason'] === reason ? sum + entry.value : sum), 0);
}

const emptied = () => waitFor('the spool to be empty', () => spool.pendingBytes === 0);

test('samples arrive with the token, and the cursor follows', async () => {
	append([1, 2]);
	append([3]);
	sender.start();
	await emptied();
	append([4]);
	await emptied();
	expect(taken).toEqual([1, 2, 3, 4]);
	expect(requests[0]).toMatchObject({ version: 2, authorization: 'Bearer t0ken' });
	expect(await counter('fournines_agent_pushed_samples_total')).toBe(4);
});

describe('receivers that only know version 1', () => {
	test.each([
		['415', { status: 415 }],
		['a 2xx without the Written headers', { status: 204 }],
	])('%s', async (_name, answer) => {
		respond = (request) => (request.version === 2 ? answer : { status: 204 });
		append([1, 2]);
		sender.start();
		await emptied();
		append([3]);
		await emptied();
		expect(requests.filter((request) => request.version === 1).flatMap((request) => request.values)).toEqual([1, 2, 3]);
		expect(requests.filter((request) => request.version === 2)).toHaveLength(1);
	});
});

test.each([500, 503, 429])('%d is tried again until it works', async (status) => {
	let left = 3;
	respond = () => (left-- > 0 ? { status, headers: { 'retry-after': '0' } } : { status: 204, headers: written });
	append([1, 2]);
	sender.start();
	await emptied();
	expect(taken).toEqual([1, 2]);
	expect(await counter('fournines_agent_dropped_samples_total')).toBe(0);
});

test('one bad series is dropped and counted, the others arrive', async () => {
	respond = (request) => (request.values.includes(13) ? { status: 400 } : { status: 204, headers: written });
	append(Array.from({ length: 100 }, (_, i) => i));
	sender.start();
	await emptied();
	expect([...taken].sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i).filter((value) => value !== 13));
	expect(await counter('fournines_agent_dropped_samples_total')).toBe(1);
});

test('413 sends in parts', async () => {
	respond = (request) => (request.values.length > 7 ? { status: 413 } : { status: 204, headers: written });
	append(Array.from({ length: 50 }, (_, i) => i));
	sender.start();
	await emptied();
	expect([...taken].sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i));
});

test.each([401, 403])('%d holds everything back', async (status) => {
	respond = () => ({ status });
	append([1]);
	sender.start();
	await waitFor('the hold', async () => (await counter('fournines_agent_uplink_held', 'unauthorized')) === 1);
	expect(requests).toHaveLength(1);
	expect(spool.pendingBytes).toBeGreaterThan(0);
	expect(await counter('fournines_agent_dropped_samples_total')).toBe(0);
});

test('samples that are refused for being ahead are held, not dropped', async () => {
	respond = () => ({ status: 400 });
	append([1], Date.now() + 10 * 60_000);
	sender.start();
	await waitFor('the hold', async () => (await counter('fournines_agent_uplink_held', 'clock')) === 1);
	expect(await counter('fournines_agent_dropped_samples_total')).toBe(0);
	expect(spool.pendingBytes).toBeGreaterThan(0);
});

test('the offset of the clock is measured', async () => {
	respond = () => ({ status: 204, headers: { ...written, date: new Date(Date.now() - 60_000).toUTCString() } });
	append([1]);
	sender.start();
	await emptied();
	const offset = await counter('fournines_agent_clock_offset_seconds');
	expect(Math.abs(offset - 60)).toBeLessThan(30);
});

test('after an outage fresh data goes before the backlog, and all of it arrives', async () => {
	respond = () => ({ status: 503, headers: { 'retry-after': '0' } });
	const client = new RemoteWriteClient({ url, token: () => null, timeoutMs: 60_000, userAgent: 'test', now: () => systemClock.now() });
	const backOff = new BackOff({ firstMs: 5, maxMs: 20 });
	sender = new Sender({ spool, client, clock: systemClock, log: silentLogger, metrics: metrics.uplink, backOff, order: 'newest_first' });
	// Each record is larger than a request, so that a backlog takes several.
	const backlog = (round: number) => Array.from({ length: 12_000 }, (_, i) => round * 100_000 + i);
	for (let round = 0; round < 5; round++) append(backlog(round));
	sender.start();
	await waitFor('refusals', () => requests.length >= 2);
	let fresh = 0;
	respond = () => {
		// Something is measured while the backlog goes out.
		if (taken.length > 0 && fresh < 3) append([-++fresh]);
		return { status: 204, headers: written };
	};
	await emptied();
	const order = taken.filter((value) => value < 0 || value % 100_000 === 0);
	expect(order).toEqual([0, 100_000, -1, -2, -3, 200_000, 300_000, 400_000]);
	expect(taken).toHaveLength(60_003);
});

test('stop sends what is left', async () => {
	append([1, 2, 3]);
	await sender.stop(60_000);
	expect(taken).toEqual([1, 2, 3]);
});
