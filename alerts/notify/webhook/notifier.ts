import { createHmac } from 'node:crypto';
import type { Static } from 'typebox';
import { Secret } from '../../../core/secret.ts';
import { notifierFrame, redactor, serviceCall } from '../channel-frame.ts';
import { excerpt, statusOutcome } from '../http-outcome.ts';
import type { Notifier, NotifierContext } from '../notifier.ts';
import type { WebhookConfigSchema } from './config.ts';
import { webhookPayload } from './payload.ts';

/**
 * One POST per group. `Idempotency-Key` names the notification and stays the same over retries, so a receiver can tell
 * a repetition; `X-Fournines-Possible-Duplicate: true` says when there may be one.
 */
export function createWebhook(config: Static<typeof WebhookConfigSchema>, context: NotifierContext): Notifier {
	const target = config.url ?? { file: config.url_file ?? '' };
	const url = typeof target === 'string' ? new Secret(target) : context.secret(target);
	const headers = Object.entries(config.headers).map(
		([name, value]) => [name, typeof value === 'string' ? new Secret(value) : context.secret(value)] as const,
	);
	const hmac = config.hmac_secret === undefined ? null : context.secret(config.hmac_secret);
	const call = serviceCall(context, {
		timeout: config.timeout,
		redact: redactor([url]),
		judge: (response, { nowMs, redact }) => statusOutcome(response, nowMs, redact(excerpt(response.body))),
	});
	return {
		...notifierFrame('webhook', config, context, [url.reveal()]),
		digests: false,
		compose: async (notification, { possibleDuplicate }) => {
			const body = JSON.stringify(webhookPayload(notification, { externalUrl: context.externalUrl, maxAlerts: config.max_alerts }));
			const send = (signal: AbortSignal) => {
				const timestamp = String(Math.floor(context.clock.now() / 1000));
				const signed = (secret: Secret) => ({
					'x-fournines-timestamp': timestamp,
					'x-fournines-signature': `sha256=${createHmac('sha256', secret.reveal()).update(`${timestamp}.${body}`).digest('hex')}`,
				});
				const sent = {
					'content-type': 'application/json',
					'user-agent': 'Fournines',
					'idempotency-key': notification.id,
					...(possibleDuplicate ? { 'x-fournines-possible-duplicate': 'true' } : {}),
					...(hmac === null ? {} : signed(hmac)),
					...Object.fromEntries(headers.map(([name, value]) => [name, value.reveal()])),
				};
				return call({ url: url.reveal(), headers: sent, body }, signal);
			};
			return { text: body, send };
		},
	};
}
