import { type Alert, compareAlerts } from '../alert.ts';
import type { Group } from '../group/groups.ts';
import { type NotifiedAlert, notifiedAlert } from '../notify/notification.ts';
import type { AlertEvent, GroupLog } from '../ports.ts';
import { decideGroup } from './deduplicate.ts';
import { settle } from './settle.ts';
import { timeMute } from './time-mute.ts';

/** Everything that one group's turn changes. Nothing has happened yet: the dispatcher makes all turns of a round durable together. */
export interface Turn {
	readonly group: Group;
	/** `null`: nothing to tell. */
	readonly tell: { readonly reason: 'fired' | 'resolved' | 'repeat'; readonly alerts: readonly NotifiedAlert[] } | null;
	/** The group's log from now on; `null` when it owes nothing. */
	readonly log: GroupLog | null;
	/** Alerts whose record changes: expired, newly muted, no longer muted. */
	readonly alerts: readonly Alert[];
	/** Fingerprints that leave the group. */
	readonly leaving: readonly string[];
	/** Fingerprints that the group's time holds back from now on. */
	readonly heldByTime: readonly string[];
	readonly events: readonly AlertEvent[];
}

export interface TurnContext {
	readonly nowMs: number;
	readonly alertOf: (fingerprint: string) => Alert | undefined;
	/** `inhibited:<fingerprint>`, `silence:<id>`, `maintenance:<window>` or `''`. */
	readonly muteOf: (alert: Alert) => string;
	readonly isFlapping: (fingerprint: string) => boolean;
	/** What an alert explains, most severe first. */
	readonly consequencesOf: (fingerprint: string) => readonly Alert[];
	/** What the group has told; `null` when nothing. */
	readonly log: GroupLog | null;
}

/** Decides a group's turn: settle, inhibit and silence, the group's time, flapping, deduplicate. */
export function planTurn(group: Group, context: TurnContext): Turn {
	const { nowMs, log } = context;
	const told = new Set(log?.firing);
	const toldFlapping = new Set(log?.flapping);
	const time = timeMute(group.route, nowMs);
	const firing: Alert[] = [];
	const muted: string[] = [];
	const resolved: Alert[] = [];
	const held = new Set<string>();
	const renew = new Set<string>();
	const flapping = new Set<string>();
	const vanished: string[] = [];
	const heldByTime: string[] = [];
	const changed = new Map<string, Alert>();
	const events: AlertEvent[] = [];
	const event = (alert: Alert, kind: AlertEvent['kind'], detail: string) => {
		events.push({ atMs: nowMs, fingerprint: alert.fingerprint, kind, detail });
	};
	for (const fingerprint of group.fingerprints) {
		const known = context.alertOf(fingerprint);
		if (known === undefined) {
			vanished.push(fingerprint);
			continue;
		}
		const settled = settle(known, nowMs);
		const { alert } = settled;
		if (settled.expired) {
			changed.set(fingerprint, alert);
			event(alert, 'expired', '');
		}
		const mute = settled.firing ? context.muteOf(alert) : '';
		if (settled.firing && mute !== alert.mutedBy) {
			changed.set(fingerprint, { ...alert, mutedBy: mute });
			if (mute === '') event(alert, 'unsuppressed', alert.mutedBy);
			else event(alert, 'suppressed', /^(silence|maintenance):/.test(mute) ? `${mute} ${alert.labels['severity'] ?? ''}`.trim() : mute);
		}
		const unsteady = context.isFlapping(fingerprint);
		if (toldFlapping.has(fingerprint)) {
			if (unsteady) flapping.add(fingerprint);
			else if (time === '' && mute === '') {
				event(alert, 'calmed', group.identity.receiver);
				if (settled.firing) renew.add(fingerprint);
			} else flapping.add(fingerprint);
		}
		const holding = time !== '' || flapping.has(fingerprint);
		if (!settled.firing) {
			if (holding && told.has(fingerprint)) held.add(fingerprint);
			else resolved.push(alert);
			continue;
		}
		if (mute !== '') {
			muted.push(fingerprint);
			continue;
		}
		if (time !== '' && !group.detached && !group.heldByTime.has(fingerprint)) {
			heldByTime.push(fingerprint);
			event(alert, 'suppressed', `${time} ${group.identity.receiver}`);
		}
		if (holding) {
			muted.push(fingerprint);
			continue;
		}
		if (unsteady && !group.detached) {
			flapping.add(fingerprint);
			renew.add(fingerprint);
			event(alert, 'flapping', group.identity.receiver);
		}
		firing.push(alert);
	}
	const decision = decideGroup({
		firing: firing.map((alert) => alert.fingerprint),
		renew,
		muted,
		resolved: resolved.map((alert) => alert.fingerprint),
		notified: log === null ? null : { firing: told, notifiedAtMs: log.notifiedAtMs },
		nowMs,
		repeatIntervalMs: group.route.repeatIntervalMs,
		detached: group.detached,
	});
	for (const alert of resolved) {
		if (!told.has(alert.fingerprint) && !group.detached) event(alert, 'untold', group.identity.receiver);
	}
	const leaving = [...vanished, ...resolved.map((alert) => alert.fingerprint)];
	const base = { group, alerts: [...changed.values()], leaving, heldByTime, events };
	const { id, groupKey, receiver, labels } = group.identity;
	const logOf = (firingNow: readonly string[], notifiedAtMs: number): GroupLog | null =>
		firingNow.length === 0
			? null
			: { id, groupKey, receiver, labels, firing: firingNow, flapping: firingNow.filter((one) => flapping.has(one)), notifiedAtMs };
	if (decision.kind === 'nothing') {
		const gone = new Set(leaving);
		const left = [...told].filter((fingerprint) => !gone.has(fingerprint));
		const same = log !== null && left.length === log.firing.length && flapping.size === log.flapping.length;
		return { ...base, tell: null, log: same ? log : logOf(left, log?.notifiedAtMs ?? nowMs) };
	}
	const recovered = new Set(decision.resolved);
	const alerts = [
		...firing
			.sort(compareAlerts)
			.filter(() => !group.detached)
			.map((alert) => ({
				...notifiedAlert(alert, 'firing'),
				...(flapping.has(alert.fingerprint) ? { flapping: true } : {}),
				...consequencesFor(context.consequencesOf(alert.fingerprint)),
			})),
		...resolved
			.filter((alert) => recovered.has(alert.fingerprint))
			.sort(compareAlerts)
			.map((alert) => notifiedAlert(alert, 'resolved')),
	];
	return { ...base, tell: { reason: decision.reason, alerts }, log: logOf([...decision.notified.firing], nowMs) };
}

/** Named in a message; the rest is counted, and each has its own record. */
const MAX_CONSEQUENCES = 10;

function consequencesFor(alerts: readonly Alert[]): Pick<NotifiedAlert, 'consequences'> {
	if (alerts.length === 0) return {};
	const listed = alerts.slice(0, MAX_CONSEQUENCES).map(({ fingerprint, labels, annotations }) => ({ fingerprint, labels, annotations }));
	return { consequences: { listed, count: alerts.length } };
}
