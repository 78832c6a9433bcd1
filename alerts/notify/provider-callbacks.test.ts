import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { exampleNotification, openTestChannels, sendThrough } from '../../tests/harness/channels.ts';
import { startFakeAliyunSms, startFakeTencentSms } from '../../tests/harness/fake-cloud-sms.ts';
import { startFakeMas, startFakeZwdingtalk } from '../../tests/harness/fake-government.ts';
import { temporaryFolder } from '../../tests/harness/process.ts';
import type { CallbackAnswer } from './channel-line.ts';
import type { Channels } from './channels.ts';

const SECRETS = { ID: 'key-id', SECRET: 'key-secret', TOKEN: 'callback-token', URL: 'http://127.0.0.1:1/sms' };
const keys = { id: SECRETS.ID, secret: SECRETS.SECRET, now: Date.now };
const stops: (() => Promise<void>)[] = [];

afterEach(async () => {
	for (const stop of stops.splice(0)) await stop();
});

const opened = (channel: string) => openTestChannels(`channels: [{ name: c, ${channel} }]`, { secrets: SECRETS });

function callBack(channels: Channels, body: unknown, token = SECRETS.TOKEN): Promise<CallbackAnswer> {
	const text = typeof body === 'string' ? body : JSON.stringify(body);
	return channels.callback('c', { method: 'POST', query: { token }, headers: {}, body: Buffer.from(text) });
}

const CLOUD = 'callback_token: { env: TOKEN }';
const ALIYUN = `access_key_id: { env: ID }, access_key_secret: { env: SECRET }, ${CLOUD}`;
const TENCENT = `secret_id: { env: ID }, secret_key: { env: SECRET }, ${CLOUD}`;

