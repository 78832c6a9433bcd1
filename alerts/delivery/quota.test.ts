import { afterEach, beforeEach, expect, test } from 'vitest';
import { alertsConfig, postedAlert, type RunningAlerting, startAlerting } from '../../tests/harness/alerting.ts';
import { type FakeWechatRobot, startFakeWechatRobot } from '../../tests/harness/fake-wechat-robot.ts';
import { createManualClock, type ManualClock } from '../../tests/harness/manual-clock.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../../tests/harness/process.ts';

const KEY = '693a91f6-7xxx-4bc4-97a0-0ec2sifa5aaa';
let folder: TemporaryFolder;
let clock: ManualClock;
let robot: FakeWechatRobot;
let running: RunningAlerting;

beforeEach(async () => {
	folder = temporaryFolder('quota');
	clock = createManualClock();
	robot = await startFakeWechatRobot({ key: KEY });
});
afterEach(async () => {
	await running.stop();
	await robot.stop();
	folder.remove();
});

/** One robot, which several receivers may have, each with a rate of its own. */
const config = (...rates: readonly number[]) => `
route: { receiver: r0, group_by: [alertname], group_wait: 0s, routes: [${rates.map((_rate, i) => `{ receiver: r${i}, matchers: [to="${i}"] }`)}] }
receivers: [${rates.map((rate, i) => `{ name: r${i}, wechat_robot_configs: [{ base_url: '${robot.baseUrl}', key: { env: ROBOT }, rate_per_minute: ${rate} }] }`)}]`;

const start = async (...rates: readonly number[]) => {
	running = await startAlerting({ folder: folder.path, config: config(...rates), clock, secrets: { ROBOT: KEY } });
};

const fire = (alertname: string, to = 0) =>
	running.alerting.receive([postedAlert({ alertname, severity: 'critical', to: String(to) }, { startsAtMs: clock.now() })]);

/** When each message left by the clock of the pipeline, in order, once all of them have. */
async function sentAtMs(count: number, stepMs = 10_000): Promise<readonly number[]> {
	const records = await waitFor(
		`${count} messages`,
		async () => {
			await clock.advance(stepMs);
			const all = await running.alerting.history.listNotifications({ limit: 50 });
			return all.length === count && all.every(({ state }) => state === 'sent') && all;
		},
		{ timeoutMs: 60_000 },
	);
	// Notifications of one digest share their attempt.
	const messages = new Map(
		records.flatMap(({ attempts }) => attempts.map(({ startedAtMs, text }) => [`${startedAtMs} ${text}`, startedAtMs])),
	);
	return [...messages.values()].sort((a, b) => a - b);
}

test.each([
	{ name: 'as it was', before: 2, after: 2 },
	{ name: 'lower', before: 3, after: 1 },
	{ name: 'higher, which counts from then on', before: 1, after: 2 },
])('what a robot has sent within the minute counts after a reload: its rate is $name', async ({ before, after }) => {
	await start(before);
	for (let i = 0; i < before; i++) await fire(`before-${i}`);
	// So slowly that the minute cannot pass.
	const early = await sentAtMs(before, 1);
	await running.alerting.prepare(alertsConfig(config(after)))();
	for (let i = 0; i < 2; i++) await fire(`after-${i}`);
	const all = await sentAtMs(before + 2);
	const late = all.slice(early.length);
	expect(late.length).toBeGreaterThan(0);
	for (const at of late) expect(all.filter((other) => other > at - 60_000 && other <= at).length).toBeLessThanOrEqual(after);
});

test('of two receivers with the same robot the lower rate counts for both', async () => {
	await start(1, 5);
	await fire('a', 0);
	await fire('b', 1);
	await fire('c', 0);
	const sent = await sentAtMs(3);
	expect(sent.length).toBeGreaterThan(1);
	for (const [i, at] of sent.slice(1).entries()) expect(at - (sent[i] ?? 0)).toBeGreaterThanOrEqual(60_000);
});
