import { uuidv7 } from '../core/ids.ts';
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

/** An example that no real alert can be taken for: what `notify preview` shows and `notify test` sends. */
export function sampleNotification(sample: {
	readonly status: 'firing' | 'resolved';
	readonly severity: string;
	readonly nowMs: number;
}): Notification {
	const labels = { alertname: 'NotifyTest', severity: sample.severity, instance: 'db-1:3306', system: '测试' };
	const resolved = sample.status === 'resolved';
	const alert: NotifiedAlert = {
		fingerprint: fingerprintOf(labels),
		status: sample.status,
		labels,
		annotations: {
			summary: '测试消息：通知渠道检查',
			summary_en: 'test message: a check of this channel',
			description: '这是一条测试消息，不代表任何故障，无需处理。',
			description_en: 'This is a test. Nothing is wrong, and nothing needs to be done.',
			action: '1. 确认已收到；2. 核对时间与编号；3. 无需其他操作。',
			action_en: '1. see that it arrived; 2. compare time and number; 3. nothing else.',
		},
		startsAtMs: sample.nowMs - 312_000,
		endsAtMs: resolved ? sample.nowMs : null,
		generatorUrl: '',
	};
	return {
		id: uuidv7(sample.nowMs),
		number: 1,
		receiver: 'test',
		groupKey: '{}:{alertname="NotifyTest"}',
		groupLabels: { alertname: 'NotifyTest' },
		createdAtMs: sample.nowMs,
		reason: resolved ? 'resolved' : 'fired',
		alerts: [alert],
		firingCount: resolved ? 0 : 1,
		resolvedCount: resolved ? 1 : 0,
		merged: 1,
	};
}
