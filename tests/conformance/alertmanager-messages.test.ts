import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { convertAlertmanager } from '../../alerts/convert/alertmanager.ts';
import { secretPlaces } from '../../alerts/convert/secret-places.ts';
import { systemClock } from '../../core/clock.ts';
import { httpExchange } from '../../core/http-client.ts';
import { type RunningAlerting, startAlerting } from '../harness/alerting.ts';
import { type FakeOAuth2, startFakeOAuth2 } from '../harness/fake-oauth2.ts';
import { type FakeServer, startFakeServer } from '../harness/fake-server.ts';
import { type FakeSmtp, startFakeSmtp } from '../harness/fake-smtp.ts';
import { type ReadMail, readMail } from '../harness/mail.ts';
import {
	findCommand,
	freePort,
	type RunningProcess,
	startProcess,
	type TemporaryFolder,
	temporaryFolder,
	waitFor,
} from '../harness/process.ts';

const command = findCommand('prometheus-alertmanager');
const amtool = findCommand('amtool');
const EXTERNAL_URL = 'http://collector.example:9999';
const PASSWORD = 'a password of this test';

/** As teams write them: all functions, pipelines, loops, time arithmetic, and values that must not become HTML. */
const TEMPLATES = `
{{ define "__subject" }}【{{ .Status | toUpper }}{{ if eq .Status "firing" }}:{{ .Alerts.Firing | len }}{{ end }}】{{ .GroupLabels.SortedPairs.Values | join "、" }}{{ end }}
{{ define "team.line" -}}
  {{ .Labels.instance }}|{{ .Labels.missing }}|{{ .Annotations.summary | reReplaceAll "([a-z]+)-(\\\\d+)" "$2:\${1}" }}|{{ (.StartsAt.Add 28800e9).Format "2006-01-02 15:04:05" }}
{{- end }}
{{ define "team.text" }}{{ $root := . }}
{{- range $i, $alert := .Alerts }}{{ if $i }};{{ end }}{{ $i }}={{ template "team.line" $alert }}{{ end }}
{{ range .CommonLabels.SortedPairs }}{{ .Name }}={{ .Value }} {{ end }}/{{ (.CommonLabels.Remove .GroupLabels.Names).Names | join "," }}/{{ .CommonAnnotations.Names | join "," }}
{{ with .CommonLabels.Remove (stringSlice "team" "alertname") }}{{ .Values | join "+" }}{{ else }}none{{ end }}
{{ if and (match "^o" "one") (not (match "x" .Receiver)) }}{{ "one TWO" | title }} {{ .Receiver | toLower }}{{ end }}
{{ printf "%d %s %v %q" (len .Alerts) .Status .GroupLabels "q" }} {{ .ExternalURL }} {{ index .GroupLabels "alertname" }}
{{ len .Alerts.Resolved }} {{ range .Alerts.Resolved }}{{ .EndsAt.Sub .StartsAt }} {{ .EndsAt.Format "15:04:05.000 Mon Jan 2 2006" }} {{ .StartsAt.Unix }}{{ end }}
{{ range .Alerts.Firing }}{{ .StartsAt }} {{ .EndsAt.IsZero }} {{ .Fingerprint }} {{ .Labels.SortedPairs.Names }}{{ end }}
{{ end }}
{{ define "team.html" }}<!-- gone --><p title="{{ (index .Alerts 0).Annotations.note }}">{{ (index .Alerts 0).Annotations.note }}</p>
<a href="{{ (index .Alerts 0).Annotations.link }}?q={{ (index .Alerts 0).Annotations.note }}">x</a><a href='{{ (index .Alerts 0).Annotations.evil }}'>y</a>
<b style="color: {{ if eq .Status "firing" }}red{{ else }}green{{ end }}; width: {{ (index .Alerts 0).Labels.instance }}">{{ safeHtml "<i>safe</i>" }} {{ .Status | html }}</b>
{{ range .Alerts }}<li>{{ template "team.line" . }} {{ .GeneratorURL | urlquery }}</li>{{ end }}{{ end }}
`;

const NOTE = `<b>"坏" & 'x' + 1</b>`;

