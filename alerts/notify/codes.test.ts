import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exampleNotification, exampleNotifier } from '../../tests/harness/channels.ts';
import { type FakeServer, startFakeServer } from '../../tests/harness/fake-server.ts';

/** Answers whatever is asked with the row's own answer; tokens are given out freely. */
let server: FakeServer;
let answer: { readonly status: number; readonly body: string } = { status: 200, body: '' };
let tokens = 0;

beforeAll(async () => {
	server = await startFakeServer({
		handle: ({ url }, exchange) => {
			if (!/gettoken|stable_token/.test(url.pathname)) return exchange.answer(answer.status, answer.body);
			tokens++;
			exchange.json({ errcode: 0, access_token: `token-${tokens}`, expires_in: 7200 });
		},
	});
});
afterAll(() => server.stop());

/** What became of a message that was answered so. */
async function judged(type: string, body: object | string, status = 200) {
	answer = { status, body: typeof body === 'string' ? body : JSON.stringify(body) };
	tokens = 0;
	const key = type === 'sms_gateway' || type === 'webhook' ? 'url' : 'base_url';
	const place = exampleNotifier(type, 'internal', `, ${key}: '${server.baseUrl}'`);
	return (await place.compose(exampleNotification(), { possibleDuplicate: false })).send(AbortSignal.timeout(20_000));
}

const MINUTE = 60_000;
const wechat = (errcode: number) => ({ errcode, errmsg: 'as documented' });
const aliyun = (Code: string, Message = 'as documented') => ({ Code, Message, RequestId: 'R' });
const tencent = (Code: string) => ({ Response: { Error: { Code, Message: 'as documented' }, RequestId: 'R' } });
const number = (Code: string) => ({ Response: { SendStatusSet: [{ PhoneNumber: '+8613800000000', SerialNo: '', Code, Message: 'm' }] } });
const feishu = (code: number, msg = 'as documented') => ({ code, msg });

type Row = readonly [code: string, answer: object, wanted: 'refused' | number];

