/**
 * The append log: what has been acknowledged and is not in a block yet. Byte diagrams: docs/formats/log.md.
 * Everything is little-endian and aligned to 8 bytes, so that replay reads typed arrays in place.
 */
export const LOG_VERSION = 1;
export const LOG_MAGIC = 0x474c4e46;
export const LOG_HEADER_BYTES = 16;

export const RECORD_MAGIC = 0x5245434e;
export const RECORD_HEADER_BYTES = 16;
/** A length beyond this is damage, not a record. */
export const MAX_RECORD_BYTES = 1 << 30;

export const RECORD_SERIES = 1;
export const RECORD_SAMPLES = 2;
export const RECORD_METADATA = 3;
export const RECORD_DELETION = 4;

/** Flag of a samples record: one time for all samples, no column of times. */
export const SAMPLES_SAME_TIME = 1;

export function padTo8(bytes: number): number {
	return (bytes + 7) & ~7;
}

export function segmentName(number: number): string {
	return `${String(number).padStart(10, '0')}.log`;
}

/** The number of a segment file, or `null` for any other name. */
export function segmentNumber(name: string): number | null {
	const match = /^(\d{10})\.log$/.exec(name);
	return match === null ? null : Number(match[1]);
}
