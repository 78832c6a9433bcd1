import { afterEach, beforeEach, expect, test } from 'vitest';
import { postedAlert, type RunningAlerting, startAlerting } from '../tests/harness/alerting.ts';
import { type FakeWechatRobot, startFakeWechatRobot } from '../tests/harness/fake-wechat-robot.ts';
import { createManualClock, type ManualClock } from '../tests/harness/manual-clock.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../tests/harness/process.ts';
import { fingerprintOf } from './alert.ts';

let folder: TemporaryFolder;
let clock: ManualClock;
let robot: FakeWechatRobot;
let running: RunningAlerting;

beforeEach(async () => {
	folder = temporaryFolder('topology');
	clock = createManualClock();
	robot = await startFakeWechatRobot({ key: 'k', now: clock.now });
	running = await startAlerting({
		folder: folder.path,
		clock,
		secrets: { KEY: 'k' },
		topology: { hosts: [{ id: 'app-1', check: 'ping-app-1', addresses: ['10.0.0.1'] }], services: [] },
		config: `route: { receiver: r, group_by: ['...'], group_wait: 0s, group_interval: 10s }
receivers: [{ name: r, wechat_robot_configs: [{ base_url: '${robot.baseUrl}', key: { env: KEY } }] }]`,
	});
});

afterEach(async () => {
	await running.stop();
	await robot.stop();
	folder.remove();
});

const HOST = { alertname: 'CheckFailed', check: 'ping-app-1', instance: '10.0.0.1', severity: 'critical' };
const NGINX = { alertname: 'NginxDown', host: 'app-1', instance: 'app-1:80', severity: 'critical' };
const TOMCAT = { alertname: 'TomcatDown', host: 'app-1', instance: 'app-1:8080', severity: 'warning' };

const post = (labels: Readonly<Record<string, string>>, over = false) =>
	running.alerting.receive([
		postedAlert(
			labels,
			{ startsAtMs: clock.now() - 1000, endsAtMs: over ? clock.now() : clock.now() + 86_400_000 },
			{ summary: `${labels['alertname']} 发生` },
		),
	]);

async function until(what: string, probe: () => boolean): Promise<void> {
	await waitFor(what, async () => {
		await clock.advance(1000);
		await new Promise((resolve) => setTimeout(resolve, 3));
		return probe();
	});
}

const events = async (labels: Readonly<Record<string, string>>) =>
	(await running.alerting.history.listAlertEvents({ fingerprint: fingerprintOf(labels), limit: 50 })).map(({ kind, detail }) =>
		`${kind} ${detail}`.trim(),
	);

test('one message tells of the machine and lists what stands still; what still fires afterwards is told', async () => {
	await running.alerting.receive(
		[NGINX, TOMCAT, HOST].map((labels) =>
			postedAlert(labels, { startsAtMs: clock.now() - 1000, endsAtMs: clock.now() + 86_400_000 }, { summary: `${labels.alertname} 发生` }),
		),
	);
	await until('the message', () => robot.messages.length > 0);
	await until('a quarter of an hour', () => clock.now() > 0);
	expect(robot.messages).toHaveLength(1);
	expect(robot.messages[0]?.content).toMatch(
		/CheckFailed 发生[\s\S]*受其影响：NginxDown 发生 app-1:80[\s\S]*受其影响：TomcatDown 发生 app-1:8080/,
	);
	expect(await events(NGINX)).toEqual(['fired', `suppressed topology:${fingerprintOf(HOST)}`]);
	const shown = running.alerting.alerts().find(({ alert }) => alert.labels['alertname'] === 'TomcatDown');
	expect(shown).toMatchObject({ state: 'suppressed', inhibitedBy: [fingerprintOf(HOST)] });
	await post(NGINX, true);
	await post(HOST, true);
	await until(
		'what is left',
		() => robot.messages.some(({ content }) => content.includes('严重') || content.includes('警告')) && robot.messages.length >= 3,
	);
	const later = robot.messages.slice(1).map(({ content }) => content);
	expect(later.some((content) => content.includes('CheckFailed') && content.includes('恢复'))).toBe(true);
	expect(later.some((content) => content.includes('TomcatDown') && content.includes('警告'))).toBe(true);
	// Nobody was told of it, so nobody is told that it is over; it is on record all the same.
	expect(later.some((content) => content.includes('NginxDown'))).toBe(false);
	expect(await events(NGINX)).toContain('untold r');
});
