import { decodeSample } from './decode-sample.ts';
import { ProtocolError } from './protocol-error.ts';
import { WIRE_BYTES, WIRE_VARINT, WireCursor } from './wire-cursor.ts';
import type { WriteColumns } from './write-columns.ts';

/** `io.prometheus.write.v2.Metadata.MetricType` in its numeric order, which differs from version 1 in nothing but its home. */
const METRIC_TYPES = ['unknown', 'counter', 'gauge', 'histogram', 'gaugehistogram', 'summary', 'info', 'stateset'];

const LABEL_TAG = 0x0a;
const NAME_TAG = 0x0a;
const VALUE_TAG = 0x12;

export interface DecodeV2Options {
	/**
	 * Most bytes that the labels of all series together may take once the symbols are written out (default 64 MiB).
	 * Without a bound, a small body whose series all refer to one long symbol would fill the memory.
	 */
	readonly maxLabelBytes?: number;
}

const cursor = new WireCursor();
const text = new TextDecoder();

let symbolCount = 0;
let symbolStart = new Int32Array(1024);
let symbolEnd = new Int32Array(1024);
/** 1 where the symbol is the name of a metric whose metadata this request has already given: once per metric is enough. */
let described = new Uint8Array(1024);
/** Index of the symbol `__name__`. */
let nameSymbol = -1;
/** Labels written out as remote write 1 would send them, so that the store knows one form of identity only. */
let scratch = new Uint8Array(1 << 16);
let scratchView = new DataView(scratch.buffer);
let scratchUsed = 0;
let body: Uint8Array = new Uint8Array(0);

/**
 * Decodes an uncompressed `io.prometheus.write.v2.Request` (remote write 2.0,
 * https://prometheus.io/docs/specs/prw/remote_write_spec_2_0/) into `columns`. Label bytes are written out in the
 * form of version 1; they are valid until the next call. Throws `ProtocolError`.
 */
export function decodeWriteV2(request: Uint8Array, columns: WriteColumns, options: DecodeV2Options = {}): void {
	const maxLabelBytes = options.maxLabelBytes ?? 64 * 1024 * 1024;
	columns.reset();
	symbolCount = 0;
	nameSymbol = -1;
	scratchUsed = 0;
	body = request;
	cursor.reset(request);
	const end = request.length;
	// Symbols first: the format does not promise that they precede the series.
	while (cursor.pos < end) {
		const tag = cursor.uint31(end);
		if (tag === ((4 << 3) | WIRE_BYTES)) {
			const symbolLimit = cursor.messageEnd(end);
			addSymbol(cursor.pos, symbolLimit);
			cursor.pos = symbolLimit;
		} else {
			cursor.skip(tag & 7, end);
		}
	}
	if (described.length < symbolCount) described = new Uint8Array(symbolStart.length);
	described.fill(0, 0, symbolCount);
	if (symbolCount > 0 && symbolStart[0] !== symbolEnd[0]) throw new ProtocolError('the first symbol is not the empty string', 0);
	cursor.pos = 0;
	while (cursor.pos < end) {
		const tag = cursor.uint31(end);
		if (tag === ((5 << 3) | WIRE_BYTES)) decodeSeries(cursor.messageEnd(end), columns, maxLabelBytes);
		else cursor.skip(tag & 7, end);
	}
	columns.labelBytes = scratch.subarray(0, scratchUsed);
	body = EMPTY;
	cursor.reset(EMPTY);
}

const EMPTY = new Uint8Array(0);

function addSymbol(start: number, end: number): void {
	if (symbolCount === symbolStart.length) {
		const starts = new Int32Array(symbolCount * 2);
		starts.set(symbolStart);
		symbolStart = starts;
		const ends = new Int32Array(symbolCount * 2);
		ends.set(symbolEnd);
		symbolEnd = ends;
	}
	symbolStart[symbolCount] = start;
	symbolEnd[symbolCount] = end;
	if (isMetricName(start, end)) nameSymbol = symbolCount;
	symbolCount++;
}

function decodeSeries(end: number, columns: WriteColumns, maxLabelBytes: number): void {
	const labelStart = scratchUsed;
	let metric = -1;
	let pendingName = -1;
	while (cursor.pos < end) {
		const tag = cursor.uint31(end);
		if (tag === ((1 << 3) | WIRE_BYTES)) {
			const refsEnd = cursor.messageEnd(end);
			while (cursor.pos < refsEnd) {
				const name = symbolRef(refsEnd);
				if (cursor.pos >= refsEnd) throw new ProtocolError('a label has a name and no value', cursor.pos);
				const value = symbolRef(refsEnd);
				if (name === nameSymbol) metric = value;
				writeLabel(name, value, maxLabelBytes);
			}
		} else if (tag === ((1 << 3) | WIRE_VARINT)) {
			// Parsers of protobuf must take repeated numbers one by one as well, which some writers send.
			const ref = symbolRef(end);
			if (pendingName < 0) pendingName = ref;
			else {
				if (pendingName === nameSymbol) metric = ref;
				writeLabel(pendingName, ref, maxLabelBytes);
				pendingName = -1;
			}
		} else if (tag === ((2 << 3) | WIRE_BYTES)) {
			decodeSample(cursor, cursor.messageEnd(end), columns);
		} else if (tag === ((3 << 3) | WIRE_BYTES)) {
			columns.histogramCount++;
			cursor.pos = cursor.messageEnd(end);
		} else if (tag === ((4 << 3) | WIRE_BYTES)) {
			columns.exemplarCount++;
			cursor.pos = cursor.messageEnd(end);
		} else if (tag === ((5 << 3) | WIRE_BYTES)) {
			const metadataEnd = cursor.messageEnd(end);
			if (metric < 0 || described[metric] === 1) cursor.pos = metadataEnd;
			else decodeMetadata(metadataEnd, metric, columns);
		} else {
			cursor.skip(tag & 7, end);
		}
	}
	if (pendingName >= 0) throw new ProtocolError('a label has a name and no value', end);
	if (scratchUsed === labelStart) throw new ProtocolError('a series has no labels', end);
	columns.addSeries(labelStart, scratchUsed);
}

