import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { byteLength, fitPieces, shorten, smsCapacity, smsParts, unitLength } from './shorten.ts';

const text = fc.string({ unit: 'binary', maxLength: 200 });

describe('shorten', () => {
	test.each([
		{ name: 'what fits', text: '严重', limit: 6, wanted: '严重' },
		{ name: 'by bytes', text: '严重告警', limit: 9, wanted: '严重…' },
		{ name: 'not inside a character', text: '严重告警', limit: 11, wanted: '严重…' },
		{ name: 'no room for the ellipsis', text: '严重', limit: 2, wanted: '' },
	])('$name', ({ text, limit, wanted }) => {
		expect(shorten(text, limit, byteLength)).toBe(wanted);
	});

	test('never exceeds the limit and never splits a surrogate pair', () => {
		fc.assert(
			fc.property(text, fc.nat({ max: 100 }), (value, limit) => {
				expect(byteLength(shorten(value, limit, byteLength))).toBeLessThanOrEqual(limit);
				const units = shorten(`😀${value}😀`, limit, unitLength);
				expect(unitLength(units)).toBeLessThanOrEqual(limit);
				expect(units.isWellFormed()).toBe(true);
			}),
		);
	});
});

describe('fitPieces', () => {
	test('cuts the least important piece first', () => {
		const pieces = [
			{ text: 'WHAT;', sacrifice: 0 },
			{ text: 'a long description that nobody needs;', sacrifice: 5 },
			{ text: 'an action that helps;', sacrifice: 3 },
		];
		expect(fitPieces(pieces, 63, unitLength)).toBe('WHAT;a long description that nobody needs;an action that helps;');
		expect(fitPieces(pieces, 50, unitLength)).toMatch(/^WHAT;a long .*…an action that helps;$/);
		expect(fitPieces(pieces, 27, unitLength)).toBe('WHAT;an action that helps;');
	});

	test('drops a link as a whole', () => {
		expect(
			fitPieces(
				[
					{ text: 'WHAT', sacrifice: 0 },
					{ text: 'http://example/very/long', sacrifice: 1, whole: true },
				],
				20,
				unitLength,
			),
		).toBe('WHAT');
	});

	test('always fits', () => {
		const piece = fc.record({ text, sacrifice: fc.nat({ max: 3 }), whole: fc.boolean() });
		fc.assert(
			fc.property(fc.array(piece, { maxLength: 8 }), fc.nat({ max: 300 }), (pieces, limit) => {
				expect(byteLength(fitPieces(pieces, limit, byteLength))).toBeLessThanOrEqual(limit);
			}),
		);
	});
});

test.each([
	{ units: 1, parts: 1 },
	{ units: 70, parts: 1 },
	{ units: 71, parts: 2 },
	{ units: 134, parts: 2 },
	{ units: 135, parts: 3 },
])('$units units are $parts parts', ({ units, parts }) => {
	expect(smsParts(units)).toBe(parts);
	expect(smsCapacity(parts)).toBeGreaterThanOrEqual(units);
});
