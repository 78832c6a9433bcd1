import { Registry } from 'prom-client';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import { AppError } from '../../core/errors.ts';
import { httpExchange } from '../../core/http-client.ts';
import { silentLogger } from '../../core/log.ts';
import { RELAY_POLL_PATH, type RelayAnswer, type RelayedRequest } from '../../core/relay-wire.ts';
import { Secret } from '../../core/secret.ts';
import { type OpenedChannels, openTestChannels } from '../../tests/harness/channels.ts';
import { type FakeRequest, type FakeServer, startFakeServer } from '../../tests/harness/fake-server.ts';
import { type FakeWechatWork, startFakeWechatOfficial, startFakeWechatWork } from '../../tests/harness/fake-wechat.ts';
import { waitFor } from '../../tests/harness/process.ts';
import { createRelayMetrics } from './metrics.ts';
import { RelayClient } from './relay-client.ts';
import { handleRelayed, type RelayHandlers } from './relayed.ts';

const AES_KEY = 'abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG';
const SECRETS = { SECRET: 'app-secret', TOKEN: 'callback-token', AES: AES_KEY };
const HOUR_MS = 3_600_000;
const stops: (() => Promise<unknown>)[] = [];

afterEach(async () => {
	for (const stop of stops.splice(0).reverse()) await stop();
});

const noLinks: RelayHandlers['ack'] = async () => ({ status: 404, type: 'text/plain', body: '' });

function relayed(more: Partial<RelayedRequest> = {}): RelayedRequest {
	const request = { id: '1', kind: 'callback', name: 'c', method: 'POST', query: '', contentType: '', body: '', address: '' } as const;
	return { ...request, ageMs: 0, ...more };
}

describe('what was signed is judged by when the relay got it', () => {
	let wework: FakeWechatWork;
	let recorder: FakeServer;
	let said: FakeRequest | undefined;
	let opened: OpenedChannels;
	/** Of whoever signs. */
	let now: () => number;

	beforeEach(async () => {
		now = () => Date.now() - HOUR_MS;
		recorder = await startFakeServer({
			handle: (request, exchange) => {
				said = request;
				exchange.answer(200, '');
			},
		});
		wework = await startFakeWechatWork({
			corpId: 'corp',
			secret: SECRETS.SECRET,
			agentId: 7,
			members: ['zhang'],
			callback: { token: SECRETS.TOKEN, aesKey: AES_KEY },
			now: () => now(),
		});
		stops.push(wework.stop, recorder.stop);
		opened = openTestChannels(
			`channels:
  - { name: wework, wechat_app: { base_url: '${wework.baseUrl}', corp_id: corp, agent_id: 7, secret: { env: SECRET }, callback: { token: { env: TOKEN }, aes_key: { env: AES } } } }
  - { name: mp, wechat_official: { base_url: '${wework.baseUrl}', app_id: wx1, secret: { env: SECRET }, template_id: T1, callback_token: { env: TOKEN } } }`,
			{ secrets: SECRETS },
		);
	});

	const kept = (ageMs: number, name: string) =>
		handleRelayed(
			relayed({ name, query: said?.url.search.slice(1) ?? '', body: said?.body.toString('base64') ?? '', ageMs }),
			{ callback: (channel, request) => opened.channels.callback(channel, request), ack: noLinks },
			Date.now(),
		);

	test('WeChat Work', async () => {
		await wework.write('zhang', 'A7', recorder.baseUrl);
		expect(await kept(HOUR_MS, 'wework')).toMatchObject({ status: 200 });
		expect(opened.replies).toMatchObject([{ from: { to: 'zhang' }, said: { text: 'A7' } }]);
		await expect(kept(0, 'wework')).rejects.toMatchObject({ code: 'FN_ALERTS_CALLBACK_REFUSED' });
		await expect(kept(2 * HOUR_MS, 'wework')).rejects.toMatchObject({ code: 'FN_ALERTS_CALLBACK_REFUSED' });
	});

	test('an official account', async () => {
		const mp = await startFakeWechatOfficial({ appId: 'wx1', secret: SECRETS.SECRET, templateId: 'T1', followers: [] });
		stops.push(mp.stop);
		await mp.finish('1000', 'openid', 'success', recorder.baseUrl, SECRETS.TOKEN);
		expect(await kept(0, 'mp')).toMatchObject({ body: 'success' });
		await expect(kept(HOUR_MS, 'mp')).rejects.toMatchObject({ code: 'FN_ALERTS_CALLBACK_REFUSED' });
	});
});

