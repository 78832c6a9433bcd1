import { expect, test } from 'vitest';
import { countdownText } from './countdown-text.ts';

test.each([
	{ seconds: -5, want: '0:00' },
	{ seconds: 7, want: '0:07' },
	{ seconds: 97.9, want: '1:37' },
	{ seconds: 3599, want: '59:59' },
	{ seconds: 3600, want: '1:00:00' },
	{ seconds: 86_399, want: '23:59:59' },
	{ seconds: 90_060, want: '1 天 1:01' },
])('$seconds s is $want', ({ seconds, want }) => {
	expect(countdownText(seconds, '天')).toBe(want);
});
