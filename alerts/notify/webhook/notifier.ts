import { createHash, createHmac } from 'node:crypto';
import type { Static } from 'typebox';
import { parseDuration } from '../../../core/duration.ts';
import { Secret } from '../../../core/secret.ts';
import { excerpt, failedExchange, statusOutcome } from '../http-outcome.ts';
import type { Notifier, NotifierContext, SendResult } from '../notifier.ts';
import type { WebhookConfigSchema } from './config.ts';
import { webhookPayload } from './payload.ts';

type Config = Static<typeof WebhookConfigSchema>;

/**
 * One POST per group. `Idempotency-Key` names the notification and stays the same over retries, so a receiver can tell
 * a repetition; `X-Fournines-Possible-Duplicate: true` says when there may be one.
 */
export function createWebhook(config: Config, context: NotifierContext): Notifier {
	const url = typeof config.url === 'string' ? new Secret(config.url) : context.secret(config.url);
	const headers = Object.entries(config.headers).map(
		([name, value]) => [name, typeof value === 'string' ? new Secret(value) : context.secret(value)] as const,
	);
	const hmac = config.hmac_secret === undefined ? null : context.secret(config.hmac_secret);
	const timeoutMs = parseDuration(config.timeout);
	const redact = (text: string) => text.replaceAll(url.reveal(), '[redacted]');
	const send = async (body: string, message: { id: string; possibleDuplicate: boolean; signal: AbortSignal }): Promise<SendResult> => {
		const timestamp = String(Math.floor(context.clock.now() / 1000));
		try {
			const response = await context.http(url.reveal(), {
				method: 'POST',
				headers: {
					'content-type': 'application/json',
					'user-agent': 'Fournines',
					'idempotency-key': message.id,
					...(message.possibleDuplicate ? { 'x-fournines-possible-duplicate': 'true' } : {}),
					...(hmac === null
						? {}
						: {
								'x-fournines-timestamp': timestamp,
								'x-fournines-signature': `sha256=${createHmac('sha256', hmac.reveal()).update(`${timestamp}.${body}`).digest('hex')}`,
							}),
					...Object.fromEntries(headers.map(([name, value]) => [name, value.reveal()])),
				},
				body,
				timeoutMs,
				signal: message.signal,
				maxBodyBytes: 64 * 1024,
			});
			return statusOutcome(response, context.clock.now(), redact(excerpt(response.body)));
		} catch (error) {
			return failedExchange(error, redact);
		}
	};
	return {
		channel: context.channel,
		receiver: context.receiver,
		type: 'webhook',
		sendResolved: config.send_resolved,
		rateKey: createHash('sha256').update(url.reveal()).digest('hex'),
		ratePerMinute: null,
		digests: false,
		compose: (notification, { possibleDuplicate }) => {
			const body = JSON.stringify(webhookPayload(notification, { externalUrl: context.externalUrl, maxAlerts: config.max_alerts }));
			return { text: body, send: (signal) => send(body, { id: notification.id, possibleDuplicate, signal }) };
		},
	};
}
