import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../core/clock.ts';
import { postedAlert, type RunningAlerting, startAlerting } from '../tests/harness/alerting.ts';
import { type FakeWechatRobot, startFakeWechatRobot } from '../tests/harness/fake-wechat-robot.ts';
import { createManualClock } from '../tests/harness/manual-clock.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../tests/harness/process.ts';

const KEY = 'storm-key';
let folder: TemporaryFolder;
let robot: FakeWechatRobot;
let running: RunningAlerting;

beforeEach(async () => {
	folder = temporaryFolder('storm');
	robot = await startFakeWechatRobot({ key: KEY });
});

afterEach(async () => {
	await running.stop();
	await robot.stop();
	folder.remove();
});

const config = (route: string, more = '') => `
route: { receiver: oncall, ${route} }
receivers: [{ name: oncall, wechat_robot_configs: [{ base_url: '${robot.baseUrl}', key: { env: KEY } }] }]
${more}`;

const outage = (count: number) =>
	Array.from({ length: count }, (_, i) =>
		postedAlert(
			{ alertname: `Alert${i}`, severity: i === count - 1 ? 'critical' : 'warning', instance: `app-${i}:8080`, job: 'probe', team: 'ops' },
			{ startsAtMs: Date.now() },
			{ summary: `app-${i} 无法访问`, description: '最近 5 次探测中 3 次失败。' },
		),
	);

test('more groups than the robot takes in a minute become a digest: none refused, none lost', async () => {
	running = await startAlerting({
		folder: folder.path,
		config: config("group_by: ['...'], group_wait: 0s", 'storm: { messages: 0 }'),
		clock: systemClock,
		secrets: { KEY },
	});
	await running.alerting.receive(outage(100));
	const records = await waitFor('all notifications', async () => {
		const all = await running.alerting.history.listNotifications({ limit: 500 });
		return all.length === 100 && all.every((record) => record.state === 'sent') && all;
	});
	expect(robot.messages.length).toBeLessThanOrEqual(20);
	expect(robot.answers.every((code) => code === 0)).toBe(true);
	expect(robot.messages[0]?.content).toContain('app-99 无法访问');
	expect(robot.messages.some((message) => message.content.includes('合并 50 条通知'))).toBe(true);
	expect(records.every((record) => record.attempts.length === 1)).toBe(true);
});

test('a trickle that uses the minute up waits for the next one, with places kept for critical alerts', async () => {
	const clock = createManualClock();
	await robot.stop();
	robot = await startFakeWechatRobot({ key: KEY, now: clock.now });
	running = await startAlerting({
		folder: folder.path,
		config: config("group_by: ['...'], group_wait: 0s", 'storm: { messages: 0 }'),
		clock,
		secrets: { KEY },
	});
	const settled = async () =>
		(await running.alerting.history.listNotifications({ limit: 100 })).every(({ state }) => state === 'sent' || state === 'queued');
	const post = async (name: string, severity: string, isSent: boolean) => {
		const before = robot.answers.length;
		await running.alerting.receive([
			postedAlert({ alertname: name, severity }, { startsAtMs: clock.now(), endsAtMs: clock.now() + 3_600_000 }),
		]);
		await waitFor(
			`the end of ${name}'s turn`,
			async () => {
				await clock.settle();
				return robot.answers.length === before + (isSent ? 1 : 0) && (await settled());
			},
			{ intervalMs: 2 },
		);
	};
	for (let i = 0; i < 30; i++) await post(`W${i}`, 'warning', i < 17);
	expect(robot.messages).toHaveLength(17);
	for (let i = 0; i < 5; i++) await post(`C${i}`, 'critical', i < 3);
	expect(robot.messages).toHaveLength(20);
	// The first critical one takes the waiting warnings along.
	expect(robot.messages[17]?.content).toContain('合并 14 条通知');
	expect(robot.messages[17]?.content).toContain('C0');
	await waitFor('the rest', async () => {
		await clock.advance(10_000);
		return (await running.alerting.history.listNotifications({ limit: 100 })).every((record) => record.state === 'sent');
	});
	expect(robot.answers.every((code) => code === 0)).toBe(true);
});

