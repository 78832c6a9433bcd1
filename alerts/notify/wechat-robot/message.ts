import { type MessageOptions, messageText, PLAIN } from '../../templates/message-text.ts';
import type { Notification } from '../notification.ts';

/** Limits of the group robot, in UTF-8 bytes (developer.work.weixin.qq.com, 群机器人配置说明). */
export const MARKDOWN_LIMIT_BYTES = 4096;
export const TEXT_LIMIT_BYTES = 2048;

export function wechatMarkdown(notification: Notification, options: MessageOptions): string {
	const color = notification.firingCount === 0 ? 'info' : 'warning';
	return messageText(notification, options, {
		limit: MARKDOWN_LIMIT_BYTES,
		title: (head, rest) => `**<font color="${color}">${head}</font>${rest}**\n`,
		line: (name, value) => `> ${name}${value}\n`,
		link: (name, url) => `> [${name}](${url})\n`,
		escape: escapeMarkdown,
	});
}

export function wechatText(notification: Notification, options: MessageOptions): string {
	return messageText(notification, options, { ...PLAIN, limit: TEXT_LIMIT_BYTES });
}

/** The robot's markdown knows no escapes. What comes from a label must neither call people out (`<@…>`) nor make a link. */
export function escapeMarkdown(text: string): string {
	return text.replace(/</g, '＜').replace(/>/g, '＞').replace(/\]\(/g, ']（');
}

/** Whether somebody must be called out by name: something of these severities fires. */
export function calledOut(notification: Notification, severities: readonly string[]): boolean {
	return notification.alerts.some((alert) => alert.status === 'firing' && severities.includes(alert.labels['severity'] ?? ''));
}
