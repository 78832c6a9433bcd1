import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { exampleNotification, openTestChannels, sendThrough } from '../../tests/harness/channels.ts';
import { type FakeServer, startFakeServer } from '../../tests/harness/fake-server.ts';
import { type FakeSmtp, startFakeSmtp } from '../../tests/harness/fake-smtp.ts';
import { readMail } from '../../tests/harness/mail.ts';
import { type TemporaryFolder, temporaryFolder } from '../../tests/harness/process.ts';

const PASSWORD = 'a password';
let folder: TemporaryFolder;
let smtp: FakeSmtp;
let http: FakeServer;
let posts: { readonly path: string; readonly authorization: string; readonly body: Record<string, unknown> }[];
let corps: string[];
let answer: object;

beforeEach(async () => {
	folder = temporaryFolder('am-receivers');
	mkdirSync(join(folder.path, 'texts'));
	writeFileSync(join(folder.path, 'token'), 'a token\n');
	smtp = await startFakeSmtp({ user: 'am', password: PASSWORD, recipients: ['ops@example.cn'] });
	posts = [];
	corps = [];
	answer = { errcode: 0, errmsg: 'ok' };
	http = await startFakeServer({
		handle: ({ url, headers, body }, exchange) => {
			if (url.pathname === '/cgi-bin/gettoken') corps.push(url.searchParams.get('corpid') ?? '');
			if (url.pathname === '/cgi-bin/gettoken') return exchange.json({ errcode: 0, access_token: 't', expires_in: 7200 });
			posts.push({ path: url.pathname, authorization: headers['authorization'] ?? '', body: JSON.parse(body.toString('utf8')) });
			exchange.json(answer);
		},
	});
});
afterEach(async () => {
	await smtp.stop();
	await http.stop();
	folder.remove();
});

const secrets = { P: PASSWORD };
const open = (receiver: string, more = '', globals = '') => {
	const opened = openTestChannels(
		`
global:
  smtp_smarthost: '${smtp.smarthost}'
  smtp_from: am@example.cn
  smtp_auth_username: am
  smtp_auth_password: { env: P }
  smtp_require_tls: false
  wechat_api_url: '${http.baseUrl}/cgi-bin'
  wechat_api_corp_id: ww1
  wechat_api_secret: { env: P }
  ${globals}
${more}
receivers: [{ name: default, ${receiver} }]`,
		{ secrets, folder: folder.path },
	);
	const [notifier] = opened.channels.receivers.get('default') ?? [];
	if (notifier === undefined) throw new Error('there is no place');
	return { ...opened, notifier };
};
const mail = () => readMail(smtp.mails.at(-1)?.data ?? '');
const INCIDENT = { id: 'i', code: 'A7', ackUrl: 'http://c:9999/ack/x', clock: '', text: '' };

describe('mail', () => {
	test('without a text of its own says what ours say, with the code to take it by', async () => {
		const { notifier } = open('email_configs: [{ to: ops@example.cn }]');
		await sendThrough(notifier, exampleNotification({ incident: INCIDENT }));
		expect(mail()).toMatchObject({ html: '', headers: { subject: '严重 Nginx 停了 #7' } });
		expect(mail().text).toContain('A7');
	});

	test('of a file that replaces a default has the other defaults, in the language of the place', async () => {
		writeFileSync(join(folder.path, 'texts/a.tmpl'), '{{ define "__alertmanager" }}监控中心{{ end }}');
		const { notifier } = open(
			'email_configs: [{ to: ops@example.cn }, { to: ops@example.cn, language: en }]',
			"templates: ['texts/*.tmpl']",
		);
		await sendThrough(notifier, exampleNotification({ annotations: { summary: '<停了>' } }));
		expect(mail().headers['subject']).toBe('[FIRING:1] A (critical)');
		expect(mail().html).toContain('&lt;停了&gt;');
		expect(mail().html).toContain('告警 (1)');
		expect(mail().html).toContain('<a href="http://c:9999/alerts">监控中心</a>');
		expect(mail().text).toBe('');
	});

	test('acts for whom auth_identity names, of the entry or of global', async () => {
		const acting = await startFakeSmtp({ user: 'am', password: PASSWORD, recipients: ['ops@example.cn'], identity: 'ops-team' });
		try {
			const send = (entry: string, globals = '') =>
				sendThrough(open(`email_configs: [{ to: ops@example.cn, smarthost: '${acting.smarthost}' ${entry} }]`, '', globals).notifier);
			expect(await send(', auth_identity: ops-team')).toMatchObject({ kind: 'sent' });
			expect(await send('', 'smtp_auth_identity: ops-team')).toMatchObject({ kind: 'sent' });
			expect(await send('')).toMatchObject({ kind: 'sent' });
			expect(acting.mails.map(({ identity }) => identity)).toEqual(['ops-team', 'ops-team', '']);
			const refused = await send(', auth_identity: another');
			expect(refused).toMatchObject({ kind: 'refused', code: '535' });
			expect(JSON.stringify(refused)).not.toContain(PASSWORD);
		} finally {
			await acting.stop();
		}
	});

	test('knows what only our messages have', async () => {
		const { notifier } = open(`email_configs: [{ to: ops@example.cn, html: '{{ .Number }} {{ .Code }} <a href="{{ .AckURL }}">x</a>' }]`);
		await sendThrough(notifier, exampleNotification({ incident: INCIDENT }));
		expect(mail().html.trim()).toBe('7 A7 <a href="http://c:9999/ack/x">x</a>');
	});

	test.each([
		{ name: 'fails', html: '{{ .Nothing }}' },
		{ name: 'calls what is not there', html: '{{ template "nowhere" . }}' },
	])('whose template $name goes out with the shipped text, and it is told', async ({ html }) => {
		const { notifier, templateErrors } = open(`email_configs: [{ to: ops@example.cn, html: '${html}' }]`);
		expect(await sendThrough(notifier)).toMatchObject({ kind: 'sent' });
		expect(mail().text).toContain('Nginx 停了');
		expect(templateErrors.join()).toContain('default/email/0');
	});

	test('a second copy says so in its subject, and a label cannot begin a header', async () => {
		const { notifier } = open(
			`email_configs: [{ to: ops@example.cn, text: x, html: '', headers: { Subject: '{{ .CommonLabels.alertname }}' } }]`,
		);
		const notification = exampleNotification({ labels: { alertname: 'A\r\nBcc: evil@example.cn' } });
		await (await notifier.compose(notification, { possibleDuplicate: true })).send(AbortSignal.timeout(10_000));
		expect(mail().headers).toMatchObject({ subject: '【可能重复】A Bcc: evil@example.cn' });
		expect(Object.keys(mail().headers)).not.toContain('bcc');
	});
});