test('ten thousand alerts in one post are durable at once and make a bounded number of messages', async () => {
	running = await startAlerting({
		folder: folder.path,
		config: config('group_by: [team], group_wait: 0s'),
		clock: systemClock,
		secrets: { KEY },
	});
	await running.alerting.receive(outage(10_000));
	expect(running.alerting.alerts()).toHaveLength(10_000);
	expect(
		await running.state
			.selectFrom('alert')
			.select(({ fn }) => fn.countAll().as('count'))
			.execute(),
	).toEqual([{ count: 10_000 }]);
	await waitFor('the message', () => robot.messages.length === 1);
	expect(robot.messages[0]?.content).toContain('10000 条告警');
	expect(robot.messages[0]?.content).toContain('app-9999 无法访问');
	expect(robot.messages[0]?.content).toContain('另有 9988 条');
	// The message names the worst; the record has every one, with its number.
	const queued = running.state.selectFrom('alert_event').select(({ fn }) => fn.countAll().as('count'));
	expect(await queued.where('kind', '=', 'queued').where('detail', '=', 'oncall #1').execute()).toEqual([{ count: 10_000 }]);
});

test('all channels down for an hour: what fired and recovered meanwhile is told in one message when they are back', async () => {
	const clock = createManualClock();
	await robot.stop();
	running = await startAlerting({
		folder: folder.path,
		config: config('group_by: [alertname], group_wait: 0s, group_interval: 1m'),
		clock,
		secrets: { KEY },
	});
	const fired = postedAlert(
		{ alertname: 'NginxDown', severity: 'critical' },
		{ startsAtMs: clock.now(), endsAtMs: clock.now() + 86_400_000 },
		{ summary: 'Nginx 停了' },
	);
	await running.alerting.receive([fired]);
	/** Time passes step by step, so that refused connections have their real moment to fail. */
	const pass = async (minutes: number) => {
		for (let i = 0; i < minutes; i++) {
			await clock.advance(60_000);
			await new Promise((resolve) => setTimeout(resolve, 3));
		}
	};
	await pass(30);
	await running.alerting.receive([{ ...fired, endsAtMs: clock.now() }]);
	await pass(30);
	robot = await startFakeWechatRobot({ key: KEY, port: robot.port, now: clock.now });
	await waitFor('the message', async () => {
		await pass(1);
		return robot.messages.length > 0;
	});
	await pass(3);
	expect(robot.messages).toHaveLength(1);
	expect(robot.messages[0]?.content).toContain('恢复');
	expect(robot.messages[0]?.content).toContain('持续 30分');
	expect(robot.messages[0]?.content).not.toContain('可能重复');
	expect((await running.alerting.history.listNotifications({ limit: 10 })).map((record) => record.state)).toEqual(['sent', 'sent']);
});

test('what cannot be delivered at all is given up, on record', async () => {
	const clock = createManualClock();
	robot.fail({ kind: 'errcode', errcode: -1, errmsg: 'system busy' }, 10_000);
	running = await startAlerting({ folder: folder.path, config: config('group_wait: 0s', 'give_up_after: 10m'), clock, secrets: { KEY } });
	await running.alerting.receive([postedAlert({ alertname: 'A' }, { startsAtMs: clock.now() })]);
	const [record] = await waitFor('the end', async () => {
		await clock.advance(30_000);
		const all = await running.alerting.history.listNotifications({ limit: 10 });
		return all[0]?.state === 'expired' && all;
	});
	expect(record?.attempts.at(-1)).toMatchObject({ outcome: 'expired', reason: 'not delivered within 600 s' });
	expect(record?.attempts[0]).toMatchObject({ outcome: 'retry', code: '-1', reason: 'system busy' });
});
