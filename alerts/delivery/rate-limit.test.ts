import fc from 'fast-check';
import { expect, test } from 'vitest';
import { backoffMs } from './backoff.ts';
import { RateLimit } from './rate-limit.ts';

test('no sixty seconds hold more than the limit, and it says to the millisecond when there is room again', () => {
	fc.assert(
		fc.property(
			fc.integer({ min: 1, max: 20 }),
			fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 40_000 })), { maxLength: 80 }),
			(perMinute, pauses) => {
				const limit = new RateLimit(perMinute);
				const sent: number[] = [];
				let nowMs = 1_000_000;
				for (const pause of pauses) {
					nowMs += pause;
					const { free, freeAtMs, reserved } = limit.state(nowMs);
					const inside = sent.filter((at) => at > nowMs - 60_000);
					expect(free).toBe(perMinute - inside.length);
					expect(reserved).toBe(Math.floor(perMinute / 6));
					if (free === 0) {
						expect(limit.state(freeAtMs - 1).free).toBe(0);
						nowMs = freeAtMs;
						expect(limit.state(nowMs).free).toBeGreaterThan(0);
					}
					limit.take(nowMs);
					sent.push(nowMs);
				}
				for (const from of sent) expect(sent.filter((at) => at >= from && at < from + 60_000).length).toBeLessThanOrEqual(perMinute);
			},
		),
	);
});

test('a lower limit counts what was sent under the higher one', () => {
	const limit = new RateLimit(3);
	for (const atMs of [0, 10_000, 20_000]) limit.take(atMs);
	limit.allow(1);
	expect(limit.state(20_000)).toMatchObject({ free: -2, freeAtMs: 80_000 });
	expect(limit.state(80_000).free).toBe(1);
	limit.allow(5);
	expect(limit.state(20_000).free).toBe(5);
});

test('attempts are one second apart, then two, four, and never more than a minute', () => {
	expect([0, 1, 2, 3, 6, 7, 8, 1000].map(backoffMs)).toEqual([1000, 1000, 2000, 4000, 32_000, 60_000, 60_000, 60_000]);
});