describe('WeChat Work', () => {
	test('without a message says what ours say; with a file that replaces a default, what that says', async () => {
		await sendThrough(open("wechat_configs: [{ agent_id: '7', to_user: li }]").notifier);
		writeFileSync(join(folder.path, 'texts/a.tmpl'), '{{ define "wechat.default.message" }}{{ .Status }}!{{ end }}');
		const files = "templates: ['texts/a.tmpl']";
		await sendThrough(open("wechat_configs: [{ agent_id: '7', to_user: li }]", files).notifier);
		const texts = posts.map(({ body }) => (body['text'] as { content: string }).content);
		expect(texts[0]).toContain('Nginx 停了');
		expect(texts[1]).toBe('firing!');
	});

	test('a text that is too long keeps the limit of the interface', async () => {
		const { notifier } = open(`wechat_configs: [{ agent_id: '7', to_user: li, message: '{{ range 3000 }}告{{ end }}' }]`);
		await sendThrough(notifier);
		expect(Buffer.byteLength((posts[0]?.body['text'] as { content: string }).content)).toBeLessThanOrEqual(2048);
	});

	test('an account that is a template is another one for each value, with a token of its own', async () => {
		const { notifier } = open(
			`wechat_configs: [{ corp_id: 'ww-{{ .CommonLabels.team }}', agent_id: '{{ .CommonLabels.agent }}', to_user: li, message: x }]`,
		);
		for (const labels of [
			{ team: 'db', agent: '7' },
			{ team: 'net', agent: '8' },
			{ team: 'db', agent: '9' },
		])
			expect(await sendThrough(notifier, exampleNotification({ labels }))).toMatchObject({ kind: 'sent' });
		expect(posts.map(({ body }) => body['agentid'])).toEqual([7, 8, 9]);
		expect(corps).toEqual(['ww-db', 'ww-net']);
		const none = await sendThrough(notifier, exampleNotification({ labels: { team: 'db', agent: 'x' } }));
		expect(none).toMatchObject({ kind: 'refused', code: 'no-account' });
	});

	test('a department that does not exist is a partial failure, and nobody at all a final one', async () => {
		answer = { errcode: 0, errmsg: 'ok', invalidparty: '9' };
		const party = open("wechat_configs: [{ agent_id: '7', to_user: a|b, to_party: '9' }]").notifier;
		expect(await sendThrough(party)).toMatchObject({ kind: 'refused', code: 'partly' });
		const nobody = open("wechat_configs: [{ agent_id: '7', to_user: '{{ .CommonLabels.owner }}' }]").notifier;
		expect(await sendThrough(nobody)).toMatchObject({ kind: 'refused', code: 'no-recipient' });
	});
});

