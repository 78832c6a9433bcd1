import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type RunningAlerting, startAlerting } from '../../tests/harness/alerting.ts';
import { exampleNotification } from '../../tests/harness/channels.ts';
import { type FakeCloudSms, startFakeAliyunSms, startFakeTencentSms } from '../../tests/harness/fake-cloud-sms.ts';
import { createManualClock, type ManualClock } from '../../tests/harness/manual-clock.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../../tests/harness/process.ts';
import type { DeliveryEvent, InboundReply } from '../delivery/personal.ts';

const KEYS = { ID: 'key-id', SECRET: 'key-secret' };
let folder: TemporaryFolder;
let clock: ManualClock;
let fake: FakeCloudSms;
let running: RunningAlerting;
let events: DeliveryEvent[] = [];
let replies: InboundReply[] = [];

beforeEach(() => {
	folder = temporaryFolder('receipt-pull');
	// Ten minutes before midnight in Beijing, where the providers' days end.
	clock = createManualClock(Date.UTC(2026, 10, 21, 15, 50, 0));
	events = [];
	replies = [];
});

afterEach(async () => {
	await running.stop();
	await fake.stop();
	folder.remove();
});

async function start(channel: string): Promise<void> {
	running = await startAlerting({
		folder: folder.path,
		clock,
		secrets: KEYS,
		config: `channels: [{ name: cloud, ${channel} }, { name: loud, folder: { path: '${folder.path}' } }]`,
	});
	running.alerting.personal.onEvent((event) => {
		events.push(event);
	});
	running.alerting.personal.onReply(async (reply) => {
		replies.push(reply);
		return { text: '' };
	});
}

const told = () => events.map(({ kind, address, code }) => `${kind} ${address.channel} ${code}`.trim());

async function call(to: string): Promise<void> {
	const { groupKey, groupLabels, reason, alerts, firingCount, resolvedCount } = exampleNotification({ nowMs: clock.now() });
	await running.alerting.personal.notify({
		id: randomUUID(),
		person: { id: 'zhang', name: '张伟' },
		addresses: ['cloud', 'loud'].map((channel) => ({ channel, to })),
		message: { groupKey, groupLabels, reason, alerts, firingCount, resolvedCount },
		incident: null,
	});
	await passing('the message', () => told().includes('sent cloud OK') || told().includes('sent cloud Ok'), 10);
}

const passing = (what: string, probe: () => boolean, stepMs = 5000) =>
	waitFor(what, async () => {
		await clock.advance(stepMs);
		await new Promise((resolve) => setTimeout(resolve, 3));
		return probe();
	});

const ALIYUN = 'access_key_id: { env: ID }, access_key_secret: { env: SECRET }, receipt_pull: 10s, receipt_timeout: 2m';
const TENCENT = "secret_id: { env: ID }, secret_key: { env: SECRET }, receipt_pull: 10s, receipt_timeout: 2m, template_id: '7'";

const PROVIDERS = [
	{
		name: 'Aliyun SMS',
		open: startFakeAliyunSms,
		channel: () => `aliyun_sms: { base_url: '${fake.baseUrl}', ${ALIYUN}, sign_name: s, template_code: T }`,
		phone: '13800000001',
		action: 'QuerySendDetails',
		arrived: 'DELIVERED',
	},
	{
		name: 'Aliyun voice',
		open: startFakeAliyunSms,
		channel: () => `aliyun_voice: { base_url: '${fake.baseUrl}', ${ALIYUN}, tts_code: T }`,
		phone: '13800000001',
		action: 'QueryCallDetailByCallId',
		arrived: '200000',
	},
	{
		name: 'Tencent SMS',
		open: startFakeTencentSms,
		channel: () => `tencent_sms: { base_url: '${fake.baseUrl}', ${TENCENT}, sdk_app_id: '1', sign_name: s }`,
		phone: '+8613800000001',
		action: 'PullSmsSendStatusByPhoneNumber',
		arrived: 'DELIVRD',
	},
];

