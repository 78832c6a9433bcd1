const MINUTE_MS = 60_000;

export type StormVerdict = { readonly kind: 'alone' } | { readonly kind: 'digest' } | { readonly kind: 'wait'; readonly untilMs: number };

/**
 * Over `messages` messages a minute to one receiver and team, the rest leaves as one digest a minute. Nothing is dropped:
 * a group that has to wait keeps what it has to tell.
 */
export class Storm {
	readonly #teams = new Map<string, { sentAtMs: number[]; digestAtMs: number; waiting: number }>();
	readonly #open = new Set<string>();

	/** `more`: the round before could not take every group, so its digests stay open for the rest. */
	beginRound(nowMs: number, more: boolean): void {
		if (!more) this.#open.clear();
		for (const [key, team] of this.#teams) {
			team.sentAtMs = team.sentAtMs.filter((at) => at > nowMs - MINUTE_MS);
			if (team.sentAtMs.length === 0 && nowMs - team.digestAtMs >= 2 * MINUTE_MS) this.#teams.delete(key);
		}
	}

	/** What becomes of a message of this team; `messages` 0 switches the stage off. */
	admit(key: string, nowMs: number, messages: number): StormVerdict {
		if (messages === 0) return { kind: 'alone' };
		let team = this.#teams.get(key);
		if (team === undefined) {
			team = { sentAtMs: [], digestAtMs: Number.NEGATIVE_INFINITY, waiting: 0 };
			this.#teams.set(key, team);
		}
		if (this.#open.has(key)) return { kind: 'digest' };
		// While digests go out, single messages must not slip in between.
		const waitsUntilMs = team.digestAtMs + MINUTE_MS;
		if (nowMs < waitsUntilMs) {
			team.waiting++;
			return { kind: 'wait', untilMs: waitsUntilMs };
		}
		// As many again as the limit wait: the storm goes on.
		if (team.waiting <= messages && team.sentAtMs.length < messages) {
			team.waiting = Math.max(0, team.waiting - 1);
			team.sentAtMs.push(nowMs);
			return { kind: 'alone' };
		}
		team.digestAtMs = nowMs;
		team.waiting = 0;
		this.#open.add(key);
		return { kind: 'digest' };
	}
}
