import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { checkAlertsConfig } from '../../alerts/check-config.ts';
import { AlertsConfigSchema } from '../../alerts/config.ts';
import { convertAlertmanager } from '../../alerts/convert/alertmanager.ts';
import { secretPlaces } from '../../alerts/convert/secret-places.ts';
import { buildRoute, matchRoutes } from '../../alerts/route/route.ts';
import { renderAlertmanagerConfig } from '../../collector/api/alertmanager/render-config.ts';
import { parseConfig } from '../../core/config-file.ts';
import { alertsConfig } from '../harness/alerting.ts';
import { findCommand, runCommand, temporaryFolder } from '../harness/process.ts';

const amtool = findCommand('amtool');

function judgedByAmtool(text: string): boolean {
	const folder = temporaryFolder('amtool-check');
	try {
		const file = join(folder.path, 'alertmanager.yml');
		writeFileSync(file, text);
		return spawnSync(amtool ?? '', ['check-config', file], { encoding: 'utf8', timeout: 120_000 }).status === 0;
	} finally {
		folder.remove();
	}
}

const judgedByUs = (text: string) =>
	parseConfig(text, { file: 'c.yml', schema: AlertsConfigSchema, check: checkAlertsConfig }).kind === 'ok';

/** The file as `fournines convert alertmanager` writes it. */
function converted(text: string): string {
	const { yaml } = convertAlertmanager(text, {
		file: '/etc/alertmanager/alertmanager.yml',
		secrets: secretPlaces({ folder: '/etc/fournines/secrets', env: false }),
		templates: (patterns) => patterns,
	});
	return stringify(parse(yaml).alerts);
}

/** As teams write it: secrets, aliases, merges, words that are truths to Go, names of the operator of Kubernetes. */
const AS_WRITTEN = `
global: { smtp_smarthost: 'h:25', smtp_from: a@b.cn, smtp_auth_username: u, smtp_auth_password: 00123, smtp_require_tls: off, slack_api_url: &slack 'https://hooks.slack.com/services/x' }
route:
  receiver: ns/team/default
  group_by: [alertname]
  routes:
    - &db { receiver: ns/team/db, match: { code: 0500, paged: yes }, continue: on, group_wait: 10s, routes: }
    - { <<: *db, match: { zone: 1.50 } }
    - &m { receiver: ns/team/default, matchers: [x=1], match: { p: 1 } }
    - { receiver: slack, matchers: [y=2], <<: *m }
    - { <<: [{ receiver: slack, match: { q: 1 } }, *m], group_wait: 5s }
    - { match_re: { code: 0|1.5 }, receiver: slack, routes: [{ receiver: ns/team/db, matchers: [zone=3] }] }
    - matchers:
        - team = "net"
        - zone =~ 1|2
      receiver: slack
receivers:
  - { name: ns/team/default, email_configs: [{ to: a@b.cn, headers: { X-Count: 7 } }] }
  - { name: ns/team/db, webhook_configs: [{ url: 'http://127.0.0.1/', http_config: { basic_auth: { username: 1, password: 2 } } }] }
  - { name: slack, slack_configs: [{ channel: '#a', api_url: *slack }], pagerduty_configs: [{ routing_key: abc }] }
inhibit_rules: [{ source_match: { paged: yes }, target_match: { paged: no }, equal: [alertname] }]
`;

const spec = (text: string) => `
route: { receiver: r, routes: [{ matchers: ['team="a"'], mute_time_intervals: [t] }] }
receivers: [{ name: r }]
time_intervals: [{ name: t, time_intervals: [${text}] }]`;

