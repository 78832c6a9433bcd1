import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { errorText } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import { type BlockFile, FAMILIES, FAMILY_CHECKS, parseBlockFile } from './blocks/block-files.ts';
import { beyondSize, blockFilesWithSizes, hoursToCompact } from './blocks/block-folder.ts';
import type { BlockTask } from './blocks/block-messages.ts';
import { BlockThread } from './blocks/block-thread.ts';
import { fileOfDeletions } from './blocks/deleted-ranges.ts';
import { type Checkpoint, INDEX_FILE } from './blocks/index-file.ts';
import { packChunks } from './chunk-packer.ts';
import { IndexedSeries, type IndexedSeriesOptions, SETTLE_SLICE } from './indexed-series.ts';
import type { Deletion } from './log/log-batch.ts';
import type { LogWriter } from './log/log-writer.ts';
import { BUCKET_MS } from './shared-head.ts';

export interface BlockCutterOptions extends IndexedSeriesOptions {
	readonly folder: string;
	readonly logWriter: LogWriter;
	readonly checkpoint: Checkpoint;
	/** What the log says was deleted, and block files do not know yet. */
	readonly pendingDeletions: readonly Deletion[];
	readonly log: Logger;
	/** A file is compacted when its last hour is over for so long. */
	readonly compactAfterMs: number;
	readonly downsample: { readonly afterMs: number; readonly everyMs: number } | null;
	readonly retentionMs: number;
	readonly checkRetentionMs: number;
	/** Block files of samples may take so much together; the oldest days go first. */
	readonly retentionBytes: number;
	/** Log from which late hours are written without waiting for the next hour. */
	readonly lateLogBytes: number;
	readonly maxHeadBytes: number;
	readonly intervalMs: number;
}

/** An hour is cut when agents that push a little late have had time to deliver its last samples. */
const GRACE_MS = 180_000;
/** A boundary beyond every sample. */
const EVERYTHING = Math.floor(Number.MAX_SAFE_INTEGER / BUCKET_MS);
const RETRY_MS = 30_000;
/** Complete hours in memory that are more than the usual latecomers. */
const LATE_HOURS = 3;
const LATE_CUT_MS = 60_000;
const RETENTION_CHECK_MS = 600_000;
const COMPACTION_CHECK_MS = 60_000;
/** A file that got late samples after its compaction is compacted again, at most so often. */
const COMPACT_AGAIN_MS = 6 * 3_600_000;
const TASKS_AHEAD = 2;

interface Cut {
	/** Newest log segment whose samples the memtable has. */
	readonly segment: number;
	readonly boundaryBucket: number;
	readonly startedMs: number;
}

/**
 * Moves what is in memory into block files, hour by hour, in slices beside the ingest: cut a memtable, let the writing
 * thread store it, and only when that is durable, forget it and the log behind it. A failure keeps everything and tries again.
 */
export class BlockCutter {
	readonly #options: BlockCutterOptions;
	readonly #thread: BlockThread;
	readonly #series: IndexedSeries;
	readonly #timer: NodeJS.Timeout;
	#cut: Cut | null = null;
	#running: Promise<void> | null = null;
	#retryAtMs = 0;
	/** When the last cut began, monotonic. */
	#cutMs = Number.NEGATIVE_INFINITY;
	#retentionCheckedMs = Number.NEGATIVE_INFINITY;
	#compactionCheckedMs = Number.NEGATIVE_INFINITY;
	/** When files were last compacted, monotonic. */
	readonly #compactedMs = new Map<string, number>();
	/** Files of hours whose compacted file is known to be down-sampled. */
	readonly #downsampled = new Set<string>();
	readonly #deletions: Deletion[];
	#lastBoundary: number;
	#stopping = false;
	#lastError: unknown = null;

