import { expect, test } from 'vitest';
import { countedSeconds, spokenSeconds } from './spoken-duration.ts';

test.each([
	[0, '0 秒', '0 s'],
	[59, '59 秒', '59 s'],
	[60, '1 分', '1 min'],
	[3600, '1 小时', '1 h'],
	[9001, '2 小时 30 分 1 秒', '2 h 30 min 1 s'],
	[86_400 + 61, '1 天 1 分 1 秒', '1 d 1 min 1 s'],
	[1_004_400, '11 天 15 小时', '11 d 15 h'],
])('%d s are said %s', (seconds, zh, en) => {
	expect([spokenSeconds(seconds, 'zh'), spokenSeconds(seconds, 'en')]).toEqual([zh, en]);
});

test('from a minute on the seconds stand beside what people say', () => {
	expect([59, 60, 9000].map((seconds) => countedSeconds(seconds, 'zh'))).toEqual(['59 秒', '60 秒（1 分）', '9000 秒（2 小时 30 分）']);
	expect(countedSeconds(9000, 'en')).toBe('9000 s (2 h 30 min)');
});
