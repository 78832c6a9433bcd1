import { AppError } from '../../core/errors.ts';
import { SLOT_HASH, SLOT_LABEL_AT, SLOT_LABEL_LENGTH, SLOT_WORDS } from './shared-head.ts';

/** Label bytes live in segments that readers map; a label set never spans two. */
export const LABEL_SEGMENT_BYTES = 1 << 22;
const LABEL_SEGMENT_WORDS = LABEL_SEGMENT_BYTES >> 2;

/** One segment, as bytes and as words (label sets begin at word boundaries and are padded with zeros). */
export class LabelSegment {
	readonly buffer: SharedArrayBuffer;
	readonly bytes: Uint8Array;
	readonly words: Int32Array;

	constructor(buffer: SharedArrayBuffer) {
		this.buffer = buffer;
		this.bytes = new Uint8Array(buffer);
		this.words = new Int32Array(buffer);
	}
}

/** Bytes one label set may take; senders are held to less by the ingest limits. */
export const MAX_LABEL_BYTES = 1 << 20;

/** Where the columns of the slots are, which grow and move: the registry reads and writes its fields there. */
export interface SlotColumns {
	slots: Int32Array;
}

/** 32 bits over label bytes, four at a time (the mixing steps of MurmurHash3, public domain). */
export function hashLabelBytes(view: DataView, start: number, end: number): number {
	let hash = end - start;
	let pos = start;
	for (const last = end - 4; pos <= last; pos += 4) {
		let k = Math.imul(view.getInt32(pos, true), 0xcc9e2d51 | 0);
		k = (k << 15) | (k >>> 17);
		hash ^= Math.imul(k, 0x1b873593);
		hash = (hash << 13) | (hash >>> 19);
		hash = (Math.imul(hash, 5) + 0xe6546b64) | 0;
	}
	for (; pos < end; pos++) hash = Math.imul(hash ^ view.getUint8(pos), 0x01000193);
	hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b | 0);
	hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35 | 0);
	return hash ^ (hash >>> 16);
}

/**
 * Slots of series by their label bytes. Open addressing over slots; every hit is confirmed byte by byte, so two series whose hashes
 * collide stay two series. Other spellings of the same labels are aliases in a second, bounded table.
 */
export class SeriesRegistry {
	readonly segments: LabelSegment[] = [];
	/** Slots that have ever been in use; those without labels are free. */
	count = 0;
	#columns: SlotColumns;
	#used = LABEL_SEGMENT_WORDS;
	/** The segment that is being filled. */
	#current = -1;
	/** Words of each segment that belong to a series. */
	readonly #live: number[] = [];
	readonly #emptySegments: number[] = [];
	#table = new Int32Array(1 << 12);
	/** Entries of the table, those of removed series included. */
	#entries = 0;
	#inUse = 0;
	#successor = new Int32Array(1 << 12);
	readonly #aliases = new Map<string, number>();
	readonly #onSegment: () => void;

	constructor(columns: SlotColumns, onSegment: () => void) {
		this.#columns = columns;
		this.#onSegment = onSegment;
	}

