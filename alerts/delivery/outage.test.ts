import { afterEach, beforeEach, expect, test } from 'vitest';
import { postedAlert, type RunningAlerting, startAlerting } from '../../tests/harness/alerting.ts';
import { type FakeWebhook, startFakeWebhook } from '../../tests/harness/fake-webhook.ts';
import { createManualClock, type ManualClock } from '../../tests/harness/manual-clock.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../../tests/harness/process.ts';

const MINUTES = 60;

let folder: TemporaryFolder;
let clock: ManualClock;
let webhook: FakeWebhook;
let running: RunningAlerting;

beforeEach(async () => {
	folder = temporaryFolder('outage');
	clock = createManualClock();
	webhook = await startFakeWebhook({ now: clock.now });
	running = await startAlerting({
		folder: folder.path,
		clock,
		config: `route: { receiver: r, group_by: [alertname], group_wait: 0s }
receivers: [{ name: r, webhook_configs: [{ url: '${webhook.url}', timeout: 1s }] }]
max_outbox: 40
storm: { messages: 0 }`,
	});
});

afterEach(async () => {
	await running.stop();
	await webhook.stop();
	folder.remove();
});

const pause = () => new Promise((resolve) => setTimeout(resolve, 5));

test('all channels down for an hour: bounded meanwhile, and on return the most severe first, the newer of them before the older, with nothing lost', async () => {
	webhook.fail({ kind: 'status', status: 503 }, 100_000);
	for (let minute = 0; minute < MINUTES; minute++) {
		const severity = minute === 5 || minute === 20 ? 'critical' : 'warning';
		const labels = { alertname: `Minute${String(minute).padStart(2, '0')}`, severity };
		await running.alerting.receive([postedAlert(labels, { startsAtMs: clock.now(), endsAtMs: clock.now() + 86_400_000 })]);
		await clock.advance(60_000);
		await pause();
	}
	const waiting = await running.alerting.history.listNotifications({ limit: 500 });
	expect(waiting.length).toBeGreaterThan(0);
	expect(waiting.length).toBeLessThanOrEqual(40);
	expect(waiting.every(({ state }) => state === 'queued' || state === 'sending')).toBe(true);
	const before = webhook.messages.length;
	webhook.recover();
	await waitFor('all of them', async () => {
		await clock.advance(60_000);
		await pause();
		return new Set(webhook.messages.map(({ body }) => body.alerts[0]?.labels['alertname'])).size === MINUTES;
	});
	const told = webhook.messages.slice(before).map(({ body }) => body.alerts[0]?.labels['alertname'] ?? '');
	// Of what is due, the newer of the critical ones is the first; each entry keeps its own time of the next attempt.
	expect(told.slice(0, 2)).toEqual(['Minute20', 'Minute05']);
	expect(new Set(told).size).toBe(MINUTES);
});
