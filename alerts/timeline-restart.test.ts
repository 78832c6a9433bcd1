import { describe, expect, test } from 'vitest';
import { alertsConfig, postedAlert } from '../tests/harness/alerting.ts';
import {
	clock,
	comeBack,
	everyTimeline,
	fire,
	hook,
	labelsOf,
	resolve,
	restart,
	running,
	seconds,
	start,
	told,
	zeroMs,
} from './timeline.fixture.ts';

everyTimeline();

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
		await comeBack();
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
