import { expect, test } from 'vitest';
import { decodeWriteV2 } from './decode-v2.ts';
import { encodeRemoteWriteV2 } from './encode-v2.ts';
import { WriteColumns } from './write-columns.ts';
import type { WriteSeries } from './write-series.ts';

/**
 * Made by a protobuf library from the published schema of `io.prometheus.write.v2` (Remote Write 2.0: `Request.symbols` = 4, `timeseries` = 5;
 * `TimeSeries.labels_refs` = 1, `samples` = 2, `histograms` = 3, `exemplars` = 4, `metadata` = 5, `created_timestamp` = 6), not by our own encoder.
 */
const PLAIN =
	'220022085f5f6e616d655f5f220e72657175657374735f746f74616c2204686f737422016122105265717565737473207365727665642e220872657175657374732201622a320a04' +
	'01020304121009000000000000f03f1080d095ffbc3112100900000000000004401098c596ffbc312a060801180520062a200a0401020307121009000000000000c0bf1080d095ff' +
	'bc312a06080118052006';
/** The same with `labels_refs` one by one instead of packed, which a parser must take as well. */
const UNPACKED =
	'220022085f5f6e616d655f5f220e72657175657374735f746f74616c2204686f737422016122105265717565737473207365727665642e220872657175657374732201622a340801' +
	'080208030804121009000000000000f03f1080d095ffbc3112100900000000000004401098c596ffbc312a060801180520062a220801080208030807121009000000000000c0bf10' +
	'80d095ffbc312a06080118052006';
/** With an exemplar, a created timestamp, and a series that is a native histogram. */
const FULL =
	'220022085f5f6e616d655f5f22016d220874726163655f696422036162632a330a0201021210090000000000001c401080d095ffbc3122140a020304110000000000001c401880d0' +
	'95ffbc3130a0fb91ffbc312a130a04010203041a0b080320027880d095ffbc31';
const T = 1_700_000_000_000;

const metadata = { type: 'counter', help: 'Requests served.', unit: 'requests' } as const;
const SERIES: readonly WriteSeries[] = [
	{
		labels: ['__name__', 'requests_total', 'host', 'a'],
		...metadata,
		samples: [
			{ timestampMs: T, value: 1 },
			{ timestampMs: T + 15_000, value: 2.5 },
		],
	},
	{ labels: ['__name__', 'requests_total', 'host', 'b'], ...metadata, samples: [{ timestampMs: T, value: -0.125 }] },
];

function decoded(hex: string): WriteColumns {
	const columns = new WriteColumns();
	decodeWriteV2(Buffer.from(hex, 'hex'), columns);
	return columns;
}

/** Texts of the label fields of a series. */
function labelText(columns: WriteColumns, series: number): string {
	return Buffer.from(columns.labelBytes.subarray(columns.labelStart[series], columns.labelEnd[series])).toString('latin1');
}

test.each([
	{ name: 'packed', hex: PLAIN },
	{ name: 'one by one', hex: UNPACKED },
])('bytes of the published schema are read, with references $name', ({ hex }) => {
	const columns = decoded(hex);
	expect(columns.seriesCount).toBe(2);
	expect([...columns.sampleEnd.subarray(0, 2)]).toEqual([2, 3]);
	expect([...columns.timestamps.subarray(0, 3)]).toEqual([T, T + 15_000, T]);
	expect([...columns.values.subarray(0, 3)]).toEqual([1, 2.5, -0.125]);
	expect(labelText(columns, 0)).toMatch(/__name__.*requests_total.*host.*a$/s);
	expect(labelText(columns, 1)).toMatch(/host.*b$/s);
	expect(columns.metadata).toEqual([{ metric: 'requests_total', ...metadata }]);
});

test('exemplars and native histograms are counted and left out', () => {
	const columns = decoded(FULL);
	expect(columns).toMatchObject({ seriesCount: 2, sampleCount: 1, exemplarCount: 1, histogramCount: 1 });
	expect(columns.values[0]).toBe(7);
});

test('what is written is byte for byte what the schema makes of it', () => {
	const written = encodeRemoteWriteV2(SERIES);
	expect(Buffer.from(written).toString('hex')).toBe(PLAIN);
});
