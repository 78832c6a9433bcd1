import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { callbackAddress, exampleNotification, type OpenedChannels, openTestChannels, sendThrough } from '../../tests/harness/channels.ts';
import {
	type FakeWechatOfficial,
	type FakeWechatWork,
	startFakeWechatOfficial,
	startFakeWechatWork,
} from '../../tests/harness/fake-wechat.ts';
import { createManualClock } from '../../tests/harness/manual-clock.ts';
import { waitFor } from '../../tests/harness/process.ts';
import { WechatEnvelope, wechatSignature, xmlText } from './wechat-crypto.ts';

const AES_KEY = 'jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C';
const SECRETS = { SECRET: 'app-secret-value', TOKEN: 'callback-token', AES: AES_KEY };
const incident = { id: '01900000-0000-7000-8000-0000000000aa', code: 'A7', ackUrl: '', clock: '一级 剩 1:37', text: '' };
const stops: (() => Promise<void>)[] = [];

afterEach(async () => {
	for (const stop of stops.splice(0).reverse()) await stop();
});

const addressOf = async (opened: () => OpenedChannels, name: string): Promise<string> => {
	const server = await callbackAddress(opened, name);
	stops.push(server.stop);
	return server.baseUrl;
};

describe('the envelope of callbacks', () => {
	// The example that WeChat Work publishes with its sample code (加解密库, Sample: VerifyURL).
	const published = {
		token: 'QDG6eK',
		corpId: 'wx5823bf96d3bd56c7',
		signature: '5c45ff5e21c57e6ad56bac8758b79b1d9ac89fd3',
		timestamp: '1409659589',
		nonce: '263014780',
		echo: 'P9nAzCzyDtyTWESHep1vC5X9xho/qYX3Zpb4yKa9SKld1DsH3Iyt3tP3zNdtp+4RPcs8TgAE7OaBO+FZXvnaqQ==',
	};

	test('opens the published example, whose signature is ours as well', () => {
		expect(wechatSignature([published.token, published.timestamp, published.nonce, published.echo])).toBe(published.signature);
		expect(new WechatEnvelope(AES_KEY, published.corpId).open(published.echo)).toBe('1616140317555161061');
	});

	test('what is sealed is opened by the same receiver only, and nothing else is', () => {
		fc.assert(
			fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), (text) => {
				const sealed = new WechatEnvelope(AES_KEY, 'corp').seal(text);
				expect(new WechatEnvelope(AES_KEY, 'corp').open(sealed)).toBe(text);
				expect(() => new WechatEnvelope(AES_KEY, 'other').open(sealed)).toThrow('meant for somebody else');
			}),
		);
		for (const bad of ['', 'AAAA', 'not base64', Buffer.alloc(64).toString('base64')]) {
			expect(() => new WechatEnvelope(AES_KEY, 'corp').open(bad)).toThrow('cannot be decrypted');
		}
		expect(() => new WechatEnvelope('short', 'corp')).toThrow('43 characters');
	});

	test.each([
		{ xml: '<a><B><![CDATA[x<y]]></B></a>', name: 'B', wanted: 'x<y' },
		{ xml: '<a><B>7</B></a>', name: 'B', wanted: '7' },
		{ xml: '<a></a>', name: 'B', wanted: '' },
		{ xml: '<a>.*</a>', name: '.*', wanted: '' },
	])('element $name of $xml', ({ xml, name, wanted }) => {
		expect(xmlText(xml, name)).toBe(wanted);
	});
});

