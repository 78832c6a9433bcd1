import { chmodSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Clock, systemClock } from '../../../core/clock.ts';
import { configOrThrow } from '../../../core/config-file.ts';
import { type HttpResponse, httpExchange } from '../../../core/http-client.ts';
import { CleanupStack } from '../../../core/lifecycle.ts';
import { silentLogger } from '../../../core/log.ts';
import { RELAY_POLL_PATH, type RelayAnswer, type RelayedRequest, readRelayBatch } from '../../../core/relay-wire.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../../../tests/harness/process.ts';
import { parseAgentConfig } from '../../config.ts';
import { AddressLimit } from './address-limit.ts';
import { CallbackDesk } from './callback-desk.ts';
import { type RunningCallbacks, startCallbacks } from './callbacks.ts';
import { RequestFolder } from './request-folder.ts';

let folder: TemporaryFolder;
let cleanup: CleanupStack;
let at: RunningCallbacks;
let counted: string[];
/** What is added to both clocks. */
let aheadMs: number;
const clock: Clock = { ...systemClock, now: () => systemClock.now() + aheadMs, monotonic: () => systemClock.monotonic() + aheadMs };
const keptIn = () => join(folder.path, 'callbacks');
const kept = () => readdirSync(keptIn()).filter((name) => name.endsWith('.json'));

beforeEach(() => {
	folder = temporaryFolder('callbacks');
	cleanup = new CleanupStack(silentLogger);
	counted = [];
	aheadMs = 0;
});
afterEach(async () => {
	await cleanup.close();
	folder.remove();
});

const CHANNELS = ['wechat_app', 'wechat_official', 'aliyun_sms', 'tencent_voice', 'mas_sms', 'sms_gateway'].map((provider) => ({
	name: provider,
	provider,
}));

function callbacksConfig(more: object = {}) {
	const callbacks = {
		listen: '127.0.0.1:0',
		collector_listen: '127.0.0.1:0',
		token: { env: 'TOKEN' },
		channels: CHANNELS,
		ack_links: true,
		hold: '50ms',
		...more,
	};
	return parseAgentConfig(JSON.stringify({ relay: { callbacks } }), 'agent.yml');
}

async function start(more: object = {}): Promise<void> {
	const config = configOrThrow(callbacksConfig(more)).relay?.callbacks;
	if (config === undefined) throw new Error('there is no such key');
	at = await startCallbacks(
		{
			config,
			tls: null,
			dataDir: folder.path,
			env: { TOKEN: 'right' },
			registry: new Registry(),
			count: (what, result) => counted.push(`${what} ${result}`),
			clock,
			log: silentLogger,
		},
		cleanup,
	);
}

function say(path: string, method = 'POST', body = '<xml/>'): Promise<HttpResponse> {
	const name = path.startsWith('/') ? path : `/api/fournines/v1/callbacks/${path}`;
	return httpExchange(`http://${at.internet}${name}`, { method, timeoutMs: 30_000, ...(method === 'GET' ? {} : { body }) });
}

async function fetched(answers: readonly RelayAnswer[] = [], waitMs = 0): Promise<readonly RelayedRequest[]> {
	const response = await httpExchange(`http://${at.collector}${RELAY_POLL_PATH}`, {
		method: 'POST',
		headers: { authorization: 'Bearer right' },
		body: JSON.stringify({ answers, waitMs }),
		timeoutMs: 40_000,
		maxBodyBytes: 16 * 1024 * 1024,
	});
	const batch = readRelayBatch(response.body.toString('utf8'));
	if (batch === null) throw new Error(`no batch: ${response.status} ${response.body.toString('utf8')}`);
	return batch.requests;
}

