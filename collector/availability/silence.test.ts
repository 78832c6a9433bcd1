import { expect, test } from 'vitest';
import { gapsBetween, intersect } from './silence.ts';

const spans = (...list: readonly (readonly [number, number])[]) => list.map(([from, to]) => ({ from, to }));
const WINDOW = { from: 100, to: 200 };
const HOLD_MS = 10_000;

test.each([
	{ name: 'nobody ever beat', beats: [], want: spans([100, 200]) },
	{ name: 'a beat speaks for its hold', beats: [100], want: spans([110, 200]) },
	{ name: 'a beat before the window speaks for what is left of its hold', beats: [95], want: spans([105, 200]) },
	{ name: 'one long ago speaks for nothing', beats: [10], want: spans([100, 200]) },
	{ name: 'the next beat comes as the hold ends', beats: [100, 110, 190], want: spans([120, 190]) },
	{ name: 'a gap that is shorter than a hold is one', beats: [100, 115], want: spans([110, 115], [125, 200]) },
	{ name: 'order does not matter', beats: [115, 100], want: spans([110, 115], [125, 200]) },
	{ name: 'a second that is partly covered is no gap', beats: [99.5, 100.5, 112.9], want: spans([111, 112], [123, 200]) },
	{ name: 'a beat after the window says nothing in it', beats: [190, 300], want: spans([100, 190]) },
])('gaps between beats: $name', ({ beats, want }) => {
	expect(
		gapsBetween(
			beats.map((seconds) => seconds * 1000),
			WINDOW,
			HOLD_MS,
		),
	).toEqual(want);
});

test.each([
	{ name: 'nothing in common', a: spans([0, 10]), b: spans([10, 20]), want: [] },
	{ name: 'one over two', a: spans([0, 100]), b: spans([10, 20], [30, 40]), want: spans([10, 20], [30, 40]) },
	{ name: 'two over one', a: spans([0, 15], [18, 40]), b: spans([10, 20]), want: spans([10, 15], [18, 20]) },
	{ name: 'both go on', a: spans([0, 10], [20, 30]), b: spans([5, 25], [28, 50]), want: spans([5, 10], [20, 25], [28, 30]) },
	{ name: 'the same end', a: spans([0, 10], [20, 30]), b: spans([5, 10], [20, 21]), want: spans([5, 10], [20, 21]) },
])('what two lists of spans have in common: $name', ({ a, b, want }) => {
	expect(intersect(a, b)).toEqual(want);
	expect(intersect(b, a)).toEqual(want);
});
