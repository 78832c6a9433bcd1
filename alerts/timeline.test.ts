import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { postedAlert, type RunningAlerting, startAlerting } from '../tests/harness/alerting.ts';
import { type FakeWebhook, startFakeWebhook } from '../tests/harness/fake-webhook.ts';
import { createManualClock, type ManualClock } from '../tests/harness/manual-clock.ts';
import { type TemporaryFolder, temporaryFolder } from '../tests/harness/process.ts';
import { fingerprintOf } from './alert.ts';
import type { Notification } from './notify/notification.ts';

let folder: TemporaryFolder;
let hook: FakeWebhook;
let clock: ManualClock;
let running: RunningAlerting;
let zeroMs = 0;

beforeEach(async () => {
	folder = temporaryFolder('timeline');
	hook = await startFakeWebhook();
	clock = createManualClock();
	zeroMs = clock.now();
});

afterEach(async () => {
	await running.stop();
	await hook.stop();
	folder.remove();
});

const ROUTE = '{ receiver: a, group_by: [team], group_wait: 30s, group_interval: 5m, repeat_interval: 1h }';

async function start(options: { route?: string; more?: string; hook?: string } = {}): Promise<void> {
	const channel = `webhook_configs: [{ url: '${hook.url}'${options.hook ?? ''} }]`;
	running = await startAlerting({
		folder: folder.path,
		clock,
		config: `
route: ${options.route ?? ROUTE}
receivers: [{ name: a, ${channel} }, { name: b, ${channel} }, { name: nobody }]
${options.more ?? ''}`,
	});
}

const labelsOf = (name: string, more: Record<string, string> = {}) => ({ alertname: name, team: 'ops', ...more });
const startedAt = new Map<string, number>();

async function fire(name: string, more?: Record<string, string>): Promise<void> {
	startedAt.set(name, startedAt.get(name) ?? clock.now());
	await running.alerting.receive([
		postedAlert(labelsOf(name, more), { startsAtMs: startedAt.get(name) ?? 0, endsAtMs: clock.now() + 4 * 3_600_000 }),
	]);
}

async function resolve(name: string, more?: Record<string, string>): Promise<void> {
	await running.alerting.receive([postedAlert(labelsOf(name, more), { startsAtMs: startedAt.get(name) ?? 0, endsAtMs: clock.now() })]);
	startedAt.delete(name);
}

beforeEach(() => startedAt.clear());

const seconds = (count: number) => clock.advance(count * 1000);

/** What was put into the outbox: `30s a fired: A B` or `a resolved: -A`. */
async function told(): Promise<string[]> {
	await clock.settle();
	const rows = await running.state.selectFrom('notification').select('body').orderBy('number').execute();
	return rows.map(({ body }) => {
		const { createdAtMs, receiver, reason, alerts } = JSON.parse(body) as Notification;
		const named = (status: string, sign: string) =>
			alerts
				.filter((alert) => alert.status === status)
				.map((alert) => `${sign}${alert.labels['alertname']}`)
				.sort();
		const names = [...named('firing', ''), ...named('resolved', '-')].join(' ');
		return `${(createdAtMs - zeroMs) / 1000}s ${receiver} ${reason}: ${names}`;
	});
}

async function eventsOf(name: string, more?: Record<string, string>): Promise<string[]> {
	const events = await running.alerting.history.listAlertEvents({ fingerprint: fingerprintOf(labelsOf(name, more)), limit: 100 });
	return events.map((event) => event.kind);
}

async function restart(options?: Parameters<typeof start>[0]): Promise<void> {
	await running.stop();
	await start(options);
}

