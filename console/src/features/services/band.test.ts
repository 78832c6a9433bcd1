import { expect, test } from 'vitest';
import type { LedgerIntervalAnswer, ServiceState } from '../../../../protocol/api.ts';
import { bandSegments } from './band.ts';

const interval = (fromSeconds: number, toSeconds: number, state: ServiceState): LedgerIntervalAnswer => ({
	fromSeconds,
	toSeconds,
	state,
	reason: '',
});
const range = { fromSeconds: 0, toSeconds: 1000 };

test('a second of outage in a long time is still a cell of its own', () => {
	const segments = bandSegments([interval(0, 505, 'up'), interval(505, 506, 'down'), interval(506, 1000, 'up')], range, 10);
	expect(segments).toEqual([
		{ state: 'up', from: 0, to: 0.5 },
		{ state: 'down', from: 0.5, to: 0.6 },
		{ state: 'up', from: 0.6, to: 1 },
	]);
});

test('the future and what came before are left out', () => {
	expect(bandSegments([interval(-50, 200, 'up')], range, 10)).toEqual([{ state: 'up', from: 0, to: 0.2 }]);
});

test('an interval ends before the next slot begins', () => {
	const segments = bandSegments([interval(0, 300, 'down'), interval(300, 1000, 'up')], range, 10);
	expect(segments[0]).toEqual({ state: 'down', from: 0, to: 0.3 });
});

test('nothing to show is nothing', () => {
	expect(bandSegments([], range)).toEqual([]);
	expect(bandSegments([interval(0, 1, 'up')], { fromSeconds: 5, toSeconds: 5 })).toEqual([]);
});
