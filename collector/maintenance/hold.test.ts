import { Gauge, Registry } from 'prom-client';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fingerprintOf } from '../../alerts/alert.ts';
import type { Notification } from '../../alerts/notify/notification.ts';
import { configOrThrow } from '../../core/config-file.ts';
import { silentLogger } from '../../core/log.ts';
import { postedAlert, type RunningAlerting, startAlerting } from '../../tests/harness/alerting.ts';
import { type FakeWebhook, startFakeWebhook } from '../../tests/harness/fake-webhook.ts';
import { createManualClock, type ManualClock } from '../../tests/harness/manual-clock.ts';
import { type TemporaryFolder, temporaryFolder } from '../../tests/harness/process.ts';
import { parseInventoryFile } from '../inventory/inventory-yaml.ts';
import { maintenanceCoverage } from './coverage.ts';
import { createMaintenance, type Maintenance, type Overrun } from './maintenance.ts';
import { maintenanceWatch } from './maintenance-watch.ts';
import { foldWindow } from './window.ts';

const MINUTE = 60_000;
const inventory = configOrThrow(
	parseInventoryFile(
		'inventory:\n  hosts: [{ id: db-1 }]\n  checks: [{ id: own }, { id: shared }]\n' +
			'  services: [{ id: mis, name: MIS, checks: [own, shared] }, { id: gis, name: GIS, checks: [shared] }]\n',
		'x.yml',
	),
);
const asks = { account: 'asks', role: 'operator' };
const decides = { account: 'decides', role: 'system' };

describe('what a window covers', () => {
	const window = (id: string, services: string[], hosts: string[] = []) =>
		foldWindow(id, [
			{
				kind: 'requested',
				atMs: 0,
				actor: 'a',
				request: { title: 't', services, hosts, fromMs: 0, toMs: 1, recurrence: null, reason: '', rollback: '' },
			},
		]);
	test.each([
		{ name: 'its service', labels: { service: 'mis' }, wanted: 'w' },
		{ name: 'another service', labels: { service: 'gis' }, wanted: '' },
		{ name: 'a check of its own', labels: { check: 'own' }, wanted: 'w' },
		{ name: 'a check that another service needs', labels: { check: 'shared' }, wanted: '' },
		{ name: 'a host that it names', labels: { host: 'db-1' }, wanted: 'w' },
		{ name: 'a host as the instance', labels: { instance: 'db-1' }, wanted: 'w' },
		{ name: 'another service on a host that it names', labels: { service: 'gis', host: 'db-1' }, wanted: 'w' },
		{ name: 'a host that it does not name', labels: { host: 'db-2' }, wanted: '' },
		{ name: 'a reminder of the desk', labels: { alertname: 'FaultStepDue', service: 'mis' }, wanted: '' },
		{ name: 'nothing in particular', labels: {}, wanted: '' },
	])('$name', ({ labels, wanted }) => {
		expect(maintenanceCoverage([window('w', ['mis'], ['db-1'])], inventory)({ alertname: 'A', ...labels })).toBe(wanted);
	});

	test('two windows together may cover a shared check', () => {
		const covers = maintenanceCoverage([window('w', ['mis']), window('v', ['gis'])], inventory);
		expect(covers({ alertname: 'A', check: 'shared' })).toBe('w');
	});
});

