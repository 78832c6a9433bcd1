import { Registry } from 'prom-client';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { silentLogger } from '../../core/log.ts';
import { type OpenPorts, openAlertingPorts } from '../../tests/harness/alerting-ports.ts';
import { exampleNotification } from '../../tests/harness/channels.ts';
import { createManualClock } from '../../tests/harness/manual-clock.ts';
import { type TemporaryFolder, temporaryFolder } from '../../tests/harness/process.ts';
import { createAlertsMetrics } from '../metrics.ts';
import type { Notifier, SendResult } from '../notify/notifier.ts';
import type { OutboxEntry } from '../ports.ts';
import { ChannelWorker } from './channel-worker.ts';

let folder: TemporaryFolder;
let ports: OpenPorts;

beforeEach(async () => {
	folder = temporaryFolder('channel-worker');
	ports = await openAlertingPorts(folder.path);
});

afterEach(async () => {
	await ports.close();
	folder.remove();
});

const SENT: SendResult = { kind: 'sent', code: '0' };
const retry = (possiblySent: boolean): SendResult => ({ kind: 'retry', code: 'x', reason: 'x', possiblySent });
/** A service that throws instead of answering. */
const defect = new Error('a defect of ours');

test.each([
	{ name: 'taken at once', answers: [SENT], marked: [false] },
	{ name: 'certainly not taken', answers: [retry(false), SENT], marked: [false, false] },
	{ name: 'perhaps taken', answers: [retry(true), SENT], marked: [false, true] },
	{
		name: 'perhaps taken, and then certainly not: the first time is not forgotten',
		answers: [retry(true), retry(false), SENT],
		marked: [false, true, true],
	},
	{ name: 'an exception, after which nobody knows', answers: [defect, SENT], marked: [false, true] },
])('a message that was $name says so when it comes again, also on record', async ({ answers, marked }) => {
	const clock = createManualClock();
	const { outbox, history } = ports;
	const said: boolean[] = [];
	const left = [...answers];
	const notifier: Notifier = {
		channel: 'c',
		receiver: 'r',
		line: 'c',
		type: 'webhook',
		sendResolved: true,
		rateKey: 'c',
		ratePerMinute: null,
		digests: false,
		receiptTimeoutMs: null,
		compose: async (_notification, { possibleDuplicate }) => ({
			text: 'text',
			send: async () => {
				said.push(possibleDuplicate);
				const answer = left.shift() ?? SENT;
				if (answer instanceof Error) throw answer;
				return answer;
			},
		}),
	};
	const final: string[] = [];
	const worker = new ChannelWorker({
		notifier,
		outbox,
		limit: null,
		clock,
		log: silentLogger,
		metrics: createAlertsMetrics(new Registry()),
		giveUpAfterMs: 86_400_000,
		nextAfterMs: 60_000,
		next: () => null,
		onFinal: ({ state: end }) => {
			final.push(end);
		},
		onRecorded: () => {},
	});
	const entry: OutboxEntry = {
		notification: exampleNotification({ nowMs: clock.now() }),
		groupId: 'g',
		channel: 'c',
		state: 'queued',
		possiblySent: false,
		attempts: 0,
		nextAttemptAtMs: clock.now(),
	};
	worker.add(await outbox.addEntries([entry], clock.now()));
	worker.start();
	await clock.advance(60_000);
	await worker.stop(1000);
	expect(said).toEqual(marked);
	expect(final).toEqual(['sent']);
	const [record] = await history.listNotifications({ limit: 10 });
	expect(record?.attempts.map(({ possibleDuplicate }) => possibleDuplicate)).toEqual(marked);
});
