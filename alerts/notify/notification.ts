import { type Alert, severityRank } from '../alert.ts';

/** An alert as it is told, frozen at the moment of the decision. */
export interface NotifiedAlert {
	readonly fingerprint: string;
	readonly status: 'firing' | 'resolved';
	readonly labels: Readonly<Record<string, string>>;
	readonly annotations: Readonly<Record<string, string>>;
	readonly startsAtMs: number;
	/** `null` while it fires. */
	readonly endsAtMs: number | null;
	readonly generatorUrl: string;
	/** It comes and goes, and will not be told again until it has calmed. */
	readonly flapping?: boolean;
	/** What stands still because of it and is not told on its own. */
	readonly consequences?: {
		readonly listed: readonly Pick<NotifiedAlert, 'fingerprint' | 'labels' | 'annotations'>[];
		readonly count: number;
	};
}

/** What a message says of the incident that it belongs to. */
export interface IncidentMark {
	readonly id: string;
	/** What somebody replies with to take it, for example `A7`; `''` when nothing is to be taken. */
	readonly code: string;
	/** Takes it without a log-in. Carries a token: sent, but never kept in the history; `''` for none. */
	readonly ackUrl: string;
	/** `一级 剩 1:37 下次通报 10:15`, or `''`. */
	readonly clock: string;
	/** A ready-made text that is told instead of the alerts, for example a progress report; `''` for none. */
	readonly text: string;
}

/** One of several incidents that a digest tells of. */
export interface DigestedIncident extends IncidentMark {
	/** The alert that names it; `null` where it has only a text. */
	readonly about: NotifiedAlert | null;
}

/** Whom a personal message is for. */
export interface PersonalRoute {
	/** The same for all addresses of the request. */
	readonly requestId: string;
	readonly personId: string;
	readonly name: string;
	readonly addresses: readonly { readonly channel: string; readonly to: string }[];
	/** Which of `addresses` this message goes to. */
	readonly step: number;
}

/** What one message says: all that one group has to tell, or several groups' worth when a channel's rate limit asks for a digest. */
export interface Notification {
	readonly id: string;
	/** Short number that people can say on the telephone; counts up over the life of the state database. */
	readonly number: number;
	readonly receiver: string;
	readonly groupKey: string;
	readonly groupLabels: Readonly<Record<string, string>>;
	readonly createdAtMs: number;
	readonly reason: 'fired' | 'resolved' | 'repeat';
	/** Most severe first; firing before resolved. At most `MAX_ALERTS_PER_NOTIFICATION`. */
	readonly alerts: readonly NotifiedAlert[];
	/** Of all alerts, including those that `alerts` leaves out. */
	readonly firingCount: number;
	readonly resolvedCount: number;
	/** 1, or how many notifications were put together. */
	readonly merged: number;
	readonly incident?: IncidentMark;
	/** Of a digest of several: those that can be taken, or have a text of their own. Never together with `incident`, never kept. */
	readonly incidents?: readonly DigestedIncident[];
	readonly personal?: PersonalRoute;
}

/** Keeps an outbox entry below a few hundred kilobytes; no channel shows more, and every alert has its own record anyway. */
export const MAX_ALERTS_PER_NOTIFICATION = 200;

export function notifiedAlert(alert: Alert, status: 'firing' | 'resolved'): NotifiedAlert {
	const { fingerprint, labels, annotations, startsAtMs, generatorUrl } = alert;
	return {
		fingerprint,
		status,
		labels,
		annotations,
		startsAtMs,
		endsAtMs: status === 'resolved' ? alert.resolvedAtMs : null,
		generatorUrl,
	};
}

export function compareNotified(a: NotifiedAlert, b: NotifiedAlert): number {
	if (a.status !== b.status) return a.status === 'firing' ? -1 : 1;
	return severityRank(a.labels) - severityRank(b.labels) || a.startsAtMs - b.startsAtMs || (a.fingerprint < b.fingerprint ? -1 : 1);
}