describe('grouping', () => {
	test('a group waits for company, then tells all', async () => {
		await start();
		await fire('A');
		await seconds(10);
		await fire('B');
		await seconds(19);
		expect(await told()).toEqual([]);
		await seconds(1);
		expect(await told()).toEqual(['30s a fired: A B']);
	});

	test('what joins later waits for the interval', async () => {
		await start();
		await fire('A');
		await seconds(40);
		await fire('B');
		await seconds(289);
		expect(await told()).toHaveLength(1);
		await seconds(1);
		expect(await told()).toEqual(['30s a fired: A', '330s a fired: A B']);
	});

	test('the shipped route sends a critical alert at once and collects the others', async () => {
		running = await startAlerting({
			folder: folder.path,
			clock,
			config: `receivers: [{ name: default, webhook_configs: [{ url: '${hook.url}' }] }]`,
		});
		await fire('A', { severity: 'critical' });
		await fire('B', { severity: 'warning' });
		expect(await told()).toEqual(['0s default fired: A']);
		await seconds(4);
		await resolve('A', { severity: 'critical' });
		await seconds(26);
		expect(await told()).toEqual(['0s default fired: A', '10s default resolved: -A', '30s default fired: B']);
	});

	test('an alert that came long ago is not made to wait again', async () => {
		await start();
		await running.alerting.receive([postedAlert(labelsOf('A'), { startsAtMs: zeroMs - 60_000 })]);
		expect(await told()).toEqual(['0s a fired: A']);
	});

	test('group_by [...] makes a group of each alert', async () => {
		await start({ route: "{ receiver: a, group_by: ['...'], group_wait: 0s }" });
		await fire('A');
		await fire('B');
		expect(await told()).toEqual(['0s a fired: A', '0s a fired: B']);
	});

	test('continue tells two receivers', async () => {
		await start({
			route: `{ receiver: a, group_wait: 0s, routes: [{ matchers: ['team="ops"'], receiver: b, continue: true }, { matchers: ['alertname="A"'] }] }`,
		});
		await running.alerting.receive([postedAlert(labelsOf('A'), { startsAtMs: zeroMs })]);
		expect((await told()).sort()).toEqual(['0s a fired: A', '0s b fired: A']);
		await seconds(600);
		expect((await told()).slice(2).sort()).toEqual(['300s a resolved: -A', '300s b resolved: -A']);
		// It expired once, however many were told.
		expect(await eventsOf('A')).toEqual(['fired', 'queued', 'queued', 'expired', 'queued', 'queued']);
	});
});

describe('repeating and resolving', () => {
	test('an alert that goes on is told again at the first turn after repeat_interval', async () => {
		await start();
		await fire('A');
		await seconds(3 * 3600);
		expect(await told()).toEqual(['30s a fired: A', '3630s a repeat: A', '7230s a repeat: A']);
	});

	test('resolved within group_wait: nobody is told, and that is on record', async () => {
		await start();
		await fire('A');
		await seconds(20);
		await resolve('A');
		await seconds(600);
		expect(await told()).toEqual([]);
		expect(await eventsOf('A')).toEqual(['fired', 'resolved', 'untold']);
		expect(running.alerting.groups()).toEqual([]);
	});

	test('a recovery is told at the next turn, once', async () => {
		await start();
		await fire('A');
		await fire('B');
		await seconds(60);
		await resolve('A');
		await seconds(600);
		await resolve('A');
		await seconds(600);
		expect(await told()).toEqual(['30s a fired: A B', '330s a resolved: B -A']);
		expect(await eventsOf('A')).toEqual(['fired', 'queued', 'resolved', 'queued']);
	});

	test('an alert that nobody posts any more expires and is told as resolved', async () => {
		await start();
		await running.alerting.receive([postedAlert(labelsOf('A'), { startsAtMs: zeroMs })]);
		await seconds(700);
		expect(await told()).toEqual(['30s a fired: A', '330s a resolved: -A']);
		expect(await eventsOf('A')).toEqual(['fired', 'queued', 'expired', 'queued']);
		const rows = await running.state.selectFrom('notification').select('body').orderBy('number').execute();
		// It ended when its life did, not when somebody looked.
		expect((JSON.parse(rows.at(-1)?.body ?? '{}') as Notification).alerts[0]?.endsAtMs).toBe(zeroMs + 300_000);
	});

	test('firing again after the recovery is told anew', async () => {
		await start();
		await fire('A');
		await seconds(40);
		await resolve('A');
		await seconds(300);
		await fire('A');
		await seconds(30);
		expect(await told()).toEqual(['30s a fired: A', '330s a resolved: -A', '370s a fired: A']);
	});

	test('a channel without recoveries hears of none', async () => {
		await start({ hook: ', send_resolved: false' });
		await fire('A');
		await fire('B');
		await seconds(40);
		await resolve('A');
		await seconds(300);
		// The recovery that it is spared comes along with something new.
		await fire('C');
		await fire('A');
		await seconds(300);
		await resolve('C');
		await fire('D');
		await seconds(300);
		await resolve('A');
		await resolve('D');
		await seconds(4000);
		expect(await told()).toEqual(['30s a fired: A B', '630s a fired: A B C', '930s a fired: A B D', '4830s a repeat: B']);
		await resolve('B');
		await seconds(900);
		expect(await told()).toHaveLength(4);
	});

	test('a receiver without channels leaves a record', async () => {
		await start({ route: '{ receiver: nobody, group_wait: 0s }' });
		await fire('A');
		expect(await told()).toEqual([]);
		expect(await eventsOf('A')).toEqual(['fired', 'recorded']);
	});
});

