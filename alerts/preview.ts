import { uuidv7 } from '../core/ids.ts';
import { fingerprintOf } from './alert.ts';
import { mergeNotifications, type Notification, type NotifiedAlert } from './notify/notification.ts';

/** An example that no real alert can be taken for: what `notify preview` shows and `notify test` sends. */
export function sampleNotification(sample: {
	readonly status: 'firing' | 'resolved';
	readonly severity: string;
	readonly nowMs: number;
	/** As a person on duty would get it: with the code to take it by. */
	readonly personal?: boolean;
	/** Of the incident, 7 when absent. */
	readonly incident?: number;
}): Notification {
	const { incident = 7 } = sample;
	const labels = { alertname: 'NotifyTest', severity: sample.severity, instance: `db-${incident - 6}:3306`, system: '测试' };
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
		...(sample.personal === true ? { incident: { id: uuidv7(sample.nowMs), code: `A${incident}`, ackUrl: '', clock: '', text: '' } } : {}),
	};
}

/** Two incidents that have to share one message. */
export function sampleDigest(sample: { readonly severity: string; readonly nowMs: number }): Notification {
	return mergeNotifications([7, 8].map((incident) => sampleNotification({ ...sample, status: 'firing', personal: true, incident })));
}
