import { rfc3339 } from '../../../core/rfc3339.ts';
import { commonPairs, type Notification } from '../notification.ts';

/** Alertmanager's webhook body, version 4 (prometheus.io/docs/alerting/latest/configuration/#webhook_config). */
export interface WebhookPayload {
	readonly version: '4';
	readonly groupKey: string;
	readonly truncatedAlerts: number;
	readonly status: 'firing' | 'resolved';
	readonly receiver: string;
	readonly groupLabels: Readonly<Record<string, string>>;
	readonly commonLabels: Readonly<Record<string, string>>;
	readonly commonAnnotations: Readonly<Record<string, string>>;
	readonly externalURL: string;
	readonly alerts: readonly {
		readonly status: 'firing' | 'resolved';
		readonly labels: Readonly<Record<string, string>>;
		readonly annotations: Readonly<Record<string, string>>;
		readonly startsAt: string;
		/** Go's zero time while it fires, as receivers of Alertmanager expect. */
		readonly endsAt: string;
		readonly generatorURL: string;
		readonly fingerprint: string;
	}[];
}

export function webhookPayload(
	notification: Notification,
	options: { readonly externalUrl: string; readonly maxAlerts: number },
): WebhookPayload {
	const shown = options.maxAlerts === 0 ? notification.alerts : notification.alerts.slice(0, options.maxAlerts);
	return {
		version: '4',
		groupKey: notification.groupKey,
		truncatedAlerts: notification.firingCount + notification.resolvedCount - shown.length,
		status: notification.firingCount > 0 ? 'firing' : 'resolved',
		receiver: notification.receiver,
		groupLabels: notification.groupLabels,
		commonLabels: commonPairs(shown.map((alert) => alert.labels)),
		commonAnnotations: commonPairs(shown.map((alert) => alert.annotations)),
		externalURL: options.externalUrl,
		alerts: shown.map((alert) => ({
			status: alert.status,
			labels: alert.labels,
			annotations: alert.annotations,
			startsAt: rfc3339(alert.startsAtMs),
			endsAt: alert.endsAtMs === null ? '0001-01-01T00:00:00Z' : rfc3339(alert.endsAtMs),
			generatorURL: alert.generatorUrl,
			fingerprint: alert.fingerprint,
		})),
	};
}