/** What each provider pushes, as its documentation shows it, and what it means. */
const PROVIDERS = [
	{
		name: 'Aliyun SMS',
		channel: `aliyun_sms: { ${ALIYUN}, sign_name: s, template_code: T }`,
		body: [
			{
				phone_number: '13900000001',
				send_time: '2026-11-22 03:00:00',
				report_time: '2026-11-22 03:00:05',
				success: true,
				err_code: 'DELIVERED',
				biz_id: 'b1',
				out_id: '',
			},
			{ phone_number: '13900000002', report_time: 'oops', success: false, err_code: 'MK:0001', biz_id: 'b1' },
			{ phone_number: '13900000003', content: ' A7 ', send_time: '2026-11-22 03:01:00', sign_name: 's', dest_code: '1', sequence_id: 77 },
		],
		receipts: [
			{ key: 'b1', to: '13900000001', state: 'delivered', code: 'DELIVERED', atMs: Date.UTC(2026, 10, 21, 19, 0, 5) },
			{ key: 'b1', to: '13900000002', state: 'undelivered', code: 'MK:0001' },
		],
		replies: [{ id: '77', from: { channel: 'c', to: '13900000003' }, said: { kind: 'text', text: 'A7' } }],
		answer: '{"code":0,"msg":"接收成功"}',
	},
	{
		name: 'Aliyun voice',
		channel: `aliyun_voice: { ${ALIYUN}, tts_code: T }`,
		body: [
			{ call_id: 'c1', status_code: '200000', end_time: '2026-11-22 03:00:00', duration: '10', out_id: '' },
			{ call_id: 'c2', status_code: '200002', end_time: '2026-11-22 03:00:00' },
		],
		receipts: [
			{ key: 'c1', state: 'delivered', code: '200000' },
			{ key: 'c2', state: 'undelivered', code: '200002' },
		],
		replies: [],
		answer: '{"code":0,"msg":"接收成功"}',
	},
	{
		name: 'Tencent SMS',
		channel: `tencent_sms: { ${TENCENT}, sdk_app_id: '1', sign_name: s, template_id: T }`,
		body: [
			{
				user_receive_time: '2026-11-22 03:00:00',
				nationcode: '86',
				mobile: '13900000001',
				report_status: 'SUCCESS',
				errmsg: 'DELIVRD',
				sid: 's1',
			},
			{ user_receive_time: '', nationcode: '86', mobile: '13900000001', report_status: 'FAIL', errmsg: 'UNDELIV', sid: 's2' },
		],
		receipts: [
			{ key: 's1', to: '+8613900000001', state: 'delivered', code: 'DELIVRD' },
			{ key: 's2', state: 'undelivered', code: 'UNDELIV' },
		],
		replies: [],
		answer: '{"result":0,"errmsg":"OK"}',
	},
	{
		name: 'Tencent SMS, a reply',
		channel: `tencent_sms: { ${TENCENT}, sdk_app_id: '1', sign_name: s, template_id: T }`,
		body: { extend: '', mobile: '13900000001', nationcode: '86', sign: 's', text: 'A7', time: 1_763_752_000 },
		receipts: [],
		replies: [{ from: { channel: 'c', to: '+8613900000001' }, said: { kind: 'text', text: 'A7' }, atMs: 1_763_752_000_000 }],
		answer: '{"result":0,"errmsg":"OK"}',
	},
	{
		name: 'Tencent voice',
		channel: `tencent_voice: { ${TENCENT}, voice_sdk_app_id: '1', template_id: T }`,
		body: {
			voiceprompt_callback: {
				result: '0',
				accept_time: '1470196835',
				call_from: '0755',
				callid: 'v1',
				end_calltime: '1470196843',
				mobile: '13900000001',
				nationcode: '86',
			},
		},
		receipts: [{ key: 'v1', to: '+8613900000001', state: 'delivered', code: '0', atMs: 1_470_196_843_000 }],
		replies: [],
		answer: '{"result":0,"errmsg":"OK"}',
	},
	{
		name: 'Tencent voice, a key',
		channel: `tencent_voice: { ${TENCENT}, voice_sdk_app_id: '1', template_id: T }`,
		body: { voicekey_callback: { call_from: '', callid: 'v1', keypress: '2', mobile: '13900000001', nationcode: '86' } },
		receipts: [],
		replies: [{ from: { channel: 'c', to: '+8613900000001' }, said: { kind: 'text', text: '2' } }],
		answer: '{"result":0,"errmsg":"OK"}',
	},
	{
		name: 'cloud MAS',
		channel: `mas_sms: { base_url: 'http://127.0.0.1:1', ec_name: e, ap_id: a, secret_key: { env: SECRET }, sign: S, ${CLOUD} }`,
		body: {
			reportStatus: 'CM:0000',
			mobile: '13900000001',
			submitDate: '2026-11-22 03:00:00',
			receiveDate: '2026-11-22 03:00:00',
			errorCode: 'DELIVRD',
			msgGroup: 'g1',
		},
		receipts: [{ key: 'g1', to: '13900000001', state: 'delivered', code: 'DELIVRD' }],
		replies: [],
		answer: 'success',
	},
	{
		name: 'cloud MAS, a reply',
		channel: `mas_sms: { base_url: 'http://127.0.0.1:1', ec_name: e, ap_id: a, secret_key: { env: SECRET }, sign: S, ${CLOUD} }`,
		body: { mobile: '13900000001', smsContent: 'A7', sendTime: '2026-11-22 03:00:00', addSerial: '' },
		receipts: [],
		replies: [{ from: { channel: 'c', to: '13900000001' }, said: { kind: 'text', text: 'A7' } }],
		answer: 'success',
	},
	{
		name: 'a gateway of the city’s own, in a form',
		channel: `sms_gateway: { url: { env: URL }, form: { c: '{content}' }, ${CLOUD}, callback: { message_id: msgid, phone: phone, state: stat, delivered: ['0'], content: reply, answer: '0' } }`,
		body: 'msgid=m1&phone=13900000001&stat=0',
		receipts: [{ key: 'm1', to: '13900000001', state: 'delivered', code: '0' }],
		replies: [],
		answer: '0',
	},
	{
		name: 'a gateway of the city’s own, entries inside',
		channel: `sms_gateway: { url: { env: URL }, form: { c: '{content}' }, ${CLOUD}, callback: { items: data.list, message_id: id, phone: tel, state: state, delivered: [ok], content: text } }`,
		body: {
			data: {
				list: [
					{ id: 1, tel: '13900000001', state: 'bad' },
					{ tel: '13900000001', text: ' A7' },
				],
			},
		},
		receipts: [{ key: '1', state: 'undelivered', code: 'bad' }],
		replies: [{ from: { channel: 'c', to: '13900000001' }, said: { kind: 'text', text: 'A7' } }],
		answer: 'ok',
	},
] as const;

