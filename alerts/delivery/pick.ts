import { notificationRank } from '../notify/notification.ts';
import type { OutboxEntry } from '../ports.ts';

export type Pick =
	| { readonly kind: 'send'; readonly entries: readonly OutboxEntry[] }
	/** Nothing is due before `untilMs`; `null`: nothing waits at all. */
	| { readonly kind: 'wait'; readonly untilMs: number | null };

/** Groups that one digest holds. */
export const MAX_GROUPS_PER_DIGEST = 50;

/**
 * What a channel sends next. Entries of one group keep their order and leave together, because a recovery must not
 * overtake its firing. When more groups are due than the rate limit has room for, they leave as one digest; otherwise the
 * most severe goes first.
 */
export function pickNext(
	entries: readonly OutboxEntry[],
	context: {
		readonly nowMs: number;
		readonly free: number;
		readonly freeAtMs: number;
		/** Places that only the most severe may take: a trickle of warnings must not use up the minute before it comes. */
		readonly reserved: number;
		readonly digests: boolean;
	},
): Pick {
	if (entries.length === 0) return { kind: 'wait', untilMs: null };
	const bundles = new Map<string, OutboxEntry[]>();
	for (const entry of [...entries].sort((a, b) => a.notification.number - b.notification.number)) {
		const bundle = bundles.get(entry.groupId);
		if (bundle === undefined) bundles.set(entry.groupId, [entry]);
		else bundle.push(entry);
	}
	const due: OutboxEntry[][] = [];
	let earliestMs = Number.POSITIVE_INFINITY;
	for (const bundle of bundles.values()) {
		const at = bundle[0]?.nextAttemptAtMs ?? 0;
		if (at <= context.nowMs) due.push(bundle);
		else earliestMs = Math.min(earliestMs, at);
	}
	if (due.length === 0) return { kind: 'wait', untilMs: earliestMs };
	if (context.free <= 0) return { kind: 'wait', untilMs: context.freeAtMs };
	const rank = (bundle: readonly OutboxEntry[]) => Math.min(...bundle.map((entry) => notificationRank(entry.notification)));
	// After an outage of the channel the newest of equals goes first: what happened an hour ago can wait for it, not the other way round.
	due.sort((a, b) => rank(a) - rank(b) || (b[0]?.notification.number ?? 0) - (a[0]?.notification.number ?? 0));
	const urgent = rank(due[0] ?? []) === 0;
	if (!urgent && context.free <= context.reserved) return { kind: 'wait', untilMs: context.freeAtMs };
	if (context.digests && due.length > context.free) return { kind: 'send', entries: due.slice(0, MAX_GROUPS_PER_DIGEST).flat() };
	return { kind: 'send', entries: due[0] ?? [] };
}