	/** See `ColumnIngest.findSeries`. */
	find(bytes: Uint8Array, view: DataView, start: number, end: number, hint: number): number {
		if (hint >= 0) {
			const guess = (this.#successor[hint] as number) - 1;
			if (guess >= 0 && this.#equals(guess, view, start, end)) return guess;
		}
		const hash = hashLabelBytes(view, start, end);
		const id = this.#lookup(hash, view, start, end);
		if (id >= 0) {
			if (hint >= 0) this.#successor[hint] = id + 1;
			return id;
		}
		if (this.#aliases.size === 0) return -1;
		return this.#aliases.get(aliasKey(bytes, start, end)) ?? -1;
	}

	/** Senders that do not sort are few; when there are too many spellings, remembering starts over. */
	addAlias(bytes: Uint8Array, start: number, end: number, id: number): void {
		if (this.#aliases.size > 200_000) this.#aliases.clear();
		this.#aliases.set(aliasKey(bytes, start, end), id);
	}

	/** Stores the labels of slot `id`, whose columns must exist. The caller has made sure that they are new. */
	insert(id: number, labels: Uint8Array): void {
		if (labels.length > MAX_LABEL_BYTES) {
			throw new AppError(
				'FN_STORE_LABELS_TOO_LONG',
				`a series has ${labels.length} bytes of labels; at most ${MAX_LABEL_BYTES} are possible`,
				{
					status: 400,
				},
			);
		}
		const at = this.#store(labels);
		const view = new DataView(labels.buffer, labels.byteOffset, labels.byteLength);
		const hash = hashLabelBytes(view, 0, labels.length);
		const slots = this.#columns.slots;
		const slot = id * SLOT_WORDS;
		slots[slot + SLOT_LABEL_AT] = at;
		slots[slot + SLOT_LABEL_LENGTH] = labels.length;
		slots[slot + SLOT_HASH] = hash;
		if (id >= this.#successor.length) {
			const larger = new Int32Array(Math.max(this.#successor.length * 2, id + 1));
			larger.set(this.#successor);
			this.#successor = larger;
		}
		if (id >= this.count) this.count = id + 1;
		if ((this.#entries + 1) * 2 > this.#table.length) this.#rehash();
		else {
			this.#place(id, hash);
			this.#entries++;
		}
		this.#inUse++;
	}

	/** Takes the labels of slot `id` away. Its entry in the table stays until the next rehash: it finds nothing, because the bytes are compared. */
	remove(id: number): void {
		const slots = this.#columns.slots;
		const slot = id * SLOT_WORDS;
		this.#release(slots[slot + SLOT_LABEL_AT] as number, slots[slot + SLOT_LABEL_LENGTH] as number);
		slots[slot + SLOT_LABEL_LENGTH] = 0;
		slots[slot + SLOT_HASH] = 0;
		this.#inUse--;
		// An alias is not compared with anything.
		if (this.#aliases.size > 0) this.#aliases.clear();
	}

	/** Series with labels. */
	get inUse(): number {
		return this.#inUse;
	}

	/** Segments of which less than half is in use, up to `limit`: whose labels should move, so that they can be filled again. */
	sparseSegments(limit: number): ReadonlySet<number> {
		const sparse = new Set<number>();
		for (let i = 0; i < this.segments.length && sparse.size < limit; i++) {
			if (i !== this.#current && !this.#emptySegments.includes(i) && (this.#live[i] as number) * 2 < LABEL_SEGMENT_WORDS) sparse.add(i);
		}
		return sparse;
	}

	/** The segment of the labels of slot `id`, -1 when it is free. */
	segmentOf(id: number): number {
		const slots = this.#columns.slots;
		if (slots[id * SLOT_WORDS + SLOT_LABEL_LENGTH] === 0) return -1;
		return ((slots[id * SLOT_WORDS + SLOT_LABEL_AT] as number) / LABEL_SEGMENT_WORDS) | 0;
	}

	/** Moves the labels of slot `id` to the segment that is being filled. */
	moveLabels(id: number): void {
		const slots = this.#columns.slots;
		const slot = id * SLOT_WORDS;
		const old = slots[slot + SLOT_LABEL_AT] as number;
		slots[slot + SLOT_LABEL_AT] = this.#store(this.labelBytes(id));
		this.#release(old, slots[slot + SLOT_LABEL_LENGTH] as number);
	}

	/** Writes labels into a segment and returns their first word, counted over all segments. */
	#store(labels: Uint8Array): number {
		const words = (labels.length + 3) >> 2;
		if (this.#used + words > LABEL_SEGMENT_WORDS) {
			const full = this.#current;
			this.#current = this.#emptySegments.pop() ?? -1;
			if (this.#current < 0) {
				this.#current = this.segments.length;
				this.segments.push(new LabelSegment(new SharedArrayBuffer(LABEL_SEGMENT_BYTES)));
				this.#live.push(0);
				this.#onSegment();
			}
			this.#used = 0;
			if (full >= 0 && this.#live[full] === 0) this.#emptySegments.push(full);
		}
		const segment = this.#current;
		const at = segment * LABEL_SEGMENT_WORDS + this.#used;
		(this.segments[segment] as LabelSegment).bytes.set(labels, this.#used * 4);
		this.#used += words;
		this.#live[segment] = (this.#live[segment] as number) + words;
		return at;
	}

	#release(at: number, length: number): void {
		const segment = (at / LABEL_SEGMENT_WORDS) | 0;
		this.#live[segment] = (this.#live[segment] as number) - ((length + 3) >> 2);
		if (this.#live[segment] === 0 && segment !== this.#current) this.#emptySegments.push(segment);
	}

	/** A copy of the label bytes of `id`. */
	labelBytes(id: number): Uint8Array {
		const slots = this.#columns.slots;
		const at = slots[id * SLOT_WORDS + SLOT_LABEL_AT] as number;
		const length = slots[id * SLOT_WORDS + SLOT_LABEL_LENGTH] as number;
		const segment = this.segments[(at / LABEL_SEGMENT_WORDS) | 0];
		if (segment === undefined || length === 0) return new Uint8Array(0);
		const start = (at % LABEL_SEGMENT_WORDS) * 4;
		return segment.bytes.slice(start, start + length);
	}

	/** Whether slot `id` has labels. */
	has(id: number): boolean {
		return id < this.count && (this.#columns.slots[id * SLOT_WORDS + SLOT_LABEL_LENGTH] as number) > 0;
	}

	#lookup(hash: number, view: DataView, start: number, end: number): number {
		const table = this.#table;
		const mask = table.length - 1;
		const slots = this.#columns.slots;
		for (let i = hash & mask; ; i = (i + 1) & mask) {
			const entry = table[i] as number;
			if (entry === 0) return -1;
			if (slots[(entry - 1) * SLOT_WORDS + SLOT_HASH] === hash && this.#equals(entry - 1, view, start, end)) return entry - 1;
		}
	}

	#equals(id: number, view: DataView, start: number, end: number): boolean {
		const slots = this.#columns.slots;
		const slot = id * SLOT_WORDS;
		if (slots[slot + SLOT_LABEL_LENGTH] !== end - start) return false;
		const at = slots[slot + SLOT_LABEL_AT] as number;
		const segment = this.segments[(at / LABEL_SEGMENT_WORDS) | 0] as LabelSegment;
		const words = segment.words;
		let word = at & (LABEL_SEGMENT_WORDS - 1);
		let pos = start;
		for (const last = end - 4; pos <= last; pos += 4) {
			if (words[word++] !== view.getInt32(pos, true)) return false;
		}
		const bytes = segment.bytes;
		for (let i = word * 4; pos < end; pos++) if (bytes[i++] !== view.getUint8(pos)) return false;
		return true;
	}

	#place(id: number, hash: number): void {
		const mask = this.#table.length - 1;
		let i = hash & mask;
		while (this.#table[i] !== 0) i = (i + 1) & mask;
		this.#table[i] = id + 1;
	}

	/** Makes the table anew from the slots, at most a quarter full. */
	#rehash(): void {
		let size = 1 << 12;
		while (size < (this.#inUse + 1) * 4) size *= 2;
		this.#table = new Int32Array(size);
		this.#entries = 0;
		const slots = this.#columns.slots;
		for (let id = 0; id < this.count; id++) {
			if ((slots[id * SLOT_WORDS + SLOT_LABEL_LENGTH] as number) === 0) continue;
			this.#place(id, slots[id * SLOT_WORDS + SLOT_HASH] as number);
			this.#entries++;
		}
	}
}

function aliasKey(bytes: Uint8Array, start: number, end: number): string {
	return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1');
}
