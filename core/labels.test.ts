import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fingerprint } from './labels.ts';

/** As the definition of FNV-1a says it. */
function byDefinition(labels: readonly string[]): string {
	let hash = 0xcbf29ce484222325n;
	for (const part of labels) {
		for (const byte of [...new TextEncoder().encode(part), 0xff]) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
	}
	return hash.toString(16).padStart(16, '0');
}

test('a fingerprint is FNV-1a 64 of the bytes, whatever the letters', () => {
	const text = fc.oneof(fc.string(), fc.string({ unit: 'grapheme' }), fc.constantFrom('', '响应变慢', 'app-1 慢', '\ud800x'));
	fc.assert(
		fc.property(fc.array(text, { maxLength: 12 }), (labels) => {
			expect(fingerprint(labels)).toBe(byDefinition(labels));
		}),
	);
});
