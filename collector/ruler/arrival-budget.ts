/** What is saved up while nothing happens, as time at the full share. */
const SAVED_MS = 2000;
/** Once all is spent, work begins again with this much saved: waking up for each piece would cost as much as the work (bench/arrivals.ts). */
const RESUME_MS = 50;

/** A share of one core's time: grows with the clock up to a little, and may be overdrawn by one piece of work. */
export class ArrivalBudget {
	readonly #share: number;
	#balanceMs: number;
	#atMs: number;
	#isSpent = false;

	/** `share`: of one core, 0.1 being a tenth. */
	constructor(share: number, nowMs: number) {
		this.#share = share;
		this.#balanceMs = share * SAVED_MS;
		this.#atMs = nowMs;
	}

	/** Milliseconds until work may begin; 0: now. */
	waitMs(nowMs: number): number {
		this.#earn(nowMs);
		if (this.#balanceMs <= 0) this.#isSpent = true;
		const missingMs = this.#isSpent ? this.#share * RESUME_MS - this.#balanceMs : 0;
		if (missingMs > 0) return Math.ceil(missingMs / this.#share) + 1;
		this.#isSpent = false;
		return 0;
	}

	spend(costMs: number, nowMs: number): void {
		this.#earn(nowMs);
		this.#balanceMs -= costMs;
	}

	#earn(nowMs: number): void {
		this.#balanceMs = Math.min(this.#share * SAVED_MS, this.#balanceMs + Math.max(0, nowMs - this.#atMs) * this.#share);
		this.#atMs = nowMs;
	}
}