describe('application of WeChat Work', () => {
	let fake: FakeWechatWork;
	let opened: OpenedChannels;
	let url = '';
	const channel = (more = '') => `channels:
  - name: wework
    wechat_app: { base_url: '${fake.baseUrl}', corp_id: corp, agent_id: 7, secret: { env: SECRET }, callback: { token: { env: TOKEN }, aes_key: { env: AES } } ${more} }
`;

	beforeEach(async () => {
		fake = await startFakeWechatWork({
			corpId: 'corp',
			secret: SECRETS.SECRET,
			agentId: 7,
			members: ['zhangsan', 'lisi'],
			callback: { token: SECRETS.TOKEN, aesKey: AES_KEY },
		});
		stops.push(fake.stop);
		opened = openTestChannels(channel(), { secrets: SECRETS, answer: '已由 张三 认领' });
		url = await addressOf(() => opened, 'wework');
	});

	test('one token serves many messages, and a new one is asked for once when it ends early', async () => {
		const to = opened.channels.personal('wework', 'zhangsan');
		await Promise.all([1, 2, 3].map((i) => sendThrough(to, exampleNotification({ annotations: { summary: `告警 ${i}` } }))));
		expect(fake.tokensGiven()).toBe(1);
		fake.expireToken();
		expect(await sendThrough(to, exampleNotification({ annotations: { summary: '告警 4' } }))).toMatchObject({ kind: 'sent', code: '0' });
		expect(fake.tokensGiven()).toBe(2);
		expect(fake.answers).toEqual([0, 0, 0, 42001, 0]);
		expect(fake.messages).toHaveLength(4);
	});

	test('a token is renewed five minutes before it ends, so that no message meets the end under way', async () => {
		const clock = createManualClock();
		const timed = await startFakeWechatWork({
			corpId: 'corp',
			secret: SECRETS.SECRET,
			agentId: 7,
			members: ['zhangsan'],
			callback: { token: SECRETS.TOKEN, aesKey: AES_KEY },
			now: clock.now,
		});
		stops.push(timed.stop);
		const { channels } = openTestChannels(channel().replace(fake.baseUrl, timed.baseUrl), { secrets: SECRETS, clock });
		const send = (summary: string) =>
			sendThrough(channels.personal('wework', 'zhangsan'), exampleNotification({ annotations: { summary } }));
		await send('告警 1');
		await clock.jump(6_899_000);
		await send('告警 2');
		expect(timed.tokensGiven()).toBe(1);
		await clock.jump(2000);
		await send('告警 3');
		expect(timed.tokensGiven()).toBe(2);
		expect(timed.answers).toEqual([0, 0, 0]);
	});

	test.each([
		{ name: 'somebody unknown', to: 'nobody', wanted: { kind: 'refused', code: '81013' } },
		{ name: 'a frequency limit', to: 'lisi', errcode: 45009, wanted: { kind: 'retry', code: '45009', possiblySent: false } },
		{ name: 'an address that is not trusted', to: 'lisi', errcode: 60020, wanted: { kind: 'refused', code: '60020' } },
	])('$name', async ({ to, errcode, wanted }) => {
		if (errcode !== undefined) fake.fail(errcode);
		const result = await sendThrough(opened.channels.personal('wework', to));
		expect(result).toMatchObject(wanted);
		expect(JSON.stringify(result)).not.toMatch(/app-secret|token-1/);
	});

	test('a receiver of which some are unknown is on record as partly told', async () => {
		const config = `receivers: [{ name: default, channel_configs: [{ channel: wework, to: ['zhangsan'] }], wechat_app_configs: [{ base_url: '${fake.baseUrl}', corp_id: corp, agent_id: 7, secret: { env: SECRET }, to_user: [zhangsan, nobody] }] }]`;
		const [own, shared] = openTestChannels(`${channel()}${config}`, { secrets: SECRETS }).channels.receivers.get('default') ?? [];
		expect(await sendThrough(own)).toMatchObject({ kind: 'refused', code: 'partly', reason: expect.stringContaining('nobody') });
		expect(await sendThrough(shared, exampleNotification({ annotations: { summary: '另一条' } }))).toMatchObject({ kind: 'sent' });
	});

	test('a wrong secret is final', async () => {
		const wrong = openTestChannels(channel(), { secrets: { ...SECRETS, SECRET: 'wrong' } });
		expect(await sendThrough(wrong.channels.personal('wework', 'zhangsan'))).toMatchObject({ kind: 'refused', code: '40001' });
	});

	test('an incident comes as a card whose button takes it, says by whom, and shows it', async () => {
		const result = await sendThrough(opened.channels.personal('wework', 'zhangsan'), exampleNotification({ incident }));
		expect(result).toMatchObject({ kind: 'sent', receipts: [{ to: 'zhangsan' }] });
		const [card] = fake.messages;
		expect(card).toMatchObject({ msgtype: 'template_card', buttonKey: `acknowledge:${incident.id}` });
		expect(card?.text).toContain('一级 剩 1:37');
		if (card === undefined) return;
		expect(await fake.press('zhangsan', card, url)).toBe(200);
		expect(opened.replies).toMatchObject([
			{ way: 'wechat_app', from: { channel: 'wework', to: 'zhangsan' }, said: { kind: 'acknowledge', incidentId: incident.id } },
		]);
		expect(opened.receipts).toMatchObject([{ line: 'wework', key: card.taskId, to: 'zhangsan', state: 'read' }]);
		await waitFor('the card to show it', () => fake.updates.includes('已由 张三 认领'));
	});

	test('the button of somebody else’s card, which comes encrypted as well, takes nothing and is no receipt', async () => {
		await sendThrough(opened.channels.personal('wework', 'zhangsan'), exampleNotification({ incident }));
		const [card] = fake.messages;
		if (card === undefined) throw new Error('there is no card');
		for (const key of [incident.id, `approve:${incident.id}`, ''])
			expect(await fake.press('zhangsan', { ...card, buttonKey: key }, url, { key })).toBe(200);
		expect(opened.replies).toEqual([]);
		expect(opened.receipts).toEqual([]);
	});

	test('what a member writes is a reply, and the answer goes back to him', async () => {
		expect(await fake.write('lisi', ' A7 ', url)).toBe(200);
		expect(opened.replies).toMatchObject([{ from: { to: 'lisi' }, said: { kind: 'text', text: 'A7' } }]);
		await waitFor('the answer', () => fake.messages.some(({ text, touser }) => text === '已由 张三 认领' && touser === 'lisi'));
	});

	test('the console’s check of the address is answered with the decrypted text', async () => {
		expect(await fake.checkAddress(url)).toBe('echo-1234');
	});

	test.each([
		{ name: 'a wrong signature', change: { token: 'other' } },
		{ name: 'a message for another corporation', change: { corpId: 'other' } },
	])('$name changes nothing', async ({ change }) => {
		const message = {
			touser: 'zhangsan',
			msgtype: 'template_card',
			text: '',
			taskId: 'x',
			buttonKey: `acknowledge:${incident.id}`,
			buttons: [],
			urls: [],
		};
		expect(await fake.press('zhangsan', message, url, change)).toBe(403);
		expect(opened.replies).toEqual([]);
		expect(opened.receipts).toEqual([]);
	});

	test('a key that is none is told at the start, not at the first button', () => {
		expect(() => openTestChannels(channel(), { secrets: { ...SECRETS, AES: 'short' } })).toThrow('43 characters');
	});

	test('a private deployment without cards gets text, with the code to reply', async () => {
		const old = openTestChannels(channel(', cards: false'), { secrets: SECRETS });
		await sendThrough(old.channels.personal('wework', 'zhangsan'), exampleNotification({ incident }));
		expect(fake.messages[0]).toMatchObject({ msgtype: 'text', text: expect.stringContaining('回复 A7 认领') });
	});

	test('a repetition within half an hour is the same message, which the service drops', async () => {
		const to = opened.channels.personal('wework', 'zhangsan');
		const notification = exampleNotification();
		for (const possibleDuplicate of [false, true]) {
			const message = await to?.compose(notification, { possibleDuplicate });
			expect(await message?.send(AbortSignal.timeout(5000))).toMatchObject({ kind: 'sent' });
		}
		expect(fake.messages).toHaveLength(1);
		const later = exampleNotification({ nowMs: Date.now() - 3_600_000 });
		expect((await to?.compose(later, { possibleDuplicate: true }))?.text).toContain('可能重复');
	});
});

