import type { Clock } from '../core/clock.ts';

export interface TurnLoopOptions {
	readonly clock: Clock;
	/** Does what is due; answers when the next turn is worth taking, `Infinity` when nothing is foreseen. */
	readonly turn: () => Promise<number>;
	/** A turn has thrown; the next one follows after `retryMs`. */
	readonly onError: (error: unknown) => void;
	readonly retryMs: number;
	/** Told after each sleep how much longer it took than it should have; negative when it was cut short. */
	readonly afterSleep?: (lateMs: number) => void;
}

/** Longest sleep without a reason, so that a clock that was set back cannot stop the work. */
const LONGEST_SLEEP_MS = 60_000;

/** Work that names its own next time: one turn after the other, sooner when woken, until it is stopped. */
export class TurnLoop {
	readonly #options: TurnLoopOptions;
	#wake = new AbortController();
	#stopping = false;
	#running: Promise<void> | null = null;

	constructor(options: TurnLoopOptions) {
		this.#options = options;
	}

	get stopping(): boolean {
		return this.#stopping;
	}

	start(): void {
		this.#stopping = false;
		this.#running ??= this.#run();
	}

	/** Something may be due at once. During a turn, another one follows it without a sleep. */
	wake(): void {
		this.#wake.abort();
	}

	/** Resolves when the turn under way has ended. It may be started again. */
	async stop(): Promise<void> {
		this.#stopping = true;
		this.#wake.abort();
		await this.#running;
		this.#running = null;
	}

	async #run(): Promise<void> {
		const { clock, turn, onError, retryMs, afterSleep } = this.#options;
		while (!this.#stopping) {
			this.#wake = new AbortController();
			let nextMs: number;
			try {
				nextMs = await turn();
			} catch (error) {
				onError(error);
				nextMs = clock.now() + retryMs;
			}
			const sleepMs = Math.min(LONGEST_SLEEP_MS, nextMs - clock.now());
			if (this.#stopping || sleepMs <= 0) continue;
			const wakeAtMs = clock.now() + sleepMs;
			await clock.sleep(sleepMs, this.#wake.signal);
			afterSleep?.(clock.now() - wakeAtMs);
		}
	}
}
