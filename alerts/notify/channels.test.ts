import { createHmac } from 'node:crypto';
import iconv from 'iconv-lite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { exampleNotification, openTestChannels, sendThrough } from '../../tests/harness/channels.ts';
import { type FakeServer, startFakeServer } from '../../tests/harness/fake-server.ts';
import { startFakeSmsGateway } from '../../tests/harness/fake-sms-gateway.ts';
import { startFakeWechatRobot } from '../../tests/harness/fake-wechat-robot.ts';
import type { Notification } from './notification.ts';
import type { Notifier, SendResult } from './notifier.ts';

const secrets = { KEY: 'robot-key-secret', SMS: 'sms-secret', HMAC: 'hmac-secret', TOKEN: 'header-token', URL: '' };

function notifiersOf(receiver: string): readonly Notifier[] {
	return openTestChannels(`receivers: [{ name: default, ${receiver} }]`, { secrets }).channels.receivers.get('default') ?? [];
}

function notification(summary = 'Nginx 停了', severity = 'critical'): Notification {
	return exampleNotification({ labels: { alertname: 'A', severity }, annotations: { summary } });
}

function sendBy(receiver: string, message = notification()): Promise<SendResult> {
	return sendThrough(notifiersOf(receiver)[0], message);
}

let server: FakeServer;
let answer: { status: number; body: string; headers?: Record<string, string> } | 'drop' = { status: 200, body: '' };
let seen: { path: string; headers: Readonly<Record<string, string>>; body: Buffer } | null = null;

beforeEach(async () => {
	seen = null;
	server = await startFakeServer({
		handle: (request, exchange) => {
			seen = { path: request.url.pathname + request.url.search, headers: request.headers, body: request.body };
			if (answer === 'drop') exchange.drop();
			else exchange.answer(answer.status, answer.body, answer.headers);
		},
	});
});
afterEach(() => server.stop());

describe('WeChat robot: the errcode decides, not the status', () => {
	const robot = () => `wechat_robot_configs: [{ base_url: '${server.baseUrl}', key: { env: KEY } }]`;
	test.each([
		{ name: 'ok', answer: { status: 200, body: '{"errcode":0,"errmsg":"ok"}' }, wanted: { kind: 'sent', code: '0' } },
		{
			name: 'frequency',
			answer: { status: 200, body: '{"errcode":45009,"errmsg":"api freq out of limit"}' },
			wanted: { kind: 'retry', code: '45009', afterMs: 60_000, possiblySent: false },
		},
		{
			name: 'busy',
			answer: { status: 200, body: '{"errcode":-1,"errmsg":"system busy"}' },
			wanted: { kind: 'retry', code: '-1', possiblySent: false },
		},
		{
			name: 'invalid key',
			answer: { status: 200, body: '{"errcode":93000,"errmsg":"invalid webhook url"}' },
			wanted: { kind: 'refused', code: '93000', reason: 'invalid webhook url' },
		},
		{
			name: 'too long',
			answer: { status: 200, body: '{"errcode":40058,"errmsg":"exceed max length"}' },
			wanted: { kind: 'refused', code: '40058' },
		},
		{
			name: 'a portal’s page',
			answer: { status: 200, body: '<html>log in</html>' },
			wanted: { kind: 'retry', code: 'no-code', possiblySent: true },
		},
		{
			name: 'a gateway that is down',
			answer: { status: 502, body: 'bad gateway', headers: { 'retry-after': '7' } },
			wanted: { kind: 'retry', code: '502', afterMs: 7000 },
		},
		{ name: 'a broken connection', answer: 'drop' as const, wanted: { kind: 'retry', possiblySent: true } },
		{
			name: 'the key echoed',
			answer: { status: 200, body: '{"errcode":40001,"errmsg":"bad key robot-key-secret"}' },
			wanted: { kind: 'refused', reason: 'bad key [redacted]' },
		},
	])('$name', async (row) => {
		answer = row.answer;
		expect(await sendBy(robot())).toMatchObject(row.wanted);
		expect(seen?.path).toBe('/cgi-bin/webhook/send?key=robot-key-secret');
	});

	test('a refused connection certainly brought nothing, and names no key', async () => {
		await server.stop();
		const result = await sendBy(robot());
		expect(result).toMatchObject({ kind: 'retry', code: 'ECONNREFUSED', possiblySent: false });
		expect(JSON.stringify(result)).not.toContain('robot-key-secret');
	});

	test('a timeout may have brought it', async () => {
		const slow = await startFakeWechatRobot({ key: secrets.KEY });
		slow.fail({ kind: 'delay', ms: 5000 });
		const receiver = `wechat_robot_configs: [{ base_url: '${slow.baseUrl}', key: { env: KEY }, timeout: 100ms }]`;
		expect(await sendBy(receiver)).toMatchObject({ kind: 'retry', code: 'FN_HTTP_TIMEOUT', possiblySent: true });
		await slow.stop();
	});

	test('people are called out in plain text, and only for what is worth it', async () => {
		answer = { status: 200, body: '{"errcode":0}' };
		const receiver = `wechat_robot_configs: [{ base_url: '${server.baseUrl}', key: { env: KEY }, mentioned_mobile_list: ['13800000001'] }]`;
		await sendBy(receiver);
		expect(JSON.parse(seen?.body.toString() ?? '')).toMatchObject({ msgtype: 'text', text: { mentioned_mobile_list: ['13800000001'] } });
		await sendBy(receiver, notification('Nginx 停了', 'warning'));
		expect(JSON.parse(seen?.body.toString() ?? '')).toMatchObject({ msgtype: 'markdown' });
	});
});

