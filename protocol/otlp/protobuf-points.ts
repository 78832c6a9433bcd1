import { ProtocolError } from '../remote-write/protocol-error.ts';
import { WIRE_BYTES, WIRE_FIXED64, WIRE_VARINT } from '../remote-write/wire-cursor.ts';
import {
	NO_RECORDED_VALUE,
	type OtlpAttributes,
	type OtlpHistogramPoint,
	type OtlpNumberPoint,
	type OtlpPoint,
	type OtlpSummaryPoint,
} from './metrics-model.ts';
import { readAttributes } from './protobuf-attributes.ts';
import { cursor, double, fields, fixed64, nanosToMs, sfixed64, withCursor } from './protobuf-fields.ts';

/** What the kinds of points share. Their attributes stay bytes until somebody asks for them. */
abstract class WirePoint implements OtlpPoint {
	startMs = 0;
	timeMs = 0;
	noValue = false;
	wire: Uint8Array = cursor.bytes;
	wireStart = 0;
	wireEnd = 0;
	/** The numbers that attributes and flags have in this kind of point. */
	abstract readonly attributesField: number;
	abstract readonly flagsField: number;

	get attributes(): OtlpAttributes {
		return withCursor(this.wire, () => {
			cursor.pos = this.wireStart;
			return readAttributes(this.attributesField, this.wireEnd);
		});
	}

	/** Consumes a field of this kind of point, or says that it does not know it. */
	protected abstract readField(field: number, wire: number, end: number): boolean;

	/** Reads the message up to `end`. */
	read(end: number): this {
		while (cursor.pos < end) {
			const at = cursor.pos;
			const tag = cursor.uint31(end);
			const field = tag >>> 3;
			const wire = tag & 7;
			if (field === 0) throw new ProtocolError('a field has the number 0', cursor.pos);
			if (field === 2 && wire === WIRE_FIXED64) this.startMs = nanosToMs(end);
			else if (field === 3 && wire === WIRE_FIXED64) this.timeMs = nanosToMs(end);
			else if (field === this.attributesField && wire === WIRE_BYTES) this.#skipAttribute(at, end);
			else if (field === this.flagsField && wire === WIRE_VARINT) this.noValue = (cursor.int64(end) & NO_RECORDED_VALUE) !== 0;
			else if (!this.readField(field, wire, end)) cursor.skip(wire, end);
		}
		return this;
	}

	#skipAttribute(start: number, end: number): void {
		const stop = cursor.messageEnd(end);
		cursor.pos = stop;
		if (this.wireEnd === 0) this.wireStart = start;
		else if (start !== this.wireEnd || this.wire !== cursor.bytes) {
			// Something else lies in between, which no known sender does.
			this.wire = joined(this.wire.subarray(this.wireStart, this.wireEnd), cursor.bytes.subarray(start, stop));
			this.wireStart = 0;
			this.wireEnd = this.wire.length;
			return;
		}
		this.wireEnd = stop;
	}
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
	const both = new Uint8Array(a.length + b.length);
	both.set(a);
	both.set(b, a.length);
	return both;
}

export class WireNumberPoint extends WirePoint implements OtlpNumberPoint {
	value = 0;

	get attributesField(): number {
		return 7;
	}

	get flagsField(): number {
		return 8;
	}

	protected readField(field: number, wire: number, end: number): boolean {
		if (wire !== WIRE_FIXED64) return false;
		if (field === 4) this.value = double(end);
		else if (field === 6) this.value = sfixed64(end);
		else return false;
		return true;
	}
}

export class WireHistogramPoint extends WirePoint implements OtlpHistogramPoint {
	count = 0;
	sum: number | null = null;
	readonly bucketCounts: number[] = [];
	readonly bounds: number[] = [];

	get attributesField(): number {
		return 9;
	}

	get flagsField(): number {
		return 10;
	}

	protected readField(field: number, wire: number, end: number): boolean {
		if (field === 4 && wire === WIRE_FIXED64) this.count = fixed64(end);
		else if (field === 5 && wire === WIRE_FIXED64) this.sum = double(end);
		else if (field === 6) return repeated(this.bucketCounts, fixed64, wire, end);
		else if (field === 7) return repeated(this.bounds, double, wire, end);
		else return false;
		return true;
	}
}

export class WireSummaryPoint extends WirePoint implements OtlpSummaryPoint {
	count = 0;
	sum = 0;
	readonly quantiles: { readonly quantile: number; readonly value: number }[] = [];

	get attributesField(): number {
		return 7;
	}

	get flagsField(): number {
		return 8;
	}

	protected readField(field: number, wire: number, end: number): boolean {
		if (field === 4 && wire === WIRE_FIXED64) this.count = fixed64(end);
		else if (field === 5 && wire === WIRE_FIXED64) this.sum = double(end);
		else if (field === 6 && wire === WIRE_BYTES) this.quantiles.push(quantileValue(cursor.messageEnd(end)));
		else return false;
		return true;
	}
}

/** A repeated 64-bit field, packed as proto3 writes it or one by one. */
function repeated(into: number[], read: (end: number) => number, wire: number, end: number): boolean {
	if (wire === WIRE_FIXED64) into.push(read(end));
	else if (wire === WIRE_BYTES) {
		const stop = cursor.messageEnd(end);
		while (cursor.pos < stop) into.push(read(stop));
	} else return false;
	return true;
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
