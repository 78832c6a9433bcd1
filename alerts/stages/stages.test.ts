import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { postedAlert, type RunningAlerting, startAlerting } from '../../tests/harness/alerting.ts';
import { type FakeWebhook, startFakeWebhook } from '../../tests/harness/fake-webhook.ts';
import { createManualClock, type ManualClock } from '../../tests/harness/manual-clock.ts';
import { type TemporaryFolder, temporaryFolder } from '../../tests/harness/process.ts';
import { fingerprintOf } from '../alert.ts';
import type { Notification } from '../notify/notification.ts';

let folder: TemporaryFolder;
let hook: FakeWebhook;
let clock: ManualClock;
let running: RunningAlerting;
let config = '';
let zeroMs = 0;

beforeEach(async () => {
	folder = temporaryFolder('stages');
	hook = await startFakeWebhook();
	clock = createManualClock();
	zeroMs = clock.now();
});

afterEach(async () => {
	await running.stop();
	await hook.stop();
	folder.remove();
});

async function start(route: string, more = ''): Promise<void> {
	config = `
route: ${route}
receivers: [{ name: a, webhook_configs: [{ url: '${hook.url}' }] }, { name: b, webhook_configs: [{ url: '${hook.url}' }] }]
${more}`;
	running = await startAlerting({ folder: folder.path, clock, config });
}

async function restart(): Promise<void> {
	await running.stop();
	running = await startAlerting({ folder: folder.path, clock, config });
}

const labelsOf = (name: string, more: Record<string, string> = {}) => ({ alertname: name, team: 'ops', ...more });
const fire = (name: string, more?: Record<string, string>) =>
	running.alerting.receive([postedAlert(labelsOf(name, more), { startsAtMs: clock.now(), endsAtMs: clock.now() + 86_400_000 })]);
const resolve = (name: string, more?: Record<string, string>) =>
	running.alerting.receive([postedAlert(labelsOf(name, more), { startsAtMs: 0, endsAtMs: clock.now() })]);
const seconds = (count: number) => clock.advance(count * 1000);

async function notifications(): Promise<Notification[]> {
	await clock.settle();
	const rows = await running.state.selectFrom('notification').select('body').orderBy('number').execute();
	return rows.map(({ body }) => JSON.parse(body) as Notification);
}

async function told(): Promise<string[]> {
	return (await notifications()).map(({ createdAtMs, receiver, alerts }) => {
		const names = alerts.map((alert) => `${alert.status === 'firing' ? '' : '-'}${alert.labels['alertname']}${alert.flapping ? '~' : ''}`);
		return `${(createdAtMs - zeroMs) / 1000}s ${receiver}: ${names.sort().join(' ')}`;
	});
}

async function kinds(name: string, more?: Record<string, string>): Promise<string[]> {
	const events = await running.alerting.history.listAlertEvents({ fingerprint: fingerprintOf(labelsOf(name, more)), limit: 500 });
	return events.map(({ kind, detail }) => (kind === 'suppressed' ? `${kind} ${detail}` : kind));
}

describe('time mute', () => {
	// The clock begins at 01:00 UTC.
	const ROUTE = `{ receiver: a, group_wait: 0s, group_interval: 1m, routes: [{ matchers: ['team="ops"'], KEY: [night] }] }`;
	const NIGHT = "time_intervals: [{ name: night, time_intervals: [{ times: [{ start_time: '01:00', end_time: '02:00' }] }] }]";

	test('what a route mutes is told when its time is over, and is on record meanwhile', async () => {
		await start(ROUTE.replace('KEY', 'mute_time_intervals'), NIGHT);
		await fire('A');
		await seconds(1800);
		expect(await told()).toEqual([]);
		expect(await kinds('A')).toEqual(['fired', 'suppressed time:night a']);
		await seconds(1860);
		expect(await told()).toEqual(['3600s a: A']);
	});

	test('a recovery waits for the end of the night too, also over a restart', async () => {
		await start(ROUTE.replace('KEY', 'active_time_intervals'), NIGHT);
		await fire('A');
		await seconds(3600);
		expect(await told()).toEqual(['0s a: A']);
		await resolve('A');
		await seconds(3600);
		await restart();
		await seconds(3600);
		expect(await told()).toEqual(['0s a: A']);
		// The next day at one.
		await seconds(21 * 3600 + 120);
		expect((await told()).slice(1)).toEqual(['86400s a: -A']);
	});

	test('a group that only owes recoveries after a restart still tells what fires next', async () => {
		await start(ROUTE.replace('KEY', 'active_time_intervals'), NIGHT);
		await fire('A');
		await seconds(3700);
		await resolve('A');
		await restart();
		await fire('B');
		await seconds(24 * 3600);
		expect((await told()).slice(1)).toEqual(['86440s a: -A B']);
	});

	test('the older name of the list works as well', async () => {
		await start(ROUTE.replace('KEY', 'mute_time_intervals'), NIGHT.replace('time_intervals: [{ name', 'mute_time_intervals: [{ name'));
		await fire('A');
		await seconds(60);
		expect(await told()).toEqual([]);
	});
});

