import { expect, test } from 'vitest';
import { systemClock } from './clock.ts';
import { Repetition } from './repetition.ts';

function trial(outcomes: readonly ('good' | 'bad')[], waitFirst = false) {
	const seen: string[] = [];
	let runs = 0;
	let done = () => {};
	const finished = new Promise<void>((resolve) => {
		done = resolve;
	});
	const repetition = new Repetition({
		// No time passes; the loop gives way between runs all the same.
		clock: { ...systemClock, sleep: async () => void seen.push('wait') },
		everyMs: () => 1000,
		waitFirst,
		run: async () => {
			const outcome = outcomes[runs++];
			if (runs === outcomes.length) done();
			if (outcome === undefined) return;
			seen.push(outcome);
			if (outcome === 'bad') throw new Error('bad');
		},
		onFailure: (_error, again) => seen.push(again ? 'still failing' : 'failed'),
		onRecovery: () => seen.push('recovered'),
	});
	return { repetition, seen, finished };
}

test('tells the first failure from those after it, and when it is well again', async () => {
	const { repetition, seen, finished } = trial(['good', 'bad', 'bad', 'good', 'bad']);
	repetition.start();
	await finished;
	await repetition.stop();
	expect(seen.filter((what) => what !== 'wait')).toEqual(
		// The last one fails while it is being stopped, which is nobody's failure.
		['good', 'bad', 'failed', 'bad', 'still failing', 'good', 'recovered', 'bad'],
	);
});

test.each([
	{ waitFirst: false, first: 'good' },
	{ waitFirst: true, first: 'wait' },
])('begins with $first', async ({ waitFirst, first }) => {
	const { repetition, seen, finished } = trial(['good', 'good'], waitFirst);
	repetition.start();
	await finished;
	await repetition.stop();
	expect(seen[0]).toBe(first);
});

test('a second start begins nothing, and a stop waits for the run under way', async () => {
	let release = () => {};
	let ended = false;
	let runs = 0;
	const repetition = new Repetition({
		clock: systemClock,
		everyMs: () => 60_000,
		run: async () => {
			runs++;
			await new Promise<void>((resolve) => {
				release = resolve;
			});
			ended = true;
		},
		onFailure: () => {},
	});
	repetition.start();
	repetition.start();
	const stopped = repetition.stop();
	release();
	await stopped;
	expect({ ended, runs }).toEqual({ ended: true, runs: 1 });
});
