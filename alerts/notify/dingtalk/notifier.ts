import { createHash, createHmac } from 'node:crypto';
import type { Static } from 'typebox';
import { parseDuration } from '../../../core/duration.ts';
import { headline, tag } from '../../templates/facts.ts';
import { messageText } from '../../templates/message-text.ts';
import { byteLength, shorten } from '../../templates/shorten.ts';
import { judgeBody } from '../body-code.ts';
import { failedExchange } from '../http-outcome.ts';
import type { Notifier, NotifierContext, SendResult } from '../notifier.ts';
import { calledOut, escapeMarkdown } from '../wechat-robot/message.ts';
import type { DingtalkConfigSchema } from './config.ts';

type Config = Static<typeof DingtalkConfigSchema>;

/** The service takes 20,000 bytes; nobody reads a quarter of that on a telephone. */
const LIMIT_BYTES = 5000;
const CODES = {
	code: ['errcode'],
	text: ['errmsg'],
	success: [0],
	// 130101: too fast, blocked for ten minutes.
	retryAfterMs: { '-1': 5000, '130101': 600_000 },
} as const;

/** `POST /robot/send` (open.dingtalk.com, 自定义机器人). 310000, a wrong keyword, signature, clock or address, is final. */
export function createDingtalk(config: Config, context: NotifierContext): Notifier {
	const token = context.secret(config.access_token);
	const secret = config.secret === undefined ? null : context.secret(config.secret);
	const language = config.language ?? context.language;
	const redact = (text: string) => text.replaceAll(token.reveal(), '[redacted]');
	const send = async (body: string, signal: AbortSignal): Promise<SendResult> => {
		const query = new URLSearchParams({ access_token: token.reveal() });
		if (secret !== null) {
			const timestamp = String(context.clock.now());
			query.set('timestamp', timestamp);
			query.set('sign', createHmac('sha256', secret.reveal()).update(`${timestamp}\n${secret.reveal()}`).digest('base64'));
		}
		try {
			const response = await context.http(`${config.base_url.replace(/\/$/, '')}/robot/send?${query}`, {
				method: 'POST',
				headers: { 'content-type': 'application/json; charset=utf-8' },
				body,
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
		type: 'dingtalk',
		sendResolved: config.send_resolved,
		rateKey: createHash('sha256').update(`${config.base_url}\n${token.reveal()}`).digest('hex'),
		ratePerMinute: config.rate_per_minute,
		digests: true,
		compose: (notification, { possibleDuplicate }) => {
			const atMobiles = calledOut(notification, config.at_severities) ? config.at_mobiles : [];
			// Only numbers that also stand in the text are called out.
			const mentions = atMobiles.map((mobile) => `@${mobile}`).join(' ');
			const text = messageText(
				notification,
				{ language, externalUrl: context.externalUrl, possibleDuplicate },
				{
					limit: LIMIT_BYTES - byteLength(mentions) - 2,
					title: (head, rest) => `#### ${head}${rest}\n\n`,
					line: (name, value) => `> ${name}${value}\n>\n`,
					link: (name, url) => `> [${name}](${url})\n>\n`,
					escape: escapeMarkdown,
				},
			);
			const title = shorten(`${tag(notification, language)} ${headline(notification, language)}`, 100, byteLength);
			const whole = mentions === '' ? text : `${text}\n\n${mentions}`;
			const body = JSON.stringify({ msgtype: 'markdown', markdown: { title, text: whole }, at: { atMobiles, isAtAll: false } });
			return { text: whole, send: (signal) => send(body, signal) };
		},
	};
}
