import fc from 'fast-check';
import { expect, test } from 'vitest';
import { uuidv7, uuidv7Floor, uuidv7Ms } from './ids.ts';

test('an id says when it was made, and sorts after the floor of its millisecond and before that of the next', () => {
	fc.assert(
		fc.property(fc.integer({ min: 0, max: 2 ** 48 - 2 }), (ms) => {
			const id = uuidv7(ms);
			expect(uuidv7Ms(id)).toBe(ms);
			expect(uuidv7Floor(ms) <= id && id < uuidv7Floor(ms + 1)).toBe(true);
		}),
	);
});