	constructor(options: BlockCutterOptions) {
		this.#options = options;
		this.#thread = new BlockThread(options.folder, options.log);
		this.#series = new IndexedSeries(this.#thread, options);
		// Without anything from before, the hours that have passed have nothing to write.
		const due = this.#dueBucket();
		this.#lastBoundary = options.head.seriesCount > 0 ? Math.min(due, Math.floor(options.checkpoint.beforeMs / BUCKET_MS)) : due;
		this.#deletions = [...options.pendingDeletions];
		this.#timer = setInterval(() => this.#tick(), options.intervalMs);
		this.#timer.unref();
		if (this.#deletions.length > 0) void this.#track(this.#applyDeletions());
		else if (!options.logWriter.isReadOnly && blockFilesWithSizes(join(options.folder, 'blocks')).length > 0)
			void this.#track(this.verify());
	}

	/** Looks whether the index and the files of hours are whole; compacted ones have checksums. What is not is reported. */
	async verify(): Promise<void> {
		for (const name of [INDEX_FILE, ...readdirSync(join(this.#options.folder, 'blocks'))]) {
			if (this.#stopping) return;
			if (name === INDEX_FILE || parseBlockFile(name)?.isLong === false) await this.#thread.run({ kind: 'verify', name });
		}
	}

	/** Whether memory holds twice what it should, because blocks cannot be written. */
	get overloaded(): boolean {
		return this.#options.head.chunkBytes > this.#options.maxHeadBytes * 2;
	}

	/** Cuts every hour that begins before `beforeMs`, complete or not. Rejects when it cannot be written. */
	async cutNow(beforeMs: number): Promise<void> {
		while (this.#running !== null) await this.#running.catch(() => undefined);
		if (this.#cut === null) this.#begin(Math.min(EVERYTHING, Math.ceil(beforeMs / BUCKET_MS)));
		await this.#run();
		if (this.#cut !== null) throw this.#lastError;
	}

	/**
	 * Deletes from block files, after what is being written now and before anything else. Resolves at once when that has to wait;
	 * `deletionsDone` waits for it.
	 */
	async deleteFromBlocks(deletion: Deletion): Promise<void> {
		this.#deletions.push(deletion);
		if (this.#running === null) await this.#track(this.#applyDeletions());
	}

	/** Rejects with the reason when deletions cannot be applied to block files; they are tried again before anything else is written. */
	async deletionsDone(): Promise<void> {
		while (this.#deletions.length > 0) {
			if (this.#running !== null) await this.#running;
			else {
				await this.#track(this.#applyDeletions());
				if (this.#deletions.length > 0) throw this.#lastError;
			}
		}
	}

	async #applyDeletions(): Promise<void> {
		for (let next = this.#deletions[0]; next !== undefined; next = this.#deletions[0]) {
			await this.#thread.run({ kind: 'delete', ...next });
			this.#deletions.shift();
		}
	}

	/** Compacts every file that ends before `beforeMs`. Rejects when one cannot be written. */
	async compactNow(beforeMs: number): Promise<void> {
		while (this.#running !== null) await this.#running.catch(() => undefined);
		this.#compactedMs.clear();
		for (let name = this.#fileToCompact(beforeMs); name !== null && !this.#stopping; name = this.#fileToCompact(beforeMs)) {
			this.#lastError = null;
			await this.#track(this.#compact(name));
			if (this.#lastError !== null) throw this.#lastError;
		}
	}

	#fileToCompact(beforeMs: number): string | null {
		const now = this.#options.clock.monotonic();
		for (const name of readdirSync(join(this.#options.folder, 'blocks')).sort()) {
			const hours = hoursToCompact(name) ?? this.#hoursToReduce(name);
			if (hours === null || hours.endMs > beforeMs) continue;
			const last = this.#compactedMs.get(hours.name);
			if (last === undefined || now - last > COMPACT_AGAIN_MS) return hours.name;
		}
		return null;
	}

	/** The file of hours of a compacted file that is old enough to be down-sampled and may not have been. */
	#hoursToReduce(name: string): BlockFile | null {
		const file = parseBlockFile(name);
		if (file === null || !file.isLong || this.#everyMs(file) === null) return null;
		const hours = parseBlockFile(name.replace(/\.long\.db$/, '.db'));
		return hours === null || this.#downsampled.has(hours.name) ? null : hours;
	}

	/** To buckets of which time a file is to be down-sampled; `null` when it is not. */
	#everyMs(file: BlockFile): number | null {
		const { downsample, clock } = this.#options;
		const due = downsample !== null && file.family !== FAMILY_CHECKS && file.endMs <= clock.now() - downsample.afterMs;
		return due ? downsample.everyMs : null;
	}

	/** Writes every compacted file anew from which something was deleted, so that it is not only hidden. Rejects when one cannot be written. */
	async cleanDeletions(): Promise<void> {
		await this.deletionsDone();
		for (const name of readdirSync(join(this.#options.folder, 'blocks')).filter((its) => fileOfDeletions(its) !== null)) {
			const hours = hoursToCompact(name);
			while (this.#running !== null) await this.#running;
			this.#lastError = null;
			if (hours !== null && !this.#stopping) await this.#track(this.#compact(hours.name));
			if (this.#lastError !== null) throw this.#lastError;
		}
	}

	async #compact(name: string): Promise<void> {
		const { clock, log, metrics } = this.#options;
		const started = clock.monotonic();
		this.#compactedMs.set(name, started);
		const file = parseBlockFile(name);
		const everyMs = file === null ? null : this.#everyMs(file);
		while (!(await this.#thread.run({ kind: 'compact', name, everyMs })).complete) {
			if (this.#stopping) return;
			if (this.#deletions.length === 0) continue;
			// It would not have what is deleted from the hours meanwhile; another attempt comes after that.
			this.#compactedMs.delete(name);
			return;
		}
		if (everyMs !== null) this.#downsampled.add(name);
		this.#compactionCheckedMs = Number.NEGATIVE_INFINITY;
		metrics.compactions.inc();
		log.info({ file: name, milliseconds: Math.round(clock.monotonic() - started) }, 'a block file was compacted');
	}

	async stop(): Promise<void> {
		this.#stopping = true;
		clearInterval(this.#timer);
		if (this.#running !== null) await this.#running;
		await this.#thread.stop();
	}

	#tick(): void {
		if (this.#running !== null || this.#stopping) return;
		const now = this.#options.clock.monotonic();
		if (now < this.#retryAtMs) return;
		if (this.#cut === null) {
			if (now - this.#retentionCheckedMs > RETENTION_CHECK_MS) {
				this.#retentionCheckedMs = now;
				void this.#track(this.#applyRetention(this.#options.clock.now()));
				return;
			}
			const due = this.#dueBucket();
			if (now - this.#compactionCheckedMs > COMPACTION_CHECK_MS && due <= this.#lastBoundary) {
				this.#compactionCheckedMs = now;
				const name = this.#fileToCompact(this.#options.clock.now() - this.#options.compactAfterMs);
				if (name !== null) {
					void this.#track(this.#compact(name));
					return;
				}
			}
			// A clock that was ahead and was set back must not stop the cutting until it is there again.
			if (due < this.#lastBoundary) this.#lastBoundary = due;
			const isMuch = this.#options.head.chunkBytes > this.#options.maxHeadBytes;
			if (!isMuch && !this.#isMuchLate(due) && (due <= this.#lastBoundary || this.#options.head.seriesCount === 0)) return;
			try {
				this.#begin(isMuch ? EVERYTHING : due);
			} catch (error) {
				this.#failed(error);
				return;
			}
		}
		void this.#run();
	}

	/** Whether so many complete hours came late that a start should not have to read them all from the log. Some late samples can wait for the next hour. */
	#isMuchLate(due: number): boolean {
		const { head, logWriter, clock, lateLogBytes } = this.#options;
		if (logWriter.sizeBytes < lateLogBytes || clock.monotonic() - this.#cutMs < LATE_CUT_MS) return false;
		let complete = 0;
		for (const bucket of head.active.buckets.keys()) if (bucket < due) complete++;
		return complete >= LATE_HOURS;
	}

	/** Hours before this one are complete. */
	#dueBucket(): number {
		return Math.floor((this.#options.clock.now() - GRACE_MS) / BUCKET_MS);
	}

	#begin(boundaryBucket: number): void {
		const { head, logWriter } = this.#options;
		this.#cutMs = this.#options.clock.monotonic();
		const segment = logWriter.rotate();
		head.rotate(boundaryBucket, segment + 1);
		this.#options.publish();
		this.#cut = { segment, boundaryBucket, startedMs: this.#options.clock.monotonic() };
		this.#lastBoundary = Math.min(boundaryBucket, this.#dueBucket());
	}

	#run(): Promise<void> {
		const cut = this.#cut;
		return cut === null ? Promise.resolve() : this.#track(this.#finish(cut));
	}

	#track(work: Promise<void>): Promise<void> {
		const tracked = work
			.catch((error: unknown) => this.#failed(error))
			.finally(() => {
				this.#running = null;
			});
		this.#running = tracked;
		return tracked;
	}

	#failed(error: unknown): void {
		const { log, metrics, clock } = this.#options;
		this.#lastError = error;
		this.#retryAtMs = clock.monotonic() + RETRY_MS;
		metrics.blockWriteFailures.inc();
		log.error({ error: errorText(error) }, 'blocks could not be written; it is tried again');
	}

	async #finish(cut: Cut): Promise<void> {
		const { head, logWriter, metrics, clock, log, publish } = this.#options;
		// What comes now may have been written after a deletion of the same time, and must not fall under it.
		await this.#applyDeletions();
		for (let from = 0; from < head.slotCount; from += SETTLE_SLICE) {
			head.settleSlots(from, from + SETTLE_SLICE);
			this.#series.noteHeard(from, from + SETTLE_SLICE);
			publish();
			await nextTurn();
		}
		await this.#series.persist();
		const memtable = head.retiring;
		let chunks = 0;
		if (memtable !== null) {
			const buckets = [...memtable.buckets.keys()].filter((bucket) => bucket < cut.boundaryBucket).sort((a, b) => a - b);
			const window: Promise<void>[] = [];
			const send = async (task: BlockTask, transfer: readonly ArrayBuffer[]) => {
				const result = await this.#thread.run(task, transfer);
				chunks += result.chunks;
				metrics.blockChunks.inc(result.chunks);
				metrics.conflictsInBlocks.inc(result.replaced);
			};
			for (const bucket of buckets) {
				for (const family of FAMILIES) {
					for (const task of packChunks(memtable, head.slots, { bucket, family, slotCount: head.slotCount })) {
						if (task !== null) window.push(send(task, [task.bytes.buffer as ArrayBuffer]));
						// Failures surface here or at the end; marking them handled keeps Node from reporting them twice.
						window.at(-1)?.catch(() => undefined);
						if (window.length > TASKS_AHEAD) await window.shift();
						else await nextTurn();
					}
				}
			}
			await Promise.all(window);
		}
		const beforeMs = cut.boundaryBucket * BUCKET_MS;
		await this.#thread.run({ kind: 'checkpoint', checkpoint: { segment: cut.segment, beforeMs } });
		head.dropRetired();
		publish();
		this.#cut = null;
		logWriter.removeThrough(cut.segment, beforeMs);
		await this.#series.releaseQuiet();
		metrics.blockSeconds.observe((clock.monotonic() - cut.startedMs) / 1000);
		log.info({ chunks, segment: cut.segment, milliseconds: Math.round(clock.monotonic() - cut.startedMs) }, 'blocks written');
	}

	async #applyRetention(nowMs: number): Promise<void> {
		const { folder, retentionMs, checkRetentionMs, log } = this.#options;
		const files = blockFilesWithSizes(join(folder, 'blocks'));
		const expired = files.filter((file) => file.endMs < nowMs - (file.family === FAMILY_CHECKS ? checkRetentionMs : retentionMs));
		const over = [...expired, ...beyondSize(files, expired, this.#options.retentionBytes)].map((file) => file.name);
		await this.#thread.run({ kind: 'forget', samplesBeforeMs: nowMs - retentionMs, checksBeforeMs: nowMs - checkRetentionMs });
		if (over.length === 0) return;
		await this.#thread.run({ kind: 'drop', names: over });
		log.info({ files: over }, 'block files beyond the retention were deleted');
	}
}
