/** At most so many in any 60 seconds: the services count in windows of their own, so a sliding one is safe against all of them. */
export class RateLimit {
	#perMinute: number;
	#sentAtMs: number[] = [];

	constructor(perMinute: number) {
		this.#perMinute = perMinute;
	}

	/** From now on; what was sent before counts. */
	allow(perMinute: number): void {
		this.#perMinute = perMinute;
	}

	/** How many may be sent now, when the next place becomes free, and how many places are kept for the most severe. */
	state(nowMs: number): { readonly free: number; readonly freeAtMs: number; readonly reserved: number } {
		this.#sentAtMs = this.#sentAtMs.filter((at) => at > nowMs - 60_000);
		const sent = this.#sentAtMs.length;
		return {
			free: this.#perMinute - sent,
			freeAtMs: (this.#sentAtMs[Math.max(0, sent - this.#perMinute)] ?? nowMs) + 60_000,
			reserved: Math.floor(this.#perMinute / 6),
		};
	}

	take(nowMs: number): void {
		this.#sentAtMs.push(nowMs);
	}
}