describe('flapping', () => {
	const ROUTE = '{ receiver: a, group_wait: 0s, group_interval: 10s, repeat_interval: 4h }';
	const LIMITS = 'flapping: { firings: 2, window: 1h, calm_after: 10m }';
	const flap = async (times: number) => {
		for (let i = 0; i < times; i++) {
			await fire('A');
			await seconds(30);
			await resolve('A');
			await seconds(30);
		}
	};

	test('is told once, and when it calms', async () => {
		await start(ROUTE, LIMITS);
		await flap(8);
		expect(await told()).toEqual(['0s a: A', '40s a: -A', '60s a: A', '100s a: -A', '120s a: A~']);
		await seconds(1200);
		expect((await told()).slice(5)).toEqual(['1050s a: -A']);
		expect((await kinds('A')).filter((kind) => kind === 'flapping' || kind === 'calmed')).toEqual(['flapping', 'calmed']);
		expect(running.alerting.groups()).toEqual([]);
	});

	test('calm and still firing is told once more', async () => {
		await start(ROUTE, LIMITS);
		await flap(4);
		await fire('A');
		await seconds(1200);
		expect((await told()).slice(4)).toEqual(['120s a: A~', '840s a: A']);
	});

	test('a restart forgets neither that it flaps nor what it owes', async () => {
		await start(ROUTE, LIMITS);
		await flap(4);
		await restart();
		await flap(2);
		expect(await told()).toHaveLength(5);
		await restart();
		await seconds(1200);
		expect((await told()).slice(5)).toEqual([expect.stringMatching(/a: -A$/)]);
		await seconds(7200);
		await flap(1);
		expect(await told()).toHaveLength(8);
	});

	test('what comes and goes slowly is told each time', async () => {
		await start(ROUTE, 'flapping: { firings: 2, window: 1h, calm_after: 6h }');
		for (let i = 0; i < 4; i++) {
			await flap(1);
			await seconds(40 * 60);
		}
		expect((await told()).map((one) => one.replace(/^\d+s /, ''))).toEqual([
			'a: A',
			'a: -A',
			'a: A',
			'a: -A',
			'a: A',
			'a: -A',
			'a: A',
			'a: -A',
		]);
	});

	test('0 switches it off', async () => {
		await start(ROUTE, 'flapping: { firings: 0 }');
		await flap(8);
		expect(await told()).toHaveLength(16);
	});
});

