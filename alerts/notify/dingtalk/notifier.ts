import { createHmac } from 'node:crypto';
import type { Static } from 'typebox';
import { byteLength } from '../../templates/shorten.ts';
import { PLAIN } from '../../templates/texts.ts';
import { textOf, trimmed } from '../channel-frame.ts';
import { calledOut, createGroupRobot, escapeMarkdown } from '../group-robot.ts';
import type { Notifier, NotifierContext } from '../notifier.ts';
import type { DingtalkConfigSchema } from './config.ts';

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
export function createDingtalk(config: Static<typeof DingtalkConfigSchema>, context: NotifierContext): Notifier {
	const place = { type: 'dingtalk', language: config.language } as const;
	const text = textOf(context, {
		...place,
		style: 'message',
		markup: {
			title: (head, rest) => `#### ${head}${rest}\n\n`,
			line: (name, value) => `> ${name}${value}\n>\n`,
			link: (name, url) => `> [${name}](${url})\n>\n`,
			escape: escapeMarkdown,
		},
	});
	const title = textOf(context, { ...place, style: 'title', part: 'title', markup: PLAIN });
	return createGroupRobot(config, context, {
		type: 'dingtalk',
		key: config.access_token,
		codes: CODES,
		request: (body, { key, secret, nowMs }) => {
			const query = new URLSearchParams({ access_token: key.reveal() });
			if (secret !== null) {
				query.set('timestamp', String(nowMs));
				query.set('sign', createHmac('sha256', secret.reveal()).update(`${nowMs}\n${secret.reveal()}`).digest('base64'));
			}
			return { url: `${trimmed(config.base_url)}/robot/send?${query}`, body };
		},
		compose: async (notification, { possibleDuplicate }) => {
			const atMobiles = calledOut(notification, config.at_severities) ? config.at_mobiles : [];
			// Only numbers that also stand in the text are called out.
			const mentions = atMobiles.map((mobile) => `@${mobile}`).join(' ');
			const limit = LIMIT_BYTES - byteLength(mentions) - 2;
			const written = await text(notification, possibleDuplicate, { limit, measure: byteLength });
			const whole = mentions === '' ? written : `${written}\n\n${mentions}`;
			const heading = await title(notification, possibleDuplicate, { limit: 100, measure: byteLength });
			return {
				text: whole,
				message: { msgtype: 'markdown', markdown: { title: heading, text: whole }, at: { atMobiles, isAtAll: false } },
			};
		},
	});
}
