export interface FlapLimits {
	/** More firings than this within `windowMs` are flapping; 0 switches the stage off. */
	readonly firings: number;
	readonly windowMs: number;
	/** Without a change for this long it has calmed. */
	readonly calmAfterMs: number;
}

export interface AlertTurn {
	readonly fingerprint: string;
	readonly atMs: number;
	readonly firing: boolean;
}

/** Knows which alerts come and go too often to be told each time. Built anew from the record of events after a restart. */
export class Flapping {
	readonly #turns = new Map<string, { firedAtMs: readonly number[]; lastMs: number }>();

	record({ fingerprint, atMs, firing }: AlertTurn, limits: FlapLimits): void {
		if (limits.firings === 0) return;
		let turns = this.#turns.get(fingerprint);
		if (turns === undefined) {
			turns = { firedAtMs: [], lastMs: atMs };
			this.#turns.set(fingerprint, turns);
		}
		turns.lastMs = Math.max(turns.lastMs, atMs);
		if (!firing) return;
		// Older ones cannot change the answer any more. An array that is grown by a push keeps room for sixteen more; most alerts need one.
		turns.firedAtMs = [...turns.firedAtMs, atMs].slice(-limits.firings - 1);
	}

	isFlapping(fingerprint: string, nowMs: number, limits: FlapLimits): boolean {
		const turns = this.#turns.get(fingerprint);
		if (limits.firings === 0 || turns === undefined || nowMs - turns.lastMs >= limits.calmAfterMs) return false;
		return turns.firedAtMs.filter((at) => at > turns.lastMs - limits.windowMs).length > limits.firings;
	}

	/** Forgets what is calm and too old to count. */
	forget(nowMs: number, limits: FlapLimits): void {
		const oldestMs = nowMs - limits.windowMs - limits.calmAfterMs;
		for (const [fingerprint, { lastMs }] of this.#turns) if (lastMs < oldestMs) this.#turns.delete(fingerprint);
	}
}
