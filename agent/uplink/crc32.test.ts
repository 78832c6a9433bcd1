import fc from 'fast-check';
import { expect, test } from 'vitest';
import { crc32, portableCrc32 } from './crc32.ts';

test('both ways give the same, in one piece or two', () => {
	expect(portableCrc32(Buffer.from('123456789'))).toBe(0xcbf43926);
	fc.assert(
		fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(300), (bytes, cut) => {
			const [head, tail] = [bytes.subarray(0, cut), bytes.subarray(cut)];
			expect(crc32(bytes)).toBe(portableCrc32(bytes));
			expect(crc32(tail, portableCrc32(head))).toBe(crc32(bytes));
		}),
	);
});
