import type { Clock } from '../../core/clock.ts';

export interface ManualClock extends Clock {
	/** Moves time on, waking every sleeper at its own moment and letting what it starts settle before the next one. */
	advance(ms: number): Promise<void>;
	/** Moves time on as a suspended machine sees it: whatever was due meanwhile happens at the end. */
	jump(ms: number): Promise<void>;
	/** Lets everything that is ready now run. */
	settle(): Promise<void>;
}

/** A clock that only moves when told, for schedules. */
export function createManualClock(startMs = Date.UTC(2026, 10, 21, 1, 0, 0)): ManualClock {
	let nowMs = startMs;
	const sleepers = new Set<{ readonly atMs: number; readonly wake: () => void }>();
	// The state database is synchronous, so work that touches no network is done after a few turns of the event loop.
	const settle = async () => {
		for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
	};
	return {
		now: () => nowMs,
		monotonic: () => nowMs,
		sleep: (ms, signal) =>
			new Promise((resolve) => {
				if (signal?.aborted) {
					resolve();
					return;
				}
				const finish = () => {
					sleepers.delete(sleeper);
					signal?.removeEventListener('abort', finish);
					resolve();
				};
				const sleeper = { atMs: nowMs + ms, wake: finish };
				sleepers.add(sleeper);
				signal?.addEventListener('abort', finish, { once: true });
			}),
		settle,
		jump: async (ms) => {
			await settle();
			nowMs += ms;
			for (const sleeper of [...sleepers]) if (sleeper.atMs <= nowMs) sleeper.wake();
			await settle();
		},
		advance: async (ms) => {
			const endMs = nowMs + ms;
			await settle();
			for (;;) {
				const next = [...sleepers].sort((a, b) => a.atMs - b.atMs)[0];
				if (next === undefined || next.atMs > endMs) break;
				nowMs = Math.max(nowMs, next.atMs);
				next.wake();
				await settle();
			}
			nowMs = endMs;
			await settle();
		},
	};
}