describe('while the collector is away', () => {
	test.each([
		['wechat_app?msg_signature=s', 'POST', 200, ''],
		['wechat_app?msg_signature=s&echostr=e', 'GET', 503, 'FN_AGENT_RELAY_AWAY'],
		['wechat_official?signature=s', 'POST', 200, 'success'],
		['wechat_official?signature=s&echostr=e', 'GET', 503, 'FN_AGENT_RELAY_AWAY'],
		['aliyun_sms?token=t', 'POST', 200, '{"code":0,"msg":"接收成功"}'],
		['tencent_voice?token=t', 'POST', 200, '{"result":0,"errmsg":"OK"}'],
		['mas_sms?token=t', 'POST', 200, 'success'],
		['sms_gateway?token=t&mobile=1', 'GET', 200, 'ok'],
		['/ack/1.1.AAAAAAAAAAAAAAAAAAAAAA', 'GET', 503, '暂时无法打开'],
		['/ack/1.1.AAAAAAAAAAAAAAAAAAAAAA', 'POST', 202, '等待送达'],
	])('%s by %s is answered with %i and %s', async (path, method, status, body) => {
		await start();
		const answer = await say(path, method);
		expect(answer.status).toBe(status);
		const text = answer.body.toString('utf8');
		if (status === 200) expect(text).toBe(body);
		else expect(text).toContain(body);
		// Whoever heard success is not forgotten, and nobody else is kept.
		expect(kept()).toHaveLength(status < 300 ? 1 : 0);
	});

	test('a platform of a city’s own hears what it wants', async () => {
		await start({ channels: [{ name: 'sms', provider: 'sms_gateway', answer: '0' }] });
		expect((await say('sms?token=t')).body.toString('utf8')).toBe('0');
	});

	test('what is kept outlives the process, in its order, and comes with its age', async () => {
		await start();
		await say('mas_sms?token=1', 'POST', 'first');
		await say('mas_sms?token=2', 'POST', 'second');
		await cleanup.close();
		cleanup = new CleanupStack(silentLogger);
		writeFileSync(join(keptIn(), 'x.json.unfinished'), '{');
		writeFileSync(join(keptIn(), '01900000-0000-7000-8000-000000000001.json'), '{');
		aheadMs = 3_600_000;
		await start();
		const requests = await fetched();
		expect(requests.map(({ query, body }) => [query, Buffer.from(body, 'base64').toString('utf8')])).toEqual([
			['token=1', 'first'],
			['token=2', 'second'],
		]);
		expect(requests[0]?.ageMs).toBeGreaterThanOrEqual(3_600_000);
		expect(readdirSync(keptIn()).filter((name) => !name.endsWith('.json'))).toEqual(['01900000-0000-7000-8000-000000000001.json.damaged']);
		expect(await fetched(requests.map(({ id }) => ({ id, status: 200, type: 'text/plain', body: '' })))).toEqual([]);
		expect(kept()).toEqual([]);
	});
});

test('the collector’s own answer goes to whoever waits, and an address check never touches the disk', async () => {
	await start({ hold: '20s' });
	const check = say('wechat_app?msg_signature=s&echostr=e', 'GET');
	const [request] = await fetched([], 20_000);
	expect(request).toMatchObject({ kind: 'callback', name: 'wechat_app', method: 'GET', query: 'msg_signature=s&echostr=e' });
	expect(kept()).toEqual([]);
	await fetched([{ id: request?.id ?? '', status: 403, type: 'text/plain', body: 'no' }]);
	const answer = await check;
	expect([answer.status, answer.headers['content-type'], answer.body.toString('utf8')]).toEqual([403, 'text/plain', 'no']);
});

test('what was given out and not dealt with is given out again, what was dealt with is not', async () => {
	await start();
	await say('mas_sms?token=t');
	const [first] = await fetched();
	expect(await fetched()).toEqual([]);
	aheadMs += 20_000;
	const [again] = await fetched();
	expect(again?.id).toBe(first?.id);
	aheadMs += 20_000;
	expect(await fetched([{ id: first?.id ?? '', status: 200, type: 'text/plain', body: '' }])).toEqual([]);
});

describe('a flood', () => {
	test('is bounded for each channel, and leaves room for the others', async () => {
		await start({ max_pending: 3, max_per_minute: 10_000 });
		const answers = await Promise.all(Array.from({ length: 60 }, () => say('mas_sms?token=t')));
		expect(answers.filter(({ status }) => status === 200)).toHaveLength(3);
		expect(answers.filter(({ status }) => status === 503)).toHaveLength(57);
		expect((await say('aliyun_sms?token=t')).status).toBe(200);
		expect(kept()).toHaveLength(4);
		const requests = await fetched();
		await fetched(requests.map(({ id }) => ({ id, status: 200, type: 'text/plain', body: '' })));
		expect((await say('mas_sms?token=t')).status).toBe(200);
	});

	test('is bounded in bytes', async () => {
		await start({ max_bytes: 1024 * 1024 });
		expect((await say('mas_sms?token=t', 'POST', 'x'.repeat(600_000))).status).toBe(200);
		expect((await say('mas_sms?token=t', 'POST', 'x'.repeat(600_000))).status).toBe(503);
		expect((await say('mas_sms?token=t', 'POST', 'x'.repeat(1_100_000))).status).toBe(413);
		expect(kept()).toHaveLength(1);
	});

	test('from one address ends at its limit', async () => {
		await start({ max_per_minute: 5 });
		const statuses: number[] = [];
		for (let i = 0; i < 8; i++) statuses.push((await say('mas_sms?token=t')).status);
		expect(statuses).toEqual([200, 200, 200, 200, 200, 429, 429, 429]);
		aheadMs += 61_000;
		expect((await say('mas_sms?token=t')).status).toBe(200);
	});

	test('one /64 is one address, and too many of them share an allowance', () => {
		const limit = new AddressLimit(1);
		expect(limit.passes('2001:db8::1', 0)).toBe(true);
		expect(limit.passes('2001:db8:0:0:ffff::2', 1)).toBe(false);
		expect(limit.passes('2001:db8:0:1::1', 2)).toBe(true);
		expect(limit.passes('::ffff:10.0.0.1', 3)).toBe(true);
		expect(limit.passes('10.0.0.1', 4)).toBe(false);
		for (let i = 0; i < 20_000; i++) limit.passes(`10.${1 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}`, 5);
		expect(limit.passes('192.0.2.1', 6)).toBe(false);
	});
});