describe.each(PROVIDERS)('$name', ({ open, channel, phone, action, arrived }) => {
	beforeEach(async () => {
		fake = await open({ id: KEYS.ID, secret: KEYS.SECRET, now: clock.now });
		await start(channel());
		await call(phone);
	});

	test('is asked until the carrier has spoken, and then no more', async () => {
		await passing('three questions', () => fake.actions.filter((one) => one === action).length >= 3);
		fake.report(phone, { delivered: true, code: arrived });
		await passing('the receipt', () => told().includes(`delivered cloud ${arrived}`));
		const asked = fake.actions.filter((one) => one === action).length;
		await clock.advance(600_000);
		expect(fake.actions.filter((one) => one === action)).toHaveLength(asked);
		expect(told().filter((event) => /next|missing/.test(event))).toEqual([]);
	});

	test('a word that it did not arrive goes to the person’s next channel at once', async () => {
		fake.report(phone, { delivered: false, code: 'MK:0001' });
		await passing('the next channel', () => told().some((event) => event.startsWith('sent loud')));
		expect(told()).toContain('undelivered cloud MK:0001');
	});

	test('no word in time goes to the next channel, and one that comes after midnight is recorded', async () => {
		await passing('the next channel', () => told().some((event) => event.startsWith('sent loud')));
		expect(told()).toContain('missing cloud no-receipt');
		await clock.advance(900_000);
		fake.report(phone, { delivered: true, code: arrived });
		await passing('the late word', () => told().includes(`delivered cloud ${arrived}`));
		expect(told().filter((event) => event.startsWith('next'))).toHaveLength(1);
	});

	test('a provider that refuses the question costs no message, and is asked again', async () => {
		fake.fail('LimitExceeded');
		fake.report(phone, { delivered: true, code: arrived });
		await passing('the receipt', () => told().includes(`delivered cloud ${arrived}`));
	});

	test('what was asked about before a restart is asked about after it', async () => {
		await running.stop();
		fake.report(phone, { delivered: true, code: arrived });
		await start(channel());
		await passing('the receipt', () => told().includes(`delivered cloud ${arrived}`));
	});
});

describe('questions', () => {
	test('Tencent: what the person writes back is fetched and taken once, also while nobody listened at first', async () => {
		fake = await startFakeTencentSms({ id: KEYS.ID, secret: KEYS.SECRET, now: clock.now });
		await start(PROVIDERS[2]?.channel() ?? '');
		await call('+8613800000001');
		fake.report('+8613800000001', { delivered: true, code: 'DELIVRD' });
		running.alerting.personal.onReply(() => Promise.reject(new Error('no disk')));
		fake.reply('+8613800000001', ' A7 ');
		const asked = () => fake.actions.filter((one) => one === 'PullSmsReplyStatusByPhoneNumber').length;
		const before = asked();
		await passing('a question in vain', () => asked() > before + 1);
		running.alerting.personal.onReply(async (reply) => {
			replies.push(reply);
			return { text: '' };
		});
		await passing('the reply', () => replies.length > 0);
		await clock.advance(120_000);
		expect(replies).toMatchObject([
			{ from: { channel: 'cloud', to: '+8613800000001' }, said: { kind: 'text', text: 'A7' }, way: 'tencent_sms' },
		]);
	});

	test('are bounded: in a storm each round asks about those who waited longest, and about everybody in turn', async () => {
		fake = await startFakeAliyunSms({ id: KEYS.ID, secret: KEYS.SECRET, now: clock.now });
		await start(PROVIDERS[0]?.channel() ?? '');
		const phones = Array.from({ length: 50 }, (_, i) => `138000001${String(i).padStart(2, '0')}`);
		for (const phone of phones) await call(phone);
		await passing('all of them', () => fake.messages.length === phones.length, 10);
		const begun = fake.actions.length;
		await clock.advance(10_000);
		await waitFor('a round of questions', () => fake.actions.length - begun >= 20);
		// The clock stands, so no other round begins; one more may have been under way.
		await new Promise((resolve) => setTimeout(resolve, 300));
		expect(fake.actions.length - begun).toBeLessThanOrEqual(40);
		// More than one round's worth never hears anything, and must not keep the others from their turn.
		const heard = phones.filter((_, i) => i % 2 === 0);
		for (const phone of heard) fake.report(phone, { delivered: true, code: 'DELIVERED' });
		await passing('the receipts', () => told().filter((event) => event.startsWith('delivered')).length === heard.length, 10_000);
	});
});
