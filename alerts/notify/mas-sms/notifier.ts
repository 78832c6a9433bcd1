import { createHash } from 'node:crypto';
import type { Static } from 'typebox';
import { PROVIDER_MANNERS } from '../../../protocol/provider-callbacks.ts';
import { jsonObject, judgeBody } from '../body-code.ts';
import { JSON_HEADERS, notifierFrame, redactor, serviceCall, trimmed } from '../channel-frame.ts';
import type { ChannelLine, LineContext } from '../channel-line.ts';
import type { Notifier, NotifierContext } from '../notifier.ts';
import { type Entry, type Incoming, providerCallback, providerTime, replyId, textAt } from '../provider-callback.ts';
import { smsTextOf } from '../sms-text.ts';
import type { MasSmsConfigSchema } from './config.ts';

type Config = Static<typeof MasSmsConfigSchema>;

/** Wrong keys, numbers, signatures or texts stay wrong; only the platform's own trouble passes. */
const CODES = {
	code: ['rspcod'],
	text: ['rspcod'],
	success: ['success'],
	retryAfterMs: { SystemError: 5000, SendFrequencyLimit: 60_000, TooManySubmits: 60_000 },
} as const;

/** `POST /sms/norsubmit` (云 MAS HTTP 接口): base64 of JSON, with an MD5 over the fields and the secret as `mac`; receipts name its `msgGroup`. */
export function createMasSms(config: Config, context: NotifierContext): Notifier {
	const secret = context.secret(config.secret_key);
	const mobiles = config.phones.join(',');
	const text = smsTextOf(context, { type: 'mas_sms', ...config, signature: '', reserve: config.signature_reserve });
	const call = serviceCall(context, {
		timeout: config.timeout,
		redact: redactor([secret]),
		judge: (response, world) => {
			const result = judgeBody(response, CODES, world);
			const group = jsonObject(response.body)['msgGroup'];
			return result.kind !== 'sent' || typeof group !== 'string'
				? result
				: { ...result, receipts: config.phones.map((to) => ({ key: group, to })) };
		},
	});
	return {
		...notifierFrame('mas_sms', config, context, [config.base_url, mobiles]),
		compose: async (notification, { possibleDuplicate }) => {
			const content = await text(notification, possibleDuplicate);
			const { ec_name: ecName, ap_id: apId, sign, add_serial: addSerial } = config;
			const send = (signal: AbortSignal) => {
				const mac = createHash('md5').update([ecName, apId, secret.reveal(), mobiles, content, sign, addSerial].join('')).digest('hex');
				const body = Buffer.from(JSON.stringify({ ecName, apId, mobiles, content, sign, addSerial, mac })).toString('base64');
				return call({ url: `${trimmed(config.base_url)}/sms/norsubmit`, headers: JSON_HEADERS, body }, signal);
			};
			return { text: content, send };
		},
	};
}

/** Status reports and replies (上行), pushed as JSON. */
export function masCallback(config: Config, context: LineContext): ChannelLine['callback'] {
	return providerCallback(context, { token: config.callback_token, way: 'mas_sms', answer: PROVIDER_MANNERS.mas_sms.taken, read });
}

function read(entry: Entry, nowMs: number): Incoming {
	const mobile = textAt(entry, 'mobile');
	const text = textAt(entry, 'smsContent');
	if (text !== '') {
		const at = textAt(entry, 'sendTime');
		return { kind: 'reply', from: mobile, text, id: replyId(mobile, text, at), atMs: providerTime(at, nowMs) };
	}
	const key = textAt(entry, 'msgGroup');
	if (key === '') return null;
	const code = textAt(entry, 'errorCode') || textAt(entry, 'reportStatus');
	const delivered = code === 'DELIVRD' || code === 'CM:0000';
	const atMs = providerTime(textAt(entry, 'receiveDate'), nowMs);
	return { kind: 'receipt', receipt: { key, to: mobile, state: delivered ? 'delivered' : 'undelivered', code, atMs } };
}
