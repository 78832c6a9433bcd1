import { closeSync, fstatSync, ftruncateSync, openSync, readSync, writeSync, writevSync } from 'node:fs';
import { crc32 } from './crc32.ts';

/**
 * One file of the spool. All calls are synchronous on purpose: a record is some 20 KB, and four hung calls in Node's
 * thread pool would stop every other asynchronous file access of the process.
 */

/** "FNSPOOL" and the layout's number. */
export const SEGMENT_MAGIC = Buffer.from('FNSPOOL1', 'latin1');
export const RECORD_HEADER_BYTES = 20;
/** A length beyond this is damage, not data; it also bounds what a read allocates. */
export const MAX_RECORD_BYTES = 16 * 1024 * 1024;

export interface RecordHeader {
	readonly payloadBytes: number;
	readonly checksum: number;
	readonly samples: number;
	readonly createdMs: number;
}

export interface SegmentRecord extends RecordHeader {
	readonly payload: Uint8Array;
	/** Offset just behind the record. */
	readonly end: number;
}

/** Writes one record at `offset` and returns the offset behind it. Throws what the file system throws; the caller cuts a half-written record. */
export function writeRecord(
	fd: number,
	offset: number,
	record: { readonly payload: Uint8Array; readonly samples: number; readonly createdMs: number },
): number {
	const { payload } = record;
	const header = Buffer.allocUnsafe(RECORD_HEADER_BYTES);
	header.writeUInt32LE(payload.length, 0);
	header.writeUInt32LE(record.samples, 8);
	header.writeDoubleLE(record.createdMs, 12);
	header.writeUInt32LE(crc32(payload, crc32(header.subarray(8))), 4);
	const length = RECORD_HEADER_BYTES + payload.length;
	let written = writevSync(fd, [header, payload], offset);
	if (written < length) {
		const bytes = Buffer.concat([header, payload]);
		while (written < length) written += writeSync(fd, bytes, written, length - written, offset + written);
	}
	return offset + length;
}

/** The header at `offset`, or `null` at the end of the file and where the bytes cannot be a header. */
function readHeader(fd: number, offset: number): RecordHeader | null {
	const bytes = Buffer.allocUnsafe(RECORD_HEADER_BYTES);
	if (readFully(fd, bytes, offset) < RECORD_HEADER_BYTES) return null;
	const payloadBytes = bytes.readUInt32LE(0);
	if (payloadBytes > MAX_RECORD_BYTES) return null;
	return { payloadBytes, checksum: bytes.readUInt32LE(4), samples: bytes.readUInt32LE(8), createdMs: bytes.readDoubleLE(12) };
}

/** The whole record at `offset`; `null` at the end, and where length or checksum do not fit (a torn or damaged record). */
export function readRecord(fd: number, offset: number): SegmentRecord | null {
	const header = readHeader(fd, offset);
	if (header === null) return null;
	const covered = Buffer.allocUnsafe(RECORD_HEADER_BYTES - 8 + header.payloadBytes);
	if (readFully(fd, covered, offset + 8) < covered.length) return null;
	if (crc32(covered) !== header.checksum) return null;
	return { ...header, payload: covered.subarray(RECORD_HEADER_BYTES - 8), end: offset + RECORD_HEADER_BYTES + header.payloadBytes };
}

export function createSegment(file: string): number {
	const fd = openSync(file, 'w+', 0o600);
	writeSync(fd, SEGMENT_MAGIC, 0, SEGMENT_MAGIC.length, 0);
	return fd;
}

/** Whether the file begins as a segment does. */
function hasMagic(fd: number): boolean {
	const bytes = Buffer.allocUnsafe(SEGMENT_MAGIC.length);
	return readFully(fd, bytes, 0) === bytes.length && bytes.equals(SEGMENT_MAGIC);
}

/** Offset behind the last intact record from `from` on; what follows it is a torn tail. */
function findEnd(fd: number, from: number): number {
	let offset = from;
	for (let record = readRecord(fd, offset); record !== null; record = readRecord(fd, offset)) offset = record.end;
	return offset;
}

/** Cuts everything behind the last intact record. Returns the size that remains and how many bytes were cut. */
export function cutTornTail(file: string): { readonly sizeBytes: number; readonly cutBytes: number } {
	const fd = openSync(file, 'r+');
	try {
		const before = fstatSync(fd).size;
		const end = hasMagic(fd) ? findEnd(fd, SEGMENT_MAGIC.length) : 0;
		if (end < before) ftruncateSync(fd, end);
		return { sizeBytes: end, cutBytes: before - end };
	} finally {
		closeSync(fd);
	}
}

/** Samples in the records from `offset` on, by their headers alone. */
export function countSamplesFrom(fd: number, from: number): number {
	let samples = 0;
	let offset = from;
	const size = fstatSync(fd).size;
	for (let header = readHeader(fd, offset); header !== null; header = readHeader(fd, offset)) {
		offset += RECORD_HEADER_BYTES + header.payloadBytes;
		if (offset > size) break;
		samples += header.samples;
	}
	return samples;
}

function readFully(fd: number, bytes: Buffer, offset: number): number {
	let done = 0;
	while (done < bytes.length) {
		const count = readSync(fd, bytes, done, bytes.length - done, offset + done);
		if (count === 0) break;
		done += count;
	}
	return done;
}
