import type { Labels } from '../../protocol/labels.ts';
import type { ResultSample, ResultSeries, ResultValue } from './engine.ts';
import { formatSample } from './go-float.ts';
import type { JsonBytes } from './json-bytes.ts';

/** Unix seconds with up to three decimals, as Prometheus writes timestamps. */
export function formatSeconds(timeMs: number): string {
	const ms = Math.round(timeMs);
	const rest = Math.abs(ms % 1000);
	const whole = Math.trunc(ms / 1000);
	if (rest === 0) return String(whole);
	const sign = ms < 0 && whole === 0 ? '-' : '';
	return `${sign}${whole}.${String(rest).padStart(3, '0').replace(/0+$/, '')}`;
}

export function labelsJson(labels: Labels): string {
	let text = '{';
	for (let i = 0; i < labels.length; i += 2) {
		if (i > 0) text += ',';
		text += `${JSON.stringify(labels[i])}:${JSON.stringify(labels[i + 1])}`;
	}
	return `${text}}`;
}

/** What V8 makes of text at most, and more than any client wants at once. */
export const MAX_BYTES = 512 * 1024 * 1024;
/** A point: brackets, a time, a value, and some room; and the comma before a series. */
const POINT_BYTES = 64;
/** `[1700000000,"12.345678901234567"],` */
const EXPECTED_POINT_BYTES = 36;

/** Room that an answer most likely needs: growing copies what is written. */
export function expectedBytes(value: ResultValue): number {
	if (value.kind === 'vector') return 1024 + value.samples.length * 256;
	if (value.kind !== 'matrix') return 1024;
	let points = 0;
	for (const series of value.series) points += series.timestamps.length;
	return Math.min(MAX_BYTES, 1024 + value.series.length * 256 + points * EXPECTED_POINT_BYTES);
}

/**
 * Writes Prometheus' `data` of a query answer but for its closing brace, at most `limit` series (0: all). Returns whether series were left
 * out. Throws `RangeError` when the answer is longer than `MAX_BYTES`.
 */
export function writeResult(json: JsonBytes, value: ResultValue, limit: number): boolean {
	let truncated = false;
	switch (value.kind) {
		case 'scalar':
			json.text(`{"resultType":"scalar","result":[${formatSeconds(value.timeMs)},"${formatSample(value.value)}"]`);
			break;
		case 'string':
			json.text(`{"resultType":"string","result":[${formatSeconds(value.timeMs)},${JSON.stringify(value.value)}]`);
			break;
		case 'vector': {
			truncated = limit > 0 && value.samples.length > limit;
			const count = truncated ? limit : value.samples.length;
			const time = formatSeconds(value.timeMs);
			json.text('{"resultType":"vector","result":[');
			for (let i = 0; i < count; i++) {
				const sample = value.samples[i] as ResultSample;
				json.text(`${i === 0 ? '' : ','}{"metric":${labelsJson(sample.labels)},"value":[${time},"`);
				json.reserve(POINT_BYTES);
				json.sample(sample.value);
				json.ascii('"]}');
			}
			json.text(']');
			break;
		}
		case 'matrix': {
			truncated = limit > 0 && value.series.length > limit;
			const count = truncated ? limit : value.series.length;
			const openings = new PointOpenings();
			json.text('{"resultType":"matrix","result":[');
			for (let i = 0; i < count; i++) {
				if (i > 0) json.ascii(',');
				writeSeries(json, value.series[i] as ResultSeries, openings);
			}
			json.text(']');
		}
	}
	return truncated;
}

function writeSeries(json: JsonBytes, { labels, timestamps, values }: ResultSeries, openings: PointOpenings): void {
	json.text(`{"metric":${labelsJson(labels)},"values":[`);
	openings.prepare(timestamps);
	const { bytes, ends } = openings;
	for (let i = 0; i < values.length; i++) {
		json.reserve(POINT_BYTES);
		// The first point closes none before it.
		json.bytes(bytes, i === 0 ? CLOSING_BYTES : (ends[i - 1] as number), ends[i] as number);
		json.sample(values[i] as number);
	}
	json.text(values.length === 0 ? ']}' : '"]]}');
}

const CLOSING_BYTES = '"],'.length;

/** What stands between two values, as bytes: most series of an answer have the same times, and then it is made once. */
class PointOpenings {
	/** `"],[TIME,"` for each time, one after the other, and where each ends. */
	bytes = new Uint8Array(0);
	ends = new Uint32Array(0);
	#of: Float64Array | null = null;

	prepare(timestamps: Float64Array): void {
		if (this.#of === timestamps) return;
		this.#of = timestamps;
		if (this.ends.length < timestamps.length) {
			this.ends = new Uint32Array(timestamps.length);
			this.bytes = new Uint8Array(timestamps.length * POINT_BYTES);
		}
		const { bytes } = this;
		let at = 0;
		let head = '';
		let headOf = 0;
		for (let i = 0; i < timestamps.length; i++) {
			const seconds = (timestamps[i] as number) / 1000;
			const high = Math.floor(seconds / LOW);
			// Steps of whole seconds differ in their last digits only.
			const isShort = high > 0 && Number.isSafeInteger(seconds);
			if (!isShort) head = `"],[${formatSeconds(timestamps[i] as number)}`;
			else if (headOf !== high) head = `"],[${high}`;
			headOf = isShort ? high : 0;
			for (let k = 0; k < head.length; k++) bytes[at++] = head.charCodeAt(k);
			if (isShort) {
				let low = seconds - high * LOW;
				for (let k = LOW_DIGITS - 1; k >= 0; k--) {
					const rest = Math.floor(low / 10);
					bytes[at + k] = ZERO + low - rest * 10;
					low = rest;
				}
				at += LOW_DIGITS;
			}
			bytes[at++] = COMMA;
			bytes[at++] = QUOTE;
			this.ends[i] = at;
		}
	}
}

const LOW_DIGITS = 4;
const LOW = 10 ** LOW_DIGITS;
const ZERO = 0x30;
const COMMA = 0x2c;
const QUOTE = 0x22;
