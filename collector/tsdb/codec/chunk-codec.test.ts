import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CHUNK_VARIANTS, ChunkDamaged, ChunkDecoder, ChunkEncoder } from './chunk-codec.ts';

const encoder = new ChunkEncoder();
const decoder = new ChunkDecoder();

interface Samples {
	readonly offsets: readonly number[];
	/** Pairs of words. */
	readonly words: readonly number[];
}

function wordsOf(values: readonly number[]): number[] {
	return [...new Uint32Array(Float64Array.from(values).buffer)];
}

function encode(samples: Samples): Uint8Array {
	const words = Uint32Array.from(samples.words);
	const length = encoder.encode(Uint32Array.from(samples.offsets), words, new Float64Array(words.buffer), 0, samples.offsets.length);
	return encoder.bytes.slice(0, length);
}

function decode(bytes: Uint8Array): Samples {
	const count = decoder.decode(bytes, 0, bytes.length);
	// What the decoder is certain of must be true.
	for (let i = 0; i < count; i++) {
		if (!decoder.mayBeStale) expect(decoder.words[i * 2 + 1] === 0x7ff00000 && decoder.words[i * 2] === 2).toBe(false);
		if (!decoder.mayFall && i > 0) expect((decoder.values[i] as number) < (decoder.values[i - 1] as number)).toBe(false);
	}
	return { offsets: [...decoder.offsets.subarray(0, count)], words: [...decoder.words.subarray(0, count * 2)] };
}

const regular = (count: number) => Array.from({ length: count }, (_, i) => 1000 + i * 15_000);

