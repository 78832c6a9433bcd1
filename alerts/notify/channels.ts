import type { AlertsConfig } from '../config.ts';
import { createAliyunSms } from './aliyun-sms/notifier.ts';
import { createDingtalk } from './dingtalk/notifier.ts';
import { createEmail } from './email/notifier.ts';
import { createFeishu } from './feishu/notifier.ts';
import { channelHttp, type HttpConfig } from './http-config.ts';
import type { Language, Notifier, NotifierContext } from './notifier.ts';
import { createSmsGateway, splitPhones } from './sms-gateway/notifier.ts';
import { createTencentSms } from './tencent-sms/notifier.ts';
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
			const place = (type: string, index: number | string, http?: HttpConfig): NotifierContext => ({
				...world,
				http: channelHttp(world.http, http),
				language,
				receiver: receiver.name,
				channel: `${receiver.name}/${type}/${index}`,
			});
			return [
				receiver.name,
				[
					...receiver.wechat_robot_configs.map((entry, i) => createWechatRobot(entry, place('wechat_robot', i, entry.http_config))),
					...receiver.sms_gateway_configs.flatMap((entry, i) =>
						splitPhones(entry).map((part, j, parts) =>
							createSmsGateway(part, place('sms_gateway', parts.length === 1 ? i : `${i}.${j}`, entry.http_config)),
						),
					),
					...receiver.aliyun_sms_configs.map((entry, i) => createAliyunSms(entry, place('aliyun_sms', i, entry.http_config))),
					...receiver.tencent_sms_configs.map((entry, i) => createTencentSms(entry, place('tencent_sms', i, entry.http_config))),
					...receiver.dingtalk_configs.map((entry, i) => createDingtalk(entry, place('dingtalk', i, entry.http_config))),
					...receiver.feishu_configs.map((entry, i) => createFeishu(entry, place('feishu', i, entry.http_config))),
					...receiver.email_configs.map((entry, i) => createEmail(entry, place('email', i))),
					...receiver.webhook_configs.map((entry, i) => createWebhook(entry, place('webhook', i, entry.http_config))),
				],
			];
		}),
	);
}
