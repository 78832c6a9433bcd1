import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Timeline } from './intervals.ts';
import { ledgerReadings, outagesOf, UNKNOWN_AS, type UnknownAs } from './unknown-time.ts';

type State = Timeline[number]['state'];
const stretch = (from: number, to: number, state: State): Timeline[number] => ({ from, to, state, reason: '', unconfirmed: false });

describe('an outage in which nothing was seen for a while', () => {
	const timeline = [
		stretch(0, 10, 'down'),
		stretch(10, 20, 'unknown'),
		stretch(20, 35, 'down'),
		stretch(35, 40, 'degraded'),
		stretch(40, 41, 'down'),
		stretch(41, 50, 'excluded'),
		stretch(50, 60, 'down'),
		stretch(60, 64, 'unknown'),
	];
	const last = { fromSeconds: 50, toSeconds: null, downSeconds: 10 };
	const second = { fromSeconds: 40, toSeconds: 41, downSeconds: 1 };
	test.each([
		{ unknown: 'left-out', want: [{ fromSeconds: 0, toSeconds: 35, downSeconds: 25 }, second, last] },
		{
			unknown: 'up',
			want: [
				{ fromSeconds: 0, toSeconds: 10, downSeconds: 10 },
				{ fromSeconds: 20, toSeconds: 35, downSeconds: 15 },
				second,
				{ ...last, toSeconds: 60 },
			],
		},
		{ unknown: 'down', want: [{ fromSeconds: 0, toSeconds: 35, downSeconds: 35 }, second, { ...last, downSeconds: 14 }] },
	] as const)('$unknown', ({ unknown, want }) => {
		expect(outagesOf(timeline, unknown)).toEqual(want);
	});

	test('is left out where nobody says otherwise', () => {
		expect(outagesOf(timeline)).toEqual(outagesOf(timeline, 'left-out'));
	});
});

const states = fc.array(fc.constantFrom<State>('up', 'degraded', 'down', 'unknown', 'excluded'), { maxLength: 60 });
const timelineOf = (seconds: readonly State[]): Timeline => seconds.map((state, i) => stretch(i, i + 1, state));

/** The slow obvious way: the seconds as they would have been, each one looked at. */
function walked(seconds: readonly State[], unknown: UnknownAs) {
	const read = seconds
		.filter((state) => state !== 'unknown' || unknown !== 'left-out')
		.map((state) => (state === 'unknown' ? unknown : state));
	const outages: number[] = [];
	read.forEach((state, i) => {
		if (state !== 'down') return;
		if (read[i - 1] === 'down') outages[outages.length - 1] = (outages.at(-1) ?? 0) + 1;
		else outages.push(1);
	});
	return {
		agreedSeconds: read.filter((state) => state !== 'excluded').length,
		downSeconds: read.filter((state) => state === 'down').length,
		outages: outages.length,
		longestSeconds: Math.max(0, ...outages),
	};
}

test('each reading is what the ledger says once unknown time was up, was down, or was not', () => {
	fc.assert(
		fc.property(states, (seconds) => {
			const readings = ledgerReadings(timelineOf(seconds));
			for (const unknown of UNKNOWN_AS) expect(readings[unknown]).toEqual(walked(seconds, unknown));
		}),
	);
});
