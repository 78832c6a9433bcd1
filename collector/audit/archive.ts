import {
	closeSync,
	existsSync,
	fsyncSync,
	ftruncateSync,
	mkdirSync,
	openSync,
	readdirSync,
	readFileSync,
	renameSync,
	writeFileSync,
	writeSync,
} from 'node:fs';
import type { Clock } from '../../core/clock.ts';
import { AppError, systemErrorCode } from '../../core/errors.ts';
import { uuidv7 } from '../../core/ids.ts';
import type { Logger } from '../../core/log.ts';
import type { LogBatch, LogBatchAnswer, LogRecord } from '../../protocol/log-record.ts';
import { canonicalRecord } from './canonical.ts';
import { checkpointHash, epochOf, NO_PREVIOUS, readCheckpoint, signCheckpoint } from './checkpoint.ts';
import { type AuditKeys, provideAuditKeys } from './keys.ts';
import { leafHash, merkleRoot } from './merkle.ts';
import { archivePaths, chainNext, formatLine, GENESIS, readSegment } from './segment-file.ts';

/** Only the fields that a source knows; the archive fills in the rest. */
export type OwnRecord = Pick<LogRecord, 'source' | 'kind' | 'actor' | 'action' | 'object' | 'result' | 'srcAddr' | 'raw'>;

export interface AuditArchive {
	/**
	 * Appends consecutive records of one stream. What the archive has already is skipped (an agent repeats after a lost
	 * answer). Throws `FN_AUDIT_GAP` (409) with the expected `seq` when records are missing in between, `FN_AUDIT_STREAM` (403)
	 * for the collector's own, `FN_AUDIT_WRITE` (507, retryable) when the disk refuses; then nothing of the batch is kept.
	 */
	append(batch: LogBatch): LogBatchAnswer;
	/** A record of the collector itself. */
	appendOwn(record: OwnRecord): void;
	nextSeq(stream: string): number;
	/** Names of the streams that begin so. */
	streams(prefix: string): readonly string[];
	/** Closes the open segment with a signed checkpoint and begins the next. Errors of the disk pass through; the segment stays open then. */
	seal(): void;
	/** Forces what was written to the disk. */
	sync(): void;
	readonly keys: AuditKeys;
	stop(): void;
}

export interface ArchiveOptions {
	readonly dataDir: string;
	readonly clock: Clock;
	readonly log: Logger;
	/** Stream and host of the collector's own records. */
	readonly host: string;
	/** The disk cannot be written: what is there is read, and nothing is taken. */
	readonly readOnly?: boolean;
	/** A segment closes when it reaches this size. Default 64 MiB. */
	readonly maxSegmentBytes?: number;
}

const SEGMENT_BYTES = 64 * 1024 * 1024;
const OWN_STREAM = 'collector/operations';

/**
 * Opens the append-only archive of log records in `<dataDir>/audit`. Format: docs/formats/audit.md. A record is
 * acknowledged when the operating system has it (it survives a kill); `sync`, which the owner calls every second, makes
 * it survive a power cut.
 */