function symbolRef(end: number): number {
	const ref = cursor.uint31(end);
	if (ref >= symbolCount) throw new ProtocolError(`symbol ${ref} is not in the table of ${symbolCount}`, cursor.pos);
	return ref;
}

function decodeMetadata(end: number, metric: number, columns: WriteColumns): void {
	let type = 0;
	let help = 0;
	let unit = 0;
	while (cursor.pos < end) {
		const tag = cursor.uint31(end);
		if (tag === ((1 << 3) | WIRE_VARINT)) type = cursor.int64(end);
		else if (tag === ((3 << 3) | WIRE_VARINT)) help = symbolRef(end);
		else if (tag === ((4 << 3) | WIRE_VARINT)) unit = symbolRef(end);
		else cursor.skip(tag & 7, end);
	}
	if (type !== 0 || help !== 0 || unit !== 0) {
		described[metric] = 1;
		columns.metadata.push({
			metric: symbolText(metric),
			type: METRIC_TYPES[type] ?? 'unknown',
			help: symbolText(help),
			unit: symbolText(unit),
		});
	}
}

function symbolText(ref: number): string {
	return text.decode(body.subarray(symbolStart[ref] as number, symbolEnd[ref] as number));
}

function writeLabel(name: number, value: number, maxLabelBytes: number): void {
	const nameStart = symbolStart[name] as number;
	const nameLength = (symbolEnd[name] as number) - nameStart;
	const valueStart = symbolStart[value] as number;
	const valueLength = (symbolEnd[value] as number) - valueStart;
	const inner = 2 + varintLength(nameLength) + nameLength + varintLength(valueLength) + valueLength;
	const total = 1 + varintLength(inner) + inner;
	if (scratchUsed + total > maxLabelBytes) {
		throw new ProtocolError(
			`the labels of the request take more than ${maxLabelBytes} bytes; send fewer series in one request`,
			cursor.pos,
		);
	}
	// Three bytes of room for the overshoot of `copySymbol`.
	if (scratchUsed + total + 4 > scratch.length) growScratch(scratchUsed + total + 4);
	let pos = scratchUsed;
	scratch[pos++] = LABEL_TAG;
	pos = writeVarint(pos, inner);
	scratch[pos++] = NAME_TAG;
	pos = writeVarint(pos, nameLength);
	pos = copySymbol(pos, nameStart, nameLength);
	scratch[pos++] = VALUE_TAG;
	pos = writeVarint(pos, valueLength);
	scratchUsed = copySymbol(pos, valueStart, valueLength);
}

function growScratch(needed: number): void {
	const larger = new Uint8Array(Math.max(scratch.length * 2, needed));
	larger.set(scratch.subarray(0, scratchUsed));
	scratch = larger;
	scratchView = new DataView(larger.buffer);
}

function varintLength(value: number): number {
	return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x200000 ? 3 : value < 0x10000000 ? 4 : 5;
}

function writeVarint(start: number, value: number): number {
	let pos = start;
	let rest = value;
	while (rest >= 0x80) {
		scratch[pos++] = (rest & 0x7f) | 0x80;
		rest >>>= 7;
	}
	scratch[pos++] = rest;
	return pos;
}

/** Copies four bytes at a time (bench/ingest.ts: a third of the time of single bytes); what it writes too much is overwritten next. */
function copySymbol(start: number, from: number, length: number): number {
	const end = start + length;
	if (length > 256 || from + length + 4 > body.length) {
		scratch.set(body.subarray(from, from + length), start);
		return end;
	}
	const source = cursor.view;
	const target = scratchView;
	for (let to = start, at = from; to < end; to += 4, at += 4) target.setInt32(to, source.getInt32(at, true), true);
	return end;
}

/** Bytes of `__name__`. */
const NAME_BYTES = [0x5f, 0x5f, 0x6e, 0x61, 0x6d, 0x65, 0x5f, 0x5f] as const;

function isMetricName(start: number, end: number): boolean {
	if (end - start !== NAME_BYTES.length) return false;
	for (let i = 0; i < NAME_BYTES.length; i++) if (body[start + i] !== NAME_BYTES[i]) return false;
	return true;
}
