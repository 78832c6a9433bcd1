const COALESCE_MS = 100;

/** Gathers the times of checks that came late and tells the oldest and the newest, at most once per 100 ms, never from inside a write. */
export class OldChecks {
	readonly #tell: (minMs: number, maxMs: number) => void;
	#minMs = Number.POSITIVE_INFINITY;
	#maxMs = Number.NEGATIVE_INFINITY;
	#timer: NodeJS.Timeout | null = null;

	constructor(tell: (minMs: number, maxMs: number) => void) {
		this.#tell = tell;
	}

	add(timeMs: number): void {
		if (timeMs < this.#minMs) this.#minMs = timeMs;
		if (timeMs > this.#maxMs) this.#maxMs = timeMs;
		if (this.#timer !== null) return;
		this.#timer = setTimeout(() => {
			const minMs = this.#minMs;
			const maxMs = this.#maxMs;
			this.#timer = null;
			this.#minMs = Number.POSITIVE_INFINITY;
			this.#maxMs = Number.NEGATIVE_INFINITY;
			this.#tell(minMs, maxMs);
		}, COALESCE_MS);
		this.#timer.unref();
	}

	stop(): void {
		if (this.#timer !== null) clearTimeout(this.#timer);
		this.#timer = null;
	}
}
