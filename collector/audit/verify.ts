import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { type CheckpointVerdict, checkpointHash, NO_PREVIOUS, readCheckpoint } from './checkpoint.ts';
import type { AuditPublicKeys } from './keys.ts';
import { merkleRoot } from './merkle.ts';
import { archivePaths, chainNext, GENESIS, readSegment, type SegmentLine } from './segment-file.ts';

export type FindingKind = 'modified' | 'missing' | 'added' | 'wrong-key-epoch' | 'bad-signature' | 'damaged';

export interface Finding {
	readonly kind: FindingKind;
	readonly segment: number;
	/** What and where, with stream and seq where they are known. */
	readonly message: string;
}

export interface VerificationReport {
	/** `intact` says nothing about rewriting by whoever holds the key: that takes an anchor outside, see `anchored`. */
	readonly verdict: 'intact' | 'not-intact';
	readonly findings: readonly Finding[];
	readonly segments: number;
	readonly sealedRecords: number;
	/** Records after the last checkpoint: chained, not yet signed. */
	readonly openRecords: number;
	/** Checkpoints are not yet published anywhere outside. */
	readonly anchored: false;
}

/** Findings printed per segment: an archive that was rewritten would otherwise fill the screen. */
const MOST_FINDINGS = 50;

/** Checks every record, chain value, root, signature and link of an archive folder; reads only. */
export function verifyArchive(dataDir: string, keys: AuditPublicKeys): VerificationReport {
	const paths = archivePaths(dataDir);
	const findings: Finding[] = [];
	const numbers = segmentNumbers(paths.root);
	const streams = new Map<string, number>();
	let chain = GENESIS;
	let previous = NO_PREVIOUS;
	let sealedRecords = 0;
	let openRecords = 0;
	let expected = 1;
	for (const segment of numbers) {
		const report = (kind: FindingKind, message: string) => {
			if (findings.filter((finding) => finding.segment === segment).length < MOST_FINDINGS) findings.push({ kind, segment, message });
		};
		if (segment !== expected) report('missing', `segments ${expected} to ${segment - 1} are missing`);
		expected = segment + 1;
		const signed = existsSync(paths.checkpoint(segment)) ? readSigned(paths.checkpoint(segment), keys, report) : null;
		if (!existsSync(paths.log(segment))) {
			if ((signed?.checkpoint.size ?? 0) > 0) report('missing', `the file of the segment is missing (${signed?.checkpoint.size} records)`);
			chain = signed?.checkpoint.chain ?? chain;
			previous = signed?.hash ?? previous;
			continue;
		}
		const { lines, totalBytes, wholeBytes } = readSegment(paths.log(segment));
		if (signed !== null && totalBytes > wholeBytes) report('damaged', 'the last line of a closed segment is incomplete');
		if (signed === null && segment !== numbers.at(-1)) report('missing', 'a closed segment has no checkpoint');
		const trusted = signed === null ? null : trustedLeaves(paths.leaves(segment), signed.checkpoint);
		const before = findings.length;
		if (trusted !== null) compareLeaves(lines, trusted, report);
		// Where the leaves have named the records, a broken chain would only repeat it for every record after.
		if (findings.length === before) checkChain(lines, chain, report);
		checkStreams(lines, streams, report);
		if (signed !== null) {
			const { checkpoint } = signed;
			if (checkpoint.previous !== previous)
				report('missing', 'the checkpoint does not follow the one before it: one was exchanged or removed');
			if (lines.length !== checkpoint.size && trusted === null)
				report(
					lines.length < checkpoint.size ? 'missing' : 'added',
					`the segment has ${lines.length} records, its checkpoint says ${checkpoint.size}`,
				);
			if (
				trusted === null &&
				merkleRoot(
					'sm3',
					lines.map((line) => line.leaf),
				).toString('hex') !== checkpoint.sm3Root
			)
				report('modified', 'the records do not give the signed root');
			sealedRecords += lines.length;
			chain = checkpoint.chain;
			previous = signed.hash;
		} else {
			openRecords += lines.length;
			chain = lines.at(-1)?.chain ?? chain;
		}
	}
	return {
		verdict: findings.length === 0 ? 'intact' : 'not-intact',
		findings,
		segments: numbers.length,
		sealedRecords,
		openRecords,
		anchored: false,
	};
}

type Report = (kind: FindingKind, message: string) => void;
type SignedCheckpoint = CheckpointVerdict & { readonly hash: string };