/** Severity of the most severe alert of a notification. */
export function notificationRank(notification: Notification): number {
	return notification.alerts.reduce((rank, alert) => Math.min(rank, severityRank(alert.labels)), Number.MAX_SAFE_INTEGER);
}

/**
 * Puts notifications together, oldest first, into one that carries the first one's number. Of an alert that occurs
 * several times the latest word counts: fired and resolved while the channel was away reads as resolved, with its duration.
 */
export function mergeNotifications(notifications: readonly Notification[]): Notification {
	const first = notifications[0];
	if (first === undefined) throw new RangeError('mergeNotifications needs at least one notification');
	if (notifications.length === 1) return first;
	const latest = new Map<string, NotifiedAlert>();
	let hiddenFiring = 0;
	let hiddenResolved = 0;
	for (const notification of notifications) {
		const firing = notification.alerts.filter((alert) => alert.status === 'firing').length;
		hiddenFiring += notification.firingCount - firing;
		hiddenResolved += notification.resolvedCount - (notification.alerts.length - firing);
		for (const alert of notification.alerts) latest.set(alert.fingerprint, alert);
	}
	const alerts = [...latest.values()].sort(compareNotified);
	const firing = alerts.filter((alert) => alert.status === 'firing').length;
	const { incident, personal, ...rest } = first;
	const oneIncident = incident !== undefined && notifications.every((notification) => notification.incident?.id === incident.id);
	const oneGroup = notifications.every((notification) => notification.groupKey === first.groupKey);
	return {
		...rest,
		// Of one incident the latest clock counts; several are each taken on their own.
		...(oneIncident ? { incident: notifications.at(-1)?.incident ?? incident } : digested(notifications)),
		...(personal === undefined ? {} : { personal }),
		groupLabels: oneGroup ? first.groupLabels : {},
		reason: firing > 0 ? 'fired' : 'resolved',
		alerts: alerts.slice(0, MAX_ALERTS_PER_NOTIFICATION),
		firingCount: firing + hiddenFiring,
		resolvedCount: alerts.length - firing + hiddenResolved,
		merged: notifications.reduce((sum, notification) => sum + notification.merged, 0),
	};
}

/** What the latest message about each incident says of it. */
function digested(notifications: readonly Notification[]): Pick<Notification, 'incidents'> {
	const latest = new Map<string, DigestedIncident>();
	for (const { incident, alerts } of notifications) {
		if (incident !== undefined) latest.set(incident.id, { ...incident, about: alerts[0] ?? null });
	}
	const incidents = [...latest.values()].filter(({ code, text }) => code !== '' || text !== '');
	return incidents.length === 0 ? {} : { incidents };
}

/** The names that have the same value in all of `sets`. */
export function commonPairs(sets: readonly Readonly<Record<string, string>>[]): Record<string, string> {
	const [first, ...rest] = sets;
	return Object.fromEntries(Object.entries(first ?? {}).filter(([name, value]) => rest.every((set) => set[name] === value)));
}

/** All incidents that a message tells of, one by one. */
export function incidentsOf({ incident, incidents = [] }: Notification): readonly IncidentMark[] {
	return incident === undefined ? incidents : [incident];
}

/** Where a message that has room for one link leads: to the incident that it can take, to the list of several, or to the collector. */
export function onlyLink(notification: Notification, externalUrl: string): string {
	const [first, ...more] = incidentsOf(notification).filter(({ ackUrl }) => ackUrl !== '');
	if (first !== undefined && more.length === 0) return first.ackUrl;
	return more.length > 0 ? incidentListUrl(externalUrl) || (first?.ackUrl ?? '') : externalUrl;
}

/** `''` where people cannot reach the collector. */
export function incidentListUrl(externalUrl: string): string {
	return externalUrl === '' ? '' : `${externalUrl.replace(/\/+$/, '')}/incidents`;
}
