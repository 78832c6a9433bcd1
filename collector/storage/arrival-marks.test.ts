import { beforeEach, describe, expect, test } from 'vitest';
import { ArrivalMarks, NO_CLASS } from './arrival-marks.ts';

const NOW = 1_000_000;

let marks: ArrivalMarks;
let asked: number[];
let told: number;
/** Class of the series by the one byte that its labels are here. */
let classes: Readonly<Record<number, number>>;

beforeEach(() => {
	marks = new ArrivalMarks();
	asked = [];
	told = 0;
	classes = { 1: 2, 2: 2, 3: 3 };
	listen();
});

function listen(): void {
	marks.read({
		classify: (labels) => {
			asked.push(labels[0] as number);
			return classes[labels[0] as number] ?? NO_CLASS;
		},
		onMarks: () => told++,
	});
}

/** Samples of slots at ages in milliseconds. */
function note(...samples: readonly (readonly [slot: number, ageMs: number])[]): void {
	const ids = Uint32Array.from(samples, ([slot]) => slot);
	const timestamps = Float64Array.from(samples, ([, ageMs]) => NOW - ageMs);
	marks.note({ ids, timestamps }, samples.length, { nowMs: NOW, labelsOf: (slot) => Uint8Array.of(slot % 10_000) });
}

function taken(): readonly (readonly number[])[] {
	const found: number[][] = [];
	marks.take((number, newestMs) => found.push([number, NOW - newestMs]));
	return found;
}

describe('marks', () => {
	test('are kept by class with the newest time, and told once', () => {
		note([1, 500], [2, 200], [1, 300], [3, 10], [4, 0]);
		note([3, 5]);
		expect(told).toBe(1);
		expect(taken()).toEqual([
			[2, 200],
			[3, 5],
		]);
		expect(taken()).toEqual([]);
		note([1, 0]);
		expect([told, taken()]).toEqual([2, [[2, 0]]]);
	});

	test('are not made by samples of the past', () => {
		note([1, 30_001], [3, 30_000]);
		expect(taken()).toEqual([[3, 30_000]]);
	});

	test('of series that nobody waits for are not made, and a series is asked for once', () => {
		note([4, 0], [1, 0]);
		note([4, 0], [1, 0], [50_001, 0]);
		expect(asked).toEqual([4, 1, 1]);
		expect(told).toBe(1);
	});

	test('follow a slot to its next series', () => {
		note([1, 0]);
		classes = { 1: 3 };
		note([1, 0]);
		expect(taken()).toEqual([[2, 0]]);
		marks.renew(1);
		marks.renew(1_000_000);
		note([1, 0]);
		expect(taken()).toEqual([[3, 0]]);
	});

	test('are told of when all classes become void while a batch is noted', () => {
		const reader = {
			classify: (labels: Uint8Array) => {
				if (labels[0] === 3) marks.read(reader);
				return 2;
			},
			onMarks: () => told++,
		};
		marks.read(reader);
		note([1, 0]);
		expect(told).toBe(1);
		note([2, 0], [3, 0]);
		expect(told).toBe(2);
		expect(taken()).toEqual([[2, 0]]);
	});

	test('are forgotten with their reader', () => {
		note([1, 0]);
		listen();
		expect(taken()).toEqual([]);
		classes = { 1: 3 };
		note([1, 0]);
		expect(taken()).toEqual([[3, 0]]);
		marks.read(null);
		note([1, 0]);
		expect([taken(), asked]).toEqual([[], [1, 1]]);
	});
});