interface Sinks {
	readonly folder: TemporaryFolder;
	readonly smtp: FakeSmtp;
	readonly http: FakeServer;
	readonly wechat: Record<string, unknown>[];
	/** One that takes a client's name in the header, and one that takes it as parameters. */
	readonly oauth: readonly [FakeOAuth2, FakeOAuth2];
	readonly webhooks: { readonly authorization: string; readonly body: Record<string, unknown> }[];
	stop(): Promise<void>;
}

async function startSinks(): Promise<Sinks> {
	const folder = temporaryFolder('am-messages');
	writeFileSync(join(folder.path, 'team.tmpl'), TEMPLATES);
	writeFileSync(join(folder.path, 'password'), PASSWORD);
	const smtp = await startFakeSmtp({ user: 'am', password: PASSWORD, recipients: ['ops@example.cn', 'db@example.cn'] });
	const wechat: Record<string, unknown>[] = [];
	const webhooks: { authorization: string; body: Record<string, unknown> }[] = [];
	const http = await startFakeServer({
		handle: ({ url, headers, body }, exchange) => {
			if (url.pathname === '/moved') return exchange.answer(307, '', { location: '/hook' });
			if (url.pathname === '/cgi-bin/gettoken') return exchange.json({ errcode: 0, errmsg: 'ok', access_token: 't', expires_in: 7200 });
			const said = JSON.parse(body.toString('utf8')) as Record<string, unknown>;
			if (url.pathname === '/cgi-bin/message/send') wechat.push(said);
			else webhooks.push({ authorization: headers['authorization'] ?? '', body: said });
			exchange.json({ errcode: 0, errmsg: 'ok' });
		},
	});
	const client = { clientId: 'am&four', clientSecret: PASSWORD, scopes: ['alerts', 'x:y'] };
	const oauth = await Promise.all([
		startFakeOAuth2({ ...client, takes: 'header', parameters: { audience: 'https://hook.example/a b' } }),
		startFakeOAuth2({ ...client, takes: 'parameters' }),
	]);
	return {
		folder,
		smtp,
		http,
		oauth,
		wechat,
		webhooks,
		stop: async () => {
			await smtp.stop();
			await http.stop();
			await Promise.all(oauth.map((service) => service.stop()));
			folder.remove();
		},
	};
}

/** What a team has: secrets in it, and YAML as Go reads it. Ours is what the conversion makes of it. */
const configuration = ({ smtp, http, oauth: [inHeader, asParameters] }: Sinks) => `
global:
  smtp_smarthost: '${smtp.smarthost}'
  smtp_from: am@example.cn
  smtp_auth_username: am
  smtp_auth_password: &secret '${PASSWORD}'
  smtp_require_tls: no
  wechat_api_url: '${http.baseUrl}/cgi-bin/'
  wechat_api_corp_id: ww1
templates: ['team*.tmpl']
route: { receiver: Team, group_by: [alertname], group_wait: 10s, group_interval: 1s, repeat_interval: 4h }
receivers:
  - name: Team
    email_configs:
      - to: '{{ if eq .GroupLabels.alertname "Two" }}ops@example.cn, {{ end }}db@example.cn'
        send_resolved: true
        headers: { Subject: '{{ template "email.default.subject" . }} {{ .Alerts | len }}', X-Team: '{{ .Receiver }}', To: 'Ops <ops@example.cn>' }
        html: '{{ template "team.html" . }}'
        text: '{{ template "team.text" . }}'
    wechat_configs:
      - { api_secret: *secret, agent_id: 1000002, to_user: 'li|{{ .Status }}', to_party: '7', message: '{{ template "team.text" . }}', send_resolved: true }
      - { api_secret: *secret, agent_id: '1000002', to_tag: oncall, message: '**{{ template "__subject" . }}**', message_type: markdown, send_resolved: true }
    webhook_configs:
      - { url: '${http.baseUrl}/hook', max_alerts: 1, http_config: { basic_auth: { username: u, password: *secret } } }
      - { url: '${http.baseUrl}/hook', http_config: { authorization: { credentials: *secret } } }
      - { url: '${http.baseUrl}/moved', http_config: { bearer_token: *secret } }
      - url: '${inHeader.hookUrl}'
        http_config: { oauth2: { client_id: am&four, client_secret: *secret, scopes: [alerts, 'x:y'], token_url: '${inHeader.tokenUrl}', endpoint_params: { audience: 'https://hook.example/a b' } } }
      - { url: '${asParameters.hookUrl}', http_config: { oauth2: { client_id: am&four, client_secret: *secret, token_url: '${asParameters.tokenUrl}' } } }
`;

