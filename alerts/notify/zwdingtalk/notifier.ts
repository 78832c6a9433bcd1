import { createHmac, randomUUID } from 'node:crypto';
import type { Static } from 'typebox';
import type { HttpResponse } from '../../../core/http-client.ts';
import { byteLength } from '../../templates/shorten.ts';
import { PLAIN } from '../../templates/texts.ts';
import { jsonObject } from '../body-code.ts';
import { notifierFrame, type Redact, redactor, serviceCall, textOf, trimmed } from '../channel-frame.ts';
import { excerpt, statusOutcome } from '../http-outcome.ts';
import type { Notifier, NotifierContext, SendResult } from '../notifier.ts';
import { valueAt } from '../value-at.ts';
import type { ZwdingtalkConfigSchema } from './config.ts';

const PATH = '/message/workNotification';
const LIMIT_BYTES = 2048;

/**
 * `POST /message/workNotification` (专有钉钉开放平台). Signed with HMAC-SHA256 over method, time, nonce, path and sorted
 * parameters. `bizMsgId` is the notification's, so a repetition is dropped by the platform and need not be marked.
 */
export function createZwdingtalk(config: Static<typeof ZwdingtalkConfigSchema>, context: NotifierContext): Notifier {
	const key = context.secret(config.app_key);
	const secret = context.secret(config.app_secret);
	const write = textOf(context, { type: 'zwdingtalk', style: 'message', language: config.language, markup: PLAIN });
	const call = serviceCall(context, {
		timeout: config.timeout,
		redact: redactor([key, secret]),
		judge: (response, { nowMs, redact }) => judge(response, nowMs, redact),
	});
	const receiverIds = config.receiver_ids.join(',');
	return {
		...notifierFrame('zwdingtalk', config, context, [config.base_url, receiverIds]),
		compose: async (notification) => {
			const content = await write(notification, false, { limit: LIMIT_BYTES, measure: byteLength });
			const params = {
				bizMsgId: notification.id,
				msg: JSON.stringify({ msgtype: 'text', text: { content } }),
				receiverIds,
				tenantId: config.tenant_id,
			};
			const send = (signal: AbortSignal) => {
				const timestamp = `${new Date(context.clock.now() + 8 * 3_600_000).toISOString().slice(0, 23)}+08:00`;
				const nonce = `${context.clock.now()}${randomUUID().slice(0, 4)}`;
				const sorted = Object.entries(params)
					.sort(([a], [b]) => (a < b ? -1 : 1))
					.map(([name, value]) => `${name}=${value}`)
					.join('&');
				const signature = createHmac('sha256', secret.reveal()).update(`POST\n${timestamp}\n${nonce}\n${PATH}\n${sorted}`).digest('base64');
				const headers = {
					'content-type': 'application/x-www-form-urlencoded; charset=utf-8',
					apikey: key.reveal(),
					'x-hmac-auth-timestamp': timestamp,
					'x-hmac-auth-nonce': nonce,
					'x-hmac-auth-version': '1.0',
					'x-hmac-auth-ip': config.client_ip,
					'x-hmac-auth-mac': config.client_mac,
					'x-hmac-auth-signature': signature,
				};
				return call({ url: `${trimmed(config.base_url)}${PATH}`, headers, body: new URLSearchParams(params).toString() }, signal);
			};
			return { text: content, send };
		},
	};
}

function judge(response: HttpResponse, nowMs: number, redact: Redact): SendResult {
	const body = jsonObject(response.body);
	const answer = redact(excerpt(response.body));
	if (body['success'] === undefined) {
		if (response.status !== 200) return statusOutcome(response, nowMs, answer);
		return { kind: 'retry', code: 'no-code', reason: answer, possiblySent: true };
	}
	// Two layers: the gateway's answer, and the service's inside of it.
	const inner = valueAt(body, 'content.success');
	const code = String(valueAt(body, 'content.responseCode') ?? body['errorCode'] ?? '');
	if (body['success'] === true && inner !== false) return { kind: 'sent', code: code || '0' };
	const reason = redact(String(valueAt(body, 'content.responseMessage') ?? body['errorMsg'] ?? answer));
	if (/throttl|flow|limit.*second|busy|timeout/i.test(`${code} ${reason}`)) {
		return { kind: 'retry', code, reason, possiblySent: false, afterMs: 60_000 };
	}
	return { kind: 'refused', code, reason };
}
