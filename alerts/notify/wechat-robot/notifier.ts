import type { Static } from 'typebox';
import { byteLength } from '../../templates/shorten.ts';
import { type Markup, PLAIN } from '../../templates/texts.ts';
import { textOf, trimmed } from '../channel-frame.ts';
import { calledOut, createGroupRobot, escapeMarkdown } from '../group-robot.ts';
import type { Notification } from '../notification.ts';
import type { Notifier, NotifierContext } from '../notifier.ts';
import type { WechatRobotConfigSchema } from './config.ts';

type Config = Static<typeof WechatRobotConfigSchema>;

/** Limits of the group robot, in UTF-8 bytes (developer.work.weixin.qq.com, 群机器人配置说明). */
const MARKDOWN_LIMIT_BYTES = 4096;
const TEXT_LIMIT_BYTES = 2048;

/** 93000 and everything unknown are final: repeating them would only use up the quota. 45009 is the minute's quota. */
const CODES = {
	code: ['errcode'],
	text: ['errmsg'],
	success: [0],
	retryAfterMs: { '-1': 5000, '45009': 60_000, '45033': 5000 },
} as const;

/** `POST /cgi-bin/webhook/send?key=` (developer.work.weixin.qq.com, 群机器人). */
export function createWechatRobot(config: Config, context: NotifierContext): Notifier {
	const place = { type: 'wechat_robot', style: 'message', language: config.language } as const;
	const markdown = (color: string) => textOf(context, { ...place, markup: wechatMarkdown(color) });
	const firing = markdown('warning');
	const resolved = markdown('info');
	const plain = textOf(context, { ...place, markup: PLAIN });
	return createGroupRobot(config, context, {
		type: 'wechat_robot',
		key: config.key,
		codes: CODES,
		request: (body, { key }) => ({
			url: `${trimmed(config.base_url)}/cgi-bin/webhook/send?key=${encodeURIComponent(key.reveal())}`,
			body,
		}),
		compose: async (notification, { possibleDuplicate }) => {
			if (mentions(config, notification)) {
				const content = await plain(notification, possibleDuplicate, { limit: TEXT_LIMIT_BYTES, measure: byteLength });
				const { mentioned_list, mentioned_mobile_list } = config;
				return { text: content, message: { msgtype: 'text', text: { content, mentioned_list, mentioned_mobile_list } } };
			}
			const size = { limit: MARKDOWN_LIMIT_BYTES, measure: byteLength };
			const content = await (notification.firingCount === 0 ? resolved : firing)(notification, possibleDuplicate, size);
			return { text: content, message: { msgtype: 'markdown', markdown: { content } } };
		},
	});
}

/** Telephone numbers can only be called out in plain text, so a message that must wake somebody gives up its mark-up. */
function mentions(config: Config, notification: Notification): boolean {
	return config.mentioned_list.length + config.mentioned_mobile_list.length > 0 && calledOut(notification, config.mention_severities);
}

function wechatMarkdown(color: string): Markup {
	return {
		title: (head, rest) => `**<font color="${color}">${head}</font>${rest}**\n`,
		line: (name, value) => `> ${name}${value}\n`,
		link: (name, url) => `> [${name}](${url})\n`,
		escape: escapeMarkdown,
	};
}
