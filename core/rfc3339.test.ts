import { expect, test } from 'vitest';
import { rfc3339 } from './rfc3339.ts';

test.each([
	[0, '1970-01-01T00:00:00Z'],
	[1_795_340_388_720, '2026-11-22T09:39:48.72Z'],
	[1_795_340_388_001, '2026-11-22T09:39:48.001Z'],
	[1_795_340_380_000, '2026-11-22T09:39:40Z'],
	[1_795_340_400_500, '2026-11-22T09:40:00.5Z'],
])('%d is %s', (ms, text) => {
	expect(rfc3339(ms)).toBe(text);
	expect(Date.parse(text)).toBe(ms);
});
