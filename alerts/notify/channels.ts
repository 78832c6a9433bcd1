import type { AlertsConfig } from '../config.ts';
import type { Language, Notifier, NotifierContext } from './notifier.ts';
import { createSmsGateway, splitPhones } from './sms-gateway/notifier.ts';
import { createWebhook } from './webhook/notifier.ts';
import { createWechatRobot } from './wechat-robot/notifier.ts';

/** Builds every notifier of every receiver. Throws `FN_SECRET_UNREADABLE` when a secret cannot be read. */
export function buildNotifiers(
	config: AlertsConfig,
	world: Omit<NotifierContext, 'channel' | 'receiver' | 'language'>,
): ReadonlyMap<string, readonly Notifier[]> {
	const language: Language = config.language;
	return new Map(
		config.receivers.map((receiver) => {
			const place = (type: string, index: number | string): NotifierContext => ({
				...world,
				language,
				receiver: receiver.name,
				channel: `${receiver.name}/${type}/${index}`,
			});
			return [
				receiver.name,
				[
					...receiver.wechat_robot_configs.map((entry, i) => createWechatRobot(entry, place('wechat_robot', i))),
					...receiver.sms_gateway_configs.flatMap((entry, i) =>
						splitPhones(entry).map((part, j, parts) => createSmsGateway(part, place('sms_gateway', parts.length === 1 ? i : `${i}.${j}`))),
					),
					...receiver.webhook_configs.map((entry, i) => createWebhook(entry, place('webhook', i))),
				],
			];
		}),
	);
}