describe('storm', () => {
	const ROUTE = "{ receiver: a, group_by: ['...'], group_wait: 0s, group_interval: 10s }";
	const many = (from: number, to: number, more: Record<string, string> = {}) =>
		running.alerting.receive(
			Array.from({ length: to - from }, (_, i) =>
				postedAlert(labelsOf(`A${from + i}`, more), { startsAtMs: clock.now(), endsAtMs: clock.now() + 86_400_000 }),
			),
		);

	test('over the limit one digest per team and minute tells the rest, and every alert is on record with its number', async () => {
		await start(ROUTE, 'storm: { messages: 3 }');
		await many(0, 50);
		await seconds(5);
		expect((await notifications()).map(({ merged, firingCount }) => [merged, firingCount])).toEqual([
			[1, 1],
			[1, 1],
			[1, 1],
			[47, 47],
		]);
		await many(50, 70);
		await seconds(40);
		expect(await notifications()).toHaveLength(4);
		await seconds(30);
		const all = await notifications();
		expect(all.slice(4).map(({ merged, createdAtMs }) => [merged, createdAtMs - zeroMs])).toEqual([[20, 60_000]]);
		for (const name of ['A0', 'A30', 'A69']) expect(await kinds(name)).toEqual(['fired', 'queued']);
		await seconds(300);
		await many(70, 71);
		await seconds(1);
		expect((await notifications()).at(-1)?.merged).toBe(1);
	});

	test('teams do not wait for each other, and nothing critical waits for warnings', async () => {
		await start(ROUTE, 'storm: { messages: 3 }');
		await many(0, 50, { severity: 'warning' });
		await seconds(5);
		await many(0, 1, { severity: 'warning', team: 'dba' });
		await many(90, 91, { severity: 'critical' });
		await seconds(1);
		const late = (await notifications()).slice(4).map(({ alerts }) => alerts[0]?.labels);
		expect(late).toMatchObject([{ team: 'dba' }, { severity: 'critical' }]);
	});

	test('recoveries of a digest are told once each, where the firing was', async () => {
		await start(ROUTE, 'storm: { messages: 3 }');
		await many(0, 30);
		await seconds(70);
		for (let i = 0; i < 30; i++) await resolve(`A${i}`);
		await seconds(300);
		const resolved = (await notifications()).flatMap(({ alerts }) => alerts.filter(({ status }) => status === 'resolved'));
		expect(new Set(resolved.map(({ fingerprint }) => fingerprint)).size).toBe(30);
		expect(resolved).toHaveLength(30);
		expect(running.alerting.groups()).toEqual([]);
	});

	test('more groups than a round takes still make one minute of digests', async () => {
		await start(ROUTE, 'storm: { messages: 3 }');
		await many(0, 2500);
		await seconds(5);
		const all = await notifications();
		expect(all.reduce((sum, { merged }) => sum + merged, 0)).toBe(2500);
		expect(all.length).toBeLessThanOrEqual(6);
	});
});

describe('silences', () => {
	const silence = (more: object) =>
		running.alerting.silences.set({
			matchers: [{ name: 'alertname', operator: '=~', value: 'A|B' }],
			startsAtMs: clock.now(),
			endsAtMs: clock.now() + 7 * 86_400_000,
			createdBy: '张三',
			comment: '每日维护',
			...more,
		});
	const ROUTE = '{ receiver: a, group_wait: 0s, group_interval: 1m }';

	test('one that comes back hides only inside of its times, also after a restart', async () => {
		await start(ROUTE);
		const id = await silence({
			recurrence: [
				{ times: [{ start_time: '02:00', end_time: '03:00' }], weekdays: [], days_of_month: [], months: [], years: [], location: 'UTC' },
			],
		});
		await fire('A');
		await seconds(1);
		expect(await told()).toEqual(['0s a: A']);
		await restart();
		await seconds(3700);
		expect(running.alerting.alerts()[0]?.silencedBy).toEqual([id]);
		await fire('B');
		await seconds(60);
		expect(await told()).toHaveLength(1);
		await seconds(3600);
		expect((await told()).slice(1)).toEqual([expect.stringMatching(/A B$/)]);
	});

	test('carries its price', async () => {
		await start(ROUTE);
		const id = await silence({});
		const price = async () => {
			const found = running.alerting.silences.get(id);
			return found === undefined ? null : running.alerting.history.silencePrice(found, clock.now());
		};
		expect(await price()).toEqual({ messages: 0, criticalSeconds: 0 });
		await fire('A', { severity: 'critical' });
		await fire('B', { severity: 'warning' });
		await seconds(120);
		expect(await price()).toEqual({ messages: 2, criticalSeconds: 120 });
		await fire('B', { severity: 'critical' });
		await seconds(60);
		await resolve('A', { severity: 'critical' });
		await seconds(32);
		await resolve('B', { severity: 'critical' });
		await seconds(600);
		expect(await price()).toEqual({ messages: 3, criticalSeconds: 212 });
		expect(await told()).toEqual([]);
	});
});
