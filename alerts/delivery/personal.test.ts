import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type RunningAlerting, startAlerting } from '../../tests/harness/alerting.ts';
import { exampleNotification } from '../../tests/harness/channels.ts';
import { type FakeCmpp, startFakeCmpp } from '../../tests/harness/fake-cmpp.ts';
import { type FakeSmsGateway, startFakeSmsGateway } from '../../tests/harness/fake-sms-gateway.ts';
import { createManualClock, type ManualClock } from '../../tests/harness/manual-clock.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../../tests/harness/process.ts';
import type { IncidentMark } from '../notify/notification.ts';
import type { DeliveryEvent, PersonalRequest } from './personal.ts';

const SECRETS = { SMS: 'sms-secret', CMPP: 'cmpp-secret', TOKEN: 'callback-token' };
const PHONE = '13800000001';
const INCIDENT: IncidentMark = {
	id: '01900000-0000-7000-8000-0000000000aa',
	code: 'A7',
	ackUrl: 'https://in/ack/one-time-token',
	clock: '一级 剩 1:37',
	text: '',
};

let folder: TemporaryFolder;
let clock: ManualClock;
let gateway: FakeSmsGateway;
let cmpp: FakeCmpp;
let running: RunningAlerting;
let events: DeliveryEvent[] = [];

const RECEIPTS = {
	refused_codes: ['201'],
	message_id_path: 'msg',
	receipt_timeout: '2m',
	callback_token: { env: 'TOKEN' },
	callback: { message_id: 'id', phone: 'phone', state: 'state', delivered: ['ok'] },
};

const config = () => `
next_channel_after: 1m
channels:
  - name: first
    sms_gateway: ${JSON.stringify(gateway.channel({ env: 'SMS' }, RECEIPTS))}
  - name: second
    cmpp: { host: 127.0.0.1, port: ${cmpp.port}, source_addr: '901234', secret: { env: CMPP }, src_id: '10690000', timeout: 2s, receipt_timeout: 2m }
  - name: loud
    folder: { path: '${folder.path}' }`;

async function start(text = config()): Promise<void> {
	running = await startAlerting({ folder: folder.path, config: text, clock, secrets: SECRETS });
	running.alerting.personal.onEvent((event) => {
		events.push(event);
	});
}

beforeEach(async () => {
	folder = temporaryFolder('personal');
	clock = createManualClock();
	events = [];
	gateway = await startFakeSmsGateway({ account: 'a', secret: SECRETS.SMS, charset: 'utf8', now: clock.now });
	cmpp = await startFakeCmpp({ sourceAddr: '901234', secret: SECRETS.CMPP, version: 2 });
	await start();
});

afterEach(async () => {
	await running.stop();
	await gateway.stop();
	await cmpp.stop();
	folder.remove();
});

function request(channels: readonly string[] = ['first', 'second', 'loud']): PersonalRequest {
	const { groupKey, groupLabels, reason, alerts, firingCount, resolvedCount } = exampleNotification({ nowMs: clock.now() });
	return {
		id: randomUUID(),
		person: { id: 'zhangsan', name: '张三' },
		addresses: channels.map((channel) => ({ channel, to: PHONE })),
		message: { groupKey, groupLabels, reason, alerts, firingCount, resolvedCount },
		incident: INCIDENT,
	};
}

const kinds = () => events.map(({ kind, address }) => `${kind} ${address.channel}`);

async function settled(what: string, probe: () => boolean, stepMs = 1000): Promise<void> {
	await waitFor(what, async () => {
		await clock.advance(stepMs);
		await new Promise((resolve) => setTimeout(resolve, 3));
		return probe();
	});
}

const receipt = (state: string, id = '成功') =>
	running.alerting.callback('first', {
		method: 'POST',
		query: { token: SECRETS.TOKEN },
		headers: {},
		body: Buffer.from(JSON.stringify({ id, phone: PHONE, state })),
	});

/** Events of the record, which a restart does not forget. */
const recorded = async () =>
	(await running.alerting.history.deliveries(INCIDENT.id)).map(({ kind, address }) => `${kind} ${address.channel}`);

