import type { Logger } from '../core/log.ts';
import { type Alert, severityRank } from './alert.ts';
import type { Group } from './group/groups.ts';
import type { AlertsMetrics } from './metrics.ts';
import type { Notifier } from './notify/notifier.ts';
import type { AlertEvent, GroupLog, OutboxEntry } from './ports.ts';
import { firstReason, type MuteStage } from './stages/mute.ts';
import { planTurn, type Turn } from './stages/plan-turn.ts';
import { entryCount, recordTurns } from './stages/record.ts';
import type { Storm } from './stages/storm.ts';

/** After a full outbox or a database error. */
export const PUT_OFF_MS = 1000;

/** What one receiver is told in one go: by one group, or by many in a storm. */
export interface RoundMessage {
	readonly turns: readonly Turn[];
	/** One per channel; none where the receiver only records. */
	readonly entries: readonly OutboxEntry[];
}

/** What a round decided: which groups had their turn, and what goes into the outbox. */
export interface RoundPlan {
	readonly turns: readonly Turn[];
	readonly messages: readonly RoundMessage[];
	readonly events: readonly AlertEvent[];
}

export interface RoundContext {
	readonly nowMs: number;
	readonly alerts: ReadonlyMap<string, Alert>;
	readonly logs: ReadonlyMap<string, GroupLog>;
	readonly mutes: readonly MuteStage[];
	readonly isFlapping: (fingerprint: string) => boolean;
	readonly consequencesOf: (fingerprint: string) => readonly Alert[];
	readonly notifiers: ReadonlyMap<string, readonly Notifier[]>;
	readonly storm: Storm;
	readonly stormMessages: number;
	/** Entries that the outbox holds already, and may hold. */
	readonly queued: number;
	readonly maxOutbox: number;
	readonly nextNumber: () => number;
	readonly metrics: AlertsMetrics;
	readonly log: Logger;
}

/** Plans the turns of `groups`, most urgent first. Of what does not fit now only the group's next time is moved. */
export function planRound(groups: readonly Group[], context: RoundContext): RoundPlan {
	const { nowMs, notifiers, maxOutbox, metrics, log } = context;
	// What an earlier turn of this round changes, later turns must see.
	const changed = new Map<string, Alert>();
	const turns: Turn[] = [];
	const messages: Turn[][] = [];
	const digests = new Map<string, Turn[]>();
	let queued = context.queued;
	for (const group of groups) {
		const turn = planTurn(group, {
			nowMs,
			alertOf: (fingerprint) => changed.get(fingerprint) ?? context.alerts.get(fingerprint),
			muteOf: (alert) => firstReason(context.mutes, alert),
			isFlapping: context.isFlapping,
			consequencesOf: context.consequencesOf,
			log: context.logs.get(group.identity.id) ?? null,
		});
		if (turn.tell !== null) {
			const channels = notifiers.get(group.identity.receiver) ?? [];
			const team = `${group.identity.receiver}\n${teamOf(turn)}`;
			const digest = digests.get(team);
			const size = digest === undefined ? entryCount([turn], channels) : 0;
			if (size > 0 && queued + size > maxOutbox) {
				group.nextFlushAtMs = nowMs + PUT_OFF_MS;
				metrics.deferred.inc();
				log.warn({ group: group.identity.groupKey, outbox: queued }, 'the outbox is full; the group waits');
				continue;
			}
			// A receiver without channels only records, and that is never too much.
			const verdict = channels.length === 0 ? ({ kind: 'alone' } as const) : context.storm.admit(team, nowMs, context.stormMessages);
			if (verdict.kind === 'wait') {
				group.nextFlushAtMs = verdict.untilMs;
				metrics.stormWaits.inc();
				continue;
			}
			queued += size;
			if (verdict.kind === 'alone') messages.push([turn]);
			else if (digest !== undefined) digest.push(turn);
			else {
				const begun = [turn];
				digests.set(team, begun);
				messages.push(begun);
				metrics.stormDigests.inc();
			}
		}
		for (const alert of turn.alerts) changed.set(alert.fingerprint, alert);
		turns.push(turn);
	}
	const recorded = messages.map((part) => ({
		turns: part,
		...recordTurns(part, {
			nowMs,
			notifiers: notifiers.get(part[0]?.group.identity.receiver ?? '') ?? [],
			nextNumber: context.nextNumber,
		}),
	}));
	return { turns, messages: recorded, events: recorded.flatMap(({ events }) => events) };
}

/**
 * The team that all alerts of a turn belong to; turns of several teams are digested together. What is critical has an
 * allowance of its own: a storm of warnings must not make it wait.
 */
function teamOf(turn: Turn): string {
	const urgent = turn.tell?.alerts.some((alert) => severityRank(alert.labels) === 0) === true;
	const teams = new Set(turn.tell?.alerts.map((alert) => alert.labels['team'] ?? ''));
	return `${teams.size === 1 ? ([...teams][0] ?? '') : ''}\n${urgent ? 'critical' : ''}`;
}
