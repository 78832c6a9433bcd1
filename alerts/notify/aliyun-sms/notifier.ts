import { createHash, randomUUID } from 'node:crypto';
import type { Static } from 'typebox';
import { parseDuration } from '../../../core/duration.ts';
import { templateParams } from '../../templates/sms-params.ts';
import { judgeBody } from '../body-code.ts';
import { failedExchange } from '../http-outcome.ts';
import type { Notifier, NotifierContext, SendResult } from '../notifier.ts';
import type { AliyunSmsConfigSchema } from './config.ts';
import { aliyunAuthorization, canonicalQuery } from './signature.ts';

type Config = Static<typeof AliyunSmsConfigSchema>;

const EMPTY_SHA256 = createHash('sha256').update('').digest('hex');
const CODES = {
	code: ['Code'],
	text: ['Message'],
	success: ['OK'],
	retryAfterMs: {
		// The first counts per minute, hour and day and template; the text does not say which.
		'isv.BUSINESS_LIMIT_CONTROL': 60_000,
		'isp.SYSTEM_ERROR': 5000,
		'Throttling.User': 5000,
		Throttling: 5000,
		ServiceUnavailable: 5000,
	},
} as const;

/** `SendSms` (help.aliyun.com, dysmsapi 2017-05-25): all numbers in one request, signed with V3; `OutId` is the notification's id and comes back with receipts. */
export function createAliyunSms(config: Config, context: NotifierContext): Notifier {
	const id = context.secret(config.access_key_id);
	const secret = context.secret(config.access_key_secret);
	const language = config.language ?? context.language;
	const redact = (text: string) => text.replaceAll(id.reveal(), '[redacted]').replaceAll(secret.reveal(), '[redacted]');
	const send = async (query: Readonly<Record<string, string>>, signal: AbortSignal): Promise<SendResult> => {
		const url = new URL(config.base_url);
		const headers = {
			host: url.host,
			'x-acs-action': 'SendSms',
			'x-acs-version': '2017-05-25',
			'x-acs-date': new Date(context.clock.now()).toISOString().replace(/\.\d+Z$/, 'Z'),
			'x-acs-signature-nonce': randomUUID(),
			'x-acs-content-sha256': EMPTY_SHA256,
		};
		const authorization = aliyunAuthorization(
			{ method: 'POST', path: '/', query, headers, payloadSha256: EMPTY_SHA256 },
			{ id: id.reveal(), secret: secret.reveal() },
		);
		try {
			const response = await context.http(`${url.origin}/?${canonicalQuery(query)}`, {
				method: 'POST',
				headers: { ...headers, authorization, accept: 'application/json' },
				timeoutMs: parseDuration(config.timeout),
				signal,
				maxBodyBytes: 64 * 1024,
			});
			return judgeBody(response, CODES, { nowMs: context.clock.now(), redact });
		} catch (error) {
			return failedExchange(error, redact);
		}
	};
	return {
		channel: context.channel,
		receiver: context.receiver,
		type: 'aliyun_sms',
		sendResolved: config.send_resolved,
		rateKey: createHash('sha256').update(`${config.base_url}\n${config.phones.join()}`).digest('hex'),
		ratePerMinute: config.rate_per_minute,
		digests: true,
		compose: (notification) => {
			const params = templateParams(config.template_params, notification, language);
			const resolved = notification.firingCount === 0;
			const query = {
				PhoneNumbers: config.phones.join(','),
				SignName: config.sign_name,
				TemplateCode: resolved ? (config.resolved_template_code ?? config.template_code) : config.template_code,
				TemplateParam: JSON.stringify(params),
				OutId: notification.id,
			};
			return { text: `${query.TemplateCode} ${query.TemplateParam}`, send: (signal) => send(query, signal) };
		},
	};
}
