/**
 * The memory that the writer (main thread) and the readers (main thread and query worker) share. All of it is
 * `SharedArrayBuffer`; the writer publishes with `Atomics.store`, readers verify with sequence numbers (`head-reader.ts`).
 */

/** Blocks are keyed by the hour; a page and a chunk never reach over the edge of an hour. */
export const BUCKET_MS = 3_600_000;

/** Samples that a page holds before it is sealed into a compressed chunk. */
export const PAGE_SAMPLES = 32;
/** Words of a page: one of time (milliseconds since the bucket's start) and two of value per sample. */
export const PAGE_WORDS = PAGE_SAMPLES * 3;
/** A page of late samples keeps absolute times (two words) in the order of arrival. */
export const LATE_SAMPLES = PAGE_WORDS / 4;
export const PAGES_PER_SEGMENT = 4096;

/** Words of a memtable segment (4 MiB). */
export const ARENA_WORDS = 1 << 20;

/** Words before the bytes of a chunk in the arena. */
export const CHUNK_HEADER_WORDS = 6;
/** Reference of the chunk before it in the same slot and memtable, 0 for none. */
export const CHUNK_PREVIOUS = 0;
export const CHUNK_BYTES = 1;
/** Samples, negative when the chunk holds late samples. */
export const CHUNK_COUNT = 2;
export const CHUNK_BUCKET = 3;
/** First and last sample, milliseconds since the bucket's start. */
export const CHUNK_FIRST = 4;
export const CHUNK_LAST = 5;

/** Words per slot, each of which holds a series; slot `s` begins at word `s * SLOT_WORDS`. */
export const SLOT_WORDS = 12;
/** Odd while the writer rearranges the slot; readers start over when it is odd or has changed. */
export const SLOT_GENERATION = 0;
/** Page number plus one, 0 for none. */
export const SLOT_PAGE = 1;
export const SLOT_COUNT = 2;
export const SLOT_BUCKET = 3;
export const SLOT_LATE_PAGE = 4;
export const SLOT_LATE_COUNT = 5;
/** The memtable that the samples in the pages belong to. */
export const SLOT_EPOCH = 6;
/** 0 samples, 1 checks. */
export const SLOT_FAMILY = 7;
/** Where the label bytes are: words from the first label segment on, and their length in bytes. */
export const SLOT_LABEL_AT = 8;
export const SLOT_LABEL_LENGTH = 9;
export const SLOT_HASH = 10;
/** The series in the slot, unsigned; a slot whose label length is 0 is free and may get another series. */
export const SLOT_ID = 11;

/** Words of the control block. */
export const CONTROL_WORDS = 16;
/** Rises when a buffer was replaced: what a reader copied from an older layout may then be torn. */
export const CONTROL_LAYOUT = 0;
/** Slots that have ever been in use. */
export const CONTROL_SERIES = 1;
/** Rises when slots were given up. */
export const CONTROL_DEPARTURES = 2;
/** Rises with every series that is added. */
export const CONTROL_ADDED = 3;
/** Not 0 when the index has series that are in no slot. */
export const CONTROL_GONE = 4;

export interface MemtableLayout {
	readonly epoch: number;
	/** Per slot the reference of its newest chunk: index of a word in the arena, counted over all segments; 0 for none. */
	readonly chain: SharedArrayBuffer;
	readonly segments: readonly SharedArrayBuffer[];
}

/** Everything a reader needs, sent whole whenever a buffer is added, replaced or dropped. Sending views costs microseconds. */
export interface HeadLayout {
	readonly version: number;
	readonly control: SharedArrayBuffer;
	readonly slots: SharedArrayBuffer;
	/** Two doubles per slot: first and last sample time ever seen, for pruning. */
	readonly lifetimes: SharedArrayBuffer;
	readonly labelSegments: readonly SharedArrayBuffer[];
	readonly pageSegments: readonly SharedArrayBuffer[];
	/** Oldest first. */
	readonly memtables: readonly MemtableLayout[];
}

/** Bytes of all buffers of a layout. They do not count as JavaScript heap. */
export function layoutBytes(layout: HeadLayout): number {
	let bytes = layout.control.byteLength + layout.slots.byteLength + layout.lifetimes.byteLength;
	for (const buffer of layout.labelSegments) bytes += buffer.byteLength;
	for (const buffer of layout.pageSegments) bytes += buffer.byteLength;
	for (const { chain, segments } of layout.memtables) {
		bytes += chain.byteLength;
		for (const buffer of segments) bytes += buffer.byteLength;
	}
	return bytes;
}

/** From the store to a reader in another thread. */
export type ReaderMessage =
	| { readonly kind: 'open'; readonly folder: string; readonly layout: HeadLayout }
	| { readonly kind: 'layout'; readonly layout: HeadLayout };