describe('a person is reached on one channel after the other', () => {
	test('a receipt in time ends it', async () => {
		await running.alerting.personal.notify(request());
		await settled('the message', () => kinds().includes('sent first'));
		expect(gateway.messages[0]?.content).toMatch(/Nginx 停了.*剩 1:37.*回复 A7 认领.*one-time-token/);
		await receipt('ok');
		await settled('the receipt', () => kinds().includes('delivered first'));
		await clock.advance(600_000);
		expect(kinds()).toEqual(['queued first', 'sent first', 'delivered first']);
		expect(await recorded()).toEqual(kinds());
		expect(events[0]).toMatchObject({ personId: 'zhangsan', incidentId: INCIDENT.id, address: { channel: 'first', to: PHONE } });
	});

	test('a permanent refusal goes to the next one at once', async () => {
		gateway.fail({ kind: 'code', code: '201', message: '手机号码错误' });
		await running.alerting.personal.notify(request());
		await settled('the next channel', () => kinds().includes('sent second'), 10);
		expect(kinds().slice(0, 3)).toEqual(['queued first', 'refused first', 'next second']);
		expect(cmpp.messages).toHaveLength(1);
	});

	test('a missing receipt goes to the next one, and a late one is recorded and changes nothing more', async () => {
		await running.alerting.personal.notify(request());
		await settled('the message', () => kinds().includes('sent first'));
		expect(cmpp.messages).toHaveLength(0);
		await settled('the next channel', () => kinds().includes('sent second'), 10_000);
		expect(kinds()).toContain('missing first');
		await receipt('ok');
		await settled('the late receipt', () => kinds().includes('delivered first'), 10);
		await receipt('ok');
		expect(kinds().filter((kind) => kind.startsWith('next'))).toEqual(['next second']);
		expect(kinds().filter((kind) => kind === 'delivered first')).toHaveLength(1);
	});

	test('out of order: arrival is not taken back, and its denial is', async () => {
		await running.alerting.personal.notify(request());
		await settled('the message', () => kinds().includes('sent first'));
		await receipt('ok');
		await receipt('lost');
		await settled('the receipt', () => kinds().includes('delivered first'), 10);
		expect(kinds()).not.toContain('undelivered first');
		expect(cmpp.messages).toHaveLength(0);
	});

	test('a word that it did not arrive goes on at once, though it comes twice', async () => {
		await running.alerting.personal.notify(request());
		await settled('the message', () => kinds().includes('sent first'));
		await receipt('lost');
		await receipt('lost');
		await settled('the next channel', () => kinds().includes('sent second'), 10);
		expect(cmpp.messages).toHaveLength(1);
		expect(kinds().filter((kind) => kind.startsWith('next'))).toEqual(['next second']);
	});

	test('a receipt that comes before the answer to its message is held until it fits', async () => {
		// Each part of a long message has a receipt of its own.
		cmpp.reportEarly();
		cmpp.reportEarly();
		await running.alerting.personal.notify(request(['second', 'loud']));
		await settled('the receipt', () => kinds().includes('delivered second'));
		await clock.advance(600_000);
		expect(kinds()).toEqual(['queued second', 'sent second', 'delivered second', 'delivered second']);
		expect(cmpp.messages[0]?.parts).toBe(2);
	});

	test('a limit that ends in an hour is not waited for', async () => {
		gateway.fail({ kind: 'status', status: 429, retryAfter: '3600' });
		await running.alerting.personal.notify(request(['first', 'second']));
		await settled('the next channel', () => kinds().includes('sent second'), 10);
		expect(kinds()).toEqual(['queued first', 'expired first', 'next second', 'sent second']);
	});

	test('behind a full minute a message waits no longer than its person may, to the second', async () => {
		const beganMs = clock.now();
		gateway.fail({ kind: 'status', status: 429, retryAfter: '50' }, 100);
		await running.alerting.personal.notify(request(['first', 'second']));
		await settled('the next channel', () => kinds().includes('sent second'), 1000);
		const next = events.find(({ kind }) => kind === 'next');
		expect((next?.atMs ?? 0) - beganMs).toBeGreaterThanOrEqual(60_000);
		expect((next?.atMs ?? 0) - beganMs).toBeLessThan(62_000);
	});

	test('a channel that is down for a minute is left for the next one; the last one is tried on', async () => {
		await gateway.stop();
		await running.alerting.personal.notify(request(['first', 'second']));
		await settled('the next channel', () => kinds().includes('sent second'), 5000);
		expect(kinds()).toEqual(['queued first', 'expired first', 'next second', 'sent second']);
	});

	test('the last channel is not given up after a minute, because nothing else is left', async () => {
		// Ten attempts take longer than the minute after which another channel would have its turn.
		gateway.fail({ kind: 'status', status: 503 }, 10);
		await running.alerting.personal.notify(request(['first']));
		await settled('the message', () => kinds().includes('sent first'), 30_000);
		expect(kinds()).toEqual(['queued first', 'sent first']);
		expect(await running.alerting.history.listNotifications({ limit: 10 })).toMatchObject([{ attempts: { length: 11 } }]);
	});

	test('a denial after the receipt was missed ends the list once', async () => {
		await running.alerting.personal.notify(request(['first']));
		await settled('the end', () => kinds().includes('exhausted first'), 10_000);
		await receipt('lost');
		await settled('the denial', () => kinds().includes('undelivered first'), 10);
		expect(kinds()).toEqual(['queued first', 'sent first', 'missing first', 'exhausted first', 'undelivered first']);
	});

	test('nobody is lost in silence: the end of the list is told, counted and on record', async () => {
		gateway.fail({ kind: 'code', code: '201', message: '手机号码错误' });
		await running.alerting.personal.notify(request(['first']));
		await settled('the end', () => kinds().includes('exhausted first'), 10);
		expect(await recorded()).toEqual(['queued first', 'refused first', 'exhausted first']);
		expect(await running.metrics.metrics()).toMatch(/fournines_alerts_unreached_total 1/);
	});

	test('channels that are gone are skipped; when all are, the caller hears it', async () => {
		await running.alerting.personal.notify(request(['gone', 'loud']));
		await settled('the message', () => kinds().includes('sent loud'), 10);
		await expect(running.alerting.personal.notify(request(['gone']))).rejects.toMatchObject({ code: 'FN_ALERTS_CHANNEL_UNKNOWN' });
	});

	test('what waits for a channel that is no longer configured goes to the next one', async () => {
		gateway.fail({ kind: 'status', status: 503 }, 100);
		await running.alerting.personal.notify(request(['first', 'loud']));
		await clock.settle();
		await running.stop();
		await start(config().replace(/ {2}- name: first\n.*\n/, ''));
		await settled('the next channel', () => kinds().includes('sent loud'));
		expect(await recorded()).toEqual(['queued first', 'expired first', 'next loud', 'sent loud']);
	});

	test('asking twice with one id tells once, also over a restart', async () => {
		const asked = request(['loud']);
		await running.alerting.personal.notify(asked);
		await running.alerting.personal.notify(asked);
		await settled('the message', () => kinds().includes('sent loud'), 10);
		await running.stop();
		await start();
		await running.alerting.personal.notify(asked);
		const records = await running.alerting.history.listNotifications({ limit: 10 });
		expect(records).toHaveLength(1);
		expect(JSON.stringify(records)).not.toContain('one-time-token');
	});

	test('a receipt that was due while the process was down is missed when it is back', async () => {
		await running.alerting.personal.notify(request(['first', 'loud']));
		await settled('the message', () => kinds().includes('sent first'));
		await running.stop();
		await clock.advance(600_000);
		await start();
		await settled('the next channel', () => kinds().includes('sent loud'));
		expect(await recorded()).toEqual(['queued first', 'sent first', 'missing first', 'next loud', 'sent loud']);
	});
});

describe('what comes back', () => {
	test('a reply goes to whoever listens; when that fails, the carrier keeps it', async () => {
		await waitFor('the session', () => cmpp.binds() === 1);
		running.alerting.personal.onReply(() => Promise.reject(new Error('no disk')));
		cmpp.reply(PHONE, 'A7');
		await waitFor('our answer', () => cmpp.deliverResults.length === 1);
		expect(cmpp.deliverResults).toEqual([9]);
		const replies: string[] = [];
		running.alerting.personal.onReply(async (reply) => {
			replies.push(`${reply.from.to} ${reply.said.kind === 'text' ? reply.said.text : ''}`);
			return { text: '' };
		});
		cmpp.reply(PHONE, 'A7');
		await waitFor('the reply', () => replies.length === 1);
		expect(replies).toEqual([`${PHONE} A7`]);
	});
});
