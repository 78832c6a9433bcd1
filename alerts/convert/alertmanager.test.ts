import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { parseConfig } from '../../core/config-file.ts';
import { AppError } from '../../core/errors.ts';
import { checkAlertsConfig } from '../check-config.ts';
import { AlertsConfigSchema } from '../config.ts';
import { convertAlertmanager } from './alertmanager.ts';
import { secretPlaces } from './secret-places.ts';

const FOLDER = '/etc/fournines/secrets';

function convert(text: string, env = false) {
	const secrets = secretPlaces({ folder: FOLDER, env });
	const { yaml, notes } = convertAlertmanager(text, { file: '/etc/alertmanager/alertmanager.yml', secrets, templates: () => [] });
	const { alerts } = parse(yaml) as { readonly alerts: Record<string, unknown> };
	const result = parseConfig(JSON.stringify(alerts), { file: 'alerts', schema: AlertsConfigSchema, check: checkAlertsConfig });
	return {
		yaml,
		notes,
		alerts,
		secrets,
		problems: result.kind === 'ok' ? [] : result.problems.map(({ path, message }) => `${path}: ${message}`),
	};
}

const file = (receiver: string, more = '') => `${more}
route: { receiver: a }
receivers:
  - name: a
    ${receiver}
`;

describe('what Go’s reader of YAML takes and ours does not', () => {
	test.each([
		{ name: 'a password of digits', text: 'global: { smtp_auth_password: 0123456 }', kept: ['0123456'] },
		{ name: 'yes and off', text: 'global: { smtp_require_tls: off }', alerts: { global: { smtp_require_tls: false } } },
		{
			name: 'numbers and truths as labels',
			text: 'inhibit_rules: [{ source_match: { code: 0500, up: yes, x: 1.50 }, target_match: { a: b } }]',
			alerts: { inhibit_rules: [{ source_match: { code: '0500', up: 'yes', x: '1.50' }, target_match: { a: 'b' } }] },
		},
		{
			name: 'keys without a value',
			text: 'templates:\ninhibit_rules: [{ source_matchers: [a=b], target_matchers: [a=c], equal: }]',
			alerts: { inhibit_rules: [{ source_matchers: ['a=b'], target_matchers: ['a=c'] }] },
		},
		{
			name: 'empty texts, which are nothing',
			text: "global: { smtp_auth_password: '', wechat_api_corp_id: '', http_config: { proxy_url: '', basic_auth: { username: u, password: p, password_file: '' } } }",
			kept: ['p'],
		},
		{ name: 'a secret over several lines', text: 'global:\n  smtp_auth_password: |\n    one\n    two\n', kept: ['one\ntwo\n'] },
	])('$name', ({ text, kept = [], alerts = {} }) => {
		const made = convert(file('webhook_configs: []', text));
		expect(made.problems).toEqual([]);
		expect([...made.secrets.kept.values()]).toEqual(kept);
		expect(made.alerts).toMatchObject(alerts);
	});

	test('aliases and merges are written out as Alertmanager reads them, and comments stay where they were', () => {
		const { alerts, yaml, problems } = convert(`# Zone 3
route:
  receiver: a
  routes:
    - &base { matchers: [team=db], group_by: &by [alertname], group_wait: 10s }   # the database team
    - { <<: *base, matchers: [team=net] }
    - { <<: [{ group_wait: 5s, receiver: a }, *base], group_interval: 1m }
receivers: [{ name: a, webhook_configs: [{ url: 'http://h', http_config: &h { bearer_token: tok-1 } }, { url: 'http://i', http_config: *h }] }]
`);
		expect(problems).toEqual([]);
		expect(alerts['route']).toEqual({
			receiver: 'a',
			routes: [
				{ matchers: ['team=db'], group_by: ['alertname'], group_wait: '10s' },
				{ matchers: ['team=db', 'team=net'], group_by: ['alertname'], group_wait: '10s' },
				{ matchers: ['team=db'], group_by: ['alertname'], group_wait: '5s', receiver: 'a', group_interval: '1m' },
			],
		});
		expect(yaml).toMatch(/# Zone 3[\s\S]*group_wait: 10s \} # the database team/);
		expect(yaml).not.toMatch(/[&*]base|<</);
	});

	test('aliases that multiply, or hold themselves, end', () => {
		const bomb = [
			'a: &a [x, x, x, x, x, x, x, x, x, x]',
			...[...'bcdefgh'].map((name, i) => `${name}: &${name} [${Array(10).fill(`*${'abcdefg'[i]}`)}]`),
		];
		expect(() => convert(file('webhook_configs: []', bomb.join('\n')))).toThrow('too large');
		expect(() => convert(file('webhook_configs: &w [*w]'))).toThrow('too large');
	});
});

describe('secrets', () => {
	test('go to places that are named after them, one for the same value, and names in any script are usable', () => {
		const { secrets, alerts } = convert(`
global: { smtp_auth_password: pw, wechat_api_secret: wx }
route: { receiver: 值班 }
receivers:
  - name: 值班
    webhook_configs:
      - { url: 'http://h', http_config: { basic_auth: { username: u, password: same } } }
      - { url: 'http://h', http_config: { basic_auth: { username: u, password: same } } }
      - { url: 'http://h', http_config: { basic_auth: { username: u, password: other } } }
  - { name: b/../x, email_configs: [{ to: a@b.cn, from: c@d.cn, smarthost: 'h:25', auth_password: p }] }`);
		expect([...secrets.kept]).toEqual([
			['smtp_auth_password', 'pw'],
			['wechat_api_secret', 'wx'],
			['webhook_configs.0.http_config.basic_auth.password', 'same'],
			['webhook_configs.2.http_config.basic_auth.password', 'other'],
			['b....x.email_configs.0.auth_password', 'p'],
		]);
		expect(alerts['global']).toEqual({
			smtp_auth_password: { file: `${FOLDER}/smtp_auth_password` },
			wechat_api_secret: { file: `${FOLDER}/wechat_api_secret` },
		});
	});

	test('are variables on request, except what has several lines', () => {
		const { secrets, alerts } = convert(
			file(
				'webhook_configs: [{ url: \'http://h\', http_config: { tls_config: { cert_file: /c, key: "-----BEGIN\\nKEY" } } }]',
				'global: { smtp_auth_password: pw }',
			),
			true,
		);
		expect(alerts['global']).toEqual({ smtp_auth_password: { env: 'FOURNINES_SMTP_AUTH_PASSWORD' } });
		expect([...secrets.variables]).toEqual([['FOURNINES_SMTP_AUTH_PASSWORD', 'pw']]);
		expect([...secrets.kept]).toEqual([['a.webhook_configs.0.http_config.tls_config.key', '-----BEGIN\nKEY']]);
	});

	test.each([
		{ url: 'http://127.0.0.1:5001/hook', moved: false },
		{ url: 'https://desk.example.gov.cn/api/v1/alerts', moved: false },
		{ url: 'https://dingtalk.example/robot/send?access_token=x', moved: true },
		{ url: 'https://u:p@desk.example/hook', moved: true },
		{ url: 'https://chat.example/hooks/b1946ac92492d2347c6235b4d2611184', moved: true },
		{ url: 'https://chat.example/services/T024BE7LD/B024BE7LD/9yCcA0sQ7bG2hZ1kX', moved: true },
	])('of the address $url: $moved', ({ url, moved }) => {
		expect(convert(file(`webhook_configs: [{ url: '${url}' }]`)).secrets.kept.size).toBe(moved ? 1 : 0);
	});

	test('that were switched off in comments do not come along', () => {
		const { yaml, notes } = convert(`# smtp_auth_password: hunter1
# ours
route: { receiver: a } # see https://h/x?y=hunter2
receivers:
  # routing_key: hunter3
  - name: a # token hunter4
# bearer hunter5 token`);
		expect(yaml).not.toContain('hunter');
		expect(yaml).toContain('# ours');
		expect(notes).toContainEqual({ kind: 'left out', line: 0, place: '', message: '5 lines of comments, in which a secret may stand' });
	});

	test('that Alertmanager’s page has replaced are asked for', () => {
		expect(() => convert(file('webhook_configs: []', 'global: { smtp_auth_password: <secret> }'))).toThrow(
			'global.smtp_auth_password is <secret>',
		);
	});
});

test('every part that changes is told with its line, and no secret is', () => {
	const { notes, problems, alerts } = convert(`global:
  smtp_smarthost: h:25
  smtp_from: a@b.cn
  slack_api_url: https://hooks.slack.com/hunter2
route: { receiver: ns/cfg/a, routes: [{ receiver: ns/cfg/a, routes: [{ receiver: b }] }] }
receivers:
  - name: ns/cfg/a
    pagerduty_configs: [{ routing_key: hunter2 }, { service_key: hunter2 }]
  - name: b
    email_configs: [{ to: a@b.cn }]
    webhook_configs: [{ url_file: hook, http_config: { tls_config: { ca_file: ca.pem } } }]
    nonsense_configs: [{ token: hunter2 }]
tracing: { endpoint: hunter2 }
`);
	expect(problems).toEqual([]);
	expect(JSON.stringify(notes)).not.toContain('hunter2');
	expect(notes.filter(({ line }) => line > 0).map(({ kind, line, place }) => `${line} ${kind} ${place}`)).toEqual([
		'4 left out global.slack_api_url',
		'7 differs receivers[0]',
		'7 changed receivers[0].name',
		'8 left out receivers[0].pagerduty_configs',
		'10 changed receivers[1].email_configs[0]',
		'11 changed receivers[1].webhook_configs[0].url_file',
		'11 changed receivers[1].webhook_configs[0].http_config.tls_config.ca_file',
		'12 left out receivers[1].nonsense_configs',
		'13 left out tracing',
	]);
	expect(notes.filter(({ line }) => line === 0).map(({ kind }) => kind)).toEqual(['differs', 'differs']);
	expect(alerts).toMatchObject({
		leave_out: ['pagerduty'],
		route: { receiver: 'ns.cfg.a', routes: [{ receiver: 'ns.cfg.a', routes: [{ receiver: 'b' }] }] },
		receivers: [
			{ name: 'ns.cfg.a', pagerduty_configs: [] },
			{
				email_configs: [{ to: 'a@b.cn', send_resolved: false }],
				webhook_configs: [{ url_file: '/etc/alertmanager/hook', http_config: { tls_config: { ca_file: '/etc/alertmanager/ca.pem' } } }],
			},
		],
	});
});

test('what was converted is left as it is by another time', () => {
	const once = convert(
		file(
			"webhook_configs: [{ url: 'https://h/?t=1', send_resolved: true }]\n    email_configs: [{ to: a@b.cn }]",
			'global: { smtp_smarthost: h:25, smtp_from: a@b.cn, smtp_auth_password: pw }',
		),
	);
	const again = convert(JSON.stringify(once.alerts));
	expect(again.alerts).toEqual(once.alerts);
	expect(again.secrets.kept.size).toBe(0);
});

test.each([
	{ text: 'a: [', says: 'line 1 is not valid YAML' },
	{ text: '- a', says: 'no "route" and "receivers"' },
	{ text: 'groups: []', says: 'no "route" and "receivers"' },
	{ text: 'route: *x\nreceivers: []', says: 'alertmanager.yml cannot be converted: the alias *x has no anchor' },
])('$text is refused', ({ text, says }) => {
	expect(() => convert(text)).toThrow(AppError);
	expect(() => convert(text)).toThrow(says);
});

/** Marks of secrets in generated files: what they are is known by where they stand. */
const SECRET = fc.integer({ min: 0, max: 1e9 }).map((n) => `S3CR3T-${n}`);
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const HTTP = fc.oneof(
	fc.record({ basic_auth: fc.record({ username: fc.constant('u'), password: SECRET }) }),
	fc.record({
		authorization: fc.record({ credentials: SECRET }),
		http_headers: fc.record({ 'X-Id': fc.record({ secrets: fc.array(SECRET) }) }),
	}),
	fc.record({
		bearer_token: SECRET,
		proxy_url: SECRET.map((secret) => `http://u:${secret}@p:1`),
		proxy_connect_header: fc.record({ 'X-Zone': fc.array(SECRET) }),
	}),
	fc.record({
		oauth2: fc.record({
			client_id: fc.constant('c'),
			client_secret: SECRET,
			token_url: fc.constant('https://t/token'),
			scopes: fc.array(fc.constantFrom('a', 'b')),
			endpoint_params: fc.record({ audience: fc.constant('x'), client_password: SECRET }),
		}),
	}),
);
const RECEIVER = fc.record({
	email_configs: maybe(
		fc.array(
			fc.record({ to: fc.constant('a@b.cn'), send_resolved: fc.boolean(), auth_password: maybe(SECRET), auth_secret: maybe(SECRET) }),
			{ maxLength: 2 },
		),
	),
	wechat_configs: maybe(
		fc.array(fc.record({ agent_id: fc.constant('7'), to_user: fc.constant('li'), send_resolved: fc.boolean(), api_secret: SECRET }), {
			maxLength: 2,
		}),
	),
	webhook_configs: maybe(
		fc.array(
			fc.record({
				url: fc.oneof(
					fc.constant('http://h/'),
					SECRET.map((secret) => `https://h/?token=${secret}`),
				),
				http_config: maybe(HTTP),
				max_alerts: maybe(fc.nat(9)),
			}),
			{ maxLength: 3 },
		),
	),
});

test('generated files: nothing but places of secrets changes, each place holds its own, and the result is good', () => {
	fc.assert(
		fc.property(fc.array(RECEIVER, { minLength: 1, maxLength: 4 }), SECRET, fc.boolean(), (receivers, password, env) => {
			const original = JSON.parse(
				JSON.stringify({
					global: { smtp_smarthost: 'h:25', smtp_from: 'am@b.cn', smtp_auth_password: password, wechat_api_corp_id: 'ww1' },
					route: { receiver: 'r0' },
					receivers: receivers.map((receiver, i) => ({ name: `r${i}`, ...receiver })),
				}),
			) as object;
			const { yaml, notes, alerts, secrets, problems } = convert(JSON.stringify(original), env);
			expect(yaml + JSON.stringify(notes)).not.toContain('S3CR3T');
			expect(problems).toEqual([]);
			const resolved = JSON.parse(JSON.stringify(alerts), (_key, value: unknown) => {
				const { file: at, env: name } = (typeof value === 'object' && value !== null ? value : {}) as {
					readonly file?: string;
					readonly env?: string;
				};
				return at !== undefined ? secrets.kept.get(at.slice(FOLDER.length + 1)) : name !== undefined ? secrets.variables.get(name) : value;
			}) as object;
			expect(resolved).toEqual(original);
		}),
		{ numRuns: 60 },
	);
});
