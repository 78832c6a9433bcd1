import { ProtocolError } from '../remote-write/protocol-error.ts';
import { WIRE_BYTES, WIRE_FIXED64, WIRE_VARINT, WireCursor } from '../remote-write/wire-cursor.ts';
import {
	attributeText,
	MAX_VALUE_DEPTH,
	NO_RECORDED_VALUE,
	type OtlpAttributes,
	type OtlpData,
	type OtlpHistogramPoint,
	type OtlpMetric,
	type OtlpNumberPoint,
	type OtlpResourceMetrics,
	type OtlpSummaryPoint,
	type OtlpTemporality,
	TEMPORALITIES,
} from './metrics-model.ts';

type Attribute = readonly [string, string];

const cursor = new WireCursor();
const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const EMPTY = new Uint8Array(0);

/** Decodes an `ExportMetricsServiceRequest`. Unknown fields are skipped. Throws `ProtocolError`. */
export function decodeOtlpProtobuf(body: Uint8Array): readonly OtlpResourceMetrics[] {
	cursor.reset(body);
	try {
		const resources: OtlpResourceMetrics[] = [];
		fields(body.length, (field, wire, end) => {
			if (field !== 1 || wire !== WIRE_BYTES) return false;
			resources.push(resourceMetrics(cursor.messageEnd(end)));
			return true;
		});
		return resources;
	} finally {
		cursor.reset(EMPTY);
	}
}

/** Walks the fields of a message up to `end`; `read` consumes those it knows and says so, the others are skipped. */
function fields(end: number, read: (field: number, wire: number, end: number) => boolean): void {
	while (cursor.pos < end) {
		const tag = cursor.uint31(end);
		if (tag >>> 3 === 0) throw new ProtocolError('a field has the number 0', cursor.pos);
		if (!read(tag >>> 3, tag & 7, end)) cursor.skip(tag & 7, end);
	}
}

function resourceMetrics(end: number): OtlpResourceMetrics {
	let resource: OtlpAttributes = [];
	const metrics: OtlpMetric[] = [];
	fields(end, (field, wire, stop) => {
		if (wire !== WIRE_BYTES) return false;
		if (field === 1) resource = resourceAttributes(cursor.messageEnd(stop));
		else if (field === 2) scopeMetrics(cursor.messageEnd(stop), metrics);
		else return false;
		return true;
	});
	return { resource, metrics };
}

function resourceAttributes(end: number): OtlpAttributes {
	const attributes: Attribute[] = [];
	fields(end, (field, wire, stop) => {
		if (field !== 1 || wire !== WIRE_BYTES) return false;
		attributes.push(keyValue(cursor.messageEnd(stop)));
		return true;
	});
	return attributes;
}

function scopeMetrics(end: number, metrics: OtlpMetric[]): void {
	fields(end, (field, wire, stop) => {
		if (field !== 2 || wire !== WIRE_BYTES) return false;
		metrics.push(metric(cursor.messageEnd(stop)));
		return true;
	});
}

function metric(end: number): OtlpMetric {
	let name = '';
	let description = '';
	let unit = '';
	let data: OtlpData = { kind: 'none' };
	fields(end, (field, wire, stop) => {
		if (wire !== WIRE_BYTES) return false;
		if (field === 1) name = string(stop);
		else if (field === 2) description = string(stop);
		else if (field === 3) unit = string(stop);
		else if (field === 5) data = { kind: 'gauge', points: dataPoints(cursor.messageEnd(stop), numberPoint).points };
		else if (field === 7) data = { kind: 'sum', ...dataPoints(cursor.messageEnd(stop), numberPoint) };
		else if (field === 9) data = histogram(cursor.messageEnd(stop));
		else if (field === 10)
			data = { kind: 'exponential_histogram', pointCount: dataPoints(cursor.messageEnd(stop), skippedPoint).points.length };
		else if (field === 11) data = { kind: 'summary', points: dataPoints(cursor.messageEnd(stop), summaryPoint).points };
		else return false;
		return true;
	});
	return { name, description, unit, data };
}

function histogram(end: number): OtlpData {
	const { points, temporality } = dataPoints(end, histogramPoint);
	return { kind: 'histogram', temporality, points };
}

interface Points<P> {
	readonly points: readonly P[];
	readonly temporality: OtlpTemporality;
	readonly monotonic: boolean;
}