test.each([
	{ name: 'basic_auth', config: 'basic_auth: { username: u, password: { env: P } }', header: `Basic ${btoa(`u:${PASSWORD}`)}` },
	{ name: 'authorization', config: 'authorization: { type: Token, credentials: { env: P } }', header: `Token ${PASSWORD}` },
	{ name: 'bearer_token', config: 'bearer_token: { env: P }', header: `Bearer ${PASSWORD}` },
	{ name: 'bearer_token_file', config: 'bearer_token_file: FILE', header: 'Bearer a token' },
])('$name, of the entry and of global', async ({ config, header }) => {
	const written = config.replace('FILE', `'${join(folder.path, 'token')}'`);
	await sendThrough(open(`webhook_configs: [{ url: '${http.baseUrl}/a', http_config: { ${written} } }]`).notifier);
	await sendThrough(open(`webhook_configs: [{ url: '${http.baseUrl}/b' }]`, '', `http_config: { ${written} }`).notifier);
	expect(posts.map(({ path, authorization }) => [path, authorization])).toEqual([
		['/a', header],
		['/b', header],
	]);
});

test.each([
	{
		receiver: "webhook_configs: [{ url: 'http://h', http_config: { oauth2: { client_id: a, token_url: 'http://t' } } }]",
		says: '"client_secret"',
	},
	{
		receiver:
			"webhook_configs: [{ url: 'http://h', http_config: { oauth2: { client_id: a, client_secret: hunter2, token_url: 'http://t' } } }]",
		says: 'oauth2.client_secret: a secret is never written here',
	},
	{
		receiver:
			"webhook_configs: [{ url: 'http://h', http_config: { bearer_token: { env: P }, oauth2: { client_id: a, client_secret: { env: P }, token_url: 'http://t' } } }]",
		says: 'at most one',
	},
	{
		receiver: "webhook_configs: [{ url: 'http://h', http_config: { proxy_url: 'http://u:pw@p:1' } }]",
		says: 'proxy_url: holds a password',
	},
	{
		receiver: "webhook_configs: [{ url: 'http://h', http_config: { proxy_url: 'http://p', proxy_from_environment: true } }]",
		says: 'not both',
	},
	{ receiver: "webhook_configs: [{ url: 'http://h', http_config: { no_proxy: a } }]", says: 'needs proxy_url' },
	{ receiver: "webhook_configs: [{ url: 'http://h', http_config: { proxy_connect_header: { X-A: [b] } } }]", says: 'needs proxy_url' },
	{
		receiver:
			"webhook_configs: [{ url: 'http://h', http_config: { proxy_url: 'http://p', proxy_connect_header: { Proxy-Authorization: [b] } } }]",
		says: 'is a secret',
	},
	{
		receiver: "webhook_configs: [{ url: 'http://h', http_config: { http_headers: { Authorization: { values: [b] } } } }]",
		says: 'set by the exchange',
	},
	{
		receiver: "webhook_configs: [{ url: 'http://h', http_config: { bearer_token: { env: P }, bearer_token_file: x } }]",
		says: 'at most one',
	},
	{ receiver: "webhook_configs: [{ url: 'http://h', http_config: { basic_auth: { username: u } } }]", says: '"password"' },
	{ receiver: "webhook_configs: [{ url: 'http://h', http_config: { tls_config: { cert_file: x } } }]", says: 'belong together' },
	{ receiver: "email_configs: [{ to: a@b.cn, html: '{{ nosuch . }}' }]", says: 'nosuch' },
	{ receiver: 'email_configs: [{ to: a@b.cn, headers: { Subject: a, subject: b } }]', says: 'given twice' },
	{ receiver: "wechat_configs: [{ agent_id: '{{ nosuch . }}', to_user: a }]", says: 'nosuch' },
	{ receiver: 'wechat_configs: [{ agent_id: seven, to_user: a, message: x }]', says: 'is a number' },
	{ receiver: "wechat_configs: [{ agent_id: '7', api_url: 'http://h/x' }]", says: '/cgi-bin/' },
	{ receiver: 'pagerduty_configs: [{ service_key: x }]', says: 'aliyun_voice' },
	{ receiver: 'slack_configs: [{ channel: x }]', says: 'wechat_robot_configs' },
	{ receiver: 'folder_configs: []', more: 'templates: [missing.tmpl]', says: 'missing.tmpl cannot be read' },
])('refused: $receiver $more', ({ receiver, more = '', says }) => {
	expect(() => open(receiver, more)).toThrow(says);
});

test('a file with secrets in it hears of everything else in the same breath, and not of the secrets', () => {
	const refused = () =>
		open(
			"email_configs: [{ to: a@b.cn, auth_password: hunter2, html: '{{ nosuch . }}' }], slack_configs: [{ channel: x }]",
			'templates: [missing.tmpl]',
		);
	for (const part of ['a secret is never written here', 'nosuch', 'no channel for slack', 'missing.tmpl']) expect(refused).toThrow(part);
	expect(refused).not.toThrow('hunter2');
});

test('what is left out on purpose sends nothing, and the rest of the file loads', () => {
	const { channels } = open(
		"slack_configs: [{ channel: x }], webhook_configs: [{ url: 'http://h' }]",
		'leave_out: [slack]',
		'slack_api_url: http://hooks.example/secret',
	);
	expect(channels.receivers.get('default')?.map(({ type }) => type)).toEqual(['webhook']);
});
