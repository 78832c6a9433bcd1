import { closeSync, fdatasync, fdatasyncSync, ftruncateSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { AppError, errorText, systemErrorCode } from '../../../core/errors.ts';
import type { Logger } from '../../../core/log.ts';
import { LogBatch } from './log-batch.ts';
import { LOG_HEADER_BYTES, LOG_MAGIC, LOG_VERSION, segmentName } from './log-format.ts';

export interface LogWriterOptions {
	readonly folder: string;
	readonly firstSegment: number;
	/** `always`: `synced` waits for the disk. `interval`: every `fsyncIntervalMs`. */
	readonly fsync: 'interval' | 'always';
	/** Default 1000. */
	readonly fsyncIntervalMs?: number;
	/** A segment is closed when it has grown to this. Default 128 MiB. */
	readonly segmentBytes?: number;
	readonly log: Logger;
	/** Called with the reason when a sync has failed; the data may be lost in a power cut. */
	readonly onSyncFailure: () => void;
}

interface Segment {
	readonly number: number;
	readonly fd: number;
	size: number;
	newestMs: number;
	hasDeletions: boolean;
}

/** A segment that is still needed, with the newest sample in it. */
export interface ClosedSegment {
	readonly number: number;
	readonly newestMs: number;
	readonly size: number;
	readonly hasDeletions: boolean;
}

/**
 * Writes records with one synchronous `write` per batch: when it returns, the batch is the operating system's and
 * survives the end of this process. A write that fails leaves the file as it was.
 */
export class LogWriter {
	readonly #options: LogWriterOptions;
	/** `null` while the disk cannot be written. */
	#segment: Segment | null = null;
	#nextNumber: number;
	#isReadOnly = false;
	readonly #closed: ClosedSegment[] = [];
	/** What `flush` writes. */
	readonly batch = new LogBatch();
	#dirty = false;
	#syncing = false;
	#waiting: { readonly resolve: () => void; readonly reject: (error: AppError) => void }[] = [];
	readonly #timer: NodeJS.Timeout;

	constructor(options: LogWriterOptions) {
		this.#options = options;
		this.#nextNumber = options.firstSegment;
		try {
			this.#current();
		} catch (error) {
			// What is there can be read all the same; each batch tries again.
			if (!this.#isReadOnly) throw error;
		}
		this.#timer = setInterval(() => this.#sync(), options.fsyncIntervalMs ?? 1000);
		this.#timer.unref();
	}

	/** Whether the last attempt to write found that the disk cannot be written. */
	get isReadOnly(): boolean {
		return this.#isReadOnly;
	}

	/** Bytes of all segments. */
	get sizeBytes(): number {
		return this.#closed.reduce((sum, segment) => sum + segment.size, this.#segment?.size ?? 0);
	}

	/** Segments left by earlier runs, so that they are deleted when their turn comes. */
	adopt(segments: readonly ClosedSegment[]): void {
		this.#closed.unshift(...segments);
	}

	/** Writes the batch. Throws `FN_STORE_FULL` or `FN_STORE_LOG_WRITE`; the batch is then dropped and the file is as before. */
	flush(): void {
		const { length, newestMs, deletes } = this.batch;
		this.batch.discard();
		if (length === 0) return;
		let segment = this.#current();
		if (segment.size > LOG_HEADER_BYTES && segment.size + length > (this.#options.segmentBytes ?? 128 * 1024 * 1024)) {
			this.rotate();
			segment = this.#current();
		}
		try {
			if (segment.size === 0) segment.size = writeHeader(segment);
			for (let at = 0; at < length; ) at += writeSync(segment.fd, this.batch.bytes, at, length - at, segment.size + at);
		} catch (error) {
			this.#restore(segment);
			throw this.#writeError(error);
		}
		this.#isReadOnly = false;
		segment.size += length;
		if (newestMs > segment.newestMs) segment.newestMs = newestMs;
		if (deletes) segment.hasDeletions = true;
		this.#dirty = true;
		this.batch.shrink();
	}

	/** Puts everything flushed so far on the disk, whatever is configured. Throws `FN_STORE_FULL` or `FN_STORE_LOG_WRITE`. */
	syncNow(): void {
		try {
			fdatasyncSync(this.#current().fd);
		} catch (error) {
			this.#syncFailed(error);
			throw this.#writeError(error);
		}
	}

	/** Resolves when everything flushed so far is as durable as the configuration promises. */
	synced(): Promise<void> {
		if (this.#options.fsync === 'interval') return DONE;
		return new Promise((resolve, reject) => {
			this.#waiting.push({ resolve, reject });
			if (!this.#syncing) this.#sync();
		});
	}

	/** Begins a new segment and returns the number of the one before. */
	rotate(): number {
		const old = this.#current();
		const next = this.#openSegment(this.#nextNumber);
		this.#segment = next;
		this.#nextNumber = next.number + 1;
		this.#closed.push({ number: old.number, newestMs: old.newestMs, size: old.size, hasDeletions: old.hasDeletions });
		// What was promised for the old file must not depend on a descriptor that is gone.
		try {
			fdatasyncSync(old.fd);
		} catch (error) {
			this.#syncFailed(error);
		}
		closeSync(old.fd);
		return old.number;
	}

	/**
	 * Deletes closed segments up to `number` whose samples are all before `beforeMs`. A deletion is kept as long as anything that was logged
	 * before it, which a replay would bring back, and so is what came after it, which a replay would delete.
	 */
	removeThrough(number: number, beforeMs: number): void {
		const inOrder = this.#segment?.hasDeletions === true || this.#closed.some((segment) => segment.hasDeletions);
		for (let i = 0; i < this.#closed.length; ) {
			const segment = this.#closed[i] as ClosedSegment;
			if (segment.number > number || segment.newestMs >= beforeMs) {
				if (inOrder) return;
				i++;
				continue;
			}
			try {
				unlinkSync(join(this.#options.folder, segmentName(segment.number)));
			} catch (error) {
				if (systemErrorCode(error) !== 'ENOENT') {
					this.#options.log.warn(
						{ segment: segment.number, error: errorText(error) },
						'a log segment that is no longer needed cannot be deleted',
					);
				}
			}
			this.#closed.splice(i, 1);
		}
	}

	async close(): Promise<void> {
		clearInterval(this.#timer);
		while (this.#syncing) await new Promise((resolve) => setTimeout(resolve, 1));
		if (this.#segment === null) return;
		try {
			fdatasyncSync(this.#segment.fd);
		} catch (error) {
			this.#syncFailed(error);
		}
		closeSync(this.#segment.fd);
	}

	#sync(): void {
		if (this.#segment === null || this.#syncing || (!this.#dirty && this.#waiting.length === 0)) return;
		this.#syncing = true;
		this.#dirty = false;
		const waiting = this.#waiting;
		this.#waiting = [];
		const fd = this.#segment.fd;
		fdatasync(fd, (error) => {
			this.#syncing = false;
			// A segment that was closed meanwhile has been synced on closing.
			const closedMeanwhile = error !== null && fd !== this.#segment?.fd;
			if (error !== null && !closedMeanwhile) {
				this.#syncFailed(error);
				const failure = this.#writeError(error);
				for (const waiter of waiting) waiter.reject(failure);
			} else {
				for (const waiter of waiting) waiter.resolve();
			}
			if (this.#waiting.length > 0) this.#sync();
		});
	}

	#syncFailed(error: unknown): void {
		this.#dirty = true;
		this.#options.onSyncFailure();
		this.#options.log.error({ error: errorText(error) }, 'the log could not be synced to the disk; a power cut now would lose samples');
	}

	/** The segment that is being written, which is made when there is none. */
	#current(): Segment {
		this.#segment ??= this.#openSegment(this.#nextNumber);
		this.#nextNumber = this.#segment.number + 1;
		return this.#segment;
	}

	#writeError(error: unknown): AppError {
		const told = writeError(error, this.#options.folder);
		this.#isReadOnly = told.code === 'FN_STORE_READ_ONLY';
		return told;
	}

	#openSegment(number: number): Segment {
		const file = join(this.#options.folder, segmentName(number));
		try {
			// The header comes with the first batch: on a full disk an empty file can still be made, and the store can open.
			return { number, fd: openSync(file, 'wx', 0o600), size: 0, newestMs: Number.NEGATIVE_INFINITY, hasDeletions: false };
		} catch (error) {
			throw this.#writeError(error);
		}
	}

	#restore(segment: Segment): void {
		try {
			ftruncateSync(segment.fd, segment.size);
		} catch (error) {
			// The torn record stays; the next batch overwrites it, and replay skips what is left of it.
			this.#options.log.error({ error: errorText(error) }, 'a half-written batch could not be removed from the log');
		}
	}
}

const DONE = Promise.resolve();

function writeHeader(segment: Segment): number {
	const header = Buffer.alloc(LOG_HEADER_BYTES);
	header.writeUInt32LE(LOG_MAGIC, 0);
	header.writeUInt32LE(LOG_VERSION, 4);
	header.writeDoubleLE(segment.number, 8);
	for (let at = 0; at < header.length; ) at += writeSync(segment.fd, header, at, header.length - at, at);
	return header.length;
}

function writeError(error: unknown, folder: string): AppError {
	const code = systemErrorCode(error);
	if (code === 'ENOSPC' || code === 'EDQUOT') {
		return new AppError('FN_STORE_FULL', `there is no room left in ${folder}; samples are refused until there is`, {
			cause: error,
			retryable: true,
			status: 507,
		});
	}
	if (code === 'EROFS') {
		return new AppError(
			'FN_STORE_READ_ONLY',
			`the disk of ${folder} is read-only; samples are refused until it can be written, queries go on`,
			{
				cause: error,
				retryable: true,
				status: 503,
			},
		);
	}
	return new AppError('FN_STORE_LOG_WRITE', `the log in ${folder} cannot be written (${code || errorText(error)}); samples are refused`, {
		cause: error,
		retryable: true,
		status: 503,
	});
}
