import { uuidv7 } from '../../core/ids.ts';
import { type Alert, compareAlerts, isFiring } from '../alert.ts';
import type { Group } from '../group/groups.ts';
import { MAX_ALERTS_PER_NOTIFICATION, type Notification, notifiedAlert } from '../notify/notification.ts';
import type { Notifier } from '../notify/notifier.ts';
import type { AlertEvent, GroupLog, OutboxEntry } from '../ports.ts';
import { decideGroup } from './deduplicate.ts';

/** Everything that one group's turn changes. Nothing has happened yet: the dispatcher makes all plans of a round durable together. */
export interface FlushPlan {
	readonly group: Group;
	readonly entries: readonly OutboxEntry[];
	/** The group's log from now on; `null` when it owes nothing. */
	readonly log: GroupLog | null;
	/** Alerts whose record changes: expired, newly muted, no longer muted. */
	readonly alerts: readonly Alert[];
	/** Fingerprints that leave the group. */
	readonly leaving: readonly string[];
	readonly events: readonly AlertEvent[];
	readonly muted: number;
}

export interface FlushContext {
	readonly nowMs: number;
	readonly alertOf: (fingerprint: string) => Alert | undefined;
	/** `silence:<id>`, `inhibited:<fingerprint>` or `''`. */
	readonly muteOf: (alert: Alert) => string;
	/** What the group has told; `null` when nothing. */
	readonly log: GroupLog | null;
	readonly notifiers: readonly Notifier[];
	/** Gives the next notification number. */
	readonly nextNumber: () => number;
}

/** Decides a group's turn: expire, inhibit and silence, deduplicate, and write the messages that follow. */
export function planFlush(group: Group, context: FlushContext): FlushPlan {
	const { nowMs, log } = context;
	const firing: Alert[] = [];
	const muted: string[] = [];
	const resolved: Alert[] = [];
	const changed = new Map<string, Alert>();
	const events: AlertEvent[] = [];
	const event = (alert: Alert, kind: AlertEvent['kind'], detail: string) => {
		events.push({ atMs: nowMs, fingerprint: alert.fingerprint, kind, detail });
	};
	const vanished: string[] = [];
	for (const fingerprint of group.fingerprints) {
		const known = context.alertOf(fingerprint);
		if (known === undefined) {
			vanished.push(fingerprint);
			continue;
		}
		if (!isFiring(known, nowMs)) {
			const over = known.resolvedAtMs === null ? { ...known, resolvedAtMs: known.expiresAtMs, updatedAtMs: nowMs } : known;
			if (over !== known) {
				changed.set(fingerprint, over);
				event(over, 'expired', '');
			}
			resolved.push(over);
			continue;
		}
		const mute = context.muteOf(known);
		if (mute !== known.mutedBy) {
			changed.set(fingerprint, { ...known, mutedBy: mute });
			if (mute === '') event(known, 'unsuppressed', known.mutedBy);
			else event(known, 'suppressed', mute);
		}
		if (mute === '') firing.push(known);
		else muted.push(fingerprint);
	}
	const decision = decideGroup({
		firing: firing.map((alert) => alert.fingerprint),
		muted,
		resolved: resolved.map((alert) => alert.fingerprint),
		notified: log === null ? null : { firing: new Set(log.firing), notifiedAtMs: log.notifiedAtMs },
		nowMs,
		repeatIntervalMs: group.route.repeatIntervalMs,
		detached: group.detached,
	});
	const told = new Set(log?.firing);
	for (const alert of resolved) {
		if (!told.has(alert.fingerprint) && !group.detached) event(alert, 'untold', group.identity.receiver);
	}
	const leaving = [...vanished, ...resolved.map((alert) => alert.fingerprint)];
	const base = { group, alerts: [...changed.values()], leaving, events, muted: muted.length };
	if (decision.kind === 'nothing') {
		const gone = new Set(leaving);
		const left = log?.firing.filter((fingerprint) => !gone.has(fingerprint)) ?? [];
		return { ...base, entries: [], log: log === null || left.length === 0 ? null : { ...log, firing: left } };
	}
	const recovered = new Set(decision.resolved);
	const tell = [
		...firing
			.sort(compareAlerts)
			.filter(() => !group.detached)
			.map((alert) => notifiedAlert(alert, 'firing')),
		...resolved
			.filter((alert) => recovered.has(alert.fingerprint))
			.sort(compareAlerts)
			.map((alert) => notifiedAlert(alert, 'resolved')),
	];
	const entries: OutboxEntry[] = [];
	for (const notifier of context.notifiers) {
		// A channel without recoveries still hears of what goes on firing.
		if (!notifier.sendResolved && decision.reason === 'resolved') continue;
		const alerts = notifier.sendResolved ? tell : tell.filter((alert) => alert.status === 'firing');
		const firingCount = alerts.filter((alert) => alert.status === 'firing').length;
		const notification: Notification = {
			id: uuidv7(nowMs),
			number: context.nextNumber(),
			receiver: group.identity.receiver,
			groupKey: group.identity.groupKey,
			groupLabels: group.identity.labels,
			createdAtMs: nowMs,
			reason: decision.reason,
			alerts: alerts.slice(0, MAX_ALERTS_PER_NOTIFICATION),
			firingCount,
			resolvedCount: alerts.length - firingCount,
			merged: 1,
		};
		entries.push({
			notification,
			groupId: group.identity.id,
			channel: notifier.channel,
			state: 'queued',
			possiblySent: false,
			attempts: 0,
			nextAttemptAtMs: nowMs,
		});
	}
	const numbers = entries.map((entry) => `#${entry.notification.number}`).join(' ');
	for (const alert of tell) {
		const kind = entries.length > 0 ? 'queued' : 'recorded';
		events.push({ atMs: nowMs, fingerprint: alert.fingerprint, kind, detail: `${group.identity.receiver} ${numbers}`.trim() });
	}
	const next: GroupLog = {
		id: group.identity.id,
		groupKey: group.identity.groupKey,
		receiver: group.identity.receiver,
		labels: group.identity.labels,
		firing: [...decision.notified.firing],
		notifiedAtMs: nowMs,
	};
	return { ...base, entries, log: next.firing.length === 0 ? null : next };
}