describe('silences and inhibition', () => {
	const silence = (name: string, forSeconds: number) =>
		running.alerting.silences.set({
			matchers: [{ name: 'alertname', operator: '=', value: name }],
			startsAtMs: clock.now(),
			endsAtMs: clock.now() + forSeconds * 1000,
			createdBy: '张三',
			comment: '升级',
		});

	test('what a silence hides is on record, and told when the silence ends', async () => {
		await start();
		const id = await silence('A', 400);
		await fire('A');
		await seconds(60);
		expect(await told()).toEqual([]);
		expect(running.alerting.alerts()).toMatchObject([{ state: 'suppressed', silencedBy: [id] }]);
		await seconds(600);
		expect(await told()).toEqual(['630s a fired: A']);
		expect(await eventsOf('A')).toEqual(['fired', 'suppressed', 'unsuppressed', 'queued']);
	});

	test('whoever was told of the firing is told of the recovery, silence or not', async () => {
		await start();
		await fire('A');
		await seconds(60);
		await silence('A', 86_400);
		await seconds(300);
		await resolve('A');
		await seconds(300);
		expect(await told()).toEqual(['30s a fired: A', '630s a resolved: -A']);
	});

	test('a silence outlives a restart', async () => {
		await start();
		await silence('A', 3600);
		await restart();
		await fire('A');
		await seconds(60);
		expect(await told()).toEqual([]);
	});

	test('an inhibited alert is told when its cause is gone', async () => {
		const more = `inhibit_rules: [{ source_matchers: ['alertname="HostDown"'], target_matchers: ['alertname!="HostDown"'], equal: [host] }]`;
		await start({ more });
		await fire('HostDown', { host: 'app-1' });
		await fire('A', { host: 'app-1' });
		await fire('B', { host: 'app-2' });
		await seconds(60);
		expect(await told()).toEqual(['30s a fired: B HostDown']);
		await restart({ more });
		await seconds(330);
		expect(await told()).toHaveLength(1);
		await resolve('HostDown', { host: 'app-1' });
		await seconds(600);
		expect((await told()).slice(1)).toEqual([expect.stringMatching(/a fired: A B -HostDown$/)]);
		expect(await eventsOf('A', { host: 'app-1' })).toEqual(['fired', 'suppressed', 'unsuppressed', 'queued']);
	});
});

