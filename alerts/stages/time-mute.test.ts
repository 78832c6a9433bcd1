import { expect, test } from 'vitest';
import type { TimeInterval } from '../time/time-interval.ts';
import { timeMute } from './time-mute.ts';

const between = (name: string, fromMs: number, toMs: number): TimeInterval => ({
	name,
	contains: (timeMs) => timeMs >= fromMs && timeMs < toMs,
	next: () => null,
});
const morning = between('morning', 0, 100);
const evening = between('evening', 200, 300);

test.each([
	{ name: 'always, when no time is named', mute: [], active: [], at: 50, wanted: '' },
	{ name: 'not inside of the second time that mutes', mute: [morning, evening], active: [], at: 250, wanted: 'time:evening' },
	{ name: 'between two times that mute', mute: [morning, evening], active: [], at: 150, wanted: '' },
	{ name: 'inside of one of two active times', mute: [], active: [morning, evening], at: 250, wanted: '' },
	{ name: 'not outside of all active times', mute: [], active: [morning, evening], at: 150, wanted: 'time:not morning evening' },
	{ name: 'not in an active time that is muted', mute: [morning], active: [morning, evening], at: 99, wanted: 'time:morning' },
])('a route tells $name', ({ mute, active, at, wanted }) => {
	expect(timeMute({ muteTimeIntervals: mute, activeTimeIntervals: active }, at)).toBe(wanted);
});
