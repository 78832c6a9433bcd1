import { readdirSync, readFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { errorText } from '../../../core/errors.ts';
import type { Deletion, SeriesDefinition } from './log-batch.ts';
import {
	LOG_HEADER_BYTES,
	LOG_MAGIC,
	LOG_VERSION,
	MAX_RECORD_BYTES,
	padTo8,
	RECORD_DELETION,
	RECORD_HEADER_BYTES,
	RECORD_MAGIC,
	RECORD_METADATA,
	RECORD_SAMPLES,
	RECORD_SERIES,
	SAMPLES_SAME_TIME,
	segmentName,
	segmentNumber,
} from './log-format.ts';

export interface ReplayTarget {
	series(definition: SeriesDefinition): void;
	/** `words` has two words per sample from `wordsAt` on. */
	sample(id: number, timeMs: number, low: number, high: number, segment: number): void;
	metadata(json: string): void;
	/** What came before it, of these series and this time, is deleted. */
	deletion(deletion: Deletion): void;
}

export interface LogDamage {
	readonly file: string;
	/** `torn-tail`: the end was half-written, and has been cut off. `damaged`: bytes in the middle are unusable. `unreadable`: all of it. */
	readonly kind: 'torn-tail' | 'damaged' | 'unreadable';
	readonly offset: number;
	readonly lostBytes: number;
	readonly reason: string;
}

export interface ReplayedSegment {
	readonly number: number;
	readonly size: number;
	readonly newestMs: number;
	readonly hasDeletions: boolean;
}

export interface ReplayReport {
	readonly segments: readonly ReplayedSegment[];
	readonly samples: number;
	readonly damage: readonly LogDamage[];
}

/**
 * Reads every segment in order and hands its records to `target`. Damage never stops it: a torn tail is cut off, a
 * damaged stretch is skipped up to the next intact record, and all is reported.
 */
export function replayLog(folder: string, target: ReplayTarget): ReplayReport {
	const numbers = readdirSync(folder)
		.map(segmentNumber)
		.filter((number) => number !== null)
		.sort((a, b) => a - b);
	const segments: ReplayedSegment[] = [];
	const damage: LogDamage[] = [];
	let samples = 0;
	for (const number of numbers) {
		const file = join(folder, segmentName(number));
		let bytes: Buffer;
		try {
			bytes = readFileSync(file);
		} catch (error) {
			damage.push({ file, kind: 'unreadable', offset: 0, lostBytes: 0, reason: errorText(error) });
			continue;
		}
		const result = replaySegment(bytes, number, target);
		samples += result.samples;
		for (const stretch of result.damage) {
			if (stretch.kind === 'torn-tail') {
				try {
					truncateSync(file, stretch.offset);
				} catch (error) {
					damage.push({ ...stretch, file, reason: `${stretch.reason}; cutting it off failed: ${errorText(error)}` });
					continue;
				}
			}
			damage.push({ ...stretch, file });
		}
		segments.push({ number, size: bytes.length, newestMs: result.newestMs, hasDeletions: result.hasDeletions });
	}
	return { segments, samples, damage };
}

interface SegmentResult {
	readonly samples: number;
	readonly newestMs: number;
	readonly hasDeletions: boolean;
	readonly damage: readonly Omit<LogDamage, 'file'>[];
}

/** One segment's bytes. Exported for tests of damage. */
export function replaySegment(source: Buffer, number: number, target: ReplayTarget): SegmentResult {
	// Typed arrays over the records need the file at an address that is a multiple of 8.
	const bytes = source.byteOffset % 8 === 0 ? source : Buffer.from(new Uint8Array(source).buffer);
	const damage: Omit<LogDamage, 'file'>[] = [];
	let samples = 0;
	let newestMs = Number.NEGATIVE_INFINITY;
	let hasDeletions = false;
	let at = LOG_HEADER_BYTES;
	if (bytes.length < LOG_HEADER_BYTES || bytes.readUInt32LE(0) !== LOG_MAGIC || bytes.readUInt32LE(4) !== LOG_VERSION) {
		const next = findRecord(bytes, 0);
		if (bytes.length > 0) {
			damage.push({
				kind: 'damaged',
				offset: 0,
				lostBytes: Math.min(LOG_HEADER_BYTES, bytes.length),
				reason: 'the header is not one of a log',
			});
		}
		if (next < 0) return { samples, newestMs, hasDeletions, damage };
		at = next;
	}
	while (at < bytes.length) {
		const problem = recordProblem(bytes, at);
		if (problem !== null) {
			const next = findRecord(bytes, at + 8);
			if (next < 0) {
				damage.push({ kind: 'torn-tail', offset: at, lostBytes: bytes.length - at, reason: problem });
				break;
			}
			damage.push({ kind: 'damaged', offset: at, lostBytes: next - at, reason: problem });
			at = next;
			continue;
		}
		const size = bytes.readUInt32LE(at + 4);
		const kind = bytes.readUInt32LE(at + 12);
		const payload = at + RECORD_HEADER_BYTES;
		if (kind === RECORD_SERIES) replaySeries(bytes, payload, target);
		else if (kind === RECORD_METADATA) target.metadata(bytes.toString('utf8', payload + 8, payload + 8 + bytes.readUInt32LE(payload)));
		else if (kind === RECORD_SAMPLES) {
			const newest = replaySamples(bytes, payload, number, target);
			samples += bytes.readUInt32LE(payload);
			if (newest > newestMs) newestMs = newest;
		} else if (kind === RECORD_DELETION) {
			target.deletion(readDeletion(bytes, payload));
			hasDeletions = true;
		} else damage.push({ kind: 'damaged', offset: at, lostBytes: size, reason: `a record of unknown kind ${kind}` });
		at = payload + size;
	}
	return { samples, newestMs, hasDeletions, damage };
}

/** Why there is no intact record at `at`, or `null`. */
function recordProblem(bytes: Buffer, at: number): string | null {
	if (bytes.length - at < RECORD_HEADER_BYTES) return 'a record is cut off in its header';
	if (bytes.readUInt32LE(at) !== RECORD_MAGIC) return 'no record begins here';
	const size = bytes.readUInt32LE(at + 4);
	if (size > MAX_RECORD_BYTES || size % 8 !== 0) return `a record claims ${size} bytes`;
	if (at + RECORD_HEADER_BYTES + size > bytes.length) return 'a record is cut off';
	if (crc32(bytes.subarray(at + 12, at + RECORD_HEADER_BYTES + size), size) !== bytes.readUInt32LE(at + 8)) {
		return 'the checksum of a record does not fit';
	}
	return fits(bytes, at + RECORD_HEADER_BYTES, size, bytes.readUInt32LE(at + 12)) ? null : 'the counts in a record do not fit its length';
}

/** Whether the counts inside agree with the length: a checksum alone does not protect from a record written wrongly. */
function fits(bytes: Buffer, payload: number, size: number, kind: number): boolean {
	if (size < 8) return false;
	const count = bytes.readUInt32LE(payload);
	if (kind === RECORD_SAMPLES) {
		if (size < 16) return false;
		const sameTime = (bytes.readUInt32LE(payload + 4) & SAMPLES_SAME_TIME) !== 0;
		return count > 0 && size === 16 + padTo8(count * 4) + (sameTime ? 0 : count * 8) + count * 8;
	}
	if (kind === RECORD_METADATA) return size === 8 + padTo8(count);
	if (kind === RECORD_DELETION) return size === 32 + padTo8(count * 4);
	if (kind === RECORD_SERIES) {
		let at = 8;
		for (let i = 0; i < count; i++) {
			if (at + 8 > size) return false;
			at += 8 + padTo8(bytes.readUInt32LE(payload + at + 4));
		}
		return at === size;
	}
	return true;
}

/** The next intact record from `from` on (rounded up to 8 bytes), or -1. */
function findRecord(bytes: Buffer, from: number): number {
	for (let at = padTo8(from); at + RECORD_HEADER_BYTES <= bytes.length; at += 8) {
		if (bytes.readUInt32LE(at) === RECORD_MAGIC && recordProblem(bytes, at) === null) return at;
	}
	return -1;
}

function readDeletion(bytes: Buffer, payload: number): Deletion {
	return {
		number: bytes.readDoubleLE(payload + 8),
		minMs: bytes.readDoubleLE(payload + 16),
		maxMs: bytes.readDoubleLE(payload + 24),
		ids: new Uint32Array(bytes.buffer, bytes.byteOffset + payload + 32, bytes.readUInt32LE(payload)).slice(),
	};
}

function replaySeries(bytes: Buffer, payload: number, target: ReplayTarget): void {
	const count = bytes.readUInt32LE(payload);
	let at = payload + 8;
	for (let i = 0; i < count; i++) {
		const length = bytes.readUInt32LE(at + 4);
		target.series({ id: bytes.readUInt32LE(at), labels: new Uint8Array(bytes.subarray(at + 8, at + 8 + length)) });
		at += 8 + padTo8(length);
	}
}

function replaySamples(bytes: Buffer, payload: number, segment: number, target: ReplayTarget): number {
	const count = bytes.readUInt32LE(payload);
	const sameTime = (bytes.readUInt32LE(payload + 4) & SAMPLES_SAME_TIME) !== 0;
	const first = bytes.readDoubleLE(payload + 8);
	const base = bytes.byteOffset + payload + 16;
	const ids = new Uint32Array(bytes.buffer, base, count);
	const timesAt = base + padTo8(count * 4);
	const times = sameTime ? null : new Float64Array(bytes.buffer, timesAt, count);
	const words = new Uint32Array(bytes.buffer, sameTime ? timesAt : timesAt + count * 8, count * 2);
	let newest = first;
	for (let i = 0; i < count; i++) {
		const time = times === null ? first : (times[i] as number);
		if (time > newest) newest = time;
		target.sample(ids[i] as number, time, words[i * 2] as number, words[i * 2 + 1] as number, segment);
	}
	return newest;
}
