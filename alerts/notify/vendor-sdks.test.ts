import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { npm } from '../../scripts/package/node-runtime.ts';
import { type FakeCloudSms, startFakeAliyunSms, startFakeTencentSms } from '../../tests/harness/fake-cloud-sms.ts';
import { startProcess, type TemporaryFolder, temporaryFolder } from '../../tests/harness/process.ts';

/**
 * The vendors' own clients against the fakes that our notifiers are tested with: what the fakes take for a good signature is one. They are
 * fetched for this test only; the product signs by itself.
 */
const SDKS = ['@alicloud/dysmsapi20170525@4.6.0', 'tencentcloud-sdk-nodejs-sms@4.1.306'];
const KEY = { id: 'test-id', secret: 'test-secret', now: Date.now };

const ALIYUN = `
const sdk = require('@alicloud/dysmsapi20170525');
const { Config } = require('@alicloud/openapi-core').$OpenApiUtil;
const [endpoint, accessKeyId, accessKeySecret] = process.argv.slice(2);
const client = new sdk.default(new Config({ accessKeyId, accessKeySecret, endpoint, protocol: 'http' }));
const request = { phoneNumbers: '13800138000', signName: '四个九', templateCode: 'SMS_1', templateParam: JSON.stringify({ what: '主机 +~* down' }) };
const asking = { phoneNumber: '13800138000', bizId: process.argv[5], sendDate: process.argv[6], pageSize: 10, currentPage: 1 };
const call = process.argv[5] === undefined
	? client.sendSms(new sdk.SendSmsRequest(request)).then(({ body }) => body.code)
	: client.querySendDetails(new sdk.QuerySendDetailsRequest(asking)).then(({ body }) => body.smsSendDetailDTOs.smsSendDetailDTO[0].errCode);
call.then((said) => console.log(said), (error) => console.log(error.code));`;

const TENCENT = `
const { Client } = require('tencentcloud-sdk-nodejs-sms').sms.v20210111;
const [endpoint, secretId, secretKey] = process.argv.slice(2);
const client = new Client({ credential: { secretId, secretKey }, region: 'ap-guangzhou', profile: { httpProfile: { endpoint, protocol: 'http://' } } });
const request = { PhoneNumberSet: ['+8613800138000'], SmsSdkAppId: '1400', SignName: '四个九', TemplateId: '7', TemplateParamSet: ['主机 down'] };
const since = Math.floor(Date.now() / 1000) - 300;
const asking = { BeginTime: since, EndTime: since + 600, Offset: 0, Limit: 100, PhoneNumber: '+8613800138000', SmsSdkAppId: '1400' };
const call = process.argv[5] === undefined
	? client.SendSms(request).then(({ SendStatusSet }) => SendStatusSet[0].Code)
	: client.PullSmsSendStatusByPhoneNumber(asking).then(({ PullSmsSendStatusSet }) => PullSmsSendStatusSet[0].Description);
call.then((said) => console.log(said), (error) => console.log(error.code));`;

let folder: TemporaryFolder;
beforeAll(() => {
	folder = temporaryFolder('vendor-sdks');
	writeFileSync(join(folder.path, 'package.json'), '{"private":true}');
	const installed = npm(['install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', ...SDKS], folder.path);
	if (installed.status !== 0) throw new Error(`the vendors' clients cannot be fetched: ${installed.stderr.slice(0, 500)}`);
});
afterAll(() => folder.remove());

test.each([
	{
		vendor: 'Aliyun',
		script: ALIYUN,
		start: startFakeAliyunSms,
		good: 'OK',
		phones: ['13800138000'],
		template: 'SMS_1',
		bad: /SignatureDoesNotMatch/,
	},
	{
		vendor: 'Tencent',
		script: TENCENT,
		start: startFakeTencentSms,
		good: 'Ok',
		phones: ['+8613800138000'],
		template: '7',
		bad: /SignatureFailure/,
	},
])('$vendor: the fake takes what the own client signs, to send and to ask, and only with the right secret', async ({
	script,
	start,
	good,
	phones,
	template,
	bad,
}) => {
	const fake: FakeCloudSms = await start(KEY);
	const file = join(folder.path, `${template}.cjs`);
	writeFileSync(file, script);
	const send = async (secret: string, ...asked: readonly string[]) => {
		const client = startProcess(process.execPath, [file, new URL(fake.baseUrl).host, KEY.id, secret, ...asked]);
		await client.exited;
		return client.output().trim();
	};
	try {
		expect(await send(KEY.secret)).toBe(good);
		expect(fake.messages).toMatchObject([{ phones, template }]);
		const [phone = ''] = phones;
		fake.report(phone, { delivered: true, code: 'DELIVERED' });
		const day = new Date(Date.now() + 8 * 3_600_000).toISOString().slice(0, 10).replaceAll('-', '');
		expect(await send(KEY.secret, fake.messages[0]?.id ?? '', day)).toBe('DELIVERED');
		expect(await send('another-secret', fake.messages[0]?.id ?? '', day)).toMatch(bad);
		expect(await send('another-secret')).toMatch(bad);
		expect(fake.messages).toHaveLength(1);
	} finally {
		await fake.stop();
	}
});
