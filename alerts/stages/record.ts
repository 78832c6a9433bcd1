import { createHash } from 'node:crypto';
import { uuidv7 } from '../../core/ids.ts';
import { compareNotified, MAX_ALERTS_PER_NOTIFICATION, type Notification, type NotifiedAlert } from '../notify/notification.ts';
import type { Notifier } from '../notify/notifier.ts';
import type { AlertEvent, OutboxEntry } from '../ports.ts';
import type { Turn } from './plan-turn.ts';

export interface Recorded {
	readonly entries: readonly OutboxEntry[];
	readonly events: readonly AlertEvent[];
}

/** Entries that a message for these turns takes in the outbox. */
export function entryCount(turns: readonly Turn[], notifiers: readonly Notifier[]): number {
	return notifiers.filter((notifier) => wants(notifier, reasonOf(turns))).length;
}

/**
 * Writes what turns of one receiver have to tell into outbox entries, one per channel, and into the record of each alert.
 * Several turns make one digest, which names every alert on record even where the text cannot list them all.
 */
export function recordTurns(
	turns: readonly Turn[],
	context: { readonly nowMs: number; readonly notifiers: readonly Notifier[]; readonly nextNumber: () => number },
): Recorded {
	const { nowMs } = context;
	const [first] = turns;
	if (first === undefined) return { entries: [], events: [] };
	const { identity } = first.group;
	const reason = reasonOf(turns);
	const tell = latestOf(turns);
	const entries: OutboxEntry[] = [];
	for (const notifier of context.notifiers) {
		// A channel without recoveries still hears of what goes on firing.
		if (!wants(notifier, reason)) continue;
		const alerts = notifier.sendResolved ? tell : tell.filter((alert) => alert.status === 'firing');
		const firingCount = alerts.filter((alert) => alert.status === 'firing').length;
		const notification: Notification = {
			id: uuidv7(nowMs),
			number: context.nextNumber(),
			receiver: identity.receiver,
			groupKey: identity.groupKey,
			groupLabels: turns.length === 1 ? identity.labels : {},
			createdAtMs: nowMs,
			reason,
			alerts: alerts.slice(0, MAX_ALERTS_PER_NOTIFICATION),
			firingCount,
			resolvedCount: alerts.length - firingCount,
			merged: turns.length,
		};
		entries.push({
			notification,
			groupId:
				turns.length === 1 ? identity.id : createHash('sha256').update(`storm\n${identity.receiver}\n${notification.id}`).digest('hex'),
			channel: notifier.channel,
			state: 'queued',
			possiblySent: false,
			attempts: 0,
			nextAttemptAtMs: nowMs,
		});
	}
	const numbers = entries.map((entry) => `#${entry.notification.number}`).join(' ');
	const kind = entries.length > 0 ? 'queued' : 'recorded';
	const detail = `${identity.receiver} ${numbers}`.trim();
	return { entries, events: tell.map(({ fingerprint }) => ({ atMs: nowMs, fingerprint, kind, detail })) };
}

function wants(notifier: Notifier, reason: Notification['reason']): boolean {
	return notifier.sendResolved || reason !== 'resolved';
}

function reasonOf(turns: readonly Turn[]): Notification['reason'] {
	const reasons = new Set(turns.map((turn) => turn.tell?.reason));
	return reasons.has('fired') ? 'fired' : reasons.has('repeat') ? 'repeat' : 'resolved';
}

function latestOf(turns: readonly Turn[]): readonly NotifiedAlert[] {
	if (turns.length === 1) return turns[0]?.tell?.alerts ?? [];
	const byFingerprint = new Map<string, NotifiedAlert>();
	for (const turn of turns) for (const alert of turn.tell?.alerts ?? []) byFingerprint.set(alert.fingerprint, alert);
	return [...byFingerprint.values()].sort(compareNotified);
}