test.each(PROVIDERS)('$name', async ({ channel, body, receipts, replies, answer }) => {
	const { channels, ...back } = opened(channel);
	expect(await callBack(channels, body)).toMatchObject({ status: 200, body: answer });
	expect(back.receipts).toMatchObject(receipts);
	expect(back.replies).toMatchObject(replies);
});

test('a wrong token, a channel without one, and a body that is no JSON are refused and change nothing', async () => {
	const { channels, receipts } = opened(PROVIDERS[0].channel);
	await expect(callBack(channels, PROVIDERS[0].body, 'wrong')).rejects.toMatchObject({ code: 'FN_ALERTS_CALLBACK_REFUSED', status: 403 });
	await expect(callBack(channels, '{"a":')).rejects.toMatchObject({ code: 'FN_ALERTS_CALLBACK_REFUSED' });
	const silent = opened(PROVIDERS[0].channel.replace(`, ${CLOUD}`, ''));
	await expect(callBack(silent.channels, [])).rejects.toMatchObject({ code: 'FN_ALERTS_CALLBACK_UNKNOWN', status: 404 });
	await expect(channels.callback('other', { method: 'GET', query: {}, headers: {}, body: Buffer.alloc(0) })).rejects.toMatchObject({
		status: 404,
	});
	expect(receipts).toEqual([]);
});

describe('voice', () => {
	const VOICES = [
		{
			name: 'Aliyun',
			start: startFakeAliyunSms,
			channel: (base: string) => `aliyun_voice: { base_url: '${base}', ${ALIYUN}, tts_code: T }`,
			phone: '13900000001',
		},
		{
			name: 'Tencent',
			start: startFakeTencentSms,
			channel: (base: string) => `tencent_voice: { base_url: '${base}', ${TENCENT}, voice_sdk_app_id: '1', template_id: T }`,
			phone: '+8613900000001',
		},
	] as const;
	test.each(VOICES)('$name calls, and a second call within the minute waits', async ({ start, channel, phone }) => {
		const fake = await start(keys);
		stops.push(fake.stop);
		const place = opened(channel(fake.baseUrl)).channels.personal('c', phone);
		expect(place).toMatchObject({ sendResolved: false, ratePerMinute: 1 });
		expect(await sendThrough(place)).toMatchObject({ kind: 'sent', receipts: [{ key: 'id-1', to: phone }] });
		expect(await sendThrough(place)).toMatchObject({ kind: 'retry', possiblySent: false });
		expect(fake.messages).toMatchObject([{ phones: [phone], template: 'T' }]);
		expect(JSON.stringify(fake.messages[0]?.params)).toContain('Nginx 停了');
	});

	test('several numbers are several calls', async () => {
		const fake = await startFakeAliyunSms(keys);
		stops.push(fake.stop);
		const config = `receivers: [{ name: default, aliyun_voice_configs: [{ base_url: '${fake.baseUrl}', ${ALIYUN}, tts_code: T, phones: ['13900000001', '13900000002'] }] }]`;
		const notifiers = openTestChannels(config, { secrets: SECRETS }).channels.receivers.get('default') ?? [];
		expect(notifiers.map(({ channel }) => channel)).toEqual(['default/aliyun_voice/0.0', 'default/aliyun_voice/0.1']);
		for (const notifier of notifiers) expect(await sendThrough(notifier)).toMatchObject({ kind: 'sent' });
		expect(fake.messages.map(({ phones }) => phones)).toEqual([['13900000001'], ['13900000002']]);
	});
});

