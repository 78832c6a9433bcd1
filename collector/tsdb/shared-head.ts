/**
 * The memory that the writer (main thread) and the readers (main thread and query worker) share. All of it is
 * `SharedArrayBuffer`; the writer publishes with `Atomics.store`, readers verify with sequence numbers (`head-reader.ts`).
 */

/** Samples that one page holds before it is sealed into a compressed chunk. */
export const PAGE_SAMPLES = 32;
/** Words of a page: one word of time (milliseconds since the bucket's start) and two of value per sample. */
export const PAGE_WORDS = PAGE_SAMPLES * 3;
export const PAGES_PER_SEGMENT = 4096;

/** Blocks are keyed by the hour; a page and a chunk never reach over the edge of an hour. */
export const BUCKET_MS = 3_600_000;

/** 32-bit words per series in `slots`. */
export const SLOT_WORDS = 12;
/** Fields of a slot. */
export const SLOT_GENERATION = 0;
export const SLOT_PAGE = 1;
export const SLOT_COUNT = 2;
export const SLOT_BUCKET = 3;
/** Late samples wait in a page of their own, in the order of arrival, with absolute times (two words). */
export const SLOT_LATE_PAGE = 4;
export const SLOT_LATE_COUNT = 5;
/** The memtable that the samples in the pages belong to. */
export const SLOT_EPOCH = 6;
export const SLOT_LATE_EPOCH = 7;
export const SLOT_FAMILY = 8;
/** Where the label bytes are: units of 4 bytes over all label segments, and their length in bytes. */
export const SLOT_LABEL_AT = 9;
export const SLOT_LABEL_LENGTH = 10;
export const SLOT_HASH = 11;