/**
 * The alerts begin as they are posted: a group whose alert is older than `group_wait` is told by Alertmanager at once, with
 * whichever of the alerts of one request its dispatcher has come to by then.
 */
const alertsFrom = (startsAt: string, endsAtMs: (name: string) => number) =>
	[
		{ alertname: 'Two', instance: 'a', severity: 'critical', team: 'db' },
		{ alertname: 'Two', instance: 'b', severity: 'warning', team: 'db' },
		{ alertname: 'One', instance: 'c', severity: 'critical', team: 'net' },
	].map((labels) => ({
		labels,
		annotations: {
			summary: `磁盘 disk-${labels.instance === 'a' ? 12 : 7} 满`,
			note: NOTE,
			link: 'http://wiki.example/页 面',
			evil: 'javascript:alert(1)',
		},
		startsAt,
		endsAt: new Date(endsAtMs(labels.alertname)).toISOString(),
		generatorURL: 'http://prometheus.example/graph?g0.expr=up%20==%200',
	}));

interface Said {
	readonly mails: Readonly<Record<string, ReadMail & { readonly to: readonly string[] }>>;
	readonly wechat: readonly Record<string, unknown>[];
	readonly webhooks: Sinks['webhooks'];
}

/** Posts the same alerts, waits until all that fires is told, ends one, waits until that is told. */
async function conversation(sinks: Sinks, startsAt: string, post: (alerts: ReturnType<typeof alertsFrom>) => Promise<void>): Promise<Said> {
	const endedAtMs = Date.parse(startsAt) + 1_234;
	const anHourOn = Date.now() + 3_600_000;
	const told = () => ({
		mails: sinks.smtp.mails.length,
		wechat: sinks.wechat.length,
		webhooks: sinks.webhooks.length,
		behindTokens: Math.min(...sinks.oauth.map(({ taken }) => taken.length)),
	});
	const enough = (groups: number) => () => {
		const { mails, wechat, webhooks, behindTokens } = told();
		return mails >= groups && wechat >= 2 * groups && webhooks >= 3 * groups && behindTokens >= groups;
	};
	await post(alertsFrom(startsAt, () => anHourOn));
	await waitFor('all that fires to be told', enough(2));
	await post(alertsFrom(startsAt, (name) => (name === 'One' ? endedAtMs : anHourOn)));
	await waitFor('what is over to be told', enough(3));
	const mails = sinks.smtp.mails.map(({ data, to }) => ({ ...readMail(data), to }));
	return {
		mails: Object.fromEntries(mails.map((mail) => [mail.headers['subject'] ?? '', mail])),
		wechat: sinks.wechat,
		webhooks: sinks.webhooks,
	};
}

const sorted = <T>(list: readonly T[], key: (one: T) => string) => [...list].sort((a, b) => (key(a) < key(b) ? -1 : 1));

