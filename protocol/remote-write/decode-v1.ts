import { decodeSample } from './decode-sample.ts';
import { ProtocolError } from './protocol-error.ts';
import { WIRE_BYTES, WIRE_VARINT, WireCursor } from './wire-cursor.ts';
import type { WriteColumns } from './write-columns.ts';

const cursor = new WireCursor();
const text = new TextDecoder();

/** `prometheus.MetricMetadata.MetricType` in its numeric order. */
const METRIC_TYPES = ['unknown', 'counter', 'gauge', 'histogram', 'gaugehistogram', 'summary', 'info', 'stateset'];

/**
 * Decodes an uncompressed `prometheus.WriteRequest` (remote write 1.0,
 * https://prometheus.io/docs/specs/prw/remote_write_spec/) into `columns`, which are reset first and then point into `body`.
 * Unknown fields are skipped. Throws `ProtocolError`; `columns` are then unusable until the next reset.
 */
export function decodeWriteV1(body: Uint8Array, columns: WriteColumns): void {
	columns.reset();
	columns.labelBytes = body;
	cursor.reset(body);
	const end = body.length;
	while (cursor.pos < end) {
		const tag = cursor.uint31(end);
		if (tag === ((1 << 3) | WIRE_BYTES)) decodeSeries(cursor.messageEnd(end), columns);
		else if (tag === ((3 << 3) | WIRE_BYTES)) decodeMetadata(cursor.messageEnd(end), columns);
		else cursor.skip(tag & 7, end);
	}
	cursor.reset(EMPTY);
}

const EMPTY = new Uint8Array(0);

function decodeSeries(end: number, columns: WriteColumns): void {
	let labelStart = -1;
	let labelEnd = -1;
	while (cursor.pos < end) {
		const start = cursor.pos;
		const tag = cursor.uint31(end);
		if (tag === ((1 << 3) | WIRE_BYTES)) {
			const labelMessageEnd = cursor.messageEnd(end);
			if (labelStart < 0) labelStart = start;
			else if (start !== labelEnd) throw new ProtocolError('the labels of a series are not in one piece', start);
			labelEnd = labelMessageEnd;
			cursor.pos = labelMessageEnd;
		} else if (tag === ((2 << 3) | WIRE_BYTES)) {
			decodeSample(cursor, cursor.messageEnd(end), columns);
		} else if (tag === ((3 << 3) | WIRE_BYTES)) {
			columns.exemplarCount++;
			cursor.pos = cursor.messageEnd(end);
		} else if (tag === ((4 << 3) | WIRE_BYTES)) {
			columns.histogramCount++;
			cursor.pos = cursor.messageEnd(end);
		} else {
			cursor.skip(tag & 7, end);
		}
	}
	if (labelStart < 0) throw new ProtocolError('a series has no labels', end);
	columns.addSeries(labelStart, labelEnd);
}

function decodeMetadata(end: number, columns: WriteColumns): void {
	let type = 0;
	let metric = '';
	let help = '';
	let unit = '';
	while (cursor.pos < end) {
		const tag = cursor.uint31(end);
		if (tag === ((1 << 3) | WIRE_VARINT)) type = cursor.int64(end);
		else if (tag === ((2 << 3) | WIRE_BYTES)) metric = readText(cursor.messageEnd(end));
		else if (tag === ((4 << 3) | WIRE_BYTES)) help = readText(cursor.messageEnd(end));
		else if (tag === ((5 << 3) | WIRE_BYTES)) unit = readText(cursor.messageEnd(end));
		else cursor.skip(tag & 7, end);
	}
	if (metric !== '') columns.metadata.push({ metric, type: METRIC_TYPES[type] ?? 'unknown', help, unit });
}

function readText(end: number): string {
	const value = text.decode(cursor.bytes.subarray(cursor.pos, end));
	cursor.pos = end;
	return value;
}