describe('a relay', () => {
	/** What the next fetches bring, one batch each; none is an empty one. */
	let batches: (RelayedRequest[] | number)[];
	let answers: RelayAnswer[];
	let tokens: Set<string>;
	let refused: string[];
	let relay: FakeServer;
	let metrics: Registry;

	beforeEach(async () => {
		batches = [];
		answers = [];
		tokens = new Set();
		refused = [];
		metrics = new Registry();
		relay = await startFakeServer({
			handle: async (request, exchange) => {
				if (request.url.pathname !== RELAY_POLL_PATH) return exchange.answer(404, '');
				tokens.add(request.headers['authorization'] ?? '');
				const batch = batches.shift() ?? [];
				if (typeof batch === 'number') return exchange.answer(batch, 'not now');
				answers.push(...(JSON.parse(request.body.toString('utf8')) as { answers: RelayAnswer[] }).answers);
				if (batch.length === 0) await exchange.sleep(50);
				exchange.json({ requests: batch });
			},
		});
		stops.push(relay.stop);
	});

	function start(callback: RelayHandlers['callback'], ack: RelayHandlers['ack'] = noLinks): void {
		const client = new RelayClient({
			config: { name: 'dmz', url: `${relay.baseUrl}/`, token: { env: 'T' } },
			handlers: { callback, ack },
			onRefused: async ({ request, code }) => {
				refused.push(`${request.name} ${code}`);
			},
			secret: () => new Secret('relay-token'),
			http: httpExchange,
			clock: systemClock,
			log: silentLogger,
			metrics: createRelayMetrics(metrics),
		});
		client.start();
		stops.push(() => client.stop());
	}
	const answered = (id: string) => waitFor(`the answer to ${id}`, () => answers.find((answer) => answer.id === id));

	test('gets each answer, in order, with its token', async () => {
		const seen: string[] = [];
		batches = [
			[relayed({ id: 'a', query: 'x=1', body: Buffer.from('b').toString('base64') }), relayed({ id: 'b', kind: 'ack', name: '1.2.3' })],
		];
		start(
			async (channel, { query, body }) => {
				seen.push(`${channel} ${query['x']} ${body.toString('utf8')}`);
				return { status: 200, type: 'text/plain', body: 'ok' };
			},
			async ({ token }) => {
				seen.push(token);
				return { status: 200, type: 'text/html', body: 'page' };
			},
		);
		await answered('b');
		expect(answers).toEqual([
			{ id: 'a', status: 200, type: 'text/plain', body: 'ok' },
			{ id: 'b', status: 200, type: 'text/html', body: 'page' },
		]);
		expect(seen).toEqual(['c 1 b', '1.2.3']);
		expect([...tokens]).toEqual(['Bearer relay-token']);
	});

	test('hears of what is refused, and nothing of what failed, which comes again', async () => {
		let broken = true;
		batches = [[relayed({ id: 'forged', name: 'forged' }), relayed({ id: 'a' })], [relayed({ id: 'a' })]];
		start(async (channel) => {
			if (channel === 'forged') throw new AppError('FN_ALERTS_CALLBACK_REFUSED', 'no', { status: 403 });
			if (broken) {
				broken = false;
				throw new Error('the disk is full');
			}
			return { status: 200, type: 'text/plain', body: 'ok' };
		});
		await answered('a');
		expect(answers.filter(({ id }) => id === 'a')).toHaveLength(1);
		expect(answers.find(({ id }) => id === 'forged')).toMatchObject({ status: 403, body: 'FN_ALERTS_CALLBACK_REFUSED\n' });
		expect(refused).toEqual(['forged FN_ALERTS_CALLBACK_REFUSED']);
		const text = await metrics.metrics();
		for (const result of ['handled', 'refused', 'failed'])
			expect(text).toContain(`fournines_alerts_relayed_requests_total{relay="dmz",result="${result}"} 1`);
	});

	test('that does not take an answer gets it again', async () => {
		batches = [[relayed({ id: 'a' })], 503, 401];
		start(async () => ({ status: 200, type: 'text/plain', body: 'ok' }));
		await answered('a');
		expect(answers).toHaveLength(1);
		expect(await metrics.metrics()).toContain('fournines_alerts_relay_polls_total{relay="dmz",result="failed"} 2');
	});
});
