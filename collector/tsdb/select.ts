import { setImmediate as nextTurn } from 'node:timers/promises';
import { AppError } from '../../core/errors.ts';
import { compareLabels, labelValue } from '../../core/labels.ts';
import { type Labels, METRIC_NAME } from '../../protocol/labels.ts';
import type { Matcher, Queryable, SelectOptions, SeriesSamples } from '../storage/storage.ts';
import { FAMILY_CHECKS, FAMILY_SAMPLES, type Family } from './blocks/block-files.ts';
import type { BlockReader } from './blocks/block-reader.ts';
import type { GoneSeries, GoneSeriesReader } from './blocks/gone-series.ts';
import type { HeadReader } from './head-reader.ts';
import type { Ids } from './id-list.ts';
import { ownWeights } from './reduce-samples.ts';
import { SampleRuns, sampleBudget } from './sample-runs.ts';
import { Selections } from './selection.ts';
import type { SeriesIndex } from './series-index.ts';

/** Longest time that a read keeps its thread before it lets others run and looks whether it was cancelled. */
const SLICE_MS = 10;

/** Reads memory and blocks as one; the same in the main thread and in the query worker. */
export class StoreQueries implements Queryable {
	readonly #head: HeadReader;
	readonly #index: SeriesIndex;
	readonly #blocks: BlockReader;
	readonly #gone: GoneSeriesReader;
	readonly #selections: Selections;
	/** Oldest memtable that was in memory when the block files were listed. */
	#listedAtEpoch = -1;

	constructor(head: HeadReader, index: SeriesIndex, blocks: BlockReader, gone: GoneSeriesReader) {
		this.#gone = gone;
		this.#head = head;
		this.#index = index;
		this.#blocks = blocks;
		this.#selections = new Selections(head, index);
	}

