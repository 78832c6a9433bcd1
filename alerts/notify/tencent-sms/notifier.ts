import { createHash } from 'node:crypto';
import type { Static } from 'typebox';
import { parseDuration } from '../../../core/duration.ts';
import type { HttpResponse } from '../../../core/http-client.ts';
import { templateParams } from '../../templates/sms-params.ts';
import { jsonObject } from '../body-code.ts';
import { excerpt, failedExchange, statusOutcome } from '../http-outcome.ts';
import type { Notifier, NotifierContext, SendResult } from '../notifier.ts';
import type { TencentSmsConfigSchema } from './config.ts';
import { tencentAuthorization } from './signature.ts';

type Config = Static<typeof TencentSmsConfigSchema>;

/** Codes of the request or of a number after which the same message can pass. */
const BUSY =
	/^(RequestLimitExceeded|InternalError|LimitExceeded\.(PhoneNumberThirtySecondLimit|PhoneNumberOneHourLimit|DeliveryFrequencyLimit))/;

/** `SendSms` (cloud.tencent.com/document/api/382/55981): one answer per number, each of which can fail on its own. */
export function createTencentSms(config: Config, context: NotifierContext): Notifier {
	const id = context.secret(config.secret_id);
	const key = context.secret(config.secret_key);
	const language = config.language ?? context.language;
	const redact = (text: string) => text.replaceAll(id.reveal(), '[redacted]').replaceAll(key.reveal(), '[redacted]');
	const send = async (payload: string, signal: AbortSignal): Promise<SendResult> => {
		const url = new URL(config.base_url);
		const timestamp = Math.floor(context.clock.now() / 1000);
		const signed = { 'content-type': 'application/json; charset=utf-8', host: url.host, 'x-tc-action': 'SendSms' };
		const authorization = tencentAuthorization(
			{ service: 'sms', timestamp, headers: signed, payload },
			{ id: id.reveal(), secret: key.reveal() },
		);
		try {
			const response = await context.http(`${url.origin}/`, {
				method: 'POST',
				headers: {
					...signed,
					authorization,
					'x-tc-version': '2021-01-11',
					'x-tc-timestamp': String(timestamp),
					'x-tc-region': config.region,
				},
				body: payload,
				timeoutMs: parseDuration(config.timeout),
				signal,
				maxBodyBytes: 256 * 1024,
			});
			return judge(response, context.clock.now(), redact);
		} catch (error) {
			return failedExchange(error, redact);
		}
	};
	return {
		channel: context.channel,
		receiver: context.receiver,
		type: 'tencent_sms',
		sendResolved: config.send_resolved,
		rateKey: createHash('sha256').update(`${config.base_url}\n${config.phones.join()}`).digest('hex'),
		ratePerMinute: config.rate_per_minute,
		digests: true,
		compose: (notification) => {
			const named = Object.fromEntries(config.template_params.map((text, i) => [String(i), text]));
			const filled = templateParams(named, notification, language);
			const resolved = notification.firingCount === 0;
			const template = resolved ? (config.resolved_template_id ?? config.template_id) : config.template_id;
			const params = config.template_params.map((_, i) => filled[String(i)] ?? '-');
			const payload = JSON.stringify({
				PhoneNumberSet: config.phones,
				SmsSdkAppId: config.sdk_app_id,
				SignName: config.sign_name,
				TemplateId: template,
				TemplateParamSet: params,
				SessionContext: notification.id,
			});
			return { text: `${template} ${JSON.stringify(params)}`, send: (signal) => send(payload, signal) };
		},
	};
}

interface NumberStatus {
	readonly PhoneNumber?: unknown;
	readonly Code?: unknown;
	readonly Message?: unknown;
}

function judge(response: HttpResponse, nowMs: number, redact: (text: string) => string): SendResult {
	const answer = redact(excerpt(response.body));
	const body = jsonObject(response.body)['Response'] as
		| { readonly Error?: { readonly Code?: unknown; readonly Message?: unknown }; readonly SendStatusSet?: readonly NumberStatus[] }
		| undefined;
	if (body === undefined) {
		return response.status === 200
			? { kind: 'retry', code: 'no-code', reason: answer, possiblySent: true }
			: statusOutcome(response, nowMs, answer);
	}
	if (body.Error !== undefined) return outcome(String(body.Error.Code), redact(String(body.Error.Message)));
	const failed = (body.SendStatusSet ?? []).filter((status) => status.Code !== 'Ok');
	if (failed.length === 0) return { kind: 'sent', code: 'Ok' };
	const [first] = failed;
	const reason = failed.map(({ PhoneNumber, Code, Message }) => `${String(PhoneNumber)}: ${String(Code)} ${String(Message)}`).join('; ');
	// Some have it already: sending again would tell them twice, so the failure stands on record.
	if (failed.length < (body.SendStatusSet ?? []).length) return { kind: 'refused', code: 'partly', reason: redact(reason) };
	return outcome(String(first?.Code), redact(reason));
}

function outcome(code: string, reason: string): SendResult {
	return BUSY.test(code) ? { kind: 'retry', code, reason, possiblySent: false, afterMs: 30_000 } : { kind: 'refused', code, reason };
}