/** Files that Alertmanager takes and files that it refuses, for reasons that both must see. */
const FILES: readonly { readonly name: string; readonly text: string; readonly good: boolean }[] = [
	{
		name: 'a file as teams have it',
		good: true,
		text: `
global: { resolve_timeout: 5m, smtp_smarthost: 'mail.example.cn:25', smtp_from: am@example.cn, smtp_require_tls: false }
route:
  receiver: team-X
  group_by: ['alertname', 'cluster']
  group_wait: 30s
  group_interval: 5m
  repeat_interval: 3h
  routes:
    - match_re: { service: '^(foo1|foo2|baz)$' }
      receiver: team-X
      routes: [{ match: { severity: critical }, receiver: pager, continue: true }]
    - matchers: ['team="db"', 'severity=~"warning|info"', 'env!=dev']
      group_by: ['...']
      mute_time_intervals: [offhours, holidays]
    - matchers: ['{team="net",zone!~"test.*"}']
      active_time_intervals: [offhours]
receivers: [{ name: team-X, webhook_configs: [{ url: 'http://127.0.0.1:5001/' }] }, { name: pager, email_configs: [{ to: 'team@example.cn' }] }]
inhibit_rules:
  - { source_matchers: ['severity="critical"'], target_matchers: ['severity="warning"'], equal: [alertname, cluster] }
  - { source_match: { severity: critical }, target_match_re: { severity: 'info|warning' } }
time_intervals:
  - name: offhours
    time_intervals:
      - { times: [{ start_time: '00:00', end_time: '07:30' }, { start_time: '22:30', end_time: '24:00' }], weekdays: ['monday:friday'], location: Asia/Shanghai }
      - weekdays: ['saturday', 'sunday']
mute_time_intervals:
  - { name: holidays, time_intervals: [{ days_of_month: ['1:7'], months: ['october'], years: ['2026:2030'] }, { days_of_month: ['-1'], months: ['2:4'] }] }`,
	},
	{ name: 'a span that ends before it begins', good: false, text: spec("{ times: [{ start_time: '10:00', end_time: '09:00' }] }") },
	{ name: 'a time that does not exist', good: false, text: spec("{ times: [{ start_time: '09:00', end_time: '25:00' }] }") },
	{ name: 'a weekday that does not exist', good: false, text: spec('{ weekdays: [montag] }') },
	{ name: 'weekdays backwards', good: false, text: spec("{ weekdays: ['friday:monday'] }") },
	{ name: 'day 0', good: false, text: spec("{ days_of_month: ['0'] }") },
	{ name: 'days across the end', good: false, text: spec("{ days_of_month: ['-5:3'] }") },
	{ name: 'a month that does not exist', good: false, text: spec('{ months: [brumaire] }') },
	{ name: 'a place that does not exist', good: false, text: spec('{ location: Nowhere/Town }') },
	{
		name: 'a time interval that is not defined',
		good: false,
		text: "route: { receiver: r, routes: [{ matchers: ['a=b'], mute_time_intervals: [x] }] }\nreceivers: [{ name: r }]",
	},
	{
		name: 'a time interval on the root',
		good: false,
		text: 'route: { receiver: r, mute_time_intervals: [x] }\nreceivers: [{ name: r }]\ntime_intervals: [{ name: x }]',
	},
	{
		name: 'a time interval twice',
		good: false,
		text: 'route: { receiver: r }\nreceivers: [{ name: r }]\ntime_intervals: [{ name: x }, { name: x }]',
	},
	{ name: 'a receiver that is not defined', good: false, text: 'route: { receiver: x }\nreceivers: [{ name: r }]' },
	{ name: 'no root receiver', good: false, text: 'route: { group_by: [a] }\nreceivers: [{ name: r }]' },
	{ name: 'matchers on the root', good: false, text: "route: { receiver: r, matchers: ['a=b'] }\nreceivers: [{ name: r }]" },
	{ name: 'a repeated group label', good: false, text: 'route: { receiver: r, group_by: [a, a] }\nreceivers: [{ name: r }]' },
	{
		name: 'an expression that is none',
		good: false,
		text: 'route: { receiver: r, routes: [{ matchers: [\'a=~"("\'] }] }\nreceivers: [{ name: r }]',
	},
	{ name: 'an interval of nothing', good: false, text: 'route: { receiver: r, group_interval: 0s }\nreceivers: [{ name: r }]' },
	{ name: 'an unknown key', good: false, text: 'route: { receiver: r, grup_by: [a] }\nreceivers: [{ name: r }]' },
];

/** Stands for a secret, which each side has in its own place. */
const SECRET = 'SECRET';

