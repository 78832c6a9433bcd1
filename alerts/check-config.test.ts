import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Type } from 'typebox';
import { describe, expect, test } from 'vitest';
import { formatProblem, parseConfig } from '../core/config-file.ts';
import { checkAlertsConfig } from './check-config.ts';
import { AlertsConfigSchema } from './config.ts';
import { withMailDefaults } from './notify/email/config.ts';

const parse = (text: string) => parseConfig(text, { file: 'c.yml', schema: AlertsConfigSchema, check: checkAlertsConfig });

const sms = (more: string) =>
	`receivers: [{ name: default, sms_gateway_configs: [{ url: 'http://sms', phones: ['13800000000'], ${more} }] }]`;

const SMS_CHANNEL = "channels: [{ name: sms, sms_gateway: { url: 'http://sms', form: {} } }]";

describe('one mistake, one sentence with its place', () => {
	test.each([
		{
			name: 'unknown receiver',
			text: 'route: { receiver: ops }\nreceivers: [{ name: default }]',
			wanted: 'c.yml:1: route.receiver: the receiver "ops" is not defined',
		},
		{
			name: 'unknown receiver deep in the tree',
			text: 'route:\n  receiver: a\n  routes:\n  - routes:\n    - receiver: b\nreceivers: [{ name: a }]',
			wanted: 'c.yml:5: route.routes[0].routes[0].receiver: the receiver "b"',
		},
		{
			name: 'a channel with a slip',
			text: `${SMS_CHANNEL}\nreceivers: [{ name: default, channel_configs: [{ channel: sns, to: ['13800000000'] }] }]`,
			wanted: 'c.yml:2: receivers[0].channel_configs[0].channel: the channel "sns" is not one of alerts.channels; did you mean "sms"?',
		},
		{
			name: 'no recipient of a channel that has some',
			text: `${SMS_CHANNEL}\nreceivers: [{ name: default, channel_configs: [{ channel: sms }] }]`,
			wanted: 'receivers[0].channel_configs[0]: needs the key "to"',
		},
		{
			name: 'a recipient of a channel that has none',
			text: `channels: [{ name: robot, feishu: { hook: { env: H } } }]\nreceivers: [{ name: default, channel_configs: [{ channel: robot, to: [a] }] }]`,
			wanted: 'receivers[0].channel_configs[0].to: the channel "robot" always sends to the same place',
		},
		{
			name: 'a number that nobody has',
			text: `${SMS_CHANNEL}\nreceivers: [{ name: default, channel_configs: [{ channel: sms, to: ['13800000000', '138'] }] }]`,
			wanted: 'channel_configs[0].to[1]: must be a telephone number of 5 to 20 digits, but it is "138"',
		},
		{
			name: 'a person’s number that nobody has',
			text: `${SMS_CHANNEL}\noncall: { people: [{ id: a, name: A, addresses: [{ channel: sms, to: '138 0000 0000' }] }] }`,
			wanted: 'oncall.people[0].addresses[0].to: must be a telephone number',
		},
		{ name: 'no root receiver', text: 'route: { group_by: [a] }', wanted: 'the root route has no receiver' },
		{
			name: 'matchers on the root',
			text: `route: { receiver: default, matchers: ['a="b"'] }`,
			wanted: 'the root route must take every alert',
		},
		{
			name: 'bad matcher',
			text: `route: { receiver: default, routes: [{ matchers: ['a=~"("'] }] }`,
			wanted: 'has no valid RE2 expression',
		},
		{ name: 'bad duration', text: 'route: { receiver: default, group_wait: 30 s }', wanted: 'route.group_wait' },
		{ name: 'zero interval', text: 'route: { receiver: default, group_interval: 0s }', wanted: 'must be more than zero' },
		{ name: 'group_by with ... and more', text: "route: { receiver: default, group_by: ['...', a] }", wanted: 'must stand alone' },
		{ name: 'misspelt key', text: 'route: { recever: default }', wanted: 'unknown key' },
		{ name: 'receiver twice', text: 'receivers: [{ name: default }, { name: default }]', wanted: 'defined twice' },
		{ name: 'inhibition by anything', text: `inhibit_rules: [{ target_matchers: ['a="b"'] }]`, wanted: 'source_matchers is empty' },
		{
			name: 'secret inline',
			text: `receivers: [{ name: default, wechat_robot_configs: [{ key: abc }] }]`,
			wanted: 'wechat_robot_configs[0].key: a secret is never written here',
		},
		{
			name: 'mail without a server',
			text: `receivers: [{ name: default, email_configs: [{ to: a@b.cn, from: c@d.cn }] }]`,
			wanted: 'email_configs[0]: the key "smarthost" is missing; give it here, or smtp_smarthost under alerts.global',
		},
		{
			name: 'two addresses of one webhook',
			text: `receivers: [{ name: default, webhook_configs: [{ url: 'http://a', url_file: /b }] }]`,
			wanted: 'exactly one of the keys "url" and "url_file"',
		},
		{
			name: 'more than the robot takes',
			text: `receivers: [{ name: default, wechat_robot_configs: [{ key: { env: K }, rate_per_minute: 60 }] }]`,
			wanted: 'rate_per_minute',
		},
		{ name: 'SMS without a body', text: sms(''), wanted: 'needs exactly one of form, json and text' },
		{ name: 'SMS with an unknown placeholder', text: sms(`form: { a: '{contents}' }`), wanted: '{contents} is unknown' },
		{ name: 'SMS with an unknown secret', text: sms(`form: { a: '{secret.key}' }`), wanted: '{secret.key} is not an entry of secrets' },
		{
			name: 'SMS digest without its key',
			text: sms(`form: { a: '{digest}' }, digest: { algorithm: hmac-sm3, input: x }`),
			wanted: 'needs the name of an entry of secrets',
		},
		{ name: 'SMS success half said', text: sms(`form: { a: b }, success: { json_path: code }`), wanted: 'belong together' },
		{
			name: 'SMS with a bad number',
			text: `receivers: [{ name: default, sms_gateway_configs: [{ url: 'http://sms', phones: ['12'], form: {} }] }]`,
			wanted: 'phones[0]',
		},
	])('$name', ({ text, wanted }) => {
		const result = parse(text);
		expect(result.kind).toBe('bad');
		const lines = result.kind === 'bad' ? result.problems.map(formatProblem) : [];
		expect(lines).toEqual([expect.stringContaining(wanted)]);
	});

	test('without any configuration the shipped route holds', () => {
		const result = parse('{}');
		expect(result).toMatchObject({
			kind: 'ok',
			config: {
				route: { receiver: 'default', group_wait: '30s', routes: [{ matchers: ['severity="critical"'], group_wait: '0s' }] },
				receivers: [{ name: 'default' }],
			},
		});
	});
});

