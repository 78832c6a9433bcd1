import { crc32 } from 'node:zlib';
import type { SampleColumns } from '../../storage/column-ingest.ts';
import type { MetricMetadata } from '../../storage/storage.ts';
import {
	padTo8,
	RECORD_DELETION,
	RECORD_HEADER_BYTES,
	RECORD_MAGIC,
	RECORD_METADATA,
	RECORD_SAMPLES,
	RECORD_SERIES,
	SAMPLES_SAME_TIME,
} from './log-format.ts';

export interface SeriesDefinition {
	readonly id: number;
	readonly labels: Uint8Array;
}

/** Samples of series `ids` from `minMs` to `maxMs`, both inclusive, that were logged before are deleted. */
export interface Deletion {
	/** Rises with every deletion of a store. */
	readonly number: number;
	readonly ids: Uint32Array;
	readonly minMs: number;
	readonly maxMs: number;
}

/** Records that are written to the log together, in the buffer that is written. Format: docs/formats/log.md. */
export class LogBatch {
	#buffer = new ArrayBuffer(1 << 16);
	#bytes = new Uint8Array(this.#buffer);
	#words = new Uint32Array(this.#buffer);
	#doubles = new Float64Array(this.#buffer);
	#used = 0;
	#newestMs = Number.NEGATIVE_INFINITY;
	#deletes = false;

	/** The first `length` bytes are the batch; they stay as they are until something is added. */
	get bytes(): Uint8Array {
		return this.#bytes;
	}

	get length(): number {
		return this.#used;
	}

	/** Time of the newest sample. */
	get newestMs(): number {
		return this.#newestMs;
	}

	/** Whether there is a deletion in it. */
	get deletes(): boolean {
		return this.#deletes;
	}

	/** Adds definitions of series. */
	series(definitions: readonly SeriesDefinition[]): void {
		let size = 8;
		for (const definition of definitions) size += 8 + padTo8(definition.labels.length);
		const start = this.#begin(size);
		let at = start + RECORD_HEADER_BYTES;
		this.#words[at >> 2] = definitions.length;
		this.#words[(at >> 2) + 1] = 0;
		at += 8;
		for (const { id, labels } of definitions) {
			this.#words[at >> 2] = id;
			this.#words[(at >> 2) + 1] = labels.length;
			this.#bytes.set(labels, at + 8);
			this.#bytes.fill(0, at + 8 + labels.length, at + 8 + padTo8(labels.length));
			at += 8 + padTo8(labels.length);
		}
		this.#end(start, RECORD_SERIES, size);
	}

	/** Adds samples `0 .. count` to the batch. */
	samples(samples: SampleColumns, count: number): void {
		const { ids, timestamps, valueWords } = samples;
		const first = timestamps[0] as number;
		let sameTime = true;
		let newest = first;
		for (let i = 1; i < count; i++) {
			const time = timestamps[i] as number;
			if (time !== first) sameTime = false;
			if (time > newest) newest = time;
		}
		if (newest > this.#newestMs) this.#newestMs = newest;
		const idBytes = padTo8(count * 4);
		const size = 16 + idBytes + (sameTime ? 0 : count * 8) + count * 8;
		const start = this.#begin(size);
		let at = start + RECORD_HEADER_BYTES;
		this.#words[at >> 2] = count;
		this.#words[(at >> 2) + 1] = sameTime ? SAMPLES_SAME_TIME : 0;
		this.#doubles[(at >> 3) + 1] = first;
		at += 16;
		if (count % 2 === 1) this.#words[(at >> 2) + count] = 0;
		this.#words.set(ids.subarray(0, count), at >> 2);
		at += idBytes;
		if (!sameTime) {
			this.#doubles.set(timestamps.subarray(0, count), at >> 3);
			at += count * 8;
		}
		this.#words.set(valueWords.subarray(0, count * 2), at >> 2);
		this.#end(start, RECORD_SAMPLES, size);
	}

	metadata(metric: string, metadata: MetricMetadata): void {
		const json = Buffer.from(JSON.stringify({ metric, ...metadata }), 'utf8');
		const size = 8 + padTo8(json.length);
		const start = this.#begin(size);
		const at = start + RECORD_HEADER_BYTES;
		this.#words[at >> 2] = json.length;
		this.#words[(at >> 2) + 1] = 0;
		this.#bytes.set(json, at + 8);
		this.#bytes.fill(0, at + 8 + json.length, at + size);
		this.#end(start, RECORD_METADATA, size);
	}

	deletion({ number, ids, minMs, maxMs }: Deletion): void {
		const size = 32 + padTo8(ids.length * 4);
		const start = this.#begin(size);
		const at = start + RECORD_HEADER_BYTES;
		this.#bytes.fill(0, at, at + size);
		this.#words[at >> 2] = ids.length;
		this.#doubles.set([number, minMs, maxMs], (at >> 3) + 1);
		this.#words.set(ids, (at + 32) >> 2);
		this.#end(start, RECORD_DELETION, size);
		this.#deletes = true;
	}

	/** Forgets what was added. */
	discard(): void {
		this.#used = 0;
		this.#newestMs = Number.NEGATIVE_INFINITY;
		this.#deletes = false;
	}

	/** A giant request must not keep its memory for ever. */
	shrink(): void {
		if (this.#buffer.byteLength > 1 << 24) this.#resize(1 << 16);
	}

	#begin(size: number): number {
		const start = this.#used;
		const needed = start + RECORD_HEADER_BYTES + size;
		if (needed > this.#buffer.byteLength) this.#resize(needed * 2);
		return start;
	}

	#end(start: number, kind: number, size: number): void {
		const word = start >> 2;
		this.#words[word] = RECORD_MAGIC;
		this.#words[word + 1] = size;
		this.#words[word + 3] = kind;
		const end = start + RECORD_HEADER_BYTES + size;
		this.#words[word + 2] = crc32(this.#bytes.subarray(start + 12, end), size);
		this.#used = end;
	}

	#resize(length: number): void {
		const buffer = new ArrayBuffer(padTo8(length));
		const bytes = new Uint8Array(buffer);
		bytes.set(this.#bytes.subarray(0, this.#used));
		this.#buffer = buffer;
		this.#bytes = bytes;
		this.#words = new Uint32Array(buffer);
		this.#doubles = new Float64Array(buffer);
	}
}
