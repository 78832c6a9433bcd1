import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { httpExchange } from '../../core/http-client.ts';
import { type CollectorProcess, startCollectorProcess } from '../harness/collector.ts';
import { type FakeWebhook, startFakeWebhook } from '../harness/fake-webhook.ts';
import {
	findCommand,
	freePort,
	type RunningProcess,
	startProcess,
	type TemporaryFolder,
	temporaryFolder,
	waitFor,
} from '../harness/process.ts';

let folder: TemporaryFolder;
let webhook: FakeWebhook;
let collector: CollectorProcess;
const processes: RunningProcess[] = [];

const rules = (expression: string) =>
	`groups: [{ name: g, interval: 1s, rules: [{ alert: FromOutside, expr: '${expression}', labels: { severity: critical }, annotations: { summary: '外部规则' } }] }]\n`;

beforeEach(async () => {
	folder = temporaryFolder('others-in');
	webhook = await startFakeWebhook();
	mkdirSync(join(folder.path, 'data'));
	const configFile = join(folder.path, 'collector.yml');
	writeFileSync(join(folder.path, 'zabbix.token'), 'zabbix-token');
	writeFileSync(
		configFile,
		`rules: { files: [] }
alerts:
  route: { receiver: r, group_wait: 0s, group_interval: 1s }
  receivers: [{ name: r, webhook_configs: [{ url: '${webhook.url}' }] }]
  channels: [{ name: sms, aliyun_sms: { access_key_id: { file: ${join(folder.path, 'zabbix.token')} }, access_key_secret: { file: ${join(folder.path, 'zabbix.token')} }, sign_name: s, template_code: T, callback_token: { file: ${join(folder.path, 'zabbix.token')} } } }]
  intake: [{ name: zabbix, format: zabbix, token: { file: ${join(folder.path, 'zabbix.token')} } }]
`,
	);
	collector = await startCollectorProcess({ dataDir: join(folder.path, 'data'), port: await freePort(), configFile });
});

afterEach(async () => {
	for (const process of processes.splice(0)) await process.stop();
	await collector.stop();
	await webhook.stop();
	folder.remove();
});

const told = (status: string) =>
	webhook.messages.some(({ body }) => body.alerts.some((alert) => alert.status === status && alert.labels['alertname'] === 'FromOutside'));

const token = (name: string) => readFileSync(join(collector.dataDir, 'keys', name), 'utf8').trim();

async function firesAndEnds(source: RunningProcess, rulesFile: string): Promise<void> {
	processes.push(source);
	await waitFor('the firing', () => told('firing'));
	writeFileSync(rulesFile, rules('vector(0) == 1'));
	source.kill('SIGHUP');
	await waitFor('the recovery', () => told('resolved'));
	expect(webhook.messages[0]?.body.alerts[0]?.labels).toMatchObject({ severity: 'critical' });
}

const prometheus = findCommand('prometheus');

describe.skipIf(prometheus === null)('a real Prometheus', () => {
	test('sends its alerts here, and their ends', async () => {
		const rulesFile = join(folder.path, 'rules.yml');
		writeFileSync(rulesFile, rules('vector(1)'));
		const file = join(folder.path, 'prometheus.yml');
		const { host } = new URL(collector.url);
		writeFileSync(
			file,
			`global: { evaluation_interval: 1s }
rule_files: ['${rulesFile}']
alerting: { alertmanagers: [{ basic_auth: { username: any, password_file: '${join(collector.dataDir, 'keys/local-alert.token')}' }, static_configs: [{ targets: ['${host}'] }] }] }
`,
		);
		const source = startProcess(prometheus ?? '', [
			`--config.file=${file}`,
			`--storage.tsdb.path=${join(folder.path, 'prometheus')}`,
			`--web.listen-address=127.0.0.1:${await freePort()}`,
			'--rules.alert.resend-delay=1s',
		]);
		await firesAndEnds(source, rulesFile);
	});
});

const vmalert = findCommand('vmalert');

describe.skipIf(vmalert === null)('a real vmalert', () => {
	test('asks here, and sends its alerts here', async () => {
		const rulesFile = join(folder.path, 'vm-rules.yml');
		writeFileSync(rulesFile, rules('vector(1)'));
		const source = startProcess(vmalert ?? '', [
			`-rule=${rulesFile}`,
			`-datasource.url=${collector.url}`,
			'-datasource.basicAuth.username=any',
			`-datasource.basicAuth.password=${token('local-read.token')}`,
			`-notifier.url=${collector.url}`,
			'-notifier.basicAuth.username=any',
			`-notifier.basicAuth.password=${token('local-alert.token')}`,
			`-httpListenAddr=127.0.0.1:${await freePort()}`,
			'-evaluationInterval=1s',
		]);
		await firesAndEnds(source, rulesFile);
	});
});

describe('Zabbix', () => {
	const post = (value: string, secret = 'zabbix-token', name = 'zabbix') =>
		httpExchange(`${collector.url}/api/fournines/v1/intake/${name}?token=${secret}`, {
			method: 'POST',
			headers: { 'content-type': 'application/json' },
			body: JSON.stringify({ trigger_id: '1', trigger_name: 'FromOutside', host: 'db-1', severity: 'High', value }),
			timeoutMs: 30_000,
		});

	test('posts with a token, and its alerts are told and end like any other', async () => {
		expect((await post('1', 'wrong')).status).toBe(401);
		expect((await post('1', 'zabbix-token', 'other')).status).toBe(404);
		expect((await post('1')).body.toString()).toBe('{"alerts":1}');
		await waitFor('the firing', () => told('firing'));
		await post('0');
		await waitFor('the recovery', () => told('resolved'));
	});
});

describe('a provider that calls back', () => {
	const receipt = (secret: string, type: string) =>
		httpExchange(`${collector.url}/api/fournines/v1/callbacks/sms?token=${secret}`, {
			method: 'POST',
			headers: { 'content-type': type },
			body: JSON.stringify([{ phone_number: '13800000001', biz_id: 'b1', success: true, err_code: 'DELIVERED' }]),
			timeoutMs: 30_000,
		});

	test('is believed with its token, whatever it calls its body, and hears what it wants to hear', async () => {
		for (const type of ['application/json', 'application/x-www-form-urlencoded', 'text/plain']) {
			const answer = await receipt('zabbix-token', type);
			expect([answer.status, answer.body.toString()]).toEqual([200, '{"code":0,"msg":"接收成功"}']);
		}
		expect((await receipt('wrong', 'application/json')).status).toBe(403);
		expect(await collector.get('/metrics')).toMatch(/fournines_alerts_receipts_total\{state="early"\} 1/);
	});
});
