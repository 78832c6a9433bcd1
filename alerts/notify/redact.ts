import type { Notification, NotifiedAlert } from './notification.ts';

/** Labels that may leave: how bad it is, and the system, whose name is public. */
const KEPT_LABELS = ['severity', 'system'];

/**
 * What an untrusted channel may carry: the number, the system, the level and the clock. No address, no host or account name,
 * no summary (it names the weakness), no link into the network but the one to take the incident, which says nothing itself.
 * Done here for all channels, because a template that forgets it would publish the network.
 */
export function redactNotification(notification: Notification): Notification {
	const { incident, incidents, ...rest } = notification;
	const { number } = notification;
	return {
		...rest,
		receiver: '',
		groupKey: '',
		groupLabels: kept(notification.groupLabels),
		alerts: notification.alerts.map((alert) => redactAlert(alert, number)),
		...(incident === undefined ? {} : { incident: { ...incident, text: '' } }),
		...(incidents === undefined
			? {}
			: { incidents: incidents.map((one) => ({ ...one, text: '', about: one.about === null ? null : redactAlert(one.about, number) })) }),
	};
}

function redactAlert(alert: NotifiedAlert, number: number): NotifiedAlert {
	const name = { summary: `故障 ${number}，登录查看详情`, summary_en: `fault ${number}, log in to see more` };
	return {
		fingerprint: alert.fingerprint,
		status: alert.status,
		labels: kept(alert.labels),
		annotations: name,
		startsAtMs: alert.startsAtMs,
		endsAtMs: alert.endsAtMs,
		generatorUrl: '',
		...(alert.flapping === undefined ? {} : { flapping: alert.flapping }),
	};
}

function kept(labels: Readonly<Record<string, string>>): Record<string, string> {
	return Object.fromEntries(KEPT_LABELS.flatMap((name) => (labels[name] === undefined ? [] : [[name, labels[name]]])));
}
