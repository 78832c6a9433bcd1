import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../core/clock.ts';
import { silentLogger } from '../core/log.ts';
import { alertsConfig, postedAlert, type RunningAlerting, startAlerting } from '../tests/harness/alerting.ts';
import { type FakeSmsGateway, startFakeSmsGateway } from '../tests/harness/fake-sms-gateway.ts';
import { type FakeWebhook, startFakeWebhook } from '../tests/harness/fake-webhook.ts';
import { type FakeWechatRobot, startFakeWechatRobot } from '../tests/harness/fake-wechat-robot.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../tests/harness/process.ts';

const KEY = '693a91f6-7xxx-4bc4-97a0-0ec2sifa5aaa';
const secrets = { ROBOT: KEY, SMS_SECRET: 'gateway secret', HOOK: 'hook secret' };

let folder: TemporaryFolder;
let robot: FakeWechatRobot;
let gateway: FakeSmsGateway;
let hook: FakeWebhook;
let running: RunningAlerting | null = null;

beforeEach(async () => {
	folder = temporaryFolder('alerting');
	robot = await startFakeWechatRobot({ key: KEY });
	gateway = await startFakeSmsGateway({ account: 'cgw', secret: secrets.SMS_SECRET, charset: 'gbk' });
	hook = await startFakeWebhook({ secret: secrets.HOOK });
});

afterEach(async () => {
	await running?.stop();
	running = null;
	await Promise.all([robot.stop(), gateway.stop(), hook.stop()]);
	folder.remove();
});

const SMS = { phones: ['13800000001', '13900000002'], signature: '【城管运维】', refused_codes: ['201', '301', '302', '303'] };

function config(route = 'group_wait: 0s, group_interval: 50ms, repeat_interval: 1h'): string {
	return `
route: { receiver: oncall, group_by: [alertname], ${route} }
receivers:
  - name: oncall
    wechat_robot_configs:
      - { base_url: '${robot.baseUrl}', key: { env: ROBOT } }
    sms_gateway_configs:
      - ${JSON.stringify(gateway.channel({ env: 'SMS_SECRET' }, SMS))}
    webhook_configs:
      - { url: '${hook.url}', hmac_secret: { env: HOOK } }
`;
}

async function start(route?: string): Promise<RunningAlerting> {
	running = await startAlerting({ folder: folder.path, config: config(route), clock: systemClock, secrets });
	return running;
}

const labels = { alertname: 'NginxDown', severity: 'critical', instance: 'app-1:6888', host: 'app-1', system: '城市管理', team: 'ops' };
const annotations = {
	summary: 'Nginx 已停止响应',
	summary_en: 'Nginx does not answer',
	description: 'app-1 上的 Nginx 最近 5 次探测中 3 次失败。',
	action: '1. 登录 app-1 执行 systemctl status nginx;2. 看 /var/log/nginx/error.log;3. 确认磁盘未满',
	runbook_url: 'docs/runbooks/NginxDown.md',
};

