import { expect, test } from 'vitest';
import type { Clock } from '../core/clock.ts';
import { systemClock } from '../core/clock.ts';
import { anonymousBytes, memoryExceeded } from './memory-guard.ts';

/** Sleeps for no time, so that looks follow each other at once. */
const hurried: Clock = { ...systemClock, now: () => 0, monotonic: () => 0, sleep: async () => {} };

async function looks(values: readonly number[]): Promise<{ readonly bytes: number | null; readonly read: number }> {
	const abort = new AbortController();
	let read = 0;
	const bytes = await memoryExceeded(
		{
			limitBytes: 100,
			clock: hurried,
			read: () => {
				const value = values[read++] ?? 0;
				if (read >= values.length) abort.abort();
				return value;
			},
		},
		abort.signal,
	);
	return { bytes, read };
}

test('three looks in a row over the limit are too many', async () => {
	expect(await looks([50, 101, 102, 103, 1])).toEqual({ bytes: 103, read: 4 });
});

test('two are not, and at the limit is not over it', async () => {
	expect(await looks([101, 102, 100, 101, 102, 100])).toEqual({ bytes: null, read: 6 });
});

test('a limit of 0 is none', async () => {
	expect(await memoryExceeded({ limitBytes: 0, clock: hurried, read: () => 1e12 }, new AbortController().signal)).toBeNull();
});

test('the memory of this process is known', () => {
	expect(anonymousBytes()).toBeGreaterThan(1_000_000);
	expect(anonymousBytes()).toBeLessThanOrEqual(process.memoryUsage().rss * 1.2);
});
