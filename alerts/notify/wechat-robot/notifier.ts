import { createHash } from 'node:crypto';
import type { Static } from 'typebox';
import { parseDuration } from '../../../core/duration.ts';
import type { HttpResponse } from '../../../core/http-client.ts';
import { excerpt, failedExchange, retryAfterMs, statusOutcome } from '../http-outcome.ts';
import type { Notification } from '../notification.ts';
import type { Notifier, NotifierContext, SendResult } from '../notifier.ts';
import type { WechatRobotConfigSchema } from './config.ts';
import { wechatMarkdown, wechatText } from './message.ts';

type Config = Static<typeof WechatRobotConfigSchema>;

/** Codes after which the same message can pass: busy, and frequency (a minute's quota, so wait for the next one). */
const RETRY_AFTER_MS: Readonly<Record<number, number>> = { [-1]: 5000, 45009: 60_000, 45033: 5000 };

/**
 * `POST /cgi-bin/webhook/send?key=` (developer.work.weixin.qq.com, 群机器人). The service answers 200 whatever happens; the
 * body's `errcode` decides. 93000 and everything unknown are final: repeating them would only use up the quota.
 */
export function createWechatRobot(config: Config, context: NotifierContext): Notifier {
	const key = context.secret(config.key);
	const timeoutMs = parseDuration(config.timeout);
	const language = config.language ?? context.language;
	const redact = (text: string) => text.replaceAll(key.reveal(), '[redacted]');
	const send = async (body: string, signal: AbortSignal): Promise<SendResult> => {
		const url = `${config.base_url.replace(/\/$/, '')}/cgi-bin/webhook/send?key=${encodeURIComponent(key.reveal())}`;
		let response: HttpResponse;
		try {
			response = await context.http(url, {
				method: 'POST',
				headers: { 'content-type': 'application/json' },
				body,
				timeoutMs,
				signal,
				maxBodyBytes: 64 * 1024,
			});
		} catch (error) {
			return failedExchange(error, redact);
		}
		return judge(response, context.clock.now(), redact);
	};
	return {
		channel: context.channel,
		receiver: context.receiver,
		type: 'wechat_robot',
		sendResolved: config.send_resolved,
		rateKey: createHash('sha256').update(`${config.base_url}\n${key.reveal()}`).digest('hex'),
		ratePerMinute: config.rate_per_minute,
		digests: true,
		compose: (notification, { possibleDuplicate }) => {
			const options = { language, externalUrl: context.externalUrl, possibleDuplicate };
			if (!mentions(config, notification)) {
				const content = wechatMarkdown(notification, options);
				return { text: content, send: (signal) => send(JSON.stringify({ msgtype: 'markdown', markdown: { content } }), signal) };
			}
			const content = wechatText(notification, options);
			const { mentioned_list, mentioned_mobile_list } = config;
			const body = JSON.stringify({ msgtype: 'text', text: { content, mentioned_list, mentioned_mobile_list } });
			return { text: content, send: (signal) => send(body, signal) };
		},
	};
}

/** Telephone numbers can only be called out in plain text, so a message that must wake somebody gives up its mark-up. */
function mentions(config: Config, notification: Notification): boolean {
	if (config.mentioned_list.length + config.mentioned_mobile_list.length === 0) return false;
	return notification.alerts.some(
		(alert) => alert.status === 'firing' && config.mention_severities.includes(alert.labels['severity'] ?? ''),
	);
}

function judge(response: HttpResponse, nowMs: number, redact: (text: string) => string): SendResult {
	const answer = excerpt(response.body);
	if (response.status !== 200) return statusOutcome(response, nowMs, redact(answer));
	let errcode: unknown;
	let errmsg: unknown;
	try {
		const body: unknown = JSON.parse(response.body.toString('utf8'));
		if (typeof body === 'object' && body !== null) {
			errcode = 'errcode' in body ? body.errcode : undefined;
			errmsg = 'errmsg' in body ? body.errmsg : undefined;
		}
	} catch {
		errcode = undefined;
	}
	if (typeof errcode !== 'number') {
		// A proxy's or a portal's page: the robot itself always answers with an errcode.
		return { kind: 'retry', code: 'no-errcode', reason: redact(answer), possiblySent: true };
	}
	if (errcode === 0) return { kind: 'sent', code: '0' };
	const reason = redact(typeof errmsg === 'string' ? errmsg : answer);
	const waitMs = RETRY_AFTER_MS[errcode];
	if (waitMs === undefined) return { kind: 'refused', code: String(errcode), reason };
	return { kind: 'retry', code: String(errcode), reason, possiblySent: false, afterMs: retryAfterMs(response, nowMs) ?? waitMs };
}