describe('chunk codec', () => {
	test.each([
		{ name: 'a constant', values: Array(120).fill(1), atMost: 16 },
		{ name: 'a steady counter', values: Array.from({ length: 120 }, (_, i) => 5e9 + i * 150), atMost: 25 },
		{ name: 'a counter with jitter', values: Array.from({ length: 120 }, (_, i) => 5e9 + i * 150 + (i % 7)), atMost: 100 },
		{ name: 'a gauge with two decimals', values: Array.from({ length: 120 }, (_, i) => ((i * 37) % 100) / 100), atMost: 160 },
		{ name: 'fractions that no power of ten makes whole', values: Array.from({ length: 50 }, (_, i) => Math.sqrt(i + 2)), atMost: 420 },
		{ name: 'zero and minus zero', values: [0, -0, 0, -0, 1, 2, 3, 4, 5, 6, 7, 8], atMost: 80 },
		{ name: 'infinities', values: [1, 2, 3, Number.POSITIVE_INFINITY, 5, 6, 7, Number.NEGATIVE_INFINITY, 9, 10], atMost: 80 },
		{ name: 'beyond 2^53', values: [2 ** 60, 2 ** 60 + 4096, 1, Number.MAX_VALUE, Number.MIN_VALUE], atMost: 80 },
		{ name: 'one sample', values: [42.5], atMost: 16 },
		{ name: 'two samples', values: [42.5, 17], atMost: 40 },
	])('keeps $name bit for bit in at most $atMost bytes', ({ values, atMost }) => {
		const samples = { offsets: regular(values.length), words: wordsOf(values) };
		const bytes = encode(samples);
		expect(decode(bytes)).toEqual(samples);
		expect(bytes.length).toBeLessThanOrEqual(atMost);
	});

	test.each([
		{ name: 'a steady counter', values: Array.from({ length: 60 }, (_, i) => i * 150), falls: false },
		{ name: 'a counter with jitter', values: Array.from({ length: 60 }, (_, i) => i * 150 + (i % 7) * 9), falls: false },
		{ name: 'a counter with a reset', values: Array.from({ length: 60 }, (_, i) => (i % 40) * 150 + (i % 7) * 9), falls: true },
		{ name: 'a falling gauge', values: Array.from({ length: 60 }, (_, i) => 1000 - i), falls: true },
	])('knows of $name whether it falls, in every form', ({ values, falls }) => {
		const samples = { offsets: regular(values.length), words: wordsOf(values) };
		decode(encode(samples));
		expect(decoder).toMatchObject({ mayFall: falls, mayBeStale: false });
		const variant = encoder.variant(CHUNK_VARIANTS[0]);
		if (variant === null) return;
		decode(variant);
		expect(decoder).toMatchObject({ mayFall: falls, mayBeStale: false });
	});

	test('keeps the stale marker among ordinary values', () => {
		const words = wordsOf([1, 2, 3, 4, 5, 6, 7, 8]);
		words[6] = 2;
		words[7] = 0x7ff00000;
		const samples = { offsets: regular(8), words };
		expect(decode(encode(samples))).toEqual(samples);
	});

	const value = fc.oneof(
		fc.integer({ min: -1000, max: 1000 }),
		fc.integer(),
		fc.integer({ min: -100_000, max: 100_000 }).map((n) => n / 100),
		fc.double(),
		fc.constantFrom(0, -0, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 51, 2 ** 53, -(2 ** 52) + 1, 1e-9, 123456789.12345679),
	);
	const rawWords = fc.tuple(fc.nat(0xffffffff), fc.nat(0xffffffff));
	const sample = fc.oneof({ weight: 4, arbitrary: value.map((v) => wordsOf([v])) }, { weight: 1, arbitrary: rawWords });

	test('every variant of scaled integers is there, wide ones included, and each cut of it is refused', () => {
		const samples = {
			offsets: regular(40),
			words: wordsOf(Array.from({ length: 40 }, (_, i) => (i % 5 === 0 ? -(2 ** 50) : i * 1e12 + 0.5))),
		};
		encode(samples);
		for (const kind of CHUNK_VARIANTS) {
			const variant = encoder.variant(kind) as Uint8Array;
			expect(decode(variant)).toEqual(samples);
			for (let end = 0; end < variant.length; end++) expect(() => decoder.decode(variant, 0, end)).toThrow(ChunkDamaged);
		}
	});

	test('any samples return bit for bit', () => {
		fc.assert(
			fc.property(fc.array(fc.tuple(fc.integer({ min: 1, max: 40_000_000 }), sample), { minLength: 1, maxLength: 100 }), (steps) => {
				let offset = -1;
				const offsets = steps.map(([step]) => (offset += step));
				const samples = { offsets, words: steps.flatMap(([, words]) => words) };
				expect(decode(encode(samples))).toEqual(samples);
				for (const kind of CHUNK_VARIANTS) {
					const variant = encoder.variant(kind);
					if (variant !== null) expect(decode(variant)).toEqual(samples);
				}
			}),
			{ numRuns: 2000 },
		);
	});

	test('runs of one kind return bit for bit', () => {
		fc.assert(
			fc.property(
				fc.integer({ min: 1, max: 60_000 }),
				fc.array(fc.integer({ min: -(2 ** 40), max: 2 ** 40 }), { minLength: 1, maxLength: 200 }),
				fc.integer({ min: 0, max: 9 }),
				(step, integers, scale) => {
					const values = integers.map((n) => n / 10 ** scale);
					const samples = { offsets: values.map((_, i) => i * step), words: wordsOf(values) };
					expect(decode(encode(samples))).toEqual(samples);
				},
			),
			{ numRuns: 500 },
		);
	});

	test('bytes that are no chunk are refused or decode to something, never hang', () => {
		fc.assert(
			fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
				try {
					// A claim of many regular, constant samples is legal, and decoding it is bounded work.
					if (bytes.length > 4 && (bytes[1] as number) >= 0x80 && (bytes[2] as number) >= 0x80) return;
					decoder.decode(bytes, 0, bytes.length);
				} catch (error) {
					expect(error).toBeInstanceOf(ChunkDamaged);
				}
			}),
			{ numRuns: 2000 },
		);
	});

	test.each([0, 1, 2, 5, 10, 20, 40])('a chunk cut to %i bytes is refused', (length) => {
		const values = Array.from({ length: 60 }, (_, i) => 100 + ((i * 7919) % 1000));
		const bytes = encode({ offsets: regular(60), words: wordsOf(values) });
		expect(() => decode(bytes.subarray(0, length))).toThrow(ChunkDamaged);
	});
});
