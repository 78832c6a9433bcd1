import { setImmediate as nextTurn } from 'node:timers/promises';
import { AppError } from '../../core/errors.ts';
import { compareLabels } from '../../core/labels.ts';
import type { Labels } from '../../protocol/labels.ts';
import type { Matcher, Queryable, SelectOptions, SeriesSamples } from '../storage/storage.ts';
import type { Family } from './blocks/block-files.ts';
import type { BlockReader } from './blocks/block-reader.ts';
import type { HeadReader } from './head-reader.ts';
import { SampleRuns, sampleBudget } from './sample-runs.ts';
import type { SeriesIndex } from './series-index.ts';

/** Longest time that a read keeps its thread before it lets others run and looks whether it was cancelled. */
const SLICE_MS = 10;

/** Reads memory and blocks as one; the same in the main thread and in the query worker. */
export class StoreQueries implements Queryable {
	readonly #head: HeadReader;
	readonly #index: SeriesIndex;
	readonly #blocks: BlockReader;
	/** Oldest memtable that was in memory when the block files were listed. */
	#listedAtEpoch = -1;

	constructor(head: HeadReader, index: SeriesIndex, blocks: BlockReader) {
		this.#head = head;
		this.#index = index;
		this.#blocks = blocks;
	}

	async select(matchers: readonly Matcher[], minMs: number, maxMs: number, options: SelectOptions = {}): Promise<readonly SeriesSamples[]> {
		const result: SeriesSamples[] = [];
		const runs = new SampleRuns(minMs, maxMs, sampleBudget(options.sampleLimit));
		await this.#forEach(matchers, minMs, maxMs, options.signal, (id) => {
			this.#collect(id, minMs, maxMs, runs);
			if (!runs.isEmpty) result.push({ labels: this.#head.labels(id), ...runs.finish() });
		});
		return result.sort((a, b) => compareLabels(a.labels, b.labels));
	}

	async series(matchers: readonly Matcher[], minMs: number, maxMs: number, options: SelectOptions = {}): Promise<readonly Labels[]> {
		const result: Labels[] = [];
		const runs = new SampleRuns(minMs, maxMs, sampleBudget(undefined));
		await this.#forEach(matchers, minMs, maxMs, options.signal, (id) => {
			this.#collect(id, minMs, maxMs, runs);
			if (!runs.isEmpty) result.push(this.#head.labels(id));
		});
		return result.sort(compareLabels);
	}

	/** Series count when they lived at some time of the range, as in Prometheus: whether each has a sample inside is not looked up. */
	async labelNames(matchers: readonly Matcher[], minMs: number, maxMs: number, options: SelectOptions = {}): Promise<readonly string[]> {
		this.#begin();
		if (matchers.length === 0) {
			const names = [...this.#index.names()].filter((name) => this.#anyLived(name, minMs, maxMs));
			return names.sort();
		}
		const names = new Set<string>();
		for (const labels of this.#living(matchers, minMs, maxMs, options.signal)) {
			for (let i = 0; i < labels.length; i += 2) names.add(labels[i] as string);
		}
		return [...names].sort();
	}

	async labelValues(
		name: string,
		matchers: readonly Matcher[],
		minMs: number,
		maxMs: number,
		options: SelectOptions = {},
	): Promise<readonly string[]> {
		this.#begin();
		throwIfCancelled(options.signal);
		const chosen = matchers.length === 0 ? null : new Set(this.#index.select(matchers));
		const values: string[] = [];
		for (const [value, ids] of this.#index.values(name)) {
			for (const id of ids) {
				if ((chosen !== null && !chosen.has(id)) || !this.#head.livedIn(id, minMs, maxMs)) continue;
				values.push(value);
				break;
			}
		}
		return values.sort();
	}

	#begin(): void {
		this.#head.refresh();
		this.#index.sync();
	}

	#collect(id: number, minMs: number, maxMs: number, runs: SampleRuns): void {
		runs.reset();
		// Memory first: what moves into a block between the two looks is then seen twice, never missed.
		this.#head.snapshot(id, minMs, maxMs);
		// The snapshot may have come without a memtable that was there when the blocks were listed: its samples are in new ones.
		if (this.#head.oldestEpoch !== this.#listedAtEpoch) this.#listBlocks(minMs, maxMs);
		this.#blocks.collect(id, this.#head.family(id) as Family, minMs, maxMs, runs);
		this.#head.emit(runs);
	}

	#listBlocks(minMs: number, maxMs: number): void {
		this.#listedAtEpoch = this.#head.oldestEpoch;
		this.#blocks.begin(minMs, maxMs);
	}

	#anyLived(name: string, minMs: number, maxMs: number): boolean {
		for (const [, ids] of this.#index.values(name)) for (const id of ids) if (this.#head.livedIn(id, minMs, maxMs)) return true;
		return false;
	}

	*#living(matchers: readonly Matcher[], minMs: number, maxMs: number, signal: AbortSignal | undefined): Iterable<Labels> {
		for (const id of this.#index.select(matchers)) {
			throwIfCancelled(signal);
			if (this.#head.livedIn(id, minMs, maxMs)) yield this.#head.labels(id);
		}
	}

	async #forEach(
		matchers: readonly Matcher[],
		minMs: number,
		maxMs: number,
		signal: AbortSignal | undefined,
		visit: (id: number) => void,
	): Promise<void> {
		this.#begin();
		throwIfCancelled(signal);
		const ids = this.#index.select(matchers);
		this.#listBlocks(minMs, maxMs);
		let sliceStart = performance.now();
		for (let i = 0; i < ids.length; i++) {
			const id = ids[i] as number;
			if (!this.#head.livedIn(id, minMs, maxMs)) continue;
			visit(id);
			if ((i & 15) === 15 && performance.now() - sliceStart > SLICE_MS) {
				await nextTurn();
				throwIfCancelled(signal);
				this.#head.refresh();
				this.#listBlocks(minMs, maxMs);
				sliceStart = performance.now();
			}
		}
	}
}

function throwIfCancelled(signal: AbortSignal | undefined): void {
	if (signal?.aborted) throw new AppError('FN_QUERY_CANCELLED', 'the query was cancelled', { cause: signal.reason, status: 503 });
}
