import { expect, test } from 'vitest';
import { builtInValues, parseSpanSeconds, spanText, stepSeconds, windowOf } from './time-range.ts';

const NOW = 1_800_000_000_000;
const HOUR = 3_600_000;

test.each([
	{ text: '15s', seconds: 15 },
	{ text: '1h30m', seconds: 5400 },
	{ text: '500ms', seconds: 0.5 },
	{ text: '7d', seconds: 604_800 },
	{ text: 'soon', seconds: null },
])('$text', ({ text, seconds }) => {
	expect(parseSpanSeconds(text)).toBe(seconds);
});

test.each([
	{ name: 'relative', from: 'now-3h', to: 'now', window: { fromMs: NOW - 3 * HOUR, toMs: NOW } },
	{ name: 'milliseconds', from: String(NOW - HOUR), to: String(NOW), window: { fromMs: NOW - HOUR, toMs: NOW } },
	{ name: 'mistyped is the last hour', from: 'now-x', to: 'now', window: { fromMs: NOW - HOUR, toMs: NOW } },
	{ name: 'backwards is the last hour', from: 'now', to: 'now-1h', window: { fromMs: NOW - HOUR, toMs: NOW } },
])('$name', ({ from, to, window }) => {
	expect(windowOf({ from, to }, NOW)).toEqual(window);
});

test('steps are round, and not finer than what is delivered', () => {
	const window = (hours: number) => ({ fromMs: NOW - hours * HOUR, toMs: NOW });
	expect(stepSeconds(window(1), 240, 15)).toBe(15);
	expect(stepSeconds(window(24), 240, 15)).toBe(600);
	expect(stepSeconds(window(1), 10_000, 15)).toBe(15);
});

test('a rate interval holds four samples, also at the finest step', () => {
	expect(builtInValues({ fromMs: NOW - HOUR, toMs: NOW }, 15)).toMatchObject({
		__rate_interval: '1m',
		__interval: '15s',
		__range: '3600s',
	});
	expect(builtInValues({ fromMs: NOW - HOUR, toMs: NOW }, 600)).toMatchObject({ __rate_interval: '615s' });
	expect(spanText(7200)).toBe('2h');
});
