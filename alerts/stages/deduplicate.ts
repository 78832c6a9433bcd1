/** What a group has told its receiver: the log that decides whether there is anything new to say. */
export interface Notified {
	/** Fingerprints whose firing was put into the outbox and whose recovery was not yet. */
	readonly firing: ReadonlySet<string>;
	readonly notifiedAtMs: number;
}

export type GroupDecision =
	| { readonly kind: 'nothing' }
	| {
			readonly kind: 'notify';
			readonly reason: 'fired' | 'resolved' | 'repeat';
			/** Fingerprints to tell as firing and as resolved. */
			readonly firing: readonly string[];
			readonly resolved: readonly string[];
			/** What will have been told; an empty `firing` ends the group's log. */
			readonly notified: Notified;
	  };

/**
 * Decides whether a group has something to tell. A recovery is told exactly where the firing was, muted or not in the
 * meantime, because whoever was woken must learn that it is over; a firing that nobody heard of resolves in silence.
 */
export function decideGroup(input: {
	/** Firing and not muted. */
	readonly firing: readonly string[];
	/** Those of `firing` that are told anew although they were told before: began to flap, or calmed. */
	readonly renew?: ReadonlySet<string>;
	/** Firing but muted: neither told nor forgotten. */
	readonly muted: readonly string[];
	readonly resolved: readonly string[];
	readonly notified: Notified | null;
	readonly nowMs: number;
	readonly repeatIntervalMs: number;
	/** The route is gone: only recoveries are owed. */
	readonly detached: boolean;
}): GroupDecision {
	const told = input.notified?.firing ?? new Set<string>();
	const resolved = input.resolved.filter((fingerprint) => told.has(fingerprint));
	const firing = input.detached ? [] : input.firing;
	const fired = firing.some((fingerprint) => !told.has(fingerprint) || input.renew?.has(fingerprint) === true);
	const repeat = firing.length > 0 && input.notified !== null && input.nowMs - input.notified.notifiedAtMs >= input.repeatIntervalMs;
	const reason = fired ? 'fired' : resolved.length > 0 ? 'resolved' : repeat ? 'repeat' : null;
	if (reason === null) return { kind: 'nothing' };
	const gone = new Set(resolved);
	const next = new Set([...told].filter((fingerprint) => !gone.has(fingerprint)));
	for (const fingerprint of firing) next.add(fingerprint);
	return { kind: 'notify', reason, firing, resolved, notified: { firing: next, notifiedAtMs: input.nowMs } };
}