describe('from alert to message', () => {
	test('a firing alert reaches all three channels, and its recovery too', async () => {
		const { alerting } = await start();
		const startsAtMs = Date.now() - 65_000;
		await alerting.receive([postedAlert(labels, { startsAtMs }, annotations)]);
		await waitFor('all three channels', () => robot.messages.length === 1 && gateway.messages.length === 1 && hook.messages.length === 1);
		expect(robot.messages[0]?.msgtype).toBe('markdown');
		expect(robot.messages[0]?.content).toContain('【严重】');
		expect(robot.messages[0]?.content).toContain('Nginx 已停止响应');
		expect(robot.messages[0]?.content).toContain('app-1:6888 (城市管理)');
		expect(robot.messages[0]?.content).toContain('systemctl status nginx');
		expect(robot.messages[0]?.content).toContain('http://collector.example:9999/docs/runbooks/NginxDown.md');
		expect(gateway.messages[0]?.content).toMatch(/^【城管运维】\[严重\]Nginx 已停止响应/);
		expect(gateway.messages[0]?.phones).toEqual(['13800000001', '13900000002']);
		expect(gateway.messages[0]?.parts).toBeLessThanOrEqual(2);
		expect(hook.messages[0]?.body).toMatchObject({
			version: '4',
			status: 'firing',
			receiver: 'oncall',
			alerts: [{ labels, status: 'firing' }],
		});

		await alerting.receive([postedAlert(labels, { startsAtMs, endsAtMs: startsAtMs + 65_000 }, annotations)]);
		await waitFor('the recoveries', () => robot.messages.length === 2 && gateway.messages.length === 2 && hook.messages.length === 2);
		expect(robot.messages[1]?.content).toContain('【恢复】');
		expect(robot.messages[1]?.content).toContain('持续 1分5秒');
		expect(gateway.messages[1]?.content).toContain('[恢复]');
		expect(hook.messages[1]?.body.status).toBe('resolved');
		expect(alerting.alerts()).toEqual([]);
	});

	test('the history holds every attempt with the channel’s own code, and no secret', async () => {
		const { alerting } = await start();
		robot.fail({ kind: 'errcode', errcode: 93000, errmsg: 'invalid webhook url' });
		gateway.fail({ kind: 'code', code: '9', message: '系统忙' });
		hook.fail({ kind: 'status', status: 503, retryAfter: '0' });
		await alerting.receive([postedAlert(labels, { startsAtMs: Date.now() }, annotations)]);
		const records = await waitFor('final states', async () => {
			const all = await alerting.history.listNotifications({ limit: 10 });
			return all.length === 3 && all.every((record) => record.state === 'sent' || record.state === 'refused') && all;
		});
		const of = (type: string) => records.find((record) => record.channel === `oncall/${type}/0`);
		expect(of('wechat_robot')).toMatchObject({
			state: 'refused',
			attempts: [{ outcome: 'refused', code: '93000', reason: 'invalid webhook url' }],
		});
		expect(of('sms_gateway')).toMatchObject({
			state: 'sent',
			attempts: [
				{ outcome: 'retry', code: '9' },
				{ outcome: 'sent', code: '0' },
			],
		});
		expect(of('webhook')).toMatchObject({
			state: 'sent',
			attempts: [
				{ outcome: 'retry', code: '503' },
				{ outcome: 'sent', code: '200' },
			],
		});
		for (const secret of [...Object.values(secrets), 'in-the-address']) expect(JSON.stringify(records)).not.toContain(secret);
	});

	test.each([
		{ name: 'a broken connection after acceptance', fault: { kind: 'accept-and-drop' } as const, marked: true, delivered: 2 },
		{ name: 'a busy answer', fault: { kind: 'errcode', errcode: 45033, errmsg: 'busy' } as const, marked: false, delivered: 1, wait: true },
	])('$name is repeated, marked only when it may be a duplicate', async ({ fault, marked, delivered }) => {
		const { alerting } = await start();
		robot.fail(fault);
		await alerting.receive([postedAlert(labels, { startsAtMs: Date.now() }, annotations)]);
		await waitFor('the repetition', () => robot.messages.length === delivered);
		expect(robot.messages.at(-1)?.content.includes('可能重复')).toBe(marked);
	});
});

test('a way out that trusts any certificate is told in the log and counted, at the start and after a reload', async () => {
	const told: object[] = [];
	const trusting = (value: boolean) =>
		`receivers: [{ name: default, webhook_configs: [{ url: 'https://h', http_config: { tls_config: { insecure_skip_verify: ${value} } } }] }]`;
	const log = { ...silentLogger, warn: (fields: object) => told.push(fields) };
	running = await startAlerting({ folder: folder.path, config: trusting(true), clock: systemClock, log });
	const count = async () => (await running?.metrics.getSingleMetricAsString('fournines_alerts_unverified_tls_count'))?.split(' ').at(-1);
	expect(await count()).toBe('1');
	await running.alerting.prepare(alertsConfig(trusting(false)))();
	expect(await count()).toBe('0');
	await running.alerting.prepare(alertsConfig(trusting(true)))();
	expect(await count()).toBe('1');
	const key = 'receivers.0.webhook_configs.0.http_config.tls_config.insecure_skip_verify';
	expect(told).toEqual([{ key }, { key }]);
});
