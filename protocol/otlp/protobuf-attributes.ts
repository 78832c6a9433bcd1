import { ProtocolError } from '../remote-write/protocol-error.ts';
import { WIRE_BYTES, WIRE_FIXED64, WIRE_VARINT } from '../remote-write/wire-cursor.ts';
import { attributeText, MAX_VALUE_DEPTH, type OtlpAttributes } from './metrics-model.ts';
import { cursor, double, fields, string } from './protobuf-fields.ts';

type Attribute = readonly [string, string];

/** All attributes up to `end`, where they are the field `number` of their message; other fields are skipped. */
export function readAttributes(number: number, end: number): OtlpAttributes {
	const attributes: Attribute[] = [];
	fields(end, (field, wire, stop) => {
		if (field !== number || wire !== WIRE_BYTES) return false;
		attributes.push(keyValue(cursor.messageEnd(stop)));
		return true;
	});
	return attributes;
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

function base64(bytes: Uint8Array): string {
	let binary = '';
	for (const byte of bytes) binary += String.fromCharCode(byte);
	return btoa(binary);
}
