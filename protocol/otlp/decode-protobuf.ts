import { WIRE_BYTES, WIRE_VARINT } from '../remote-write/wire-cursor.ts';
import {
	type OtlpAttributes,
	type OtlpData,
	type OtlpMetric,
	type OtlpResourceMetrics,
	type OtlpTemporality,
	TEMPORALITIES,
} from './metrics-model.ts';
import { readAttributes } from './protobuf-attributes.ts';
import { cursor, fields, string, withCursor } from './protobuf-fields.ts';
import { WireHistogramPoint, WireNumberPoint, WireSummaryPoint } from './protobuf-points.ts';

/**
 * Decodes an `ExportMetricsServiceRequest`. Unknown fields are skipped. Throws `ProtocolError`. Attributes
 * of points refer to `body`, and are decoded when they are asked for.
 */
export function decodeOtlpProtobuf(body: Uint8Array): readonly OtlpResourceMetrics[] {
	return withCursor(body, () => {
		const resources: OtlpResourceMetrics[] = [];
		fields(body.length, (field, wire, end) => {
			if (field !== 1 || wire !== WIRE_BYTES) return false;
			resources.push(resourceMetrics(cursor.messageEnd(end)));
			return true;
		});
		return resources;
	});
}

function resourceMetrics(end: number): OtlpResourceMetrics {
	let resource: OtlpAttributes = [];
	const metrics: OtlpMetric[] = [];
	fields(end, (field, wire, stop) => {
		if (wire !== WIRE_BYTES) return false;
		if (field === 1) resource = readAttributes(1, cursor.messageEnd(stop));
		else if (field === 2) scopeMetrics(cursor.messageEnd(stop), metrics);
		else return false;
		return true;
	});
	return { resource, metrics };
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
		else if (field === 5)
			data = { kind: 'gauge', points: dataPoints(cursor.messageEnd(stop), (to) => new WireNumberPoint().read(to)).points };
		else if (field === 7) data = { kind: 'sum', ...dataPoints(cursor.messageEnd(stop), (to) => new WireNumberPoint().read(to)) };
		else if (field === 9) data = histogram(cursor.messageEnd(stop));
		else if (field === 10)
			data = { kind: 'exponential_histogram', pointCount: dataPoints(cursor.messageEnd(stop), skippedPoint).points.length };
		else if (field === 11)
			data = { kind: 'summary', points: dataPoints(cursor.messageEnd(stop), (to) => new WireSummaryPoint().read(to)).points };
		else return false;
		return true;
	});
	return { name, description, unit, data };
}

function histogram(end: number): OtlpData {
	const { points, temporality } = dataPoints(end, (to) => new WireHistogramPoint().read(to));
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

function skippedPoint(end: number): null {
	cursor.pos = end;
	return null;
}
