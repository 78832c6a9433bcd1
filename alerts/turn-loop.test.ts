import { expect, test } from 'vitest';
import { createManualClock } from '../tests/harness/manual-clock.ts';
import { TurnLoop } from './turn-loop.ts';

/** A loop whose turns are recorded with their second; `next` says how many seconds the n-th one asks for. */
function recorded(next: (turn: number) => number) {
	const clock = createManualClock();
	const beganMs = clock.now();
	const turns: number[] = [];
	const errors: unknown[] = [];
	const late: number[] = [];
	const loop = new TurnLoop({
		clock,
		turn: async () => {
			turns.push((clock.now() - beganMs) / 1000);
			return clock.now() + next(turns.length) * 1000;
		},
		onError: (error) => errors.push(error),
		retryMs: 2000,
		afterSleep: (lateMs) => late.push(lateMs),
	});
	return { clock, turns, errors, late, loop };
}

test('comes back when the turn said, at the latest after a minute', async () => {
	const { clock, turns, loop } = recorded((turn) => (turn === 1 ? 5 : Number.POSITIVE_INFINITY));
	loop.start();
	await clock.advance(130_000);
	await loop.stop();
	expect(turns).toEqual([0, 5, 65, 125]);
});

test('a wake cuts the sleep short, and one during a turn is not lost', async () => {
	const run = recorded((turn) => {
		if (turn === 2) run.loop.wake();
		return 30;
	});
	run.loop.start();
	await run.clock.advance(3000);
	run.loop.wake();
	await run.clock.advance(1000);
	await run.loop.stop();
	expect(run.turns).toEqual([0, 3, 3]);
});

test('a turn that throws is told and taken again', async () => {
	const { clock, turns, errors, loop } = recorded((turn) => {
		if (turn === 1) throw new Error('no disk');
		return 30;
	});
	loop.start();
	await clock.advance(2000);
	await loop.stop();
	expect(turns).toEqual([0, 2]);
	expect(errors).toHaveLength(1);
});

test('a machine that slept is told of, and a stopped loop can begin again', async () => {
	const { clock, turns, late, loop } = recorded(() => 10);
	loop.start();
	await clock.jump(100_000);
	expect(late).toEqual([90_000]);
	await loop.stop();
	await clock.advance(60_000);
	expect(turns).toEqual([0, 100]);
	loop.start();
	await clock.settle();
	expect(turns).toEqual([0, 100, 160]);
	await loop.stop();
});