/** `Gauge`, `Sum`, `Histogram` and `Summary` share their field numbers. */
function dataPoints<P>(end: number, point: (end: number) => P): Points<P> {
	const points: P[] = [];
	let temporality: OtlpTemporality = 'unspecified';
	let monotonic = false;
	fields(end, (field, wire, stop) => {
		if (field === 1 && wire === WIRE_BYTES) points.push(point(cursor.messageEnd(stop)));
		else if (field === 2 && wire === WIRE_VARINT) temporality = TEMPORALITIES[cursor.int64(stop)] ?? 'unspecified';
		else if (field === 3 && wire === WIRE_VARINT) monotonic = cursor.int64(stop) !== 0;
		else return false;
		return true;
	});
	return { points, temporality, monotonic };
}

function numberPoint(end: number): OtlpNumberPoint {
	const attributes: Attribute[] = [];
	let startMs = 0;
	let timeMs = 0;
	let value = 0;
	let flags = 0;
	fields(end, (field, wire, stop) => {
		if (field === 2 && wire === WIRE_FIXED64) startMs = nanosToMs(stop);
		else if (field === 3 && wire === WIRE_FIXED64) timeMs = nanosToMs(stop);
		else if (field === 4 && wire === WIRE_FIXED64) value = double(stop);
		else if (field === 6 && wire === WIRE_FIXED64) value = Number(BigInt.asIntN(64, fixed64(stop)));
		else if (field === 7 && wire === WIRE_BYTES) attributes.push(keyValue(cursor.messageEnd(stop)));
		else if (field === 8 && wire === WIRE_VARINT) flags = cursor.int64(stop);
		else return false;
		return true;
	});
	return { attributes, startMs, timeMs, value, noValue: (flags & NO_RECORDED_VALUE) !== 0 };
}

function histogramPoint(end: number): OtlpHistogramPoint {
	const attributes: Attribute[] = [];
	const bucketCounts: number[] = [];
	const bounds: number[] = [];
	let startMs = 0;
	let timeMs = 0;
	let count = 0;
	let sum: number | null = null;
	let flags = 0;
	fields(end, (field, wire, stop) => {
		if (field === 2 && wire === WIRE_FIXED64) startMs = nanosToMs(stop);
		else if (field === 3 && wire === WIRE_FIXED64) timeMs = nanosToMs(stop);
		else if (field === 4 && wire === WIRE_FIXED64) count = Number(fixed64(stop));
		else if (field === 5 && wire === WIRE_FIXED64) sum = double(stop);
		else if (field === 6) return repeated(wire, stop, (to) => bucketCounts.push(Number(fixed64(to))));
		else if (field === 7) return repeated(wire, stop, (to) => bounds.push(double(to)));
		else if (field === 9 && wire === WIRE_BYTES) attributes.push(keyValue(cursor.messageEnd(stop)));
		else if (field === 10 && wire === WIRE_VARINT) flags = cursor.int64(stop);
		else return false;
		return true;
	});
	return { attributes, startMs, timeMs, count, sum, bucketCounts, bounds, noValue: (flags & NO_RECORDED_VALUE) !== 0 };
}

/** A repeated 64-bit field, packed as proto3 writes it or one by one. */
function repeated(wire: number, end: number, read: (end: number) => void): boolean {
	if (wire === WIRE_FIXED64) read(end);
	else if (wire === WIRE_BYTES) {
		const stop = cursor.messageEnd(end);
		while (cursor.pos < stop) read(stop);
	} else return false;
	return true;
}

function summaryPoint(end: number): OtlpSummaryPoint {
	const attributes: Attribute[] = [];
	const quantiles: { quantile: number; value: number }[] = [];
	let startMs = 0;
	let timeMs = 0;
	let count = 0;
	let sum = 0;
	let flags = 0;
	fields(end, (field, wire, stop) => {
		if (field === 2 && wire === WIRE_FIXED64) startMs = nanosToMs(stop);
		else if (field === 3 && wire === WIRE_FIXED64) timeMs = nanosToMs(stop);
		else if (field === 4 && wire === WIRE_FIXED64) count = Number(fixed64(stop));
		else if (field === 5 && wire === WIRE_FIXED64) sum = double(stop);
		else if (field === 6 && wire === WIRE_BYTES) quantiles.push(quantileValue(cursor.messageEnd(stop)));
		else if (field === 7 && wire === WIRE_BYTES) attributes.push(keyValue(cursor.messageEnd(stop)));
		else if (field === 8 && wire === WIRE_VARINT) flags = cursor.int64(stop);
		else return false;
		return true;
	});
	return { attributes, startMs, timeMs, count, sum, quantiles, noValue: (flags & NO_RECORDED_VALUE) !== 0 };
}

