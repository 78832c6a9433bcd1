import { createHash, createHmac } from 'node:crypto';
import type { Static } from 'typebox';
import { parseDuration } from '../../../core/duration.ts';
import { messageText, PLAIN } from '../../templates/message-text.ts';
import { judgeBody } from '../body-code.ts';
import { failedExchange } from '../http-outcome.ts';
import type { Notifier, NotifierContext, SendResult } from '../notifier.ts';
import type { FeishuConfigSchema } from './config.ts';

type Config = Static<typeof FeishuConfigSchema>;

/** The service takes 20 KB in all. */
const LIMIT_BYTES = 5000;
const CODES = {
	code: ['code', 'StatusCode'],
	text: ['msg', 'StatusMessage'],
	success: [0],
	retryAfterMs: { '11232': 60_000, '9499': 60_000 },
} as const;

/** `POST /open-apis/bot/v2/hook/<id>` (open.feishu.cn). 19021 signature or clock, 19022 address, 19024 keyword: final. */
export function createFeishu(config: Config, context: NotifierContext): Notifier {
	const hook = context.secret(config.hook);
	const secret = config.secret === undefined ? null : context.secret(config.secret);
	const language = config.language ?? context.language;
	const redact = (text: string) => text.replaceAll(hook.reveal(), '[redacted]');
	const send = async (text: string, signal: AbortSignal): Promise<SendResult> => {
		const timestamp = String(Math.floor(context.clock.now() / 1000));
		// The key is the text that others sign, and the message is empty.
		const signed =
			secret === null ? {} : { timestamp, sign: createHmac('sha256', `${timestamp}\n${secret.reveal()}`).update('').digest('base64') };
		try {
			const response = await context.http(
				`${config.base_url.replace(/\/$/, '')}/open-apis/bot/v2/hook/${encodeURIComponent(hook.reveal())}`,
				{
					method: 'POST',
					headers: { 'content-type': 'application/json; charset=utf-8' },
					body: JSON.stringify({ ...signed, msg_type: 'text', content: { text } }),
					timeoutMs: parseDuration(config.timeout),
					signal,
					maxBodyBytes: 64 * 1024,
				},
			);
			return judgeBody(response, CODES, { nowMs: context.clock.now(), redact });
		} catch (error) {
			return failedExchange(error, redact);
		}
	};
	return {
		channel: context.channel,
		receiver: context.receiver,
		type: 'feishu',
		sendResolved: config.send_resolved,
		rateKey: createHash('sha256').update(`${config.base_url}\n${hook.reveal()}`).digest('hex'),
		ratePerMinute: config.rate_per_minute,
		digests: true,
		compose: (notification, { possibleDuplicate }) => {
			const text = messageText(
				notification,
				{ language, externalUrl: context.externalUrl, possibleDuplicate },
				// A tag would call people out.
				{ ...PLAIN, limit: LIMIT_BYTES, escape: (value) => value.replace(/</g, '＜').replace(/>/g, '＞') },
			);
			return { text, send: (signal) => send(text, signal) };
		},
	};
}