describe('approved maintenance', () => {
	let folder: TemporaryFolder;
	let hook: FakeWebhook;
	let clock: ManualClock;
	let maintenance: Maintenance;
	let running: RunningAlerting;
	let zeroMs = 0;
	let opened = false;

	beforeEach(async () => {
		folder = temporaryFolder('hold');
		hook = await startFakeWebhook();
		clock = createManualClock();
		zeroMs = clock.now();
		running = await startAlerting({
			folder: folder.path,
			clock,
			config: `route: { receiver: a, group_wait: 0s, group_interval: 1m, group_by: ['...'] }\nreceivers: [{ name: a, webhook_configs: [{ url: '${hook.url}' }] }]`,
			maintenance: (nowMs) => (opened ? maintenance.hold(nowMs) : () => ''),
		});
		maintenance = await createMaintenance({ state: running.state, clock, inventory: () => inventory });
		opened = true;
	});
	afterEach(async () => {
		opened = false;
		await running.stop();
		await hook.stop();
		folder.remove();
	});

	const minutes = (count: number) => clock.advance(count * MINUTE);
	const labelsOf = (name: string, service: string) => ({ alertname: name, service, severity: 'critical' });
	const fire = (name: string, service: string) =>
		running.alerting.receive([postedAlert(labelsOf(name, service), { startsAtMs: clock.now(), endsAtMs: clock.now() + 86_400_000 })]);
	const resolve = (name: string, service: string) =>
		running.alerting.receive([postedAlert(labelsOf(name, service), { startsAtMs: 0, endsAtMs: clock.now() })]);
	const told = async () => {
		await clock.settle();
		const rows = await running.state.selectFrom('notification').select('body').orderBy('number').execute();
		return rows
			.map(({ body }) => JSON.parse(body) as Notification)
			.map(
				({ createdAtMs, alerts }) =>
					`${Math.floor((createdAtMs - zeroMs) / MINUTE)} ${alerts.map(({ status, labels }) => `${status === 'firing' ? '' : '-'}${labels['alertname']}`).join(' ')}`,
			);
	};
	const events = async (name: string, service: string) =>
		(await running.alerting.history.listAlertEvents({ fingerprint: fingerprintOf(labelsOf(name, service)), limit: 50 })).map(
			({ kind, detail }) => `${kind} ${detail}`.trim(),
		);
	/** From minute 10 to minute 70. */
	const approved = async () => {
		const request = { title: '升级', services: ['mis'], recurrence: null, reason: '', rollback: '' };
		const { id } = await maintenance.request({ ...request, fromMs: zeroMs + 10 * MINUTE, toMs: zeroMs + 70 * MINUTE }, asks);
		await maintenance.approve(id, decides, '');
		return id;
	};

	test('holds what it covers, on record and priced, and what still fires is told after its end', async () => {
		const id = await approved();
		await minutes(20);
		await fire('Held', 'mis');
		await fire('Gone', 'mis');
		await fire('Other', 'gis');
		await minutes(10);
		await resolve('Gone', 'mis');
		await minutes(10);
		expect(await told()).toEqual(['20 Other']);
		expect(running.alerting.alerts().map(({ alert, state: shown, maintenance: by }) => [alert.labels['alertname'], shown, by])).toEqual([
			['Held', 'suppressed', id],
			['Other', 'active', ''],
		]);
		expect(await events('Held', 'mis')).toEqual(['fired', `suppressed maintenance:${id} critical`]);
		expect(await running.alerting.history.maintenancePrice(id, clock.now())).toEqual({ messages: 2, criticalSeconds: 20 * 60 });
		await minutes(35);
		expect(await told()).toEqual(['20 Other', expect.stringMatching(/^7\d Held$/)]);
		expect((await events('Held', 'mis')).slice(2, 3)).toEqual([`unsuppressed maintenance:${id} critical`.replace(' critical', '')]);
		expect(await events('Gone', 'mis')).toContain('untold a');
	});

	test('holds nothing that was only asked for, and nothing after an early end', async () => {
		const request = { title: '升级', services: ['gis'], recurrence: null, reason: '', rollback: '' };
		await maintenance.request({ ...request, fromMs: zeroMs + 10 * MINUTE, toMs: zeroMs + 70 * MINUTE }, asks);
		const id = await approved();
		await minutes(20);
		await fire('Asked', 'gis');
		await fire('Held', 'mis');
		await minutes(5);
		expect(await told()).toEqual(['20 Asked']);
		await maintenance.record(id, asks, { kind: 'ended', occurrenceMs: zeroMs + 10 * MINUTE, actualMs: clock.now() });
		await minutes(3);
		expect((await told()).at(-1)).toMatch(/^2\d Held$/);
	});

	test('tells its owner while work goes on after the planned end, and not before or after', async () => {
		const id = await approved();
		const tellings: (readonly Overrun[])[] = [];
		const registers = [new Registry()];
		const active = new Gauge({ name: 'a', help: 'a', registers });
		const overruns = new Gauge({ name: 'b', help: 'b', registers });
		const watch = maintenanceWatch({
			maintenance,
			tell: async (list) => void tellings.push(list),
			clock,
			log: silentLogger,
			active,
			overruns,
		});
		const gauges = async () => [(await active.get()).values[0]?.value, (await overruns.get()).values[0]?.value];
		await minutes(12);
		const occurrenceMs = zeroMs + 10 * MINUTE;
		await maintenance.record(id, asks, { kind: 'started', occurrenceMs, actualMs: clock.now() });
		await watch.turn();
		expect([await gauges(), tellings]).toEqual([[1, 0], []]);
		await minutes(60);
		await watch.turn();
		expect(await gauges()).toEqual([0, 1]);
		expect(tellings.map((list) => list.map(({ window, plannedEndMs }) => [window.requestedBy, plannedEndMs]))).toEqual([
			[['asks', zeroMs + 70 * MINUTE]],
		]);
		await maintenance.record(id, asks, { kind: 'ended', occurrenceMs, actualMs: clock.now() });
		await watch.turn();
		expect([await gauges(), tellings.length]).toEqual([[0, 0], 1]);
	});
});
