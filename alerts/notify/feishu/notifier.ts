import { createHmac } from 'node:crypto';
import type { Static } from 'typebox';
import { byteLength } from '../../templates/shorten.ts';
import { PLAIN } from '../../templates/texts.ts';
import { textOf, trimmed } from '../channel-frame.ts';
import { createGroupRobot, escapeTags } from '../group-robot.ts';
import type { Notifier, NotifierContext } from '../notifier.ts';
import type { FeishuConfigSchema } from './config.ts';

/** The service takes 20 KB in all. */
const LIMIT_BYTES = 5000;
const CODES = {
	code: ['code', 'StatusCode'],
	text: ['msg', 'StatusMessage'],
	success: [0],
	retryAfterMs: { '-1': 5000, '11232': 60_000 },
	// 9499 is a bad request as well as too many of them.
	retryText: /too many|frequency/i,
} as const;

/** `POST /open-apis/bot/v2/hook/<id>` (open.feishu.cn). 19021 signature or clock, 19022 address, 19024 keyword: final. */
export function createFeishu(config: Static<typeof FeishuConfigSchema>, context: NotifierContext): Notifier {
	// A tag would call people out.
	const markup = { ...PLAIN, escape: escapeTags };
	const write = textOf(context, { type: 'feishu', style: 'message', language: config.language, markup });
	return createGroupRobot(config, context, {
		type: 'feishu',
		key: config.hook,
		codes: CODES,
		request: (message, { key, secret, nowMs }) => {
			const timestamp = String(Math.floor(nowMs / 1000));
			// The key is the text that others sign, and the message is empty.
			const sign = secret === null ? '' : createHmac('sha256', `${timestamp}\n${secret.reveal()}`).update('').digest('base64');
			return {
				url: `${trimmed(config.base_url)}/open-apis/bot/v2/hook/${encodeURIComponent(key.reveal())}`,
				body: { ...(secret === null ? {} : { timestamp, sign }), ...message },
			};
		},
		compose: async (notification, { possibleDuplicate }) => {
			const text = await write(notification, possibleDuplicate, { limit: LIMIT_BYTES, measure: byteLength });
			return { text, message: { msg_type: 'text', content: { text } } };
		},
	});
}
