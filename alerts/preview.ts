import type { PostedAlert } from '../protocol/alert.ts';
import { fingerprintOf } from './alert.ts';
import { compareNotified, type Notification, type NotifiedAlert } from './notify/notification.ts';
import type { Language } from './notify/notifier.ts';
import { smsText } from './notify/sms-gateway/message.ts';
import { webhookPayload } from './notify/webhook/payload.ts';
import { wechatMarkdown, wechatText } from './notify/wechat-robot/message.ts';

export const PREVIEW_CHANNELS = ['wechat_robot', 'wechat_robot_text', 'sms_gateway', 'webhook'] as const;
export type PreviewChannel = (typeof PREVIEW_CHANNELS)[number];

export interface PreviewOptions {
	readonly channel: PreviewChannel;
	readonly nowMs: number;
	/** Default `zh-CN`. */
	readonly language?: Language;
	/** Default `''`. */
	readonly externalUrl?: string;
	/** Default `''`. */
	readonly signature?: string;
	/** Parts of a short message. Default 2. */
	readonly maxParts?: number;
	readonly possibleDuplicate?: boolean;
}

/** The text that a channel would send for these alerts as one group. Pure; for looking at texts before they are needed. */
export function preview(alerts: readonly PostedAlert[], options: PreviewOptions): string {
	const { language = 'zh-CN', externalUrl = '', nowMs, possibleDuplicate = false } = options;
	const told = alerts
		.map((alert): NotifiedAlert => {
			const endsAtMs = alert.endsAtMs !== null && alert.endsAtMs <= nowMs ? alert.endsAtMs : null;
			return { ...alert, endsAtMs, status: endsAtMs === null ? 'firing' : 'resolved', fingerprint: fingerprintOf(alert.labels) };
		})
		.sort(compareNotified);
	const firingCount = told.filter((alert) => alert.status === 'firing').length;
	const notification: Notification = {
		id: '00000000-0000-7000-8000-000000000000',
		number: 1,
		receiver: 'preview',
		groupKey: '{}:{}',
		groupLabels: {},
		createdAtMs: nowMs,
		reason: firingCount > 0 ? 'fired' : 'resolved',
		alerts: told,
		firingCount,
		resolvedCount: told.length - firingCount,
		merged: 1,
	};
	switch (options.channel) {
		case 'wechat_robot':
			return wechatMarkdown(notification, { language, externalUrl, possibleDuplicate });
		case 'wechat_robot_text':
			return wechatText(notification, { language, externalUrl, possibleDuplicate });
		case 'sms_gateway':
			return smsText(notification, {
				language,
				possibleDuplicate,
				signature: options.signature ?? '',
				reserve: 0,
				maxParts: options.maxParts ?? 2,
			});
		case 'webhook':
			return JSON.stringify(webhookPayload(notification, { externalUrl, maxAlerts: 0 }), null, '\t');
	}
}
