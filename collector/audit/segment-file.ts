import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LogRecord } from '../../protocol/log-record.ts';
import { digest, leafHash } from './merkle.ts';

/** First chain value: there is nothing before. */
export const GENESIS = '0'.repeat(64);

export interface ArchivePaths {
	readonly root: string;
	readonly log: (segment: number) => string;
	/** 32-byte SM3 leaf hashes of a closed segment, one after the other; the checkpoint's root vouches for them. */
	readonly leaves: (segment: number) => string;
	readonly checkpoint: (segment: number) => string;
	/** JSON: the next `seq` per stream when the segment was closed. */
	readonly streams: (segment: number) => string;
}

export function archivePaths(dataDir: string): ArchivePaths {
	const root = join(dataDir, 'audit');
	const name = (segment: number, ending: string) => join(root, `${String(segment).padStart(8, '0')}.${ending}`);
	return {
		root,
		log: (segment) => name(segment, 'log'),
		leaves: (segment) => name(segment, 'leaves'),
		checkpoint: (segment) => name(segment, 'checkpoint'),
		streams: (segment) => name(segment, 'streams'),
	};
}

/** `h = SM3(previous ‖ record)`, hex. */
export function chainNext(previous: string, canonical: string): string {
	return digest('sm3', Buffer.from(previous, 'hex'), Buffer.from(canonical)).toString('hex');
}

export interface SegmentLine {
	/** 0-based position in the segment. */
	readonly index: number;
	/** As stored. */
	readonly chain: string;
	/** The record's canonical JSON as stored. */
	readonly canonical: string;
	/** SM3 leaf hash of what is stored. */
	readonly leaf: Buffer;
	/** `null` when the text is not a record. */
	readonly record: LogRecord | null;
}

/** One line: chain value, space, canonical JSON. */
export function formatLine(chain: string, canonical: string): string {
	return `${chain} ${canonical}\n`;
}

export function parseLine(line: string, index: number): SegmentLine {
	const chain = line.slice(0, 64);
	const canonical = line.slice(65);
	let record: LogRecord | null = null;
	try {
		const parsed: unknown = JSON.parse(canonical);
		if (typeof parsed === 'object' && parsed !== null && 'stream' in parsed && 'seq' in parsed) record = parsed as LogRecord;
	} catch {
		// Reported by whoever looks at `record`.
	}
	return { index, chain, canonical, leaf: leafHash('sm3', Buffer.from(canonical)), record };
}

export interface SegmentContent {
	readonly lines: readonly SegmentLine[];
	/** Bytes of whole lines; what follows is a line that was being written when the process ended. */
	readonly wholeBytes: number;
	readonly totalBytes: number;
}

export function readSegment(file: string): SegmentContent {
	const bytes = readFileSync(file);
	const wholeBytes = bytes.lastIndexOf(10) + 1;
	const text = bytes.toString('utf8', 0, wholeBytes);
	const lines = text === '' ? [] : text.slice(0, -1).split('\n').map(parseLine);
	return { lines, wholeBytes, totalBytes: bytes.length };
}
