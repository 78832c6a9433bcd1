import type { Clock } from './clock.ts';

export interface RepeatedTurn {
	start(): void;
	/** Resolves when the turn in progress has ended. */
	stop(): Promise<void>;
}

/** Does `turn` at once and then again `everyMs` after its end. One that fails is told and tried again; it never ends the others. */
export function repeatedTurn(options: {
	readonly turn: (signal: AbortSignal) => Promise<void>;
	readonly everyMs: number;
	readonly clock: Clock;
	readonly failed: (error: unknown) => void;
}): RepeatedTurn {
	const { turn, everyMs, clock, failed } = options;
	const stop = new AbortController();
	let running: Promise<void> = Promise.resolve();
	const run = async (): Promise<void> => {
		while (!stop.signal.aborted) {
			try {
				await turn(stop.signal);
			} catch (error) {
				if (!stop.signal.aborted) failed(error);
			}
			await clock.sleep(everyMs, stop.signal);
		}
	};
	return {
		start: () => {
			running = run();
		},
		stop: async () => {
			stop.abort();
			await running;
		},
	};
}