describe('webhook', () => {
	test('is signed, names its notification and sends headers from secrets', async () => {
		answer = { status: 200, body: '' };
		await sendBy(
			`webhook_configs: [{ url: '${server.baseUrl}/x', hmac_secret: { env: HMAC }, headers: { X-Token: { env: TOKEN }, X-Plain: a } }]`,
		);
		const timestamp = seen?.headers['x-fournines-timestamp'] ?? '';
		const wanted = createHmac('sha256', secrets.HMAC).update(`${timestamp}.${seen?.body.toString()}`).digest('hex');
		expect(seen?.headers).toMatchObject({
			'x-fournines-signature': `sha256=${wanted}`,
			'x-token': 'header-token',
			'x-plain': 'a',
			'idempotency-key': notification().id,
		});
	});

	test.each([
		{ status: 204, wanted: 'sent' },
		{ status: 301, wanted: 'refused' },
		{ status: 400, wanted: 'refused' },
		{ status: 429, wanted: 'retry' },
		{ status: 500, wanted: 'retry' },
	])('$status is $wanted', async ({ status, wanted }) => {
		answer = { status, body: '' };
		expect((await sendBy(`webhook_configs: [{ url: '${server.baseUrl}' }]`)).kind).toBe(wanted);
	});
});

describe('SMS gateway', () => {
	const gateway = (more: string) =>
		`sms_gateway_configs: [{ url: '${server.baseUrl}/sms', phones: ['13800000001', '13900000002'], secrets: { key: { env: SMS } }, ${more} }]`;

	test('a form in GBK, percent-encoded by its own bytes', async () => {
		answer = { status: 200, body: '' };
		await sendBy(gateway(`charset: gbk, form: { m: '{phones}', c: '{content}', s: '&=' }`));
		const body = seen?.body.toString('latin1') ?? '';
		const content = body.split('&')[1]?.slice(2) ?? '';
		const bytes = Buffer.from(
			content.replace(/%(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
			'latin1',
		);
		expect(iconv.decode(bytes, 'gbk')).toMatch(/^\[严重\]Nginx 停了/);
		expect(body).toContain('m=13800000001%2C13900000002');
		expect(body).toContain('s=%26%3D');
		expect(seen?.headers['content-type']).toBe('application/x-www-form-urlencoded; charset=GBK');
	});

	test('China Mobile’s MAS: base64 of JSON with an md5', async () => {
		answer = { status: 200, body: '{"rspcod":"success","success":true,"msgGroup":"1"}' };
		const result = await sendBy(
			gateway(
				`json: { ecName: city, mobiles: '{phones}', content: '{content}', mac: '{digest}' }, base64: true, digest: { algorithm: md5, input: 'city{secret.key}{phones}' }, success: { json_path: rspcod, equals: [success] }`,
			),
		);
		expect(result).toEqual({ kind: 'sent', code: 'success' });
		const body = JSON.parse(Buffer.from(seen?.body.toString() ?? '', 'base64').toString()) as Record<string, string>;
		expect(body).toMatchObject({ ecName: 'city', mobiles: '13800000001,13900000002', mac: expect.stringMatching(/^[0-9a-f]{32}$/) });
	});

	test('braces in a message are not placeholders', async () => {
		answer = { status: 200, body: '' };
		await sendBy(gateway(`json: { c: '{content}' }`), notification('{secret.key} {phones}'));
		expect(seen?.body.toString()).not.toContain('sms-secret');
	});

	test.each([
		{ name: 'success by text', config: `success: { matches: '^0,' }`, body: '0,123', wanted: { kind: 'sent' } },
		{
			name: 'failure by text',
			config: `success: { matches: '^0,' }`,
			body: '-5',
			wanted: { kind: 'retry', reason: '-5', possiblySent: false },
		},
		{
			name: 'success by a nested number',
			config: `success: { json_path: data.code, equals: [0] }`,
			body: '{"data":{"code":0}}',
			wanted: { kind: 'sent', code: '0' },
		},
		{
			name: 'a code that never changes',
			config: `success: { json_path: code, equals: ['0'] }, refused_codes: ['44']`,
			body: '{"code":"44","msg":"黑名单"}',
			wanted: { kind: 'refused', code: '44' },
		},
		{ name: 'not JSON', config: `success: { json_path: code, equals: ['0'] }`, body: 'oops', wanted: { kind: 'retry' } },
		{
			name: 'the secret echoed',
			config: `success: { matches: '^ok' }`,
			body: 'bad sms-secret',
			wanted: { kind: 'retry', reason: 'bad [redacted]' },
		},
	])('$name', async ({ config, body, wanted }) => {
		answer = { status: 200, body };
		expect(await sendBy(gateway(`form: { c: '{content}' }, ${config}`))).toMatchObject(wanted);
	});

	test('more recipients than one request takes make several channels', () => {
		const notifiers = notifiersOf(gateway(`form: { c: '{content}' }, max_phones: 1`));
		expect(notifiers.map((notifier) => notifier.channel)).toEqual(['default/sms_gateway/0.0', 'default/sms_gateway/0.1']);
	});

	test('the fake refuses what a real one refuses', async () => {
		const fake = await startFakeSmsGateway({ account: 'cgw', secret: 'other', charset: 'utf8' });
		const form = `form: { account: cgw, mobile: '{phones}', content: '{content}', ts: '{unix}', sign: '{digest}' }, digest: { algorithm: md5, input: 'cgw{secret.key}{phones}{content}{unix}' }, success: { json_path: code, equals: ['0'] }`;
		const receiver = `sms_gateway_configs: [{ url: '${fake.url}', phones: ['13800000001'], secrets: { key: { env: SMS } }, ${form} }]`;
		expect(await sendBy(receiver)).toMatchObject({ kind: 'retry', code: '102' });
		expect(fake.messages).toEqual([]);
		await fake.stop();
	});
});
