import type { HttpResponse } from '../../../core/http-client.ts';
import type { SecretRef } from '../../../core/secret.ts';
import { SecretRefSchema } from '../../../core/secret.ts';
import { jsonObject } from '../body-code.ts';
import { type Redact, redactor, serviceCall } from '../channel-frame.ts';
import { excerpt, statusOutcome } from '../http-outcome.ts';
import type { NotifierContext, SendResult } from '../notifier.ts';
import { tencentAuthorization } from './signature.ts';

/** Keys of everything at Tencent Cloud. */
export const tencentProperties = { secret_id: SecretRefSchema, secret_key: SecretRefSchema };

interface TencentConfig {
	readonly base_url: string;
	readonly secret_id: SecretRef;
	readonly secret_key: SecretRef;
	readonly timeout: string;
	readonly region?: string;
}

export interface TencentApi<T> {
	/** The first label of the service's host name, which is part of the signature. */
	readonly service: string;
	readonly action: string;
	readonly version: string;
	/** What a well-formed answer without an error means. */
	readonly taken: (answer: Readonly<Record<string, unknown>>, redact: Redact) => T;
}

/** One call of a Tencent Cloud API 3.0, signed with TC3-HMAC-SHA256. */
export function tencentCall<T>(
	config: TencentConfig,
	context: Pick<NotifierContext, 'http' | 'clock' | 'secret'>,
	api: TencentApi<T>,
): (payload: string, signal: AbortSignal) => Promise<T | NotSent> {
	const id = context.secret(config.secret_id);
	const key = context.secret(config.secret_key);
	const call = serviceCall(context, {
		timeout: config.timeout,
		redact: redactor([id, key]),
		judge: (response, { nowMs, redact }) => judge(response, { nowMs, redact, api }),
	});
	return (payload, signal) => {
		const url = new URL(config.base_url);
		const timestamp = Math.floor(context.clock.now() / 1000);
		const signed = { 'content-type': 'application/json; charset=utf-8', host: url.host, 'x-tc-action': api.action };
		const authorization = tencentAuthorization(
			{ service: api.service, timestamp, headers: signed, payload },
			{ id: id.reveal(), secret: key.reveal() },
		);
		const headers = {
			...signed,
			authorization,
			'x-tc-version': api.version,
			'x-tc-timestamp': String(timestamp),
			...(config.region === undefined ? {} : { 'x-tc-region': config.region }),
		};
		return call({ url: `${url.origin}/`, headers, body: payload }, signal);
	};
}

function judge<T>(
	response: HttpResponse,
	{ nowMs, redact, api }: { readonly nowMs: number; readonly redact: Redact; readonly api: TencentApi<T> },
): T | NotSent {
	const answer = redact(excerpt(response.body));
	const body = jsonObject(response.body)['Response'];
	if (typeof body !== 'object' || body === null) {
		const outcome = statusOutcome(response, nowMs, answer);
		// A portal's page: the service itself always answers with a response.
		return outcome.kind === 'sent' ? { kind: 'retry', code: 'no-code', reason: answer, possiblySent: true } : outcome;
	}
	const fields = body as Readonly<Record<string, unknown>>;
	const error = fields['Error'] as { readonly Code?: unknown; readonly Message?: unknown } | undefined;
	return error === undefined ? api.taken(fields, redact) : tencentFailure(String(error.Code), redact(String(error.Message)));
}

type NotSent = Exclude<SendResult, { readonly kind: 'sent' }>;

/**
 * Codes of a request or of a number after which the same message can pass, and when (cloud.tencent.com/document/api/382/59177 and
 * api/1128/51561). Not every InternalError is the service's own trouble: SigVerificationFail and the like are ours, and final.
 */
const WAITS_MS: readonly (readonly [RegExp, number])[] = [
	[/^RequestLimitExceeded/, 30_000],
	[/^InternalError(\.(Timeout|OtherError|SendAndRecvFail|UnknownError))?$/, 30_000],
	[/^LimitExceeded\.(DeliveryFrequencyLimit|.*(Second|Minute)Limit)$/, 30_000],
	[/^LimitExceeded\..*HourLimit$/, 600_000],
	// Tomorrow; a person's next channel has its turn at once.
	[/^LimitExceeded\.(?!.*SameContent).*DailyLimit$/, 3_600_000],
];

export function tencentFailure(code: string, reason: string): NotSent {
	const afterMs = WAITS_MS.find(([codes]) => codes.test(code))?.[1];
	return afterMs === undefined ? { kind: 'refused', code, reason } : { kind: 'retry', code, reason, possiblySent: false, afterMs };
}
