import { formatLabels } from '../../core/labels.ts';
import { METRIC_NAME } from '../../protocol/labels.ts';
import { ProtocolError } from '../../protocol/remote-write/protocol-error.ts';
import { WIRE_BYTES, WireCursor } from '../../protocol/remote-write/wire-cursor.ts';
import { encodeLabelBytes } from '../storage/label-bytes.ts';
import type { IngestLimits } from './config.ts';

export type RefusalReason =
	| 'labels_malformed'
	| 'labels_not_utf8'
	| 'label_duplicate'
	| 'label_name_invalid'
	| 'label_name_too_long'
	| 'label_value_too_long'
	| 'labels_too_many'
	| 'metric_name_missing'
	| 'series_limit'
	| 'host_series_limit'
	| 'labels_too_long'
	| 'sample_too_new'
	| 'sample_too_old'
	| 'native_histogram';

export type SeriesVerdict =
	| { readonly kind: 'accepted'; readonly canonical: Uint8Array }
	| { readonly kind: 'refused'; readonly reason: RefusalReason; readonly message: string };

const SHOWN_CHARACTERS = 300;

const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const cursor = new WireCursor();

/**
 * Looks at the labels of a series that the store does not know: `0a len (0a nameLen name 12 valueLen value)` as a sender
 * wrote them, in any order. Labels with an empty value count as absent. What is canonical already, as most senders write it,
 * is accepted without making a string; everything else is taken apart to be put in order or to say what is wrong. Names may be any
 * text in UTF-8 that is not empty, as in Prometheus 3.
 */
export function judgeSeries(bytes: Uint8Array, start: number, end: number, limits: IngestLimits): SeriesVerdict {
	if (isCanonical(bytes, start, end, limits)) return { kind: 'accepted', canonical: bytes.subarray(start, end) };
	let pairs: (readonly [string, string])[];
	try {
		pairs = readPairs(bytes.subarray(start, end));
	} catch (error) {
		if (error instanceof ProtocolError) return refused('labels_malformed', `the labels of a series cannot be read: ${error.message}`);
		return refused('labels_not_utf8', 'a series has labels that are not UTF-8');
	}
	pairs.sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
	const problem = pairsProblem(pairs, limits);
	if (problem !== null) return problem;
	return { kind: 'accepted', canonical: encodeLabelBytes(pairs.filter(([, value]) => value !== '').flat()) };
}

/**
 * Whether the bytes are canonical and within every limit. Gives up (`false`) on anything unusual, also where a slower look would
 * find it valid: values that are not ASCII, fields in another order, lengths in more than one byte.
 */
function isCanonical(bytes: Uint8Array, start: number, end: number, limits: IngestLimits): boolean {
	let previousStart = 0;
	let previousEnd = 0;
	let labels = 0;
	let named = false;
	let pos = start;
	while (pos < end) {
		if (bytes[pos] !== 0x0a) return false;
		const inner = bytes[pos + 1] as number;
		const labelEnd = pos + 2 + inner;
		if (inner >= 0x80 || labelEnd > end || bytes[pos + 2] !== 0x0a) return false;
		const nameStart = pos + 4;
		const nameEnd = nameStart + (bytes[pos + 3] as number);
		if (nameEnd + 2 > labelEnd || bytes[nameEnd] !== 0x12) return false;
		const valueStart = nameEnd + 2;
		if (valueStart + (bytes[nameEnd + 1] as number) !== labelEnd || valueStart === labelEnd) return false;
		if (nameEnd - nameStart > limits.max_label_name_bytes || labelEnd - valueStart > limits.max_label_value_bytes) return false;
		if (!isName(bytes, nameStart, nameEnd, false) || !isAscii(bytes, valueStart, labelEnd)) return false;
		if (labels > 0 && !precedes(bytes, previousStart, previousEnd, nameStart, nameEnd)) return false;
		if (isMetricLabel(bytes, nameStart, nameEnd)) {
			if (!isName(bytes, valueStart, labelEnd, true)) return false;
			named = true;
		}
		previousStart = nameStart;
		previousEnd = nameEnd;
		labels++;
		pos = labelEnd;
	}
	return named && labels <= limits.max_labels;
}

