import { closeSync, ftruncateSync, openSync, readdirSync, statSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { AppError, errorText, systemErrorCode } from '../../core/errors.ts';
import { makeFolder } from '../../core/folder.ts';
import type { Logger } from '../../core/log.ts';
import type { WriteSeries } from '../../protocol/remote-write/write-series.ts';
import { CursorFile } from './cursor-file.ts';
import { type EncodedBatch, encodeBatch } from './record-codec.ts';
import { countSamplesFrom, createSegment, cutTornTail, readRecord, SEGMENT_MAGIC, writeRecord } from './segment.ts';
import { type SpoolLane, SpoolLanes, type SpoolPosition } from './spool-lanes.ts';

/** Why samples were given up. */
export type DropReason = 'bytes' | 'age' | 'corrupt' | 'write_failed';

export interface SpoolOptions {
	readonly folder: string;
	readonly maxBytes: number;
	readonly maxAgeMs: number;
	/** A segment is closed at this size; the cap by bytes drops whole segments. Default: a sixteenth of `maxBytes`, between 64 KiB and 8 MiB. */
	readonly segmentBytes?: number;
	readonly log: Logger;
	readonly onDrop: (reason: DropReason, samples: number) => void;
}

/** Records that belong together for one sending, to be acknowledged once they have arrived. */
export interface SpoolBatch {
	readonly records: readonly EncodedBatch[];
	readonly samples: number;
	/** The end of the lane that they are of. */
	readonly until: number | null;
	readonly end: SpoolPosition;
}

export interface ReadLimits {
	/** In all. */
	readonly samples: number;
	/** A record of so many is not read behind others. */
	readonly alone: number;
}

const ONE_RECORD: ReadLimits = { samples: 1, alone: 1 };

/** Which records are read first when there is a backlog beside fresh data. */
export type SpoolOrder = 'oldest_first' | 'newest_first';

interface SegmentFile {
	readonly number: number;
	sizeBytes: number;
	/** Time of the newest record, for the cap by age. */
	newestMs: number;
}

const SEGMENT_NAME = /^([0-9]{16})\.seg$/;
const CURSOR_FILE = 'cursor';

/**
 * Queue on disk between the inputs and the sender, first in first out unless a backlog was set aside (`beginFresh`). What `append` accepted survives SIGKILL at any
 * byte: records carry a checksum, a torn tail is cut when the spool is opened, and the cursor moves only after the
 * receiver has acknowledged. At the caps the oldest data goes, and is counted to the sample.
 */
export class Spool {
	readonly #options: SpoolOptions;
	readonly #segmentBytes: number;
	readonly #segments: SegmentFile[] = [];
	readonly #cursorFile: CursorFile;
	#lanes = new SpoolLanes([{ from: { segment: 0, offset: 0 }, until: null }]);
	#writeFd: number | null = null;
	#readFd: { readonly segment: number; readonly fd: number } | null = null;
	#waiters: (() => void)[] = [];

	/** Opens the folder, creating it if necessary. Throws `FN_AGENT_SPOOL_FOLDER` when it cannot be used. */
	constructor(options: SpoolOptions) {
		this.#options = options;
		this.#segmentBytes = options.segmentBytes ?? Math.min(8 * 1024 * 1024, Math.max(64 * 1024, Math.floor(options.maxBytes / 16)));
		try {
			makeFolder(options.folder, 0o700);
			this.#cursorFile = new CursorFile(join(options.folder, CURSOR_FILE));
			this.#recover();
		} catch (error) {
			throw new AppError(
				'FN_AGENT_SPOOL_FOLDER',
				`the spool folder ${options.folder} cannot be used (${systemErrorCode(error) || errorText(error)}); give the agent's user write access or set "data" to another folder`,
				{ cause: error },
			);
		}
	}

	/** Bytes on disk, sent records of the segments that still exist included. */
	get sizeBytes(): number {
		let size = 0;
		for (const segment of this.#segments) size += segment.sizeBytes;
		return size;
	}

	/** Bytes that wait to be acknowledged. */
	get pendingBytes(): number {
		let size = 0;
		for (const segment of this.#segments) {
			const lane = this.#lanes.of(segment.number);
			if (lane !== null) size += Math.max(0, segment.sizeBytes - startIn(lane, segment.number));
		}
		return size;
	}

	/** Keeps a batch. When the disk refuses, the batch is dropped and counted: the agent must go on measuring. */
	append(seriesList: readonly WriteSeries[], nowMs: number): void {
		if (seriesList.length > 0) this.appendEncoded(encodeBatch(seriesList), nowMs);
	}

	/** The same for what was encoded once for several spools. */
	appendEncoded({ block, samples }: EncodedBatch, nowMs: number): void {
		const segment = this.#activeSegment();
		if (segment === null) {
			this.#options.onDrop('write_failed', samples);
			return;
		}
		try {
			segment.sizeBytes = writeRecord(this.#writeFd as number, segment.sizeBytes, { payload: block, samples, createdMs: nowMs });
			segment.newestMs = Math.max(segment.newestMs, nowMs);
		} catch (error) {
			this.#options.onDrop('write_failed', samples);
			this.#options.log.error({ code: systemErrorCode(error), samples }, 'the spool cannot be written; samples were dropped');
			this.#cutBack(segment);
			return;
		}
		this.#enforceCaps(nowMs);
		const waiters = this.#waiters;
		this.#waiters = [];
		for (const wake of waiters) wake();
	}

	/**
	 * The first records of a lane that are not acknowledged, as many as fit into the limits but at least one; `null` when nothing waits.
	 * With `newest_first`, of the newest lane that has any.
	 */
	read(limits: ReadLimits, nowMs: number, order: SpoolOrder = 'oldest_first'): SpoolBatch | null {
		const lanes = order === 'oldest_first' ? this.#lanes.list : [...this.#lanes.list].reverse();
		for (const lane of lanes) {
			const batch = this.#readLane(lane, limits, nowMs);
			if (batch !== null) return batch;
		}
		return null;
	}

	/**
	 * Sets what waits now aside as a backlog, so that `newest_first` reads what comes from now on before it. Does nothing when there are too
	 * many backlogs already; then the newest is read in its order.
	 */
	beginFresh(): void {
		const newest = this.#segments[this.#segments.length - 1];
		if (newest === undefined || this.#readLane(this.#lanes.open, ONE_RECORD, 0) === null) return;
		if (!this.#lanes.split(newest.number + 1)) return;
		this.#closeActive();
		this.#saveLanes();
	}

	#readLane(lane: SpoolLane, limits: ReadLimits, nowMs: number): SpoolBatch | null {
		const records: EncodedBatch[] = [];
		let samples = 0;
		let position = lane.from;
		let skipped = false;
		for (;;) {
			const segment = this.#segments.find((candidate) => candidate.number >= position.segment);
			if (segment === undefined || (lane.until !== null && segment.number >= lane.until)) break;
			const offset = segment.number === position.segment ? Math.max(position.offset, SEGMENT_MAGIC.length) : SEGMENT_MAGIC.length;
			position = { segment: segment.number, offset };
			if (offset >= segment.sizeBytes) {
				if (segment === this.#segments[this.#segments.length - 1]) break;
				position = { segment: segment.number + 1, offset: 0 };
				continue;
			}
			const fd = this.#openForReading(segment.number);
			const record = readRecord(fd, offset);
			if (record === null) {
				// The checksum fails inside a finished segment: nothing behind it can be trusted to be a record boundary.
				const lost = countSamplesFrom(fd, offset);
				this.#options.onDrop('corrupt', lost);
				this.#options.log.error({ segment: segment.number, offset, samples: lost }, 'a spool segment is damaged; its rest is skipped');
				position = { segment: segment.number, offset: segment.sizeBytes };
				skipped = true;
				if (segment === this.#segments[this.#segments.length - 1]) this.#closeActive();
				continue;
			}
			const next = { segment: segment.number, offset: record.end };
			if (record.createdMs < nowMs - this.#options.maxAgeMs) {
				this.#options.onDrop('age', record.samples);
				position = next;
				skipped = true;
				continue;
			}
			if (records.length > 0 && (samples + record.samples > limits.samples || record.samples >= limits.alone)) break;
			records.push({ block: record.payload, samples: record.samples });
			samples += record.samples;
			position = next;
		}
		// At the end of its last segment a closed lane is over.
		if (lane.until !== null && !this.#segments.some(({ number }) => number > position.segment && number < (lane.until as number))) {
			const last = this.#segments.find(({ number }) => number === position.segment);
			if (last === undefined || position.offset >= last.sizeBytes) position = { segment: lane.until, offset: 0 };
		}
		if (records.length === 0) {
			if (skipped || lane.until !== null) this.#advance(lane.until, position);
			return null;
		}
		return { records, samples, until: lane.until, end: position };
	}

	/** Moves a lane behind what the receiver has taken and removes segments that nobody waits for. A position that was passed already changes nothing. */
	acknowledge(batch: SpoolBatch): void {
		this.#advance(batch.until, batch.end);
	}

	#advance(until: number | null, to: SpoolPosition): void {
		if (!this.#lanes.advance(until, to)) return;
		this.#saveLanes();
		const active = this.#segments[this.#segments.length - 1];
		for (const segment of [...this.#segments]) {
			if (segment === active) break;
			const lane = this.#lanes.of(segment.number);
			if (lane === null || startIn(lane, segment.number) >= segment.sizeBytes) this.#remove(segment);
		}
	}

	/** Resolves when something was appended since the call, or at once when `signal` is aborted. */
	waitForAppend(signal: AbortSignal): Promise<void> {
		return new Promise((resolve) => {
			if (signal.aborted) {
				resolve();
				return;
			}
			const wake = () => {
				signal.removeEventListener('abort', wake);
				resolve();
			};
			signal.addEventListener('abort', wake, { once: true });
			this.#waiters.push(wake);
		});
	}

	close(): void {
		this.#closeActive();
		if (this.#readFd !== null) closeSync(this.#readFd.fd);
		this.#readFd = null;
		this.#cursorFile.close();
	}

	#recover(): void {
		const numbers: number[] = [];
		for (const name of readdirSync(this.#options.folder)) {
			const match = SEGMENT_NAME.exec(name);
			if (match !== null) numbers.push(Number(match[1]));
		}
		numbers.sort((a, b) => a - b);
		numbers.forEach((number, i) => {
			const file = this.#file(number);
			const { size, mtimeMs } = statSync(file);
			if (i < numbers.length - 1) {
				this.#segments.push({ number, sizeBytes: size, newestMs: mtimeMs });
				return;
			}
			const { sizeBytes, cutBytes } = cutTornTail(file);
			if (cutBytes > 0) this.#options.log.warn({ segment: number, bytes: cutBytes }, 'a half-written record was cut from the spool');
			if (sizeBytes === 0) unlinkSync(file);
			else this.#segments.push({ number, sizeBytes, newestMs: mtimeMs });
		});
		const oldest = this.#segments[0];
		this.#lanes =
			savedLanes(this.#cursorFile.load()) ?? new SpoolLanes([{ from: { segment: oldest?.number ?? 0, offset: 0 }, until: null }]);
	}

	#saveLanes(): void {
		try {
			this.#cursorFile.save(this.#lanes.list);
		} catch (error) {
			// Not fatal: after a restart the receiver gets these records a second time and ignores them.
			this.#options.log.error({ code: systemErrorCode(error) }, 'the spool cursor cannot be saved');
		}
	}

	#activeSegment(): SegmentFile | null {
		const newest = this.#segments[this.#segments.length - 1];
		if (this.#writeFd !== null && newest !== undefined && newest.sizeBytes < this.#segmentBytes) return newest;
		this.#closeActive();
		// A restart always begins a new segment: the old tail was checked once and is not touched again.
		const { from } = this.#lanes.open;
		const number = Math.max((newest?.number ?? 0) + 1, from.offset > 0 ? from.segment + 1 : from.segment);
		try {
			this.#writeFd = createSegment(this.#file(number));
		} catch (error) {
			this.#options.log.error({ code: systemErrorCode(error) }, 'no spool segment can be created; samples are dropped');
			return null;
		}
		const segment = { number, sizeBytes: SEGMENT_MAGIC.length, newestMs: 0 };
		this.#segments.push(segment);
		return segment;
	}

	#closeActive(): void {
		if (this.#writeFd !== null) closeSync(this.#writeFd);
		this.#writeFd = null;
	}

	#cutBack(segment: SegmentFile): void {
		try {
			ftruncateSync(this.#writeFd as number, segment.sizeBytes);
		} catch (error) {
			this.#options.log.error({ code: systemErrorCode(error) }, 'a half-written record cannot be cut; a new segment is begun');
			this.#closeActive();
		}
	}

	#enforceCaps(nowMs: number): void {
		while (this.#segments.length > 1) {
			const oldest = this.#segments[0] as SegmentFile;
			const tooMany = this.sizeBytes > this.#options.maxBytes;
			if (!tooMany && oldest.newestMs >= nowMs - this.#options.maxAgeMs) break;
			const lane = this.#lanes.of(oldest.number);
			const from = lane === null ? oldest.sizeBytes : startIn(lane, oldest.number);
			if (from < oldest.sizeBytes) {
				const lost = countSamplesFrom(this.#openForReading(oldest.number), from);
				if (lost > 0) {
					this.#options.onDrop(tooMany ? 'bytes' : 'age', lost);
					this.#options.log.warn(
						{ samples: lost, reason: tooMany ? 'bytes' : 'age' },
						'the spool is at its cap; the oldest samples were dropped',
					);
				}
			}
			this.#remove(oldest);
		}
	}

	#remove(segment: SegmentFile): void {
		this.#segments.splice(this.#segments.indexOf(segment), 1);
		if (this.#readFd?.segment === segment.number) {
			closeSync(this.#readFd.fd);
			this.#readFd = null;
		}
		try {
			unlinkSync(this.#file(segment.number));
		} catch (error) {
			if (systemErrorCode(error) !== 'ENOENT')
				this.#options.log.error({ code: systemErrorCode(error) }, 'a spool segment cannot be removed');
		}
	}

	#openForReading(segment: number): number {
		if (this.#readFd?.segment === segment) return this.#readFd.fd;
		if (this.#readFd !== null) closeSync(this.#readFd.fd);
		this.#readFd = null;
		const fd = openSync(this.#file(segment), 'r');
		this.#readFd = { segment, fd };
		return fd;
	}

	#file(segment: number): string {
		return join(this.#options.folder, `${String(segment).padStart(16, '0')}.seg`);
	}
}

/** Where the lane begins in the segment, which it covers. */
function startIn(lane: SpoolLane, segment: number): number {
	return lane.from.segment === segment ? Math.max(lane.from.offset, SEGMENT_MAGIC.length) : SEGMENT_MAGIC.length;
}

/** What was saved, if it makes sense: a checksum says that it was written, not that the files are still those. */
function savedLanes(saved: readonly SpoolLane[] | null): SpoolLanes | null {
	try {
		return saved === null ? null : new SpoolLanes(saved);
	} catch {
		return null;
	}
}
