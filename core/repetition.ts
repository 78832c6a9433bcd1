import type { Clock } from './clock.ts';

export interface RepetitionOptions {
	readonly clock: Clock;
	/** From the end of one run to the beginning of the next; asked each time. */
	readonly everyMs: () => number;
	/** Waits before the first run as well. Default: begins at once. */
	readonly waitFirst?: boolean;
	/** Ends soon when `signal` is aborted. */
	readonly run: (signal: AbortSignal) => Promise<void>;
	/** A run has thrown, and it was not because of the stop. `again`: so had the one before. */
	readonly onFailure: (error: unknown, again: boolean) => void;
	/** A run has succeeded after one that had not. */
	readonly onRecovery?: () => void;
}

/** Work that is done over and over until it is stopped, one run at a time. */
export class Repetition {
	readonly #options: RepetitionOptions;
	readonly #stopping = new AbortController();
	#running: Promise<void> | null = null;
	#failing = false;

	constructor(options: RepetitionOptions) {
		this.#options = options;
	}

	start(): void {
		this.#running ??= this.#loop(this.#stopping.signal);
	}

	/** Resolves when the run under way has ended. */
	async stop(): Promise<void> {
		this.#stopping.abort();
		await this.#running;
	}

	async #loop(signal: AbortSignal): Promise<void> {
		const { clock, everyMs, waitFirst = false } = this.#options;
		if (waitFirst) await clock.sleep(everyMs(), signal);
		while (!signal.aborted) {
			await this.#once(signal);
			await clock.sleep(everyMs(), signal);
		}
	}

	async #once(signal: AbortSignal): Promise<void> {
		const { run, onFailure, onRecovery } = this.#options;
		try {
			await run(signal);
			if (this.#failing) onRecovery?.();
			this.#failing = false;
		} catch (error) {
			if (signal.aborted) return;
			onFailure(error, this.#failing);
			this.#failing = true;
		}
	}
}
