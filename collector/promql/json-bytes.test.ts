import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatSample } from './go-float.ts';
import { JsonBytes } from './json-bytes.ts';

function written(write: (json: JsonBytes) => void): string {
	const json = new JsonBytes(4, 1 << 20);
	write(json);
	return new TextDecoder().decode(json.finish());
}

function sample(value: number): string {
	return written((json) => {
		json.reserve(32);
		json.sample(value);
	});
}

describe('a sample value', () => {
	test.each([
		0,
		-0,
		1,
		-1,
		9,
		10,
		99_999,
		100_000,
		0.1,
		0.0001,
		0.00005,
		1.0001,
		-12.34,
		1e11,
		99_999_999_999.9999,
		1e21,
		1e-7,
		2 ** 53,
		Number.MAX_VALUE,
	])('%s is written as text would be', (value) => {
		expect(sample(value)).toBe(formatSample(value));
	});

	test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])('%s', (value) => {
		expect(sample(value)).toBe(formatSample(value));
	});

	test('any other, too', () => {
		const decimals = fc
			.tuple(fc.integer({ min: -1e12, max: 1e12 }), fc.integer({ min: 0, max: 8 }))
			.map(([digits, places]) => digits / 10 ** places);
		fc.assert(
			fc.property(fc.oneof(fc.double(), decimals, fc.integer()), (value) => {
				expect(sample(value)).toBe(formatSample(value));
			}),
			{ numRuns: 20_000 },
		);
	});
});

test('text of any kind, longer than the room', () => {
	const text = '平台 "a" 😀 \u0001'.repeat(50);
	expect(written((json) => json.text(text))).toBe(text);
});

test('what is too long is refused, not cut', () => {
	const json = new JsonBytes(4, 100);
	expect(() => {
		for (let i = 0; i < 100; i++) json.text('abc');
	}).toThrow(RangeError);
});
