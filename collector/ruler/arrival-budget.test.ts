import { expect, test } from 'vitest';
import { ArrivalBudget } from './arrival-budget.ts';

test('a share that is used up comes back with time', () => {
	const budget = new ArrivalBudget(0.1, 0);
	expect(budget.waitMs(0)).toBe(0);
	// Two seconds' worth is there at the start.
	budget.spend(300, 0);
	expect(budget.waitMs(0)).toBe(1051);
	expect(budget.waitMs(500)).toBe(551);
	// A little must have been saved again.
	expect(budget.waitMs(1001)).toBe(50);
	expect(budget.waitMs(1051)).toBe(0);
	budget.spend(1, 1051);
	expect(budget.waitMs(1051)).toBe(0);
});

test('no more than two seconds are saved up', () => {
	const budget = new ArrivalBudget(0.1, 0);
	budget.waitMs(3_600_000);
	budget.spend(210, 3_600_000);
	expect(budget.waitMs(3_600_000)).toBe(151);
});

test('over a long time no more than the share is spent, whatever a piece of work costs', () => {
	const budget = new ArrivalBudget(0.05, 0);
	let spentMs = 0;
	for (let nowMs = 0; nowMs < 100_000; nowMs++) {
		if (budget.waitMs(nowMs) > 0) continue;
		budget.spend(17, nowMs);
		spentMs += 17;
	}
	expect(spentMs).toBeGreaterThan(4500);
	expect(spentMs).toBeLessThan(5200);
});
