import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mutationRounds } from '../../tests/harness/decode-mutations.ts';
import type { Labels } from '../labels.ts';
import { decodeWriteV1 } from './decode-v1.ts';
import { decodeWriteV2 } from './decode-v2.ts';
import { encodeRemoteWriteV1 } from './encode-v1.ts';
import { encodeRemoteWriteV2 } from './encode-v2.ts';
import { ProtocolError } from './protocol-error.ts';
import { WriteColumns } from './write-columns.ts';
import type { WriteSeries } from './write-series.ts';

const columns = new WriteColumns();
const text = new TextDecoder();

/** Labels and samples as the columns hold them, values as words. */
function seen(): { labels: string[]; samples: (readonly [number, number, number])[] }[] {
	const result: { labels: string[]; samples: (readonly [number, number, number])[] }[] = [];
	let sample = 0;
	for (let i = 0; i < columns.seriesCount; i++) {
		const samples: (readonly [number, number, number])[] = [];
		for (; sample < (columns.sampleEnd[i] as number); sample++) {
			samples.push([
				columns.timestamps[sample] as number,
				columns.valueWords[sample * 2] as number,
				columns.valueWords[sample * 2 + 1] as number,
			]);
		}
		result.push({ labels: labelsAt(columns.labelStart[i] as number, columns.labelEnd[i] as number), samples });
	}
	return result;
}

function labelsAt(start: number, end: number): string[] {
	const bytes = columns.labelBytes;
	const labels: string[] = [];
	let pos = start;
	const length = () => {
		let value = 0;
		for (let shift = 0; ; shift += 7) {
			const byte = bytes[pos++] as number;
			value |= (byte & 0x7f) << shift;
			if (byte < 0x80) return value;
		}
	};
	const part = () => {
		pos++;
		const size = length();
		pos += size;
		return text.decode(bytes.subarray(pos - size, pos));
	};
	while (pos < end) {
		pos++;
		length();
		labels.push(part(), part());
	}
	return labels;
}

function wordsOf(value: number, stale: boolean): readonly [number, number] {
	if (stale) return [2, 0x7ff00000];
	const words = new Uint32Array(Float64Array.of(value).buffer);
	return [words[0] as number, words[1] as number];
}

const labels = fc
	.uniqueArray(fc.string({ minLength: 1, maxLength: 12, unit: 'grapheme' }), { minLength: 1, maxLength: 12 })
	.chain((names) =>
		fc
			.tuple(...names.map(() => fc.string({ maxLength: 300, unit: 'grapheme' })))
			.map((values): Labels => names.flatMap((name, i) => [name, values[i] as string])),
	);
const series: fc.Arbitrary<WriteSeries> = fc.record({
	labels,
	samples: fc.array(
		fc.record({ timestampMs: fc.integer({ min: -(2 ** 52), max: 2 ** 52 }), value: fc.double({ noNaN: true }), stale: fc.boolean() }),
		{ maxLength: 5 },
	),
});

describe.each([
	{ version: '1', encode: encodeRemoteWriteV1, decode: decodeWriteV1 },
	{ version: '2', encode: encodeRemoteWriteV2, decode: decodeWriteV2 },
])('remote write $version decoder', ({ encode, decode }) => {
	test('returns what was encoded', () => {
		fc.assert(
			fc.property(fc.array(series, { maxLength: 10 }), (input) => {
				decode(encode(input), columns);
				expect(seen()).toEqual(
					input.map((its) => ({
						labels: [...its.labels],
						samples: its.samples.map((sample) => [sample.timestampMs, ...wordsOf(sample.value, sample.stale === true)]),
					})),
				);
			}),
			{ numRuns: 300 },
		);
	});

	test('grows for many series and samples', () => {
		const input: WriteSeries[] = Array.from({ length: 3000 }, (_, i) => ({
			labels: ['__name__', 'm', 'i', String(i)],
			samples: [1, 2, 3].map((n) => ({ timestampMs: n, value: i + n })),
		}));
		decode(encode(input), columns);
		expect(columns).toMatchObject({ seriesCount: 3000, sampleCount: 9000 });
		expect(columns.values[8999]).toBe(3002);
		expect(labelsAt(columns.labelStart[2999] as number, columns.labelEnd[2999] as number)).toEqual(['__name__', 'm', 'i', '2999']);
	});

	test('keeps metadata, once per metric', () => {
		const its = (host: string): WriteSeries => ({
			labels: ['__name__', 'm_total', 'host', host],
			type: 'counter',
			help: 'Help.',
			unit: 'seconds',
			samples: [{ timestampMs: 1, value: 1 }],
		});
		decode(encode([its('a'), its('b')]), columns);
		expect(columns.metadata).toEqual([{ metric: 'm_total', type: 'counter', help: 'Help.', unit: 'seconds' }]);
	});

	test('survives two thousand mutated bodies', () => mutationRounds(decode, encode, 1000));
});

describe('remote write 2 decoder', () => {
	const symbol = (value: string) => [0x22, value.length, ...Buffer.from(value)];

	test.each([
		{ name: 'a first symbol that is not empty', bytes: [...symbol('x'), 0x2a, 0x00], says: 'first symbol' },
		{ name: 'a symbol that does not exist', bytes: [...symbol(''), 0x2a, 0x04, 0x0a, 0x02, 0x01, 0x01], says: 'not in the table' },
		{ name: 'a name without value', bytes: [...symbol(''), ...symbol('a'), 0x2a, 0x03, 0x0a, 0x01, 0x01], says: 'no value' },
		{ name: 'a series without labels', bytes: [...symbol(''), 0x2a, 0x00], says: 'no labels' },
		{ name: 'a length beyond the end', bytes: [0x22, 0x7f], says: 'longer than the message' },
		{ name: 'a number without end', bytes: [0x22, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], says: 'larger than 2^31' },
		{ name: 'a group', bytes: [0x0b], says: 'wire type 3' },
	])('refuses $name', ({ bytes, says }) => {
		expect(() => decodeWriteV2(Uint8Array.from(bytes), columns)).toThrow(says);
		expect(() => decodeWriteV2(Uint8Array.from(bytes), columns)).toThrow(ProtocolError);
	});

	test('takes symbols after the series', () => {
		const bytes = [0x2a, 0x04, 0x0a, 0x02, 0x01, 0x02, ...symbol(''), ...symbol('__name__'), ...symbol('m')];
		decodeWriteV2(Uint8Array.from(bytes), columns);
		expect(labelsAt(columns.labelStart[0] as number, columns.labelEnd[0] as number)).toEqual(['__name__', 'm']);
	});

	test('does not let a long symbol be repeated without bound', () => {
		const long = 'x'.repeat(100);
		const one = [0x2a, 0x04, 0x0a, 0x02, 0x01, 0x01];
		const bytes = Uint8Array.from([...symbol(''), ...symbol(long), ...Array.from({ length: 100 }, () => one).flat()]);
		expect(() => decodeWriteV2(bytes, columns, { maxLabelBytes: 10_000 })).toThrow('more than 10000 bytes');
	});
});