/** Every code that the channels' own documentation tells apart: final, or how long it asks to wait. */
const CODES: Readonly<Record<string, readonly Row[]>> = {
	wechat_robot: [
		['93000', wechat(93000), 'refused'],
		['40058', wechat(40058), 'refused'],
		['40008', wechat(40008), 'refused'],
		['45009', wechat(45009), MINUTE],
		['-1', wechat(-1), 5000],
	],
	wechat_app: [
		['40013', wechat(40013), 'refused'],
		['40014', wechat(40014), 'refused'],
		['42001', wechat(42001), 'refused'],
		['60020', wechat(60020), 'refused'],
		['81013', wechat(81013), 'refused'],
		['301002', wechat(301002), 'refused'],
		['45009', wechat(45009), MINUTE],
		['45033', wechat(45033), 5000],
		['-1', wechat(-1), 5000],
	],
	wechat_official: [
		['40037', wechat(40037), 'refused'],
		['40003', wechat(40003), 'refused'],
		['43004', wechat(43004), 'refused'],
		['47003', wechat(47003), 'refused'],
		['45009', wechat(45009), 10 * MINUTE],
		['-1', wechat(-1), 5000],
	],
	dingtalk: [
		['310000', wechat(310000), 'refused'],
		['300001', wechat(300001), 'refused'],
		['130101', wechat(130101), 10 * MINUTE],
		['-1', wechat(-1), 5000],
	],
	feishu: [
		['19021', feishu(19021), 'refused'],
		['19022', feishu(19022), 'refused'],
		['19024', feishu(19024), 'refused'],
		['9499', feishu(9499, 'Bad Request'), 'refused'],
		['9499', feishu(9499, 'too many request'), MINUTE],
		['11232', feishu(11232), MINUTE],
	],
	aliyun_sms: [
		['SignatureDoesNotMatch', aliyun('SignatureDoesNotMatch'), 'refused'],
		['InvalidTimeStamp.Expired', aliyun('InvalidTimeStamp.Expired'), 'refused'],
		['isp.RAM_PERMISSION_DENY', aliyun('isp.RAM_PERMISSION_DENY'), 'refused'],
		['isv.MOBILE_NUMBER_ILLEGAL', aliyun('isv.MOBILE_NUMBER_ILLEGAL'), 'refused'],
		['isv.SMS_TEMPLATE_ILLEGAL', aliyun('isv.SMS_TEMPLATE_ILLEGAL'), 'refused'],
		['isv.SMS_SIGNATURE_ILLEGAL', aliyun('isv.SMS_SIGNATURE_ILLEGAL'), 'refused'],
		['isv.PARAM_LENGTH_LIMIT', aliyun('isv.PARAM_LENGTH_LIMIT'), 'refused'],
		['isv.AMOUNT_NOT_ENOUGH', aliyun('isv.AMOUNT_NOT_ENOUGH'), 'refused'],
		['isv.OUT_OF_SERVICE', aliyun('isv.OUT_OF_SERVICE'), 'refused'],
		['isv.BLACK_KEY_CONTROL_LIMIT', aliyun('isv.BLACK_KEY_CONTROL_LIMIT'), 'refused'],
		['isv.BUSINESS_LIMIT_CONTROL', aliyun('isv.BUSINESS_LIMIT_CONTROL', '触发分钟级流控Permits:1'), MINUTE],
		['isv.BUSINESS_LIMIT_CONTROL', aliyun('isv.BUSINESS_LIMIT_CONTROL', '触发小时级流控Permits:5'), 10 * MINUTE],
		['isv.BUSINESS_LIMIT_CONTROL', aliyun('isv.BUSINESS_LIMIT_CONTROL', '触发天级流控Permits:10'), 60 * MINUTE],
		['isv.DAY_LIMIT_CONTROL', aliyun('isv.DAY_LIMIT_CONTROL'), 60 * MINUTE],
		['isp.SYSTEM_ERROR', aliyun('isp.SYSTEM_ERROR'), 5000],
		['Throttling.User', aliyun('Throttling.User'), 5000],
		['SignatureNonceUsed', aliyun('SignatureNonceUsed'), 1000],
	],
	aliyun_voice: [
		['isv.TEMPLATE_PARAM_ILLEGAL', aliyun('isv.TEMPLATE_PARAM_ILLEGAL'), 'refused'],
		['isv.BUSINESS_LIMIT_CONTROL', aliyun('isv.BUSINESS_LIMIT_CONTROL', '触发小时级流控Permits:5'), 10 * MINUTE],
		['isp.UNKNOWN', aliyun('isp.UNKNOWN'), 5000],
	],
	tencent_sms: [
		['AuthFailure.SignatureFailure', tencent('AuthFailure.SignatureFailure'), 'refused'],
		['AuthFailure.SignatureExpire', tencent('AuthFailure.SignatureExpire'), 'refused'],
		['InternalError.SigVerificationFail', tencent('InternalError.SigVerificationFail'), 'refused'],
		['UnauthorizedOperation.SmsSdkAppIdVerifyFail', tencent('UnauthorizedOperation.SmsSdkAppIdVerifyFail'), 'refused'],
		['FailedOperation.PhoneNumberInBlacklist', number('FailedOperation.PhoneNumberInBlacklist'), 'refused'],
		['FailedOperation.InsufficientBalanceInSmsPackage', number('FailedOperation.InsufficientBalanceInSmsPackage'), 'refused'],
		['InvalidParameterValue.IncorrectPhoneNumber', number('InvalidParameterValue.IncorrectPhoneNumber'), 'refused'],
		['LimitExceeded.PhoneNumberSameContentDailyLimit', number('LimitExceeded.PhoneNumberSameContentDailyLimit'), 'refused'],
		['LimitExceeded.PhoneNumberThirtySecondLimit', number('LimitExceeded.PhoneNumberThirtySecondLimit'), 30_000],
		['LimitExceeded.DeliveryFrequencyLimit', number('LimitExceeded.DeliveryFrequencyLimit'), 30_000],
		['LimitExceeded.PhoneNumberOneHourLimit', number('LimitExceeded.PhoneNumberOneHourLimit'), 10 * MINUTE],
		['LimitExceeded.PhoneNumberDailyLimit', number('LimitExceeded.PhoneNumberDailyLimit'), 60 * MINUTE],
		['LimitExceeded.AppMainlandChinaDailyLimit', tencent('LimitExceeded.AppMainlandChinaDailyLimit'), 60 * MINUTE],
		['RequestLimitExceeded', tencent('RequestLimitExceeded'), 30_000],
		['InternalError', tencent('InternalError'), 30_000],
		['InternalError.Timeout', tencent('InternalError.Timeout'), 30_000],
	],
	tencent_voice: [
		['FailedOperation.PhoneNumberInBlacklist', tencent('FailedOperation.PhoneNumberInBlacklist'), 'refused'],
		['LimitExceeded.DeliveryFrequencyLimit', tencent('LimitExceeded.DeliveryFrequencyLimit'), 30_000],
	],
	mas_sms: [
		['IllegalMac', { rspcod: 'IllegalMac', success: false }, 'refused'],
		['InvalidMessage', { rspcod: 'InvalidMessage', success: false }, 'refused'],
		['SystemError', { rspcod: 'SystemError', success: false }, 5000],
	],
	zwdingtalk: [
		['InvalidSignature', { success: false, errorCode: 'InvalidSignature', errorMsg: 'm' }, 'refused'],
		['Throttling', { success: false, errorCode: 'Throttling', errorMsg: 'm' }, MINUTE],
	],
};

describe.each(Object.entries(CODES))('%s', (type, rows) => {
	test.each(rows)('%s', async (code, body, wanted) => {
		const expected = wanted === 'refused' ? { kind: 'refused', code } : { kind: 'retry', code, afterMs: wanted, possiblySent: false };
		expect(await judged(type, body)).toMatchObject(expected);
	});

	test('a page instead of an answer has not taken it for sure, a gateway that is down certainly not, and neither is final', async () => {
		expect(await judged(type, '<html>log in</html>')).toMatchObject({ kind: 'retry', code: 'no-code', possiblySent: true });
		expect(await judged(type, 'bad gateway', 502)).toMatchObject({ kind: 'retry', code: '502', possiblySent: false });
		expect(await judged(type, 'forbidden', 403)).toMatchObject({ kind: 'refused', code: '403' });
	});
});

test.each([
	40014, 42001, 40001,
])('a token that the service does not know any more (%s) is exchanged once, and not for ever', async (code) => {
	expect(await judged('wechat_app', wechat(code))).toMatchObject({ kind: 'refused', code: String(code) });
	expect(tokens).toBe(2);
});