function quantileValue(end: number): { quantile: number; value: number } {
	let quantile = 0;
	let value = 0;
	fields(end, (field, wire, stop) => {
		if (field === 1 && wire === WIRE_FIXED64) quantile = double(stop);
		else if (field === 2 && wire === WIRE_FIXED64) value = double(stop);
		else return false;
		return true;
	});
	return { quantile, value };
}

function skippedPoint(end: number): null {
	cursor.pos = end;
	return null;
}

function keyValue(end: number): Attribute {
	let key = '';
	let value: unknown = null;
	fields(end, (field, wire, stop) => {
		if (wire !== WIRE_BYTES) return false;
		if (field === 1) key = string(stop);
		else if (field === 2) value = anyValue(cursor.messageEnd(stop), 0);
		else return false;
		return true;
	});
	return [key, attributeText(value)];
}

/** An `AnyValue` as JSON has it; integers beyond 2^53 and bytes are text. */
function anyValue(end: number, depth: number): unknown {
	if (depth > MAX_VALUE_DEPTH) throw new ProtocolError('an attribute is nested too deeply', cursor.pos);
	let value: unknown = null;
	fields(end, (field, wire, stop) => {
		if (field === 1 && wire === WIRE_BYTES) value = string(stop);
		else if (field === 2 && wire === WIRE_VARINT) value = cursor.int64(stop) !== 0;
		else if (field === 3 && wire === WIRE_VARINT) value = signedVarint(stop);
		else if (field === 4 && wire === WIRE_FIXED64) value = double(stop);
		else if (field === 5 && wire === WIRE_BYTES) value = list(cursor.messageEnd(stop), (to) => anyValue(to, depth + 1));
		else if (field === 6 && wire === WIRE_BYTES) value = Object.fromEntries(list(cursor.messageEnd(stop), (to) => entry(to, depth + 1)));
		else if (field === 7 && wire === WIRE_BYTES) {
			const to = cursor.messageEnd(stop);
			value = base64(cursor.bytes.subarray(cursor.pos, to));
			cursor.pos = to;
		} else return false;
		return true;
	});
	return value;
}

function list<T>(end: number, read: (end: number) => T): T[] {
	const values: T[] = [];
	fields(end, (field, wire, stop) => {
		if (field !== 1 || wire !== WIRE_BYTES) return false;
		values.push(read(cursor.messageEnd(stop)));
		return true;
	});
	return values;
}

function entry(end: number, depth: number): [string, unknown] {
	let key = '';
	let value: unknown = null;
	fields(end, (field, wire, stop) => {
		if (wire !== WIRE_BYTES) return false;
		if (field === 1) key = string(stop);
		else if (field === 2) value = anyValue(cursor.messageEnd(stop), depth);
		else return false;
		return true;
	});
	return [key, value];
}

function signedVarint(end: number): number | string {
	const start = cursor.pos;
	const near = cursor.int64(end);
	if (Number.isSafeInteger(near)) return near;
	let exact = 0n;
	for (let pos = start, shift = 0n; pos < cursor.pos; pos++, shift += 7n) exact |= BigInt((cursor.bytes[pos] as number) & 0x7f) << shift;
	return String(BigInt.asIntN(64, exact));
}

function string(end: number): string {
	const stop = cursor.messageEnd(end);
	let value: string;
	try {
		value = text.decode(cursor.bytes.subarray(cursor.pos, stop));
	} catch {
		throw new ProtocolError('a text is not UTF-8', cursor.pos);
	}
	cursor.pos = stop;
	return value;
}

function fixed64(end: number): bigint {
	const { pos } = cursor;
	if (end - pos < 8) throw new ProtocolError('a fixed-size field is cut off', pos);
	cursor.pos = pos + 8;
	return cursor.view.getBigUint64(pos, true);
}

function double(end: number): number {
	const { pos } = cursor;
	if (end - pos < 8) throw new ProtocolError('a fixed-size field is cut off', pos);
	cursor.pos = pos + 8;
	return cursor.view.getFloat64(pos, true);
}

function nanosToMs(end: number): number {
	return Number(fixed64(end) / 1_000_000n);
}

function base64(bytes: Uint8Array): string {
	let binary = '';
	for (const byte of bytes) binary += String.fromCharCode(byte);
	return btoa(binary);
}
