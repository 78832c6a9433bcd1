import { AppError } from '../../core/errors.ts';
import type { Labels } from '../../protocol/labels.ts';
import type { Matcher } from '../storage/storage.ts';
import type { BlockCutter } from './block-cutter.ts';
import { FAMILY_CHECKS, type Family } from './blocks/block-files.ts';
import { clipSpan } from './blocks/deleted-ranges.ts';
import type { GoneSeriesReader } from './blocks/gone-series.ts';
import type { Head } from './head.ts';
import type { HeadReader } from './head-reader.ts';
import { type Kept, keptInMemory, rewriteInMemory } from './kept-samples.ts';
import type { Deletion } from './log/log-batch.ts';
import type { LogWriter } from './log/log-writer.ts';
import type { SeriesIndex } from './series-index.ts';

/** Series per record of the log: what the main thread rewrites in one go. */
const SLICE_SERIES = 500;

export interface DeletionParts {
	readonly head: Head;
	readonly reader: HeadReader;
	readonly index: SeriesIndex;
	readonly gone: GoneSeriesReader;
	readonly logWriter: LogWriter;
	readonly cutter: BlockCutter;
	readonly publish: () => void;
	/** Number of the last deletion so far. */
	readonly lastNumber: number;
}

/**
 * Deletes samples that are there now; what comes later is new, whatever its time. The order in the log decides: a deletion is a record in it,
 * on the disk before anything is changed, and after it stands again what memory keeps of the series. Memory is changed at once, block files by
 * the writing thread; after a crash in between, the start finishes what the log says.
 */
export class SeriesDeletion {
	readonly #parts: DeletionParts;
	#lastNumber: number;

	constructor(parts: DeletionParts) {
		this.#parts = parts;
		this.#lastNumber = parts.lastNumber;
	}

	/** Resolves with the number of series when it is durable and no reader sees the samples any more. Throws `FN_STORE_DELETE_CHECKS` and errors of the log; rejects with `FN_STORE_BLOCK_WRITE`. */
	async run(matchers: readonly Matcher[], minMs: number, maxMs: number, includeChecks: boolean): Promise<number> {
		const { head, reader, index, gone, cutter, publish } = this.#parts;
		reader.refresh();
		index.sync();
		const alive = Array.from(index.select(matchers))
			.filter((slot) => reader.livedIn(slot, minMs, maxMs))
			.map((slot) => ({ slot, id: index.idOf(slot) }));
		const departed = reader.hasGone ? gone.find(matchers, minMs, maxMs) : [];
		if (!includeChecks) {
			for (const { slot, id } of alive) refuseCheck(reader.family(slot) as Family, () => reader.labels(slot, id));
			for (const { family, labels } of departed) refuseCheck(family, () => labels);
		}
		for (let from = 0; from < alive.length; from += SLICE_SERIES) {
			// A series that has left meanwhile is deleted from blocks alone.
			const slice = alive.slice(from, from + SLICE_SERIES);
			await this.#slice(
				slice.map(({ id }) => id),
				slice.filter(({ slot, id }) => head.registry.has(slot) && head.idOf(slot) === id),
				minMs,
				maxMs,
			);
			publish();
		}
		for (let from = 0; from < departed.length; from += SLICE_SERIES) {
			await this.#slice(
				departed.slice(from, from + SLICE_SERIES).map(({ id }) => id),
				[],
				minMs,
				maxMs,
			);
		}
		await cutter.deletionsDone();
		return alive.length + departed.length;
	}

	#slice(ids: readonly number[], alive: readonly { readonly slot: number }[], minMs: number, maxMs: number): Promise<void> {
		const { head, reader, logWriter, cutter } = this.#parts;
		const deletion: Deletion = { number: ++this.#lastNumber, ids: Uint32Array.from(ids), minMs, maxMs };
		const kept = alive.map(({ slot }) => keptInMemory(reader, slot, head.idOf(slot), minMs, maxMs));
		try {
			logWriter.batch.deletion(deletion);
			logKept(logWriter, head, kept);
			logWriter.flush();
			logWriter.syncNow();
		} catch (error) {
			logWriter.batch.discard();
			throw error;
		}
		for (const one of kept) {
			const { slot } = one;
			const span = { firstMs: head.lifetimes[slot * 2] as number, lastMs: head.lifetimes[slot * 2 + 1] as number };
			rewriteInMemory(head, one, clipSpan(span, minMs, maxMs));
		}
		return cutter.deleteFromBlocks(deletion);
	}
}

function refuseCheck(family: Family, labels: () => Labels | null): void {
	if (family !== FAMILY_CHECKS) return;
	const name = labels()?.join(' ') ?? '';
	throw new AppError(
		'FN_STORE_DELETE_CHECKS',
		`the selection holds series of checks (${name.slice(0, 200)}), from which availability is proven; name other series, or say that checks are meant`,
		{ status: 403 },
	);
}

/** Segments of the log that have these samples may go before the ones that they are written to now. */
function logKept(logWriter: LogWriter, head: Head, kept: readonly Kept[]): void {
	const count = kept.reduce((sum, { timestamps }) => sum + timestamps.length, 0);
	if (count === 0) return;
	const ids = new Uint32Array(count);
	const timestamps = new Float64Array(count);
	const valueWords = new Uint32Array(count * 2);
	let at = 0;
	for (const { slot, timestamps: times, words } of kept) {
		ids.fill(head.idOf(slot), at, at + times.length);
		timestamps.set(times, at);
		valueWords.set(words.subarray(0, times.length * 2), at * 2);
		at += times.length;
	}
	logWriter.batch.samples({ ids, timestamps, valueWords }, count);
}