test('the example in the README is a valid configuration', () => {
	const readme = readFileSync(join(import.meta.dirname, 'README.md'), 'utf8');
	const yaml = /```yaml\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';
	const schema = Type.Object({ alerts: AlertsConfigSchema }, { additionalProperties: false });
	const result = parseConfig(yaml, { file: 'README.md', schema, check: (config, report) => checkAlertsConfig(config.alerts, report) });
	expect(result.kind === 'bad' ? result.problems : []).toEqual([]);
	expect(yaml).toContain('sms_gateway_configs');
});

test('a secret that stands in the file is not shown to whoever reads the mistake', () => {
	const result = parse(
		`receivers: [{ name: default, email_configs: [{ to: a@b.cn, auth_password: 'hunter2' }], wechat_robot_configs: [{ key: 'hunter3' }] }]`,
	);
	const said = result.kind === 'bad' ? result.problems.map(formatProblem).join() : '';
	expect(said).toContain('auth_password: a secret is never written here');
	expect(said).not.toMatch(/hunter/);
});

test('a mail channel takes from global what it does not say itself', () => {
	const result = parse(`
global: { smtp_smarthost: 'mail:25', smtp_from: am@x.cn, smtp_auth_username: am, smtp_auth_password_file: /etc/mail.password, smtp_require_tls: false }
receivers: [{ name: default, email_configs: [{ to: a@x.cn }, { to: b@x.cn, from: own@x.cn, require_tls: true, auth_password: { env: P } }] }]`);
	if (result.kind === 'bad') throw new Error(result.problems.map(formatProblem).join());
	const [receiver] = result.config.receivers as unknown as { readonly email_configs: readonly Parameters<typeof withMailDefaults>[0][] }[];
	expect(receiver?.email_configs.map((entry) => withMailDefaults(entry, result.config.global))).toMatchObject([
		{
			to: 'a@x.cn',
			smarthost: 'mail:25',
			from: 'am@x.cn',
			auth_username: 'am',
			auth_password: { file: '/etc/mail.password' },
			require_tls: false,
		},
		{ to: 'b@x.cn', smarthost: 'mail:25', from: 'own@x.cn', auth_password: { env: 'P' }, require_tls: true },
	]);
});