function readSigned(file: string, keys: AuditPublicKeys, report: Report): SignedCheckpoint | null {
	const text = readFileSync(file, 'utf8');
	try {
		const verdict = readCheckpoint(text, keys);
		if (verdict.kind === 'bad-signature') report('bad-signature', 'the signature of the checkpoint is wrong');
		if (verdict.kind === 'wrong-epoch')
			report(
				'wrong-key-epoch',
				`the checkpoint was signed in key epoch ${verdict.checkpoint.epoch}, the given key is of epoch ${keys.epoch}`,
			);
		return { ...verdict, hash: checkpointHash(text) };
	} catch (error) {
		report('damaged', error instanceof Error ? error.message : String(error));
		return null;
	}
}

/** The leaf list of a segment if the signed root vouches for it; else `null`, and only the chain can name a place. */
export function trustedLeaves(file: string, checkpoint: { readonly size: number; readonly sm3Root: string }): readonly Buffer[] | null {
	if (!existsSync(file)) return null;
	const bytes = readFileSync(file);
	if (bytes.length !== checkpoint.size * 32) return null;
	const leaves = Array.from({ length: checkpoint.size }, (_, i) => bytes.subarray(i * 32, i * 32 + 32));
	return merkleRoot('sm3', leaves).toString('hex') === checkpoint.sm3Root ? leaves : null;
}

function name(line: SegmentLine | undefined): string {
	if (line === undefined) return 'the beginning or end';
	return line.record === null ? `line ${line.index + 1}, which is not a record` : `stream "${line.record.stream}" seq ${line.record.seq}`;
}

/**
 * Names what differs from the signed leaves. Records that still match are anchors; between two of them, as many as
 * stand on both sides were modified, what is left over on one side is missing or was added.
 */
function compareLeaves(lines: readonly SegmentLine[], trusted: readonly Buffer[], report: Report): void {
	const position = new Map(trusted.map((leaf, i) => [leaf.toString('hex'), i]));
	let at = 0;
	let pending: SegmentLine[] = [];
	let before: SegmentLine | undefined;
	const flush = (until: number, after: SegmentLine | undefined) => {
		const expected = until - at;
		pending.forEach((line, i) => {
			if (i < expected) report('modified', `record ${at + i + 1} of the segment was modified; it now reads as ${name(line)}`);
			else report('added', `a record was added after ${name(before)}: ${name(line)}`);
		});
		for (let i = pending.length; i < expected; i++)
			report('missing', `record ${at + i + 1} of the segment is missing, between ${name(pending.at(-1) ?? before)} and ${name(after)}`);
		pending = [];
	};
	for (const line of lines) {
		const found = position.get(line.leaf.toString('hex'));
		if (found === undefined || found < at) {
			pending.push(line);
			continue;
		}
		flush(found, line);
		at = found + 1;
		before = line;
	}
	flush(trusted.length, undefined);
}

/** Every stored chain value must follow from the one before and its record. Only the first break of a run is reported: it breaks all that follow. */
function checkChain(lines: readonly SegmentLine[], start: string, report: Report): void {
	let previous = start;
	for (const line of lines) {
		if (line.record === null) report('modified', `${name(line)} stands in the segment`);
		if (line.chain !== chainNext(previous, line.canonical)) {
			report('modified', `the chain breaks at ${name(line)}: it, or what stood before it, was modified, removed or added`);
		}
		previous = line.chain;
	}
}

function checkStreams(lines: readonly SegmentLine[], streams: Map<string, number>, report: Report): void {
	for (const { record } of lines) {
		if (record === null) continue;
		const expected = streams.get(record.stream);
		if (expected !== undefined && record.seq > expected) {
			report(
				'missing',
				record.seq === expected + 1
					? `stream "${record.stream}" seq ${expected} is missing`
					: `stream "${record.stream}" seq ${expected} to ${record.seq - 1} are missing`,
			);
		}
		if (expected !== undefined && record.seq < expected)
			report('added', `stream "${record.stream}" seq ${record.seq} stands twice or out of order`);
		streams.set(record.stream, Math.max(expected ?? 0, record.seq + 1));
	}
}

function segmentNumbers(root: string): readonly number[] {
	if (!existsSync(root)) return [];
	const numbers = new Set<number>();
	for (const file of readdirSync(root)) {
		const match = /^(\d{8})\.(log|checkpoint)$/.exec(file);
		if (match !== null) numbers.add(Number(match[1]));
	}
	return [...numbers].sort((a, b) => a - b);
}