describe.skipIf(command === null || amtool === null)('a team’s file says the same through a real Alertmanager and through us', () => {
	let theirs: Sinks;
	let ours: Sinks;
	let alertmanager: RunningProcess;
	let running: RunningAlerting;
	let judged = '';
	let saidThere: Said;
	let saidHere: Said;

	beforeAll(async () => {
		[theirs, ours] = [await startSinks(), await startSinks()];
		const file = join(theirs.folder.path, 'alertmanager.yml');
		writeFileSync(file, configuration(theirs));
		judged = spawnSync(amtool ?? '', ['check-config', file], { encoding: 'utf8', timeout: 120_000 }).stdout;
		const port = await freePort();
		alertmanager = startProcess(command ?? '', [
			`--config.file=${file}`,
			`--storage.path=${join(theirs.folder.path, 'data')}`,
			`--web.listen-address=127.0.0.1:${port}`,
			`--web.external-url=${EXTERNAL_URL}`,
			'--web.route-prefix=/',
			'--cluster.listen-address=',
		]);
		const url = `http://127.0.0.1:${port}`;
		await waitFor('alertmanager', async () => (await httpExchange(`${url}/-/ready`, { timeoutMs: 5000 })).status === 200);
		const secrets = secretPlaces({ folder: ours.folder.path, env: true });
		const { yaml } = convertAlertmanager(configuration(ours), {
			file: join(ours.folder.path, 'alertmanager.yml'),
			secrets,
			templates: (patterns) => patterns,
		});
		running = await startAlerting({
			folder: ours.folder.path,
			configFolder: ours.folder.path,
			clock: systemClock,
			config: stringify(parse(yaml).alerts),
			secrets: Object.fromEntries(secrets.variables),
		});
		// Its fraction ends in zeros, which Go leaves out.
		const startsAt = new Date(Math.floor(Date.now() / 1000) * 1000 + 120).toISOString();
		[saidThere, saidHere] = await Promise.all([
			conversation(theirs, startsAt, async (alerts) => {
				const headers = { 'content-type': 'application/json' };
				const { status } = await httpExchange(`${url}/api/v2/alerts`, {
					method: 'POST',
					headers,
					body: JSON.stringify(alerts),
					timeoutMs: 60_000,
				});
				if (status !== 200) throw new Error(`Alertmanager answered ${status}`);
			}),
			conversation(ours, startsAt, async (alerts) => {
				await running.alerting.receive(
					alerts.map(({ startsAt: from, endsAt, generatorURL, ...rest }) => ({
						...rest,
						startsAtMs: Date.parse(from),
						endsAtMs: Date.parse(endsAt),
						generatorUrl: generatorURL,
					})),
				);
			}),
		]);
	});

	afterAll(async () => {
		await alertmanager?.stop();
		await running?.stop();
		await theirs?.stop();
		await ours?.stop();
	});

	test('amtool takes the file', () => {
		expect(judged).toContain('SUCCESS');
	});

	test('mail: recipients, headers, text and HTML', () => {
		const seen = ({ mails }: Said) =>
			Object.entries(mails)
				.map(([subject, { to, text, html, headers }]) => ({
					subject,
					to,
					shown: headers['to'],
					from: headers['from'],
					team: headers['x-team'],
					text: text.trim(),
					html: html.trim(),
				}))
				.sort((a, b) => (a.subject < b.subject ? -1 : 1));
		expect(seen(saidHere)).toEqual(seen(saidThere));
		expect(Object.keys(saidHere.mails).sort()).toEqual(['【FIRING:1】One 1', '【FIRING:2】Two 2', '【RESOLVED】One 1']);
		expect(JSON.stringify(saidHere.mails)).not.toContain(NOTE);
	});

	test('WeChat Work: recipients, kind and text', () => {
		const seen = ({ wechat }: Said) =>
			sorted(
				wechat.map(({ touser = '', toparty = '', totag = '', msgtype, agentid, text, markdown }) => ({
					touser,
					toparty,
					totag,
					msgtype,
					agentid: Number(agentid),
					content: ((msgtype === 'text' ? text : markdown) as { content: string }).content.trim(),
				})),
				({ msgtype, content }) => `${msgtype} ${content}`,
			);
		expect(seen(saidHere)).toEqual(seen(saidThere));
	});

	test('webhook: payload and credentials', () => {
		const seen = ({ webhooks }: Said) =>
			sorted(webhooks, ({ authorization, body }) => `${authorization} ${body['groupKey']} ${body['status']}`);
		expect(seen(saidHere)).toEqual(seen(saidThere));
		expect(new Set(saidHere.webhooks.map(({ authorization }) => authorization.split(' ')[0]))).toEqual(new Set(['Basic', 'Bearer']));
	});

	test('webhooks behind oauth2: the questions for a token, and what came with it', () => {
		const distinct = (list: readonly unknown[]) => [...new Set(list.map((one) => JSON.stringify(one)))].sort();
		const seen = ({ oauth }: Sinks) =>
			oauth.map(({ asked, taken }) => ({ asked: distinct(asked), groups: distinct(taken.map((body) => JSON.parse(body).groupKey)) }));
		expect(seen(ours)).toEqual(seen(theirs));
		expect(seen(ours)).toMatchObject([
			{ asked: { length: 1 }, groups: { length: 2 } },
			{ asked: { length: 2 }, groups: { length: 2 } },
		]);
	});
});
