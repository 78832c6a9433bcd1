import { expect, test } from 'vitest';
import { unitText } from './units.ts';

const text = (value: number, unit: string, decimals: number | null = null, language: 'zh' | 'en' = 'zh') =>
	unitText(value, { unit, decimals, language });

test.each([
	{ unit: 'bytes', value: 1536, shown: '1.50 KiB' },
	{ unit: 'bytes', value: 0, shown: '0 B' },
	{ unit: 'bytes', value: 2 ** 40 * 3, shown: '3 TiB' },
	{ unit: 'decbytes', value: 1500, shown: '1.50 kB' },
	{ unit: 'binBps', value: -2048, shown: '-2 KiB/s' },
	{ unit: 'bps', value: 1_250_000, shown: '1.25 Mb/s' },
	{ unit: 'percent', value: 12.345, shown: '12.3%' },
	{ unit: 'percentunit', value: 0.07, shown: '7.00%' },
	{ unit: 'percentunit', value: 1, shown: '100%' },
	{ unit: 's', value: 0.0012, shown: '1.20 ms' },
	{ unit: 's', value: 90, shown: '1.50 分' },
	{ unit: 's', value: 7200, shown: '2 小时' },
	{ unit: 'ms', value: 1500, shown: '1.50 s' },
	{ unit: 'dtdurations', value: 100_000, shown: '1 天 3 小时' },
	{ unit: 'dtdurations', value: 3600, shown: '1 小时' },
	{ unit: 'short', value: 1_234_567, shown: '1.23 M' },
	{ unit: 'reqps', value: 12.5, shown: '12.5 次/秒' },
	{ unit: 'reqps', value: 1500, shown: '1.50 K 次/秒' },
	{ unit: 'pps', value: 3, shown: '3 包/秒' },
	{ unit: 'bool', value: 1, shown: '是' },
	{ unit: 'none', value: 0.000_123, shown: '0.00012' },
	{ unit: 'dateTimeAsIso', value: 0, shown: '1970-01-01 08:00:00' },
	{ unit: 'suffix:台', value: 3, shown: '3 台' },
	{ unit: '', value: Number.POSITIVE_INFINITY, shown: '+Inf' },
])('$value in "$unit" is $shown', ({ unit, value, shown }) => {
	expect(text(value, unit)).toBe(shown);
});

test('decimals that the board asks for are kept', () => {
	expect(text(2, 'percent', 2)).toBe('2.00%');
	expect(text(-0.0001, 'none', 1)).toBe('0.0');
});

test('words are in the reader’s language', () => {
	expect(text(12.5, 'reqps', null, 'en')).toBe('12.5 req/s');
	expect(text(90, 's', null, 'en')).toBe('1.50 min');
});
