import { AppError } from '../../core/errors.ts';
import type { MetricType } from '../../protocol/metric-type.ts';
import { METRIC_TYPE_NUMBERS, type WriteSample, type WriteSeries } from '../../protocol/remote-write/write-series.ts';

/** First byte of every payload; another layout gets another number. */
const VERSION = 1;

const TYPE_BY_NUMBER: readonly MetricType[] = ['unknown', 'counter', 'gauge', 'histogram', 'gaugehistogram', 'summary', 'info', 'stateset'];

/** Samples in `seriesList`. */
export function countSamples(seriesList: readonly WriteSeries[]): number {
	let count = 0;
	for (const series of seriesList) count += series.samples.length;
	return count;
}

/**
 * A batch as the spool keeps it (`docs/formats/agent-spool.md`). Independent of the protocol that will carry it: a batch
 * written for remote write 2 must be sendable as version 1, in parts, or merged with others.
 */
export function encodeBatch(seriesList: readonly WriteSeries[]): Buffer {
	const symbols = new Map<string, number>([['', 0]]);
	const refOf = (text: string): number => {
		const known = symbols.get(text);
		if (known !== undefined) return known;
		symbols.set(text, symbols.size);
		return symbols.size - 1;
	};
	const body = new ByteSink();
	body.varint(seriesList.length);
	for (const series of seriesList) {
		body.varint(series.labels.length);
		for (const text of series.labels) body.varint(refOf(text));
		body.varint(METRIC_TYPE_NUMBERS[series.type ?? 'unknown']);
		body.varint(refOf(series.help ?? ''));
		body.varint(refOf(series.unit ?? ''));
		body.varint(series.samples.length);
		for (const sample of series.samples) body.sample(sample);
	}
	const head = new ByteSink();
	head.varint(VERSION);
	head.varint(symbols.size);
	for (const symbol of symbols.keys()) head.text(symbol);
	return Buffer.concat([head.finish(), body.finish()]);
}

/** Throws `FN_AGENT_SPOOL_CORRUPT` on bytes that `encodeBatch` did not write. */
export function decodeBatch(payload: Buffer): WriteSeries[] {
	const source = new ByteSource(payload);
	const version = source.varint();
	if (version !== VERSION)
		throw new AppError('FN_AGENT_SPOOL_CORRUPT', `a spool record has layout ${version}, this agent reads ${VERSION}; it is skipped`);
	const symbols: string[] = [];
	for (let left = source.count(); left > 0; left--) symbols.push(source.text());
	const symbol = (): string => {
		const text = symbols[source.varint()];
		if (text === undefined) throw corrupt();
		return text;
	};
	const seriesList: WriteSeries[] = [];
	for (let left = source.count(); left > 0; left--) {
		const labels: string[] = [];
		for (let parts = source.count(); parts > 0; parts--) labels.push(symbol());
		const type = TYPE_BY_NUMBER[source.varint()];
		if (type === undefined) throw corrupt();
		const help = symbol();
		const unit = symbol();
		const samples: WriteSample[] = [];
		for (let rest = source.count(); rest > 0; rest--) samples.push(source.sample());
		seriesList.push({ labels, type, help, unit, samples });
	}
	return seriesList;
}

function corrupt(): AppError {
	return new AppError('FN_AGENT_SPOOL_CORRUPT', 'a spool record ends early or refers to a missing text; it is skipped');
}

class ByteSink {
	#bytes = Buffer.allocUnsafe(16 * 1024);
	#length = 0;

	finish(): Buffer {
		return this.#bytes.subarray(0, this.#length);
	}

	varint(value: number): void {
		this.#reserve(10);
		let rest = value;
		while (rest >= 128) {
			this.#bytes[this.#length++] = (rest % 128) | 128;
			rest = Math.floor(rest / 128);
		}
		this.#bytes[this.#length++] = rest;
	}

	text(value: string): void {
		const size = Buffer.byteLength(value);
		this.varint(size);
		this.#reserve(size);
		this.#length += this.#bytes.write(value, this.#length);
	}

	/** Time as a float64 (integers are exact to 2^53), one byte that tells value from stale marker, and the value unless stale. */
	sample(sample: WriteSample): void {
		this.#reserve(17);
		this.#length = this.#bytes.writeDoubleLE(sample.timestampMs, this.#length);
		if (sample.stale === true) {
			this.#bytes[this.#length++] = 1;
			return;
		}
		this.#bytes[this.#length++] = 0;
		this.#length = this.#bytes.writeDoubleLE(sample.value, this.#length);
	}

	#reserve(count: number): void {
		if (this.#length + count <= this.#bytes.length) return;
		const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#length + count));
		this.#bytes.copy(larger, 0, 0, this.#length);
		this.#bytes = larger;
	}
}

class ByteSource {
	readonly #bytes: Buffer;
	#at = 0;

	constructor(bytes: Buffer) {
		this.#bytes = bytes;
	}

	varint(): number {
		let value = 0;
		let factor = 1;
		for (let i = 0; i < 8; i++) {
			const byte = this.#bytes[this.#at++];
			if (byte === undefined) throw corrupt();
			value += (byte & 127) * factor;
			if (byte < 128) return value;
			factor *= 128;
		}
		throw corrupt();
	}

	/** A number of items that follow; each takes at least a byte, which bounds what a damaged count can make us allocate. */
	count(): number {
		const count = this.varint();
		if (count > this.#bytes.length - this.#at) throw corrupt();
		return count;
	}

	text(): string {
		const size = this.varint();
		const end = this.#at + size;
		if (end > this.#bytes.length) throw corrupt();
		const text = this.#bytes.toString('utf8', this.#at, end);
		this.#at = end;
		return text;
	}

	sample(): WriteSample {
		if (this.#at + 9 > this.#bytes.length) throw corrupt();
		const timestampMs = this.#bytes.readDoubleLE(this.#at);
		const kind = this.#bytes[this.#at + 8];
		this.#at += 9;
		if (kind === 1) return { timestampMs, value: Number.NaN, stale: true };
		if (kind !== 0 || this.#at + 8 > this.#bytes.length) throw corrupt();
		const value = this.#bytes.readDoubleLE(this.#at);
		this.#at += 8;
		return { timestampMs, value };
	}
}