test.each([
	['/api/fournines/v1/callbacks/other?token=t', 'POST', 404],
	['/api/fournines/v1/callbacks/wechat_app/more?msg_signature=s', 'POST', 404],
	['/api/fournines/v1/callbacks/..%2f..%2fmetrics?token=t', 'GET', 404],
	['/', 'GET', 404],
	['/metrics', 'GET', 404],
	[RELAY_POLL_PATH, 'POST', 404],
	['/api/fournines/v1/callbacks/mas_sms?token=t', 'PUT', 404],
	['/api/fournines/v1/callbacks/mas_sms', 'POST', 403],
	['/api/fournines/v1/callbacks/wechat_app?token=t', 'POST', 403],
])('%s by %s is %i and is not kept', async (path, method, status) => {
	await start();
	expect((await say(path, method)).status).toBe(status);
	expect(kept()).toEqual([]);
});

test('links of messages are nobody’s business unless they are allowed', async () => {
	await start({ ack_links: false });
	expect((await say('/ack/1.1.AAAAAAAAAAAAAAAAAAAAAA', 'GET')).status).toBe(404);
});

test.each([
	['a wrong token', { authorization: 'Bearer wrong' }, '{"answers":[],"waitMs":0}', 401],
	['no token', {}, '{"answers":[],"waitMs":0}', 401],
	['no poll', { authorization: 'Bearer right' }, '{"waitMs":0}', 400],
	['a wait without end', { authorization: 'Bearer right' }, '{"answers":[],"waitMs":9999999}', 400],
])('%s fetches nothing', async (_name, headers, body, status) => {
	await start();
	await say('mas_sms?token=t', 'POST', 'said');
	const answer = await httpExchange(`http://${at.collector}${RELAY_POLL_PATH}`, { method: 'POST', headers, body, timeoutMs: 30_000 });
	expect(answer.status).toBe(status);
	expect(answer.body.toString('utf8')).not.toContain('said');
	expect(kept()).toHaveLength(1);
});

test('what cannot be written is answered with an error, so that the provider repeats it', async () => {
	await start();
	rmSync(keptIn(), { recursive: true });
	expect((await say('mas_sms?token=t')).status).toBe(503);
	expect(counted).toContain('callback failed');
	mkdirSync(keptIn());
	chmodSync(keptIn(), 0o700);
	expect((await say('mas_sms?token=t')).status).toBe(200);
});

test('what nobody fetches is given up in the end, on record', async () => {
	const desk = new CallbackDesk({
		folder: new RequestFolder(keptIn()),
		clock,
		log: silentLogger,
		holdMs: 1,
		maxPending: 10,
		maxBytes: 1024 * 1024,
		maxAgeMs: 1000,
		count: (result) => counted.push(result),
	});
	const arrived = { kind: 'callback', name: 'a', method: 'POST', query: '', contentType: '', body: '', address: '' } as const;
	await desk.take(arrived, true);
	await desk.expire();
	expect(kept()).toHaveLength(1);
	aheadMs += 5000;
	await desk.expire();
	expect(kept()).toEqual([]);
	expect(desk.pending).toBe(0);
	expect(counted).toEqual(['taken', 'expired']);
});

test('the end does not wait for whoever waits', async () => {
	await start({ hold: '30s' });
	const held = say('mas_sms?token=t');
	await waitFor('it to be kept', () => kept().length === 1);
	await waitFor('it to be given out', async () => (await fetched()).length === 1);
	const poll = fetched([], 25_000).catch(() => []);
	await cleanup.close();
	expect((await held).status).toBe(200);
	expect(await poll).toEqual([]);
	expect(kept()).toHaveLength(1);
});

test.each([
	['nothing to take', { channels: [], ack_links: false }, 'there is nothing to take'],
	['one name twice', { channels: [CHANNELS[0], CHANNELS[0]] }, 'already the name of channels[0]'],
	['one address for both', { listen: '0.0.0.0:8443', collector_listen: '0.0.0.0:8443' }, 'must not reach'],
	['a provider that calls nobody back', { channels: [{ name: 'x', provider: 'feishu' }] }, 'provider'],
	['no time to answer', { hold: '0s' }, 'longer than zero'],
	['more time than anybody waits', { hold: '5m' }, 'at most 30s'],
])('%s is a mistake of the configuration', (_name, more, text) => {
	expect(() => configOrThrow(callbacksConfig(more))).toThrow(text);
});
