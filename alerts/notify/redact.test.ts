import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { exampleNotification, openTestChannels } from '../../tests/harness/channels.ts';
import { CHANNEL_KINDS } from './kinds.ts';
import type { Notifier } from './notifier.ts';

const secrets = { K: 'jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C' };
const key = '{ env: K }';
/** One of every type, on its way through the internet. */
const ENTRIES: Readonly<Record<string, string>> = {
	wechat_robot: `key: ${key}`,
	wechat_app: `corp_id: c, agent_id: 1, secret: ${key}, to_user: [a], callback: { token: ${key}, aes_key: ${key} }`,
	wechat_official: `app_id: a, secret: ${key}, template_id: t, openids: [oABCDEFGHIJK]`,
	sms_gateway: `url: 'http://s', form: { c: '{content}' }, phones: ['13800000000']`,
	aliyun_sms: `access_key_id: ${key}, access_key_secret: ${key}, sign_name: s, template_code: t, phones: ['13800000000']`,
	tencent_sms: `secret_id: ${key}, secret_key: ${key}, sdk_app_id: a, sign_name: s, template_id: t, phones: ['+8613800000000']`,
	mas_sms: `base_url: 'http://m', ec_name: e, ap_id: a, secret_key: ${key}, sign: s, phones: ['13800000000']`,
	cmpp: `host: h, source_addr: '901234', secret: ${key}, src_id: '1', phones: ['13800000000']`,
	aliyun_voice: `access_key_id: ${key}, access_key_secret: ${key}, tts_code: t, phones: ['13800000000']`,
	tencent_voice: `secret_id: ${key}, secret_key: ${key}, voice_sdk_app_id: a, template_id: t, phones: ['+8613800000000']`,
	zwdingtalk: `base_url: 'http://z', app_key: ${key}, app_secret: ${key}, tenant_id: '1', receiver_ids: [a]`,
	dingtalk: `access_token: ${key}`,
	feishu: `hook: ${key}`,
	email: `to: a@example.cn, from: b@example.cn, smarthost: 'h:25'`,
	webhook: `url: 'http://w'`,
	folder: `path: /tmp`,
};

function notifierOf(type: string, trust: string): Notifier {
	const { channels } = openTestChannels(`receivers: [{ name: default, ${type}_configs: [{ ${ENTRIES[type]}, trust: ${trust} }] }]`, {
		secrets,
	});
	const [notifier] = channels.receivers.get('default') ?? [];
	if (notifier === undefined) throw new Error(`no channel of the type ${type}`);
	return notifier;
}

test('there is an example of every type of channel', () => {
	expect(Object.keys(ENTRIES).sort()).toEqual(CHANNEL_KINDS.map(({ type }) => type).sort());
});

const incident = {
	id: '01900000-0000-7000-8000-0000000000aa',
	code: 'A7',
	ackUrl: 'https://in/ack/one-time-token',
	clock: '一级 剩 1:37',
	text: '',
};

describe.each(Object.keys(ENTRIES))('%s', (type) => {
	const external = notifierOf(type, 'external');

	test('carries no name, address or weakness where it is not trusted', async () => {
		const word = fc.stringMatching(/^[a-z]{8,12}-[0-9]{3}$/);
		await fc.assert(
			fc.asyncProperty(fc.uniqueArray(word, { minLength: 9, maxLength: 9 }), async (words) => {
				const [alertname = '', instance = '', host = '', service = '', own = '', summary = '', description = '', action = '', url = ''] =
					words;
				const notification = {
					...exampleNotification({
						labels: { alertname, instance, host, service, own, severity: 'critical', system: '公开的系统' },
						annotations: { summary, summary_en: summary, description, action, runbook_url: `http://${url}` },
						incident: { ...incident, text: summary },
					}),
					groupKey: `{}:{alertname="${alertname}"}`,
					groupLabels: { alertname, host },
				};
				const { text } = await external.compose(notification, { possibleDuplicate: false });
				for (const secret of words) expect(text).not.toContain(secret);
			}),
			{ numRuns: 10 },
		);
	});

	test('says number, level and time all the same; and trusted, what it is about', async () => {
		const notification = exampleNotification({ labels: { alertname: 'A', severity: 'critical', instance: 'db-1:3306' } });
		const { text } = await external.compose(notification, { possibleDuplicate: false });
		expect(text).toMatch(/7/);
		expect(text).toMatch(/严重|critical/);
		expect((await notifierOf(type, 'internal').compose(notification, { possibleDuplicate: false })).text).toMatch(/Nginx 停了/);
	});

	test('keeps the token of a link out of what is kept', async () => {
		const { text } = await notifierOf(type, 'internal').compose(exampleNotification({ incident }), { possibleDuplicate: false });
		expect(text).not.toContain('one-time-token');
	});
});
