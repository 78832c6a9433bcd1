import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { postedAlert, type RunningAlerting, startAlerting } from '../../tests/harness/alerting.ts';
import { type FakeCloudSms, startFakeAliyunSms, startFakeTencentSms } from '../../tests/harness/fake-cloud-sms.ts';
import { createManualClock, type ManualClock } from '../../tests/harness/manual-clock.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../../tests/harness/process.ts';

const SECRETS = { ID: 'key-id', SECRET: 'key-secret', WRONG: 'wrong' };
let folder: TemporaryFolder;
let clock: ManualClock;
let running: RunningAlerting;
let sms: FakeCloudSms;

beforeEach(() => {
	folder = temporaryFolder('cloud-sms');
	clock = createManualClock();
});

afterEach(async () => {
	await running.stop();
	await sms.stop();
	folder.remove();
});

async function sendOne(channel: string, attempts = 1) {
	running = await startAlerting({
		folder: folder.path,
		clock,
		secrets: SECRETS,
		config: `{ route: { receiver: r, group_wait: 0s }, receivers: [{ name: r, ${channel} }] }`,
	});
	const { alerting } = running;
	await alerting.receive([
		postedAlert(
			{ alertname: 'MysqlDown', severity: 'critical', instance: 'db-1:3306' },
			{ startsAtMs: clock.now(), endsAtMs: clock.now() + 86_400_000 },
			{ summary: `数据库无法连接${'，说明很长'.repeat(20)}` },
		),
	]);
	return waitFor('the end of the message', async () => {
		await clock.advance(10_000);
		const [record] = await alerting.history.listNotifications({ limit: 1 });
		return record !== undefined && record.state !== 'queued' && record.state !== 'sending' && record.attempts.length >= attempts && record;
	});
}

describe.each([
	{
		name: 'Aliyun',
		start: startFakeAliyunSms,
		busy: 'isv.BUSINESS_LIMIT_CONTROL',
		mismatch: 'SignatureDoesNotMatch',
		channel: (secret: string) =>
			`aliyun_sms_configs: [{ base_url: '${sms.baseUrl}', access_key_id: { env: ID }, access_key_secret: { env: ${secret} }, sign_name: 城管, template_code: SMS_1, phones: ['13800000000', '13900000000'] }]`,
	},
	{
		name: 'Tencent',
		start: startFakeTencentSms,
		busy: 'RequestLimitExceeded',
		mismatch: 'AuthFailure.SignatureFailure',
		channel: (secret: string) =>
			`tencent_sms_configs: [{ base_url: '${sms.baseUrl}', secret_id: { env: ID }, secret_key: { env: ${secret} }, sdk_app_id: '1400', sign_name: 城管, template_id: '77', phones: ['+8613800000000', '+8613900000000'] }]`,
	},
])('$name', ({ start, busy, mismatch, channel }) => {
	beforeEach(async () => {
		sms = await start({ id: SECRETS.ID, secret: SECRETS.SECRET, now: clock.now });
	});

	test('takes a signed message whose variables keep their length', async () => {
		const record = await sendOne(channel('SECRET'));
		expect(record.state).toBe('sent');
		const [message] = sms.messages;
		expect(message?.phones).toHaveLength(2);
		const params = Object.values(message?.params ?? {});
		expect(params).toEqual(['严重', expect.stringMatching(/^数据库无法连接.{27}…$/), 'db-1:3306', '11-21 09:00', '1']);
	});

	test('a wrong key is final and shows no secret', async () => {
		const record = await sendOne(channel('WRONG'));
		expect(record).toMatchObject({ state: 'refused', attempts: [{ code: mismatch }] });
		expect(JSON.stringify(record)).not.toMatch(/key-id|key-secret/);
	});

	test('too fast is repeated', async () => {
		sms.fail(busy);
		const record = await sendOne(channel('SECRET'), 2);
		expect(record.attempts.map(({ outcome }) => outcome)).toEqual(['retry', 'sent']);
		expect(sms.messages).toHaveLength(1);
	});
});

test('Tencent: a number that is refused alone is told, and the others do not get the message twice', async () => {
	sms = await startFakeTencentSms({ id: SECRETS.ID, secret: SECRETS.SECRET, now: clock.now });
	sms.refuse('+8613900000000');
	const record = await sendOne(
		`tencent_sms_configs: [{ base_url: '${sms.baseUrl}', secret_id: { env: ID }, secret_key: { env: SECRET }, sdk_app_id: '1400', sign_name: 城管, template_id: '77', phones: ['+8613800000000', '+8613900000000'] }]`,
	);
	expect(record).toMatchObject({
		state: 'refused',
		attempts: [{ code: 'partly', reason: expect.stringContaining('+8613900000000: FailedOperation') }],
	});
	expect(sms.messages).toHaveLength(1);
});
