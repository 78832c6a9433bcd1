import { encodeLabelBytes } from '../storage/label-bytes.ts';
import { type OtlpMetricScope, type OtlpSeries, type OtlpSeriesRole, otlpLabels } from './otlp-series.ts';

/** Entries and bytes of one generation; there are two. */
const MAX_ENTRIES = 200_000;
const MAX_BYTES = 64 * 1024 * 1024;
const ROLE_NUMBERS: Readonly<Record<OtlpSeriesRole, number>> = { value: 0, sum: 1, count: 2, bucket: 3, quantile: 4 };
/** Number of the scope, role, bound. */
const KEY_HEADER_BYTES = 13;

/**
 * The label bytes of series by what the sender put on the wire for them, so that the points of a known series are stored without making
 * a string of any attribute. It keeps bytes, never ids: what the store lends is asked of the store each time. When a generation is full
 * another begins, and the series that are still sent move over.
 */
export class OtlpLabelCache {
	#young = new Generation();
	#old = new Generation();
	readonly #scopes = new Map<string, number>();
	#nextScope = 0;
	#key = new Uint8Array(1024);
	#view = new DataView(this.#key.buffer);

	/** The number of a scope, to be asked once per metric of a request. */
	scopeNumber({ name, identity }: OtlpMetricScope): number {
		const text = JSON.stringify([name, identity]);
		let number = this.#scopes.get(text);
		if (number === undefined) {
			if (this.#scopes.size >= MAX_ENTRIES) this.#scopes.clear();
			// Never used twice: entries of a scope that was forgotten find nothing.
			number = this.#nextScope++;
			this.#scopes.set(text, number);
		}
		return number;
	}

	/** Copies the label bytes of the series to what `room` gives and returns the position behind them. */
	write(series: OtlpSeries, scope: number, room: (size: number) => { readonly target: Uint8Array; readonly start: number }): number {
		const { wire } = series.point;
		if (wire === null) return copy(encodeLabelBytes(otlpLabels(series)), room);
		const length = this.#makeKey(series, scope, wire);
		const young = this.#young;
		let entry = young.find(this.#key, length);
		if (entry < 0) {
			const before = this.#old.find(this.#key, length);
			const labels = before < 0 ? encodeLabelBytes(otlpLabels(series)) : this.#old.labels(before);
			if (young.count >= MAX_ENTRIES || young.bytes >= MAX_BYTES) {
				this.#old = young;
				this.#young = new Generation();
			}
			entry = this.#young.add(this.#key, length, labels);
		}
		return copy(this.#young.labels(entry), room);
	}

	#makeKey(series: OtlpSeries, scope: number, wire: Uint8Array): number {
		const { wireStart, wireEnd } = series.point;
		const length = KEY_HEADER_BYTES + wireEnd - wireStart;
		if (length > this.#key.length) {
			this.#key = new Uint8Array(length * 2);
			this.#view = new DataView(this.#key.buffer);
		}
		const key = this.#key;
		this.#view.setUint32(0, scope, true);
		key[4] = ROLE_NUMBERS[series.role];
		this.#view.setFloat64(5, series.bound, true);
		// Attributes are short: a loop costs less than a view and a call.
		for (let from = wireStart, to = KEY_HEADER_BYTES; from < wireEnd; from++, to++) key[to] = wire[from] as number;
		return length;
	}
}

function copy(labels: Uint8Array, room: (size: number) => { readonly target: Uint8Array; readonly start: number }): number {
	const { target, start } = room(labels.length);
	target.set(labels, start);
	return start + labels.length;
}

/** Keys and labels in one arena; open addressing, the entry after the last hit is compared first. */
class Generation {
	count = 0;
	bytes = 0;
	#arena = new Uint8Array(4096);
	/** Per entry: start of the key, start of the labels, their end. */
	#places = new Uint32Array(3 * 64);
	/** Entry + 1, 0 is free; at most half full. */
	#table = new Int32Array(256);
	#next = 0;

	find(key: Uint8Array, length: number): number {
		if (this.#next < this.count && this.#equals(this.#next, key, length)) return this.#next++;
		const mask = this.#table.length - 1;
		for (let i = hash(key, 0, length) & mask; ; i = (i + 1) & mask) {
			const entry = (this.#table[i] as number) - 1;
			if (entry < 0) return -1;
			if (this.#equals(entry, key, length)) {
				this.#next = entry + 1;
				return entry;
			}
		}
	}

	add(key: Uint8Array, length: number, labels: Uint8Array): number {
		const entry = this.count++;
		const at = this.bytes;
		const end = at + length + labels.length;
		if (end > this.#arena.length) {
			const larger = new Uint8Array(Math.max(this.#arena.length * 2, end));
			larger.set(this.#arena);
			this.#arena = larger;
		}
		this.#arena.set(key.subarray(0, length), at);
		this.#arena.set(labels, at + length);
		this.bytes = end;
		if (this.count * 3 > this.#places.length) {
			const larger = new Uint32Array(this.#places.length * 2);
			larger.set(this.#places);
			this.#places = larger;
		}
		this.#places.set([at, at + length, end], entry * 3);
		if (this.count * 2 > this.#table.length) {
			this.#table = new Int32Array(this.#table.length * 2);
			for (let other = 0; other < this.count; other++) this.#place(other);
		} else this.#place(entry);
		this.#next = this.count;
		return entry;
	}

	labels(entry: number): Uint8Array {
		return this.#arena.subarray(this.#places[entry * 3 + 1], this.#places[entry * 3 + 2]);
	}

	#equals(entry: number, key: Uint8Array, length: number): boolean {
		const start = this.#places[entry * 3] as number;
		if ((this.#places[entry * 3 + 1] as number) - start !== length) return false;
		// Series that follow each other differ at their end.
		const arena = this.#arena;
		for (let a = start + length - 1, b = length - 1; b >= 0; a--, b--) if (arena[a] !== key[b]) return false;
		return true;
	}

	#place(entry: number): void {
		const mask = this.#table.length - 1;
		let i = hash(this.#arena, this.#places[entry * 3] as number, this.#places[entry * 3 + 1] as number) & mask;
		while (this.#table[i] !== 0) i = (i + 1) & mask;
		this.#table[i] = entry + 1;
	}
}

/** FNV-1a, 32 bits. */
function hash(bytes: Uint8Array, start: number, end: number): number {
	let result = 0x811c9dc5;
	for (let i = start; i < end; i++) result = Math.imul(result ^ (bytes[i] as number), 0x01000193);
	return result >>> 1;
}
