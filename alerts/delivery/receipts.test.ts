import { Registry } from 'prom-client';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { uuidv7 } from '../../core/ids.ts';
import { silentLogger } from '../../core/log.ts';
import { type OpenPorts, openAlertingPorts } from '../../tests/harness/alerting-ports.ts';
import { exampleNotification } from '../../tests/harness/channels.ts';
import { createManualClock } from '../../tests/harness/manual-clock.ts';
import { type TemporaryFolder, temporaryFolder } from '../../tests/harness/process.ts';
import { createAlertsMetrics } from '../metrics.ts';
import type { OutboxEntry } from '../ports.ts';
import { Receipts } from './receipts.ts';

let folder: TemporaryFolder;
let ports: OpenPorts;

beforeEach(async () => {
	folder = temporaryFolder('receipts');
	ports = await openAlertingPorts(folder.path);
});
afterEach(async () => {
	await ports.close();
	folder.remove();
});

/** A message that went to these under one id of the provider's. */
async function sentTo(...numbers: readonly string[]) {
	const clock = createManualClock();
	const registry = new Registry();
	const receipts = new Receipts({
		store: ports.receipts,
		clock,
		log: silentLogger,
		metrics: createAlertsMetrics(registry),
		next: () => null,
		onChange: () => {},
	});
	const nowMs = clock.now();
	const notification = exampleNotification({ nowMs });
	const entry: OutboxEntry = {
		notification,
		groupId: 'g',
		channel: 'sms',
		state: 'queued',
		possiblySent: false,
		attempts: 0,
		nextAttemptAtMs: nowMs,
	};
	await ports.outbox.addEntries([entry], nowMs);
	const attempt = {
		id: uuidv7(nowMs),
		channel: 'sms',
		startedAtMs: nowMs,
		text: 'x',
		possibleDuplicate: false,
		notificationIds: [notification.id],
	};
	await ports.outbox.beginAttempt(attempt);
	const awaited = numbers.map((to) => ({ id: uuidv7(nowMs), attemptId: attempt.id, line: 'sms', key: 'm', to, dueAtMs: null }));
	await ports.outbox.endAttempt({
		id: attempt.id,
		endedAtMs: nowMs,
		outcome: 'sent',
		code: '0',
		reason: '',
		entries: [{ ...entry, state: 'sent', attempts: 1 }],
		awaited,
		next: [],
	});
	return {
		take: (to: string, state: 'delivered' | 'undelivered') => receipts.take('sms', [{ key: 'm', to, state, code: 'c', atMs: nowMs }]),
		/** Of each number that a receipt was waited for. */
		states: async () =>
			Object.fromEntries(
				(await ports.receipts.findReceipts('sms', ['m'])).filter(({ attemptId }) => attemptId !== '').map(({ to, state }) => [to, state]),
			),
		counted: async (state: string) =>
			(await registry.getSingleMetricAsString('fournines_alerts_receipts_total')).includes(`state="${state}"} 1`),
	};
}

const [A, B, C] = ['13800000001', '13800000002', '13800000003'];

test('a receipt speaks for its own number, also with the country before it', async () => {
	const { take, states } = await sentTo(A, B);
	await take(`+86${B}`, 'undelivered');
	expect(await states()).toEqual({ [A]: 'awaited', [B]: 'undelivered' });
	await take(A, 'delivered');
	expect(await states()).toEqual({ [A]: 'delivered', [B]: 'undelivered' });
});

test('of a message to several, one for a number that nobody wrote to changes none of them, and is kept', async () => {
	const { take, states, counted } = await sentTo(A, B);
	await take(C, 'undelivered');
	expect(await states()).toEqual({ [A]: 'awaited', [B]: 'awaited' });
	expect(await counted('early')).toBe(true);
});

test('of a message to one the id decides, whatever the provider calls the number', async () => {
	const { take, states } = await sentTo(A);
	await take('user-7', 'delivered');
	expect(await states()).toEqual({ [A]: 'delivered' });
});
