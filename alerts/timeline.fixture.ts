import { afterEach, beforeEach } from 'vitest';
import { postedAlert, type RunningAlerting, startAlerting } from '../tests/harness/alerting.ts';
import { type FakeWebhook, startFakeWebhook } from '../tests/harness/fake-webhook.ts';
import { createManualClock, type ManualClock } from '../tests/harness/manual-clock.ts';
import { type TemporaryFolder, temporaryFolder } from '../tests/harness/process.ts';
import { fingerprintOf } from './alert.ts';
import type { Notification } from './notify/notification.ts';

let folder: TemporaryFolder;
/** Where messages go; `comeBack` starts it again on its port. */
export let hook: FakeWebhook;
export let clock: ManualClock;
export let running: RunningAlerting;
/** Times of what is told count from here. */
export let zeroMs = 0;

/** A folder, a receiver of messages and a clock of its own for every test; whatever was started ends with it. */
export function everyTimeline(): void {
	beforeEach(async () => {
		folder = temporaryFolder('timeline');
		hook = await startFakeWebhook();
		clock = createManualClock();
		zeroMs = clock.now();
		startedAt.clear();
	});

	afterEach(async () => {
		await running.stop();
		await hook.stop();
		folder.remove();
	});
}

/** After `hook.stop()`. */
export async function comeBack(): Promise<void> {
	hook = await startFakeWebhook({ port: hook.port });
}

const ROUTE = '{ receiver: a, group_by: [team], group_wait: 30s, group_interval: 5m, repeat_interval: 1h }';

/** The whole configuration as it is written. */
export async function startWith(config: string): Promise<void> {
	running = await startAlerting({ folder: folder.path, clock, config });
}

export async function start(options: { route?: string; more?: string; hook?: string } = {}): Promise<void> {
	const channel = `webhook_configs: [{ url: '${hook.url}'${options.hook ?? ''} }]`;
	await startWith(`
route: ${options.route ?? ROUTE}
receivers: [{ name: a, ${channel} }, { name: b, ${channel} }, { name: nobody }]
${options.more ?? ''}`);
}

export const labelsOf = (name: string, more: Record<string, string> = {}) => ({ alertname: name, team: 'ops', ...more });
const startedAt = new Map<string, number>();

export async function fire(name: string, more?: Record<string, string>): Promise<void> {
	startedAt.set(name, startedAt.get(name) ?? clock.now());
	await running.alerting.receive([
		postedAlert(labelsOf(name, more), { startsAtMs: startedAt.get(name) ?? 0, endsAtMs: clock.now() + 4 * 3_600_000 }),
	]);
}

export async function resolve(name: string, more?: Record<string, string>): Promise<void> {
	await running.alerting.receive([postedAlert(labelsOf(name, more), { startsAtMs: startedAt.get(name) ?? 0, endsAtMs: clock.now() })]);
	startedAt.delete(name);
}

export const seconds = (count: number) => clock.advance(count * 1000);

/** What was put into the outbox: `30s a fired: A B` or `a resolved: -A`. */
export async function told(): Promise<string[]> {
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

export async function eventsOf(name: string, more?: Record<string, string>): Promise<string[]> {
	const events = await running.alerting.history.listAlertEvents({ fingerprint: fingerprintOf(labelsOf(name, more)), limit: 100 });
	return events.map((event) => event.kind);
}

export async function restart(options?: Parameters<typeof start>[0]): Promise<void> {
	await running.stop();
	await start(options);
}
