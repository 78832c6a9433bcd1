import fc from 'fast-check';
import { compress } from 'snappyjs';
import { describe, expect, test } from 'vitest';
import type { Labels } from '../../protocol/labels.ts';
import { encodeRemoteWriteV2 } from '../../protocol/remote-write/encode-v2.ts';
import type { WriteSample, WriteSeries } from '../../protocol/remote-write/write-series.ts';
import { decodeBatch, encodeBatch, RecordEncoder } from './record-codec.ts';

const text = fc.string({ unit: 'binary', maxLength: 12 }).map((value) => Buffer.from(value, 'utf8').toString('utf8'));
const value = fc.oneof(fc.double(), fc.constantFrom(-0, Number.NaN, Infinity, -Infinity, Number.MIN_VALUE));
const sample: fc.Arbitrary<WriteSample> = fc.oneof(
	fc.record({ timestampMs: fc.integer({ min: -(2 ** 52), max: 2 ** 52 }), value }),
	fc.integer({ min: 0, max: 2 ** 41 }).map((timestampMs) => ({ timestampMs, value: Number.NaN, stale: true })),
);
const series = (samples: fc.Arbitrary<WriteSample[]>) =>
	fc
		.record({
			pairs: fc.array(fc.tuple(text, text), { maxLength: 4 }),
			type: fc.constantFrom('counter' as const, 'gauge' as const, 'stateset' as const),
			help: text,
			unit: text,
			samples,
		})
		.map(({ pairs, ...rest }) => ({ ...rest, pairs }));
const batch = (samples: fc.Arbitrary<WriteSample[]>) =>
	// Metadata belongs to a metric, so every series here has one of its own.
	fc
		.array(series(samples), { minLength: 1, maxLength: 20 })
		.map((list) => list.map(({ pairs, ...rest }, i): WriteSeries => ({ ...rest, labels: ['__name__', `m${i}`, ...pairs.flat()] })));

describe('a batch', () => {
	test('is read as it was written', () => {
		fc.assert(
			fc.property(batch(fc.array(sample, { maxLength: 5 })), (list) => {
				expect(decodeBatch(encodeBatch(list).block)).toEqual(list);
			}),
		);
	});

	test('that was damaged is refused or read, and never anything else', () => {
		const labels = (i: number) => ['__name__', 'm', 'i', String(i)];
		const good = encodeBatch(Array.from({ length: 20 }, (_, i) => ({ labels: labels(i), samples: [{ timestampMs: i, value: i }] }))).block;
		fc.assert(
			fc.property(fc.nat(good.length - 1), fc.integer({ min: 0, max: 255 }), fc.nat(good.length), (at, byte, length) => {
				const bad = new Uint8Array(good.slice(0, length));
				if (at < bad.length) bad[at] = byte;
				try {
					decodeBatch(bad);
				} catch (error) {
					expect(error).toMatchObject({ code: 'FN_AGENT_SPOOL_CORRUPT' });
				}
			}),
			{ numRuns: 3000 },
		);
	});
});

describe('the batches of a source', () => {
	const NOW = 1_795_300_000_000;

	test('mean the same whether they are encoded anew or patched', () => {
		const round = fc.array(fc.oneof(value, fc.constant('stale' as const)), { minLength: 3, maxLength: 3 });
		fc.assert(
			fc.property(fc.array(round, { minLength: 1, maxLength: 12 }), fc.integer({ min: 2 ** 35, max: 2 ** 42 - 10 }), (rounds, time) => {
				const encoder = new RecordEncoder();
				const labels: Labels[] = [0, 1, 2].map((i) => ['__name__', 'm', 'i', String(i)]);
				for (const [number, values] of rounds.entries()) {
					const list = values.map((one, i): WriteSeries => {
						const timestampMs = time + number;
						const samples = one === 'stale' ? [{ timestampMs, value: Number.NaN, stale: true }] : [{ timestampMs, value: one }];
						return { labels: labels[i] as Labels, type: 'gauge', help: 'h', unit: '', samples };
					});
					const encoded = encoder.encode(list, NOW);
					expect(encoded.samples).toBe(3);
					const expected = number === 0 ? list : list.map((one) => ({ labels: one.labels, samples: one.samples }));
					expect(decodeBatch(encoded.block)).toEqual(expected);
				}
			}),
		);
	});

	test('carry their metadata the first time and after ten minutes, and that of a series that is new', () => {
		const encoder = new RecordEncoder();
		const first: Labels = ['__name__', 'a'];
		const second: Labels = ['__name__', 'b'];
		const described = (labels: readonly Labels[], atMs: number) => {
			const list = labels.map(
				(one): WriteSeries => ({ labels: one, type: 'gauge', help: 'what', unit: '', samples: [{ timestampMs: atMs, value: 1 }] }),
			);
			return decodeBatch(encoder.encode(list, atMs).block)
				.filter(({ help }) => help === 'what')
				.map(({ labels: [, name] }) => name);
		};
		expect(described([first], NOW)).toEqual(['a']);
		expect(described([first], NOW + 10_000)).toEqual([]);
		expect(described([first, second], NOW + 20_000)).toEqual(['b']);
		expect(described([first, second], NOW + 30_000)).toEqual([]);
		expect(described([first, second], NOW + 599_999)).toEqual([]);
		expect(described([first, second], NOW + 600_000)).toEqual(['a', 'b']);
		expect(described([first], NOW + 600_001)).toEqual(['a']);
		expect(described([first], NOW + 600_002)).toEqual([]);
		// The clock was set back.
		expect(described([first], NOW - 600_000)).toEqual(['a']);
	});

	test('that take turns are each patched, and none is mistaken for another', () => {
		const labels = Array.from({ length: 4 }, (_, i): Labels => ['__name__', 'm', 'i', String(i)]);
		const sets = [[0], [0, 1], [0, 2], [0, 1, 2, 3], [0, 3]];
		fc.assert(
			fc.property(fc.array(fc.tuple(fc.nat(sets.length - 1), value), { maxLength: 60 }), (turns) => {
				const encoder = new RecordEncoder();
				for (const [round, [set, base]] of turns.entries()) {
					const list = (sets[set] as number[]).map(
						(i): WriteSeries => ({ labels: labels[i] as Labels, samples: [{ timestampMs: NOW + round, value: base + i }] }),
					);
					expect(decodeBatch(encoder.encode(list, NOW).block)).toEqual(list);
				}
			}),
		);
	});

	test.each([5, 2 ** 35 - 1, 2 ** 42])('a time of %d ms, which takes another number of bytes, is right all the same', (timestampMs) => {
		const encoder = new RecordEncoder();
		const labels: Labels = ['__name__', 'a'];
		for (const time of [NOW, timestampMs, NOW]) {
			const block = encoder.encode([{ labels, samples: [{ timestampMs: time, value: 1 }] }], NOW).block;
			expect(decodeBatch(block)[0]?.samples[0]?.timestampMs).toBe(time);
		}
	});

	test('without metadata are a request that a receiver of remote write 2 takes', () => {
		const list: WriteSeries[] = [{ labels: ['__name__', 'a'], type: 'gauge', help: 'h', samples: [{ timestampMs: NOW, value: 7 }] }];
		const plain = list.map(({ labels, samples }) => ({ labels, samples }));
		expect(compress(encodeRemoteWriteV2(list, { metadata: false }))).toEqual(compress(encodeRemoteWriteV2(plain)));
	});
});
