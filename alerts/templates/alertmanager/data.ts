import { GO_ZERO_TIME_MS, type GoTime, goTime } from '../../../core/go-template/go-time.ts';
import { commonPairs, type Notification, type NotifiedAlert } from '../../notify/notification.ts';
import { type MessageData, type MessageOptions, messageData } from '../message-data.ts';

/** A name with its value. */
interface Pair {
	readonly Name: string;
	readonly Value: string;
}
type Pairs = readonly Pair[] & { readonly Names: () => readonly string[]; readonly Values: () => readonly string[] };

/** Labels or annotations: a Go map with methods. */
interface Pairing extends ReadonlyMap<string, string> {
	/** `alertname` first, then by name. */
	readonly SortedPairs: () => Pairs;
	readonly Remove: (names: unknown) => Pairing;
	readonly Names: () => readonly string[];
	readonly Values: () => readonly string[];
}

interface AlertmanagerAlert {
	readonly Status: 'firing' | 'resolved';
	readonly Labels: Pairing;
	readonly Annotations: Pairing;
	readonly StartsAt: GoTime;
	/** Go's zero time while it fires. */
	readonly EndsAt: GoTime;
	readonly GeneratorURL: string;
	readonly Fingerprint: string;
}
type AlertmanagerAlerts = readonly AlertmanagerAlert[] & {
	readonly Firing: () => readonly AlertmanagerAlert[];
	readonly Resolved: () => readonly AlertmanagerAlert[];
};

/**
 * What Alertmanager gives its templates (prometheus.io/docs/alerting/latest/notifications/#data), and beside it what only a
 * message of ours has: number, incident, code and link to take it. Names that both have mean what they mean there.
 */
export interface AlertmanagerData extends Omit<MessageData, 'Alerts' | 'GroupLabels'> {
	readonly Alerts: AlertmanagerAlerts;
	readonly GroupLabels: Pairing;
	readonly CommonLabels: Pairing;
	readonly CommonAnnotations: Pairing;
	readonly GroupKey: string;
	readonly TruncatedAlerts: number;
}

export function alertmanagerData(notification: Notification, options: MessageOptions): AlertmanagerData {
	const { alerts } = notification;
	return {
		...messageData(notification, options),
		GroupLabels: pairing(notification.groupLabels),
		Alerts: alertList(alerts.map(alertData)),
		CommonLabels: pairing(commonPairs(alerts.map(({ labels }) => labels))),
		CommonAnnotations: pairing(commonPairs(alerts.map(({ annotations }) => annotations))),
		GroupKey: notification.groupKey,
		TruncatedAlerts: notification.firingCount + notification.resolvedCount - alerts.length,
	};
}

function alertData(alert: NotifiedAlert): AlertmanagerAlert {
	return {
		Status: alert.status,
		Labels: pairing(alert.labels),
		Annotations: pairing(alert.annotations),
		StartsAt: goTime(alert.startsAtMs),
		EndsAt: goTime(alert.endsAtMs ?? GO_ZERO_TIME_MS),
		GeneratorURL: alert.generatorUrl,
		Fingerprint: alert.fingerprint,
	};
}

function alertList(alerts: readonly AlertmanagerAlert[]): AlertmanagerAlerts {
	const only = (status: AlertmanagerAlert['Status']) => () => alerts.filter((alert) => alert.Status === status);
	return Object.assign([...alerts], { Firing: only('firing'), Resolved: only('resolved') });
}

function pairing(values: Readonly<Record<string, string>>): Pairing {
	const names = Object.keys(values).sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
	const sorted = () => pairs(names.map((name) => ({ Name: name, Value: values[name] ?? '' })));
	return Object.assign(new Map(Object.entries(values)), {
		SortedPairs: sorted,
		Remove: (removed: unknown) => {
			const gone = new Set(Array.isArray(removed) ? removed.map(String) : []);
			return pairing(Object.fromEntries(Object.entries(values).filter(([name]) => !gone.has(name))));
		},
		Names: () => sorted().Names(),
		Values: () => sorted().Values(),
	});
}

function rank(name: string): number {
	return name === 'alertname' ? 0 : 1;
}

function pairs(list: readonly Pair[]): Pairs {
	return Object.assign([...list], { Names: () => list.map(({ Name }) => Name), Values: () => list.map(({ Value }) => Value) });
}