describe('restart and reload', () => {
	test('nothing is told twice, nothing resolves by itself, and the recovery is told', async () => {
		await start();
		await running.alerting.receive([postedAlert(labelsOf('A'), { startsAtMs: zeroMs })]);
		await seconds(60);
		await running.stop();
		// Down for longer than resolve_timeout.
		await seconds(900);
		await start();
		await seconds(200);
		expect(await told()).toEqual(['30s a fired: A']);
		await running.alerting.receive([postedAlert(labelsOf('A'), { startsAtMs: zeroMs, endsAtMs: clock.now() })]);
		await seconds(300);
		expect(await told()).toEqual(['30s a fired: A', expect.stringMatching(/a resolved: -A$/)]);
	});

	test('a recovery that was owed when the process ended is told after it', async () => {
		await start();
		await fire('A');
		await seconds(60);
		await resolve('A');
		await restart();
		await seconds(1);
		expect(await told()).toEqual(['30s a fired: A', '60s a resolved: -A']);
	});

	test('an alert that had not been told yet is told after a restart', async () => {
		await start();
		await fire('A');
		await seconds(10);
		await restart();
		await seconds(30);
		expect(await told()).toEqual([expect.stringMatching(/a fired: A$/)]);
	});

	test.each([
		{ name: 'a restart' },
		{ name: 'a reload' },
	])('after $name with another route the recovery goes where the firing went', async ({ name }) => {
		await start();
		await fire('A');
		await seconds(60);
		const route = '{ receiver: b, group_wait: 0s, group_interval: 5m }';
		if (name === 'a restart') await restart({ route });
		else {
			const { alertsConfig } = await import('../tests/harness/alerting.ts');
			const channel = `webhook_configs: [{ url: '${hook.url}' }]`;
			await running.alerting.prepare(alertsConfig(`{ route: ${route}, receivers: [{ name: a, ${channel} }, { name: b, ${channel} }] }`))();
		}
		await seconds(1);
		expect(await told()).toEqual(['30s a fired: A', '60s b fired: A']);
		await resolve('A');
		await seconds(600);
		expect((await told()).slice(2).sort()).toEqual([expect.stringMatching(/a resolved: -A$/), expect.stringMatching(/b resolved: -A$/)]);
		await seconds(600);
		expect(await told()).toHaveLength(4);
	});
});

test('a machine that was suspended tells no false recovery', async () => {
	await start();
	await running.alerting.receive([postedAlert(labelsOf('A'), { startsAtMs: zeroMs })]);
	await seconds(60);
	await clock.jump(3_600_000);
	expect((await told()).filter((line) => line.includes('resolved'))).toEqual([]);
	await seconds(900);
	expect((await told()).at(-1)).toMatch(/a resolved: -A$/);
});

describe('bounds', () => {
	test('a full outbox makes groups wait, the most severe last of all, and loses nothing', async () => {
		await hook.stop();
		await start({ route: "{ receiver: a, group_by: ['...'], group_wait: 30s }", more: 'max_outbox: 2' });
		for (const name of ['A', 'B', 'C']) await fire(name, { severity: 'info' });
		await fire('D', { severity: 'critical' });
		await seconds(40);
		expect(await told()).toEqual(['30s a fired: D', '30s a fired: A']);
		const { port } = hook;
		hook = await startFakeWebhook({ port });
		for (let i = 0; i < 200 && (await told()).length < 4; i++) {
			await seconds(1);
			await new Promise((resolve) => setTimeout(resolve, 5));
		}
		expect((await told()).map((line) => line.split(' ').slice(1).join(' '))).toEqual([
			'a fired: D',
			'a fired: A',
			'a fired: B',
			'a fired: C',
		]);
	});

	test('too many alerts are refused as a whole, known ones still pass', async () => {
		await start({ more: 'max_alerts: 2' });
		await fire('A');
		await fire('B');
		const post = running.alerting.receive(['C', 'A'].map((name) => postedAlert(labelsOf(name), { startsAtMs: clock.now() })));
		await expect(post).rejects.toMatchObject({ code: 'FN_ALERTS_FULL', retryable: true, status: 503 });
		expect(running.alerting.alerts()).toHaveLength(2);
		await fire('A');
		await resolve('A');
		expect(running.alerting.alerts()).toMatchObject([{ alert: { labels: { alertname: 'B' } } }]);
	});
});