describe('official account', () => {
	let fake: FakeWechatOfficial;
	let opened: OpenedChannels;
	const OPENID = 'oABCDEFGHIJKLMN';

	beforeEach(async () => {
		fake = await startFakeWechatOfficial({ appId: 'wx1', secret: SECRETS.SECRET, templateId: 'T1', followers: [OPENID] });
		stops.push(fake.stop);
		opened = openTestChannels(
			`channels: [{ name: mp, wechat_official: { base_url: '${fake.baseUrl}', app_id: wx1, secret: { env: SECRET }, template_id: T1, callback_token: { env: TOKEN } } }]`,
			{ secrets: SECRETS },
		);
	});

	test('fills the template within its lengths, and reports its receipt', async () => {
		const url = await addressOf(() => opened, 'mp');
		const long = exampleNotification({ annotations: { summary: '数据库连接数超过上限，业务无法写入，请立即处理' } });
		const result = await sendThrough(opened.channels.personal('mp', OPENID), long);
		expect(result).toMatchObject({ kind: 'sent', receipts: [{ key: '1000', to: OPENID }] });
		expect(fake.messages[0]?.data['thing1']?.value).toMatch(/^数据库连接数.*…$/);
		expect(await fake.finish('1000', OPENID, 'success', url, SECRETS.TOKEN)).toBe(200);
		expect(await fake.finish('1000', OPENID, 'failed:user block', url, SECRETS.TOKEN)).toBe(200);
		expect(await fake.finish('1000', OPENID, 'success', url, 'wrong')).toBe(403);
		expect(opened.receipts.map(({ state, code }) => [state, code])).toEqual([
			['delivered', 'success'],
			['undelivered', 'failed:user block'],
		]);
	});

	test('a repetition reaches nobody twice, and somebody who left is a refusal', async () => {
		const to = opened.channels.personal('mp', OPENID);
		await sendThrough(to);
		expect(await sendThrough(to)).toMatchObject({ kind: 'sent' });
		expect(fake.messages).toHaveLength(1);
		expect(await sendThrough(opened.channels.personal('mp', 'oZZZZZZZZZZZZZZ'))).toMatchObject({ kind: 'refused', code: '43004' });
	});
});