	async select(matchers: readonly Matcher[], minMs: number, maxMs: number, options: SelectOptions = {}): Promise<readonly SeriesSamples[]> {
		const found: FoundSamples[] = [];
		const runs = new SampleRuns(minMs, maxMs, sampleBudget(options.sampleLimit), options.memory);
		const range: ReadRange = {
			minMs,
			maxMs,
			signal: options.signal,
			runs,
			newestOnly: options.newestOnly === true,
			within: options.within,
		};
		const { each } = options;
		// Series that come in order can be passed on as they come.
		let passing = false;
		const plan = (sorted: boolean) => {
			passing = sorted && each !== undefined;
		};
		const keep = (series: FoundSamples) => {
			if (passing) each?.(series);
			else found.push(series);
		};
		const order = await this.#forEach(matchers, { ...range, plan }, (id, labels) => {
			const { timestamps, values, noStale, neverFalls } = passing ? runs.look() : runs.take();
			const weights = options.weights === true ? this.#blocks.weights(id, familyOf(labels), { timestamps, values }) : null;
			keep({
				id,
				labels,
				timestamps,
				values,
				noStale,
				neverFalls,
				...(weights === null ? {} : { sums: weights.sums, counts: weights.counts }),
			});
		});
		if (order === 'unsorted') found.sort((a, b) => compareLabels(a.labels, b.labels) || a.id - b.id);
		const joined = order === 'sorted' ? found : joinLives(found, minMs, maxMs);
		if (each === undefined) return joined;
		for (const series of joined) each(series);
		return [];
	}

	async series(matchers: readonly Matcher[], minMs: number, maxMs: number, options: SelectOptions = {}): Promise<readonly Labels[]> {
		const result: Labels[] = [];
		const runs = new SampleRuns(minMs, maxMs, sampleBudget(undefined));
		const range: ReadRange = { minMs, maxMs, signal: options.signal, runs, newestOnly: true, within: options.within };
		const order = await this.#forEach(matchers, range, (_id, labels) => result.push(labels));
		if (order === 'sorted') return result;
		return result.sort(compareLabels).filter((labels, i) => i === 0 || compareLabels(result[i - 1] as Labels, labels) !== 0);
	}

	/** Series count when they lived at some time of the range, as in Prometheus: whether each has a sample inside is not looked up. */
	async labelNames(matchers: readonly Matcher[], minMs: number, maxMs: number, options: SelectOptions = {}): Promise<readonly string[]> {
		this.#begin();
		const names = new Set<string>();
		const addAll = (labels: Labels) => {
			for (let i = 0; i < labels.length; i += 2) names.add(labels[i] as string);
		};
		if (matchers.length === 0) {
			for (const name of this.#index.names()) if (this.#anyLived(name, minMs, maxMs)) names.add(name);
		} else {
			const { slots, labels } = await this.#selections.resolve(matchers, this.#turns(options.signal));
			for (let i = 0; i < slots.length; i++) if (this.#head.livedIn(slots[i] as number, minMs, maxMs)) addAll(labels[i] as Labels);
		}
		const goneNames = matchers.length === 0 && this.#head.hasGone ? this.#gone.names(minMs, maxMs) : null;
		if (goneNames !== null) for (const name of goneNames) names.add(name);
		else for (const gone of this.#goneSeries(matchers, minMs, maxMs)) addAll(gone.labels);
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
		const values = new Set<string>();
		if (matchers.length === 0) {
			for (const [value, slots] of this.#index.sortedValues(name)) if (this.#anyOf(slots, minMs, maxMs)) values.add(value);
			if (!this.#head.hasGone) return [...values];
			const gone = this.#gone.values(name, minMs, maxMs);
			if (gone !== null) for (const value of gone) values.add(value);
			else addValues(this.#goneSeries(matchers, minMs, maxMs), name, values);
		} else {
			const { slots, labels } = await this.#selections.resolve(matchers, this.#turns(options.signal));
			for (let i = 0; i < slots.length; i++) {
				const value = labelValue(labels[i] as Labels, name);
				if (value !== '' && !values.has(value) && this.#head.livedIn(slots[i] as number, minMs, maxMs)) values.add(value);
			}
			addValues(this.#goneSeries(matchers, minMs, maxMs), name, values);
		}
		return [...values].sort();
	}

	close(): void {
		this.#blocks.close();
		this.#gone.close();
	}

	#begin(): void {
		this.#head.refresh();
		this.#index.sync();
	}

	#goneSeries(matchers: readonly Matcher[], minMs: number, maxMs: number): readonly GoneSeries[] {
		return this.#head.hasGone ? this.#gone.find(matchers, minMs, maxMs) : [];
	}

	/** Gathers the samples of a series; `false` when it has left its slot. */
	#collect(slot: number, id: number, range: ReadRange): boolean {
		const { minMs, maxMs, runs } = range;
		runs.reset();
		// Memory first: what moves into a block between the two looks is then seen twice, never missed.
		if (!this.#head.snapshot(slot, id, minMs, maxMs)) return false;
		if (range.newestOnly && this.#head.emitNewest(runs)) {
			runs.keepNewest();
			return true;
		}
		// The snapshot may have come without a memtable that was there when the blocks were listed: its samples are in new ones.
		if (this.#head.oldestEpoch !== this.#listedAtEpoch) this.#listBlocks(minMs, maxMs);
		this.#blocks.collect(id, this.#head.family(slot) as Family, minMs, maxMs, runs);
		this.#head.emit(runs);
		if (range.newestOnly) runs.keepNewest();
		return true;
	}

	#listBlocks(minMs: number, maxMs: number): void {
		this.#listedAtEpoch = this.#head.oldestEpoch;
		this.#blocks.begin(minMs, maxMs);
	}

	#anyLived(name: string, minMs: number, maxMs: number): boolean {
		for (const [, slots] of this.#index.values(name)) if (this.#anyOf(slots, minMs, maxMs)) return true;
		return false;
	}

	#anyOf(slots: Ids, minMs: number, maxMs: number): boolean {
		for (let i = 0; i < slots.length; i++) if (this.#head.livedIn(slots[i] as number, minMs, maxMs)) return true;
		return false;
	}

	#turns(signal: AbortSignal | undefined): (step: number) => Promise<void> | undefined {
		const turns = new Turns(async () => {
			await nextTurn();
			throwIfCancelled(signal);
			this.#head.refresh();
		});
		return (step) => turns.next(step);
	}

	/**
	 * Visits every series that has samples in the range; they are in `range.runs` then. Returns whether they came sorted by labels, each label set once.
	 */
	async #forEach(
		matchers: readonly Matcher[],
		range: ReadRange,
		visit: (id: number, labels: Labels) => void,
	): Promise<'sorted' | 'unsorted'> {
		const { minMs, maxMs, signal, runs } = range;
		this.#begin();
		throwIfCancelled(signal);
		const all = await this.#selections.resolve(matchers, this.#turns(signal));
		const { slots, ids, labels, hasTwins } = range.within === undefined ? all : this.#selections.part(all, range.within);
		const hasGone = this.#head.hasGone;
		const visited = hasGone || range.plan !== undefined ? new Set<number>() : null;
		range.plan?.(!hasGone && !hasTwins);
		const turns = new Turns(async () => {
			await nextTurn();
			throwIfCancelled(signal);
			this.#head.refresh();
			this.#listBlocks(minMs, maxMs);
		});
		this.#listBlocks(minMs, maxMs);
		for (let i = 0; i < slots.length; i++) {
			const slot = slots[i] as number;
			const id = ids[i] as number;
			if (!this.#head.livedIn(slot, minMs, maxMs)) continue;
			if (this.#collect(slot, id, range) && !runs.isEmpty) {
				visited?.add(id);
				visit(id, labels[i] as Labels);
			}
			const turn = turns.next(i);
			if (turn !== undefined) await turn;
		}
		if (!hasGone && !this.#head.hasGone) return hasTwins ? 'unsorted' : 'sorted';
		// After those in memory: what leaves its slot meanwhile is found here.
		const gone = this.#goneSeries(range.within === undefined ? matchers : [...matchers, range.within], minMs, maxMs);
		if (gone.length > 0) this.#listBlocks(minMs, maxMs);
		for (const [i, { id, family, labels: itsLabels }] of gone.entries()) {
			if (visited?.has(id) === true) continue;
			runs.reset();
			this.#blocks.collect(id, family, minMs, maxMs, runs);
			if (range.newestOnly) runs.keepNewest();
			if (!runs.isEmpty) visit(id, itsLabels);
			const turn = turns.next(i);
			if (turn !== undefined) await turn;
		}
		return gone.length > 0 || hasTwins ? 'unsorted' : 'sorted';
	}
}

function addValues(series: readonly GoneSeries[], name: string, values: Set<string>): void {
	for (const { labels } of series) {
		const value = labelValue(labels, name);
		if (value !== '') values.add(value);
	}
}

interface ReadRange {
	readonly minMs: number;
	readonly maxMs: number;
	readonly signal: AbortSignal | undefined;
	readonly runs: SampleRuns;
	readonly newestOnly: boolean;
	readonly within: Matcher | undefined;
	/** Is told before the first visit whether they will come sorted by labels, each label set once. */
	readonly plan?: (sorted: boolean) => void;
}

interface FoundSamples extends SeriesSamples {
	readonly id: number;
	readonly timestamps: Float64Array<ArrayBuffer>;
	readonly values: Float64Array<ArrayBuffer>;
}

/** Lets others run when a slice of time is over. */
class Turns {
	readonly #give: () => Promise<void>;
	#startedMs = performance.now();

	constructor(give: () => Promise<void>) {
		this.#give = give;
	}

	next(step: number): Promise<void> | undefined {
		if ((step & 15) !== 15 || performance.now() - this.#startedMs <= SLICE_MS) return undefined;
		return this.#give().then(() => {
			this.#startedMs = performance.now();
		});
	}
}

/** A series that went and came back has an id for each of its lives: to whoever asks it is one. The later life wins. */
function joinLives(found: readonly FoundSamples[], minMs: number, maxMs: number): readonly SeriesSamples[] {
	const result: SeriesSamples[] = [];
	for (let i = 0; i < found.length; ) {
		const first = found[i] as FoundSamples;
		let end = i + 1;
		while (end < found.length && compareLabels((found[end] as FoundSamples).labels, first.labels) === 0) end++;
		if (end === i + 1) result.push(withoutId(first));
		else {
			const runs = new SampleRuns(minMs, maxMs, sampleBudget(undefined));
			const lives = found.slice(i, end);
			for (const { timestamps, values } of lives) runs.add(0, timestamps, 0, wordsOf(values), 0, timestamps.length);
			const { timestamps, values } = runs.finish();
			result.push({ labels: first.labels, timestamps, values, ...joinWeights(lives, timestamps, values) });
		}
		i = end;
	}
	return result;
}

function withoutId({ id: _id, ...samples }: FoundSamples): SeriesSamples {
	return samples;
}

function joinWeights(lives: readonly FoundSamples[], timestamps: Float64Array, values: Float64Array) {
	if (lives.every(({ sums }) => sums === undefined)) return {};
	const { sums, counts } = ownWeights(timestamps, values);
	for (const life of lives) {
		if (life.sums === undefined || life.counts === undefined) continue;
		let at = 0;
		for (let i = 0; i < life.timestamps.length; i++) {
			while ((timestamps[at] as number) < (life.timestamps[i] as number)) at++;
			sums[at] = life.sums[i] as number;
			counts[at] = life.counts[i] as number;
		}
	}
	return { sums, counts };
}

/** The family of a series by its name, as `familyOfLabels` by its bytes. */
function familyOf(labels: Labels): Family {
	const name = labelValue(labels, METRIC_NAME);
	return name === 'probe_success' || name.startsWith('fournines_check_') ? FAMILY_CHECKS : FAMILY_SAMPLES;
}

function wordsOf(values: Float64Array): Uint32Array {
	return new Uint32Array(values.buffer, values.byteOffset, values.length * 2);
}

function throwIfCancelled(signal: AbortSignal | undefined): void {
	if (signal?.aborted) throw new AppError('FN_QUERY_CANCELLED', 'the query was cancelled', { cause: signal.reason, status: 503 });
}
