/** Time as a dependency, so that schedules can be tested without waiting. */
export interface Clock {
	/** Wall clock, integer milliseconds since the epoch. */
	now(): number;
	/** Monotonic milliseconds with a fraction, for durations: the wall clock may jump. */
	monotonic(): number;
	/** Resolves after `ms`, or at once when `signal` is aborted; never rejects. */
	sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
	now: () => Date.now(),
	monotonic: () => performance.now(),
	sleep: (ms, signal) =>
		new Promise((resolve) => {
			if (signal?.aborted) {
				resolve();
				return;
			}
			const finish = () => {
				clearTimeout(timer);
				signal?.removeEventListener('abort', finish);
				resolve();
			};
			const timer = setTimeout(finish, ms);
			signal?.addEventListener('abort', finish, { once: true });
		}),
};