describe.skipIf(amtool === null)('an Alertmanager’s configuration is taken and refused as amtool does', () => {
	test.each(FILES)('$name', ({ text, good }) => {
		expect({ amtool: judgedByAmtool(text), ours: judgedByUs(text) }).toEqual({ amtool: good, ours: good });
	});

	test('generated receivers', () => {
		const chosen = <T>(...values: readonly T[]) => fc.constantFrom<T | undefined>(undefined, ...values);
		const http = fc.record({
			basic_auth: chosen({ username: 'u', password: SECRET }),
			authorization: chosen({ type: 'Token', credentials: SECRET }),
			bearer_token: chosen(SECRET),
			oauth2: chosen({ client_id: 'c', client_secret: SECRET, token_url: 'http://127.0.0.1/t', scopes: ['a'] }),
			proxy_url: chosen('http://127.0.0.1:3128'),
			tls_config: chosen({}, { server_name: 'x' }, { ca_fil: 'x' }),
			enable_http2: chosen(true, false),
		});
		const receiver = fc.record({
			email_configs: fc.array(
				fc.record({
					to: fc.constantFrom<string | undefined>('a@b.cn', '{{ .Receiver }}', 'a@b.cn', undefined),
					from: chosen('c@d.cn'),
					send_resolved: chosen(true, false),
					headers: chosen({ Subject: 'x' }, { Subject: 'x', subject: 'y' }),
					html: chosen('', '{{ template "email.default.html" . }}'),
					text: chosen('x'),
					auth_username: chosen('u'),
					auth_password: chosen(SECRET),
					require_tls: chosen(false),
				}),
				{ maxLength: 1 },
			),
			wechat_configs: fc.array(
				fc.record({
					api_secret: fc.constant(SECRET),
					corp_id: fc.constant('c'),
					agent_id: fc.constant('7'),
					to_user: chosen('@all', '{{ .Status }}'),
					to_party: chosen('1|2'),
					message: chosen('{{ template "wechat.default.message" . }}'),
					message_type: chosen('text', 'markdown', 'voice'),
				}),
				{ maxLength: 1 },
			),
			webhook_configs: fc.array(
				fc.record({ url: chosen('http://127.0.0.1/'), max_alerts: chosen(0, 5, -1), http_config: fc.option(http, { nil: undefined }) }),
				{ maxLength: 1 },
			),
		});
		const verdicts = new Set<boolean>();
		fc.assert(
			fc.property(receiver, (made) => {
				const text = JSON.stringify({
					global: { smtp_smarthost: 'h:25', smtp_from: 'am@example.cn' },
					route: { receiver: 'r' },
					receivers: [{ name: 'r', ...made }],
				});
				const theirs = judgedByAmtool(text.replaceAll(JSON.stringify(SECRET), '"s"'));
				verdicts.add(theirs);
				expect(judgedByUs(text.replaceAll(JSON.stringify(SECRET), '{"env":"S"}'))).toBe(theirs);
				if (theirs) expect(judgedByUs(converted(text))).toBe(true);
			}),
			{ numRuns: 60 },
		);
		expect(verdicts).toEqual(new Set([true, false]));
	});

	test('a file with secrets and YAML of Go goes where it went, once converted', () => {
		const folder = temporaryFolder('amtool-routes');
		try {
			const file = join(folder.path, 'alertmanager.yml');
			writeFileSync(file, AS_WRITTEN);
			expect(judgedByAmtool(AS_WRITTEN)).toBe(true);
			expect(judgedByUs(AS_WRITTEN)).toBe(false);
			const root = buildRoute(alertsConfig(converted(AS_WRITTEN)).route);
			for (const labels of [
				{ code: '0500', paged: 'yes' },
				{ code: '0500', paged: 'true' },
				{ code: '320', paged: 'yes' },
				{ code: '1.50' },
				{ code: '0500', paged: 'yes', zone: '1.50' },
				{ x: '1', p: '1' },
				{ x: '1', p: '1', y: '2' },
				{ x: '1', p: '1', q: '1' },
				{ code: '1.5' },
				{ code: '0', zone: '3' },
				{ team: 'net', zone: '2' },
				{ team: 'net', zone: '3' },
			]) {
				const pairs = Object.entries(labels).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
				const theirs = runCommand(amtool ?? '', ['config', 'routes', 'test', `--config.file=${file}`, ...pairs]).trim();
				const ours = matchRoutes(root, labels as Record<string, string>).map(({ receiver }) => receiver);
				expect(ours.join(','), pairs.join(' ')).toBe(theirs.replaceAll('/', '.'));
			}
		} finally {
			folder.remove();
		}
	});

	test('what the status page shows is a configuration that amtool takes', () => {
		expect(judgedByAmtool(renderAlertmanagerConfig(alertsConfig(FILES[0]?.text ?? '')))).toBe(true);
	});
});
