import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeWriteV1 } from './decode-v1.ts';
import { decodeWriteV2 } from './decode-v2.ts';
import { encodeRemoteWriteV1 } from './encode-v1.ts';
import { encodeRemoteWriteV2 } from './encode-v2.ts';
import { WriteColumns } from './write-columns.ts';
import { METRIC_TYPE_NUMBERS, type WriteSeries } from './write-series.ts';

interface Flat {
	readonly labels: readonly string[];
	readonly samples: readonly { readonly timestampMs: number; readonly low: number; readonly high: number }[];
}

/** Label fields `0a len (0a n name 12 n value)` of a series, as text. */
function labelsOf(columns: WriteColumns, series: number): string[] {
	const bytes = columns.labelBytes;
	const text = new TextDecoder();
	let at = columns.labelStart[series] ?? 0;
	const end = columns.labelEnd[series] ?? 0;
	const varint = () => {
		let value = 0;
		for (let shift = 0; ; shift += 7) {
			const byte = bytes[at++] ?? 0;
			value |= (byte & 127) << shift;
			if (byte < 128) return value;
		}
	};
	const labels: string[] = [];
	while (at < end) {
		at++;
		const pairEnd = varint() + at;
		while (at < pairEnd) {
			at++;
			const length = varint();
			labels.push(text.decode(bytes.subarray(at, at + length)));
			at += length;
		}
	}
	return labels;
}

function flatten(columns: WriteColumns): Flat[] {
	return Array.from({ length: columns.seriesCount }, (_, series) => {
		const from = series === 0 ? 0 : (columns.sampleEnd[series - 1] ?? 0);
		const samples = [];
		for (let i = from; i < (columns.sampleEnd[series] ?? 0); i++) {
			samples.push({
				timestampMs: columns.timestamps[i] ?? 0,
				low: columns.valueWords[i * 2] ?? 0,
				high: columns.valueWords[i * 2 + 1] ?? 0,
			});
		}
		return { labels: labelsOf(columns, series), samples };
	});
}

function expected(list: readonly WriteSeries[]): Flat[] {
	return list.map(({ labels, samples }) => ({
		labels: [...labels],
		samples: samples.map(({ timestampMs, value, stale }) => {
			if (stale === true) return { timestampMs, low: 0x00000002, high: 0x7ff00000 };
			const words = new Uint32Array(new Float64Array([value]).buffer);
			return { timestampMs, low: words[0] ?? 0, high: words[1] ?? 0 };
		}),
	}));
}

const word = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }).filter((text) => text.isWellFormed());
const sample = fc.record({
	timestampMs: fc.integer({ min: -(2 ** 53) + 1, max: 2 ** 53 - 1 }),
	value: fc.oneof(fc.double({ noNaN: true }), fc.constantFrom(-0, 0, Infinity, -Infinity)),
});
const series: fc.Arbitrary<WriteSeries> = fc.record({
	labels: fc
		.uniqueArray(word, { maxLength: 6 })
		.map((names) => ['__name__', 'metric', ...names.sort().flatMap((name) => [`l${name}`, name])]),
	type: fc.constantFrom(...(Object.keys(METRIC_TYPE_NUMBERS) as (keyof typeof METRIC_TYPE_NUMBERS)[])),
	help: fc.oneof(fc.constant(''), word),
	samples: fc.array(
		fc.oneof(
			sample,
			sample.map(({ timestampMs }) => ({ timestampMs, value: Number.NaN, stale: true })),
		),
		{
			minLength: 1,
			maxLength: 4,
		},
	),
});

describe.each([
	['version 1', encodeRemoteWriteV1, decodeWriteV1],
	['version 2', encodeRemoteWriteV2, decodeWriteV2],
] as const)('remote write, %s', (_name, encode, decode) => {
	test('labels, times and the bits of values arrive', () => {
		const columns = new WriteColumns();
		fc.assert(
			fc.property(fc.array(series, { maxLength: 12 }), (list) => {
				decode(encode(list), columns);
				expect(flatten(columns)).toEqual(expected(list));
			}),
		);
	});

	test('metadata arrives', () => {
		const columns = new WriteColumns();
		decode(
			encode([{ labels: ['__name__', 'm'], type: 'counter', help: '帮助', unit: 'seconds', samples: [{ timestampMs: 1, value: 1 }] }]),
			columns,
		);
		expect(columns.metadata).toEqual([{ metric: 'm', type: 'counter', help: '帮助', unit: 'seconds' }]);
	});
});