function isName(bytes: Uint8Array, start: number, end: number, colons: boolean): boolean {
	if (start === end) return false;
	for (let i = start; i < end; i++) {
		const byte = bytes[i] as number;
		const lower = byte | 0x20;
		if ((lower >= 0x61 && lower <= 0x7a) || byte === 0x5f || (colons && byte === 0x3a)) continue;
		if (byte < 0x30 || byte > 0x39 || i === start) return false;
	}
	return true;
}

function isAscii(bytes: Uint8Array, start: number, end: number): boolean {
	for (let i = start; i < end; i++) if ((bytes[i] as number) >= 0x80) return false;
	return true;
}

function precedes(bytes: Uint8Array, aStart: number, aEnd: number, bStart: number, bEnd: number): boolean {
	for (let a = aStart, b = bStart; a < aEnd; a++, b++) {
		if (b === bEnd) return false;
		const difference = (bytes[a] as number) - (bytes[b] as number);
		if (difference !== 0) return difference < 0;
	}
	return aEnd - aStart < bEnd - bStart;
}

const METRIC_LABEL = new TextEncoder().encode(METRIC_NAME);

function isMetricLabel(bytes: Uint8Array, start: number, end: number): boolean {
	if (end - start !== METRIC_LABEL.length) return false;
	for (let i = 0; i < METRIC_LABEL.length; i++) if (bytes[start + i] !== METRIC_LABEL[i]) return false;
	return true;
}

function pairsProblem(pairs: readonly (readonly [string, string])[], limits: IngestLimits): SeriesVerdict | null {
	const shown = () => shorten(formatLabels(pairs.flat()));
	let metric = '';
	for (let i = 0; i < pairs.length; i++) {
		const [name, value] = pairs[i] as readonly [string, string];
		if (i > 0 && pairs[i - 1]?.[0] === name) return refused('label_duplicate', `${shown()} has the label ${shorten(name)} twice`);
		if (Buffer.byteLength(name) > limits.max_label_name_bytes) {
			return refused('label_name_too_long', `${shown()} has a label name longer than ${limits.max_label_name_bytes} bytes`);
		}
		if (name === '') return refused('label_name_invalid', `${shown()} has a label without a name`);
		if (Buffer.byteLength(value) > limits.max_label_value_bytes) {
			return refused('label_value_too_long', `${shown()} has a value of ${name} longer than ${limits.max_label_value_bytes} bytes`);
		}
		if (name === METRIC_NAME) metric = value;
	}
	if (pairs.length > limits.max_labels) {
		return refused('labels_too_many', `${shown()} has ${pairs.length} labels; at most ${limits.max_labels} are allowed`);
	}
	if (metric === '') return refused('metric_name_missing', `${shown()} has no metric name`);
	return null;
}

function refused(reason: RefusalReason, message: string): SeriesVerdict {
	return { kind: 'refused', reason, message };
}

/** The labels of a series for a message, cut to a bearable length. */
export function describeSeries(bytes: Uint8Array, start: number, end: number): string {
	try {
		return shorten(formatLabels(readPairs(bytes.subarray(start, end)).flat()));
	} catch {
		return 'a series with unreadable labels';
	}
}

function shorten(value: string): string {
	return value.length <= SHOWN_CHARACTERS ? value : `${value.slice(0, SHOWN_CHARACTERS)}…`;
}

/** Throws `ProtocolError`, or `TypeError` for bytes that are not UTF-8. */
function readPairs(bytes: Uint8Array): (readonly [string, string])[] {
	cursor.reset(bytes);
	const pairs: (readonly [string, string])[] = [];
	while (cursor.pos < bytes.length) {
		const tag = cursor.uint31(bytes.length);
		if (tag !== ((1 << 3) | WIRE_BYTES)) throw new ProtocolError('a label does not begin here', cursor.pos);
		const end = cursor.messageEnd(bytes.length);
		let name = '';
		let value = '';
		while (cursor.pos < end) {
			const field = cursor.uint31(end);
			if (field !== ((1 << 3) | WIRE_BYTES) && field !== ((2 << 3) | WIRE_BYTES)) {
				cursor.skip(field & 7, end);
				continue;
			}
			const stop = cursor.messageEnd(end);
			const part = text.decode(bytes.subarray(cursor.pos, stop));
			cursor.pos = stop;
			if (field === ((1 << 3) | WIRE_BYTES)) name = part;
			else value = part;
		}
		pairs.push([name, value]);
	}
	return pairs;
}
