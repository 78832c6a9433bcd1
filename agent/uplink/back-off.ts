/** Delays between attempts: doubling from `firstMs` to `maxMs`, each varied by a quarter so that agents do not return in step. */
export class BackOff {
	readonly #firstMs: number;
	readonly #maxMs: number;
	readonly #random: () => number;
	#attempt = 0;

	constructor(options: { readonly firstMs: number; readonly maxMs: number; readonly random?: () => number }) {
		this.#firstMs = options.firstMs;
		this.#maxMs = options.maxMs;
		this.#random = options.random ?? Math.random;
	}

	reset(): void {
		this.#attempt = 0;
	}

	/** The next delay. What the receiver asked for (`Retry-After`) is honoured up to five minutes. */
	next(askedMs: number | null = null): number {
		const base = Math.min(this.#maxMs, this.#firstMs * 2 ** Math.min(this.#attempt, 20));
		this.#attempt++;
		const varied = base * (0.75 + this.#random() * 0.5);
		return Math.round(askedMs === null ? varied : Math.max(varied, Math.min(askedMs, 5 * 60_000)));
	}
}