describe('government platforms', () => {
	test('cloud MAS takes a signed message, and refuses a wrong secret for good', async () => {
		const fake = await startFakeMas({ ecName: '某某局', apId: 'ap', secretKey: SECRETS.SECRET });
		stops.push(fake.stop);
		const channel = (secret: string) =>
			`mas_sms: { base_url: '${fake.baseUrl}/', ec_name: 某某局, ap_id: ap, secret_key: { env: ${secret} }, sign: S1 }`;
		const place = opened(channel('SECRET')).channels.personal('c', '13900000001');
		expect(await sendThrough(place)).toMatchObject({ kind: 'sent', code: 'success', receipts: [{ key: 'group-1', to: '13900000001' }] });
		expect(fake.messages[0]?.text).toContain('Nginx 停了');
		expect(await sendThrough(opened(channel('TOKEN')).channels.personal('c', '13900000001'))).toMatchObject({
			kind: 'refused',
			code: 'IllegalMac',
		});
		fake.fail('SystemError');
		expect(await sendThrough(place)).toMatchObject({ kind: 'retry', code: 'SystemError', possiblySent: false });
	});

	test('专有钉钉 takes a signed message once, whoever repeats it', async () => {
		const fake = await startFakeZwdingtalk({ key: SECRETS.ID, secret: SECRETS.SECRET, tenantId: '1' });
		stops.push(fake.stop);
		const channel = (secret: string) =>
			`zwdingtalk: { base_url: '${fake.baseUrl}', app_key: { env: ID }, app_secret: { env: ${secret} }, tenant_id: '1' }`;
		const place = opened(channel('SECRET')).channels.personal('c', 'GE_abc');
		const long = exampleNotification({ annotations: { summary: 'Nginx 停了 & 重启 + 1%', description: '说明。'.repeat(2000) } });
		expect(await sendThrough(place, long)).toMatchObject({ kind: 'sent', code: '0' });
		expect(await sendThrough(place, long)).toMatchObject({ kind: 'sent' });
		expect(fake.messages).toMatchObject([{ to: ['GE_abc'], text: expect.stringContaining('Nginx 停了 & 重启 + 1%') }]);
		const wrong = await sendThrough(opened(channel('TOKEN')).channels.personal('c', 'GE_abc'));
		expect(wrong).toMatchObject({ kind: 'refused', code: 'InvalidSignature' });
	});
});

describe('a folder', () => {
	test('gets each message once, complete, and says when nobody takes them', async () => {
		const folder = temporaryFolder('folder-channel');
		stops.push(async () => folder.remove());
		const path = join(folder.path, 'out');
		mkdirSync(path);
		const place = (more = '') =>
			openTestChannels(`receivers: [{ name: default, folder_configs: [{ path: '${path}' ${more} }] }]`).channels.receivers.get(
				'default',
			)?.[0];
		const notification = exampleNotification();
		expect(await sendThrough(place(), notification)).toMatchObject({ kind: 'sent' });
		expect(await sendThrough(place(), notification)).toMatchObject({ kind: 'sent' });
		const [file = '', ...more] = readdirSync(path);
		expect(more).toEqual([]);
		expect(file).toMatch(/^\d{14}-7-.*\.txt$/);
		expect(readFileSync(join(path, file), 'utf8')).toContain('Nginx 停了');
		writeFileSync(join(path, 'second'), '');
		expect(await sendThrough(place(', max_files: 2'))).toMatchObject({ kind: 'retry', code: 'full' });
		expect(await sendThrough(place(', format: json'))).toMatchObject({ kind: 'sent' });
		folder.remove();
		expect(await sendThrough(place())).toMatchObject({ kind: 'retry', code: 'ENOENT', possiblySent: false });
	});
});