export function openArchive(options: ArchiveOptions): AuditArchive {
	const { clock, log, readOnly = false } = options;
	const paths = archivePaths(options.dataDir);
	const maxBytes = options.maxSegmentBytes ?? SEGMENT_BYTES;
	mkdirSync(paths.root, { recursive: true, mode: 0o700 });
	const closed = lastClosed(paths.root);
	const newest = closed > 0 ? readFileSync(paths.checkpoint(closed), 'utf8') : null;
	const signedIn = newest === null ? 0 : epochOf(newest);
	const keys = provideAuditKeys(options.dataDir, signedIn);
	if (newest !== null && keys.publicKeys.epoch !== signedIn)
		log.error({ epoch: keys.publicKeys.epoch, before: signedIn }, 'the keys of the log archive are not those that signed it before');
	const origin = provideOrigin(`${paths.root}/origin`, clock);

	let segment = 1;
	let chain = GENESIS;
	let previous = NO_PREVIOUS;
	let fromMs = clock.now();
	let streams = new Map<string, number>();
	let sm3Leaves: Buffer[] = [];
	let sha256Leaves: Buffer[] = [];
	let bytes = 0;
	let dirty = false;

	if (newest !== null) {
		const { checkpoint } = readCheckpoint(newest, keys.publicKeys);
		chain = checkpoint.chain;
		previous = checkpointHash(newest);
		fromMs = checkpoint.toMs;
		segment = closed + 1;
		streams = new Map(Object.entries(JSON.parse(readFileSync(paths.streams(closed), 'utf8')) as Record<string, number>));
	}
	/** Of the open segment; `null` until it is written to. */
	let handle: number | null = null;
	const writable = (): number => {
		handle ??= openSync(paths.log(segment), 'a+', 0o600);
		return handle;
	};
	if (!readOnly) writable();
	replay();

	function replay(): void {
		// Of a segment that was begun on a disk that is read-only since, there may be no file yet.
		if (readOnly && !existsSync(paths.log(segment))) return;
		const content = readSegment(paths.log(segment));
		if (content.totalBytes > content.wholeBytes) {
			// Half a line was never acknowledged: the process ended while it was being written.
			if (!readOnly) ftruncateSync(writable(), content.wholeBytes);
			log.warn({ segment, bytes: content.totalBytes - content.wholeBytes }, 'cut a half-written record off the open audit segment');
		}
		bytes = content.wholeBytes;
		for (const line of content.lines) {
			if (line.chain !== chainNext(chain, line.canonical)) {
				log.error({ segment, record: line.index }, 'the open audit segment does not fit its own chain; run "fournines audit verify"');
			}
			chain = line.chain;
			sm3Leaves.push(line.leaf);
			sha256Leaves.push(leafHash('sha256', Buffer.from(line.canonical)));
			if (line.record !== null) streams.set(line.record.stream, line.record.seq + 1);
		}
	}

	const write = (records: readonly LogRecord[]): void => {
		if (readOnly) {
			throw new AppError(
				'FN_AUDIT_WRITE',
				'the audit archive is on a read-only disk; make it writable and restart, senders will try again',
				{
					retryable: true,
					status: 507,
				},
			);
		}
		let nextChain = chain;
		const canonicals: string[] = [];
		let text = '';
		for (const record of records) {
			const canonical = canonicalRecord(record);
			nextChain = chainNext(nextChain, canonical);
			canonicals.push(canonical);
			text += formatLine(nextChain, canonical);
		}
		const data = Buffer.from(text);
		try {
			const to = writable();
			let written = 0;
			while (written < data.length) written += writeSync(to, data, written);
		} catch (error) {
			if (handle !== null) ftruncateSync(handle, bytes);
			throw new AppError(
				'FN_AUDIT_WRITE',
				`the audit archive cannot be written (${systemErrorCode(error)}); free space on its disk, senders will try again`,
				{ cause: error, retryable: true, status: 507 },
			);
		}
		bytes += data.length;
		chain = nextChain;
		dirty = true;
		for (const canonical of canonicals) {
			const leaf = Buffer.from(canonical);
			sm3Leaves.push(leafHash('sm3', leaf));
			sha256Leaves.push(leafHash('sha256', leaf));
		}
		const last = records.at(-1);
		if (last !== undefined) streams.set(last.stream, last.seq + 1);
		if (bytes >= maxBytes) sealLarge();
	};

	function sync(): void {
		if (!dirty) return;
		fsyncSync(writable());
		dirty = false;
	}

	/** The records are kept: that the segment stays open for now must not look to their sender as if they were not. */
	function sealLarge(): void {
		try {
			seal();
		} catch (error) {
			log.error({ segment, code: systemErrorCode(error) }, 'a full audit segment could not be closed; the next record tries again');
		}
	}

	function seal(): void {
		if (readOnly) return;
		const toMs = Math.max(clock.now(), fromMs);
		const closing = writable();
		fsyncSync(closing);
		const text = signCheckpoint(
			{
				origin,
				segment,
				size: sm3Leaves.length,
				sha256Root: merkleRoot('sha256', sha256Leaves).toString('hex'),
				sm3Root: merkleRoot('sm3', sm3Leaves).toString('hex'),
				chain,
				fromMs,
				toMs,
				previous,
				epoch: keys.publicKeys.epoch,
			},
			keys,
		);
		writeDurably(paths.leaves(segment), Buffer.concat(sm3Leaves));
		writeDurably(paths.streams(segment), Buffer.from(JSON.stringify(Object.fromEntries(streams))));
		// The checkpoint comes last: a segment without one is simply still open.
		writeDurably(paths.checkpoint(segment), Buffer.from(text));
		// Its number is given out again: if the next file cannot be opened, nobody may still write to this one.
		handle = null;
		closeSync(closing);
		previous = checkpointHash(text);
		fromMs = toMs;
		segment++;
		sm3Leaves = [];
		sha256Leaves = [];
		bytes = 0;
		dirty = false;
		writable();
	}

	const append = (batch: LogBatch): LogBatchAnswer => {
		if (batch.stream === OWN_STREAM) {
			throw new AppError(
				'FN_AUDIT_STREAM',
				`the stream "${OWN_STREAM}" holds what the collector itself has seen done; nobody can send records of it, so name another stream`,
				{ status: 403 },
			);
		}
		const expected = streams.get(batch.stream) ?? 0;
		// A stream that the archive has never seen may begin anywhere: its older records went elsewhere.
		const begins = streams.has(batch.stream) ? expected : batch.firstSeq;
		if (batch.firstSeq > begins) {
			throw new AppError(
				'FN_AUDIT_GAP',
				`stream "${batch.stream}" continues at ${expected}, but the batch begins at ${batch.firstSeq}; send what lies between, or number on from ${expected}`,
				{ status: 409 },
			);
		}
		const nowMs = clock.now();
		const fresh = batch.records
			.map((record, i): LogRecord => ({ ...record, v: 1, stream: batch.stream, seq: batch.firstSeq + i, receiveTimeMs: nowMs }))
			.filter((record) => record.seq >= begins);
		if (fresh.length > 0) write(fresh);
		return { stream: batch.stream, nextSeq: streams.get(batch.stream) ?? begins };
	};

	return {
		append,
		appendOwn: (own) => {
			const nowMs = clock.now();
			const seq = streams.get(OWN_STREAM) ?? 0;
			write([
				{
					v: 1,
					stream: OWN_STREAM,
					seq,
					eventTimeMs: nowMs,
					receiveTimeMs: nowMs,
					host: options.host,
					system: '',
					srcMac: '',
					module: 'fournines',
					severity: own.result === 'failure' ? 'warning' : 'info',
					fields: {},
					...own,
				},
			]);
		},
		nextSeq: (stream) => streams.get(stream) ?? 0,
		streams: (prefix) => [...streams.keys()].filter((stream) => stream.startsWith(prefix)),
		seal,
		sync,
		keys,
		stop: () => {
			sync();
			if (handle !== null) closeSync(handle);
			handle = null;
		},
	};
}

function lastClosed(root: string): number {
	let last = 0;
	for (const name of readdirSync(root)) {
		const match = /^(\d{8})\.checkpoint$/.exec(name);
		if (match !== null) last = Math.max(last, Number(match[1]));
	}
	return last;
}

/** A name for this archive that every checkpoint carries, so that checkpoints of two installations cannot be exchanged. */
function provideOrigin(file: string, clock: Clock): string {
	if (!existsSync(file)) writeDurably(file, Buffer.from(`fournines/${uuidv7(clock.now())}\n`));
	return readFileSync(file, 'utf8').trim();
}

/** All of it or nothing: written beside, forced to the disk, then renamed. */
function writeDurably(file: string, content: Uint8Array): void {
	const temporary = `${file}.new`;
	const handle = openSync(temporary, 'w', 0o600);
	try {
		writeFileSync(handle, content);
		fsyncSync(handle);
	} finally {
		closeSync(handle);
	}
	renameSync(temporary, file);
}
