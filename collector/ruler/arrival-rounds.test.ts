import { describe, expect, test } from 'vitest';
import { ArrivalRounds } from './arrival-rounds.ts';

const [A, B, C] = [1, 2, 4];
const T0 = 1_700_000_000_000;

/** Bits that arrive, and at which second they were measured; then whether the round is whole. */
type Step = readonly [bits: number, second: number, whole: boolean];

describe('inputs of one subject', () => {
	test.each<{ readonly name: string; readonly inputs: number; readonly steps: readonly Step[] }>([
		{
			name: 'are all awaited at first sight',
			inputs: 3,
			steps: [
				[A, 0, false],
				[C, 0, false],
				[B, 0, true],
			],
		},
		{
			name: 'are awaited again in every round, whichever comes first',
			inputs: 2,
			steps: [
				[A, 0, false],
				[B, 0, true],
				[B, 15, false],
				[A, 15, true],
				[A, 30, false],
				[B, 30, true],
			],
		},
		{
			name: 'that one series feeds are there at once',
			inputs: 2,
			steps: [
				[A | B, 0, true],
				[A | B, 15, true],
			],
		},
		{
			name: 'measured a little apart belong together',
			inputs: 2,
			steps: [
				[A, 0, false],
				[B, 0.9, true],
				[A, 15, false],
				[B, 15.9, true],
			],
		},
		{
			name: 'measured far apart do not wait for each other',
			inputs: 2,
			steps: [
				[A, 0, false],
				[B, 7, true],
				[A, 15, true],
				[B, 22, true],
			],
		},
		{
			name: 'that never come are awaited once',
			inputs: 2,
			steps: [
				[A, 0, false],
				[A, 15, true],
				[A, 30, true],
			],
		},
		{
			name: 'that stop coming are awaited once more',
			inputs: 2,
			steps: [
				[A, 0, false],
				[B, 0, true],
				[A, 15, false],
				[A, 30, true],
			],
		},
		{
			name: 'of another rhythm are awaited where they met',
			inputs: 2,
			steps: [
				[A | B, 0, true],
				[A, 15, false],
				[A, 30, true],
				[A, 45, true],
				[A | B, 60, true],
			],
		},
		{
			name: 'that come again with the same time change nothing',
			inputs: 2,
			steps: [
				[A | B, 0, true],
				[A, 15, false],
				[A, 15, false],
				[B, 15, true],
			],
		},
		{
			name: 'of three that come one by one',
			inputs: 3,
			steps: [
				[A | B | C, 0, true],
				[B, 15, false],
				[C, 15, false],
				[A, 15, true],
			],
		},
	])('$name', ({ inputs, steps }) => {
		const rounds = new ArrivalRounds(inputs);
		const seen = steps.map(([bits, second, _]) => {
			rounds.arrived('host', bits, { timeMs: T0 + second * 1000, nowMs: 0 });
			return [bits, second, rounds.isWhole('host')];
		});
		expect(seen).toEqual(steps);
	});
});

test('a subject that is not whole holds up all for two seconds', () => {
	const rounds = new ArrivalRounds(2);
	rounds.arrived('a', A, { timeMs: T0, nowMs: 100 });
	rounds.arrived('b', A | B, { timeMs: T0, nowMs: 100 });
	expect([rounds.isWhole('a'), rounds.isWhole('b')]).toEqual([false, true]);
	expect([100, 2099, 2100].map((nowMs) => rounds.allWhole(nowMs))).toEqual([false, false, true]);
});

test('subjects do not fill the memory', () => {
	const rounds = new ArrivalRounds(2);
	for (let i = 0; i <= 50_000; i++) rounds.arrived(`host-${i}`, A | B, { timeMs: T0, nowMs: 0 });
	expect([rounds.isWhole('host-0'), rounds.isWhole('host-50000')]).toEqual([false, true]);
});

test('subjects that are forgotten are waited for no longer', () => {
	const rounds = new ArrivalRounds(2);
	for (let i = 0; i <= 50_000; i++) rounds.arrived(`host-${i}`, A, { timeMs: T0, nowMs: 0 });
	expect(rounds.allWhole(0)).toBe(false);
	rounds.arrived('host-50000', B, { timeMs: T0, nowMs: 0 });
	expect(rounds.allWhole(0)).toBe(true);
});
