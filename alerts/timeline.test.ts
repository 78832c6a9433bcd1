import { describe, expect, test } from 'vitest';
import { postedAlert } from '../tests/harness/alerting.ts';
import type { Notification } from './notify/notification.ts';
import {
	clock,
	eventsOf,
	everyTimeline,
	fire,
	hook,
	labelsOf,
	resolve,
	restart,
	running,
	seconds,
	start,
	startWith,
	told,
	zeroMs,
} from './timeline.fixture.ts';

everyTimeline();

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
		await startWith(`receivers: [{ name: default, webhook_configs: [{ url: '${hook.url}' }] }]`);
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
