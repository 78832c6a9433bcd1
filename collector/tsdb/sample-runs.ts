import { AppError } from '../../core/errors.ts';
import { newSlab } from '../storage/sample-memory.ts';
import type { SampleMemory, SampleSlab } from '../storage/storage.ts';
import type { ChunkDecoder } from './codec/chunk-decoder.ts';

/** Samples that a query may still read. Shared by all series of one select. */
export interface SampleBudget {
	left: number;
	readonly limit: number;
}

export function sampleBudget(limit: number | undefined): SampleBudget {
	return { left: limit ?? Number.POSITIVE_INFINITY, limit: limit ?? Number.POSITIVE_INFINITY };
}

const FIRST_SAMPLES = 1024;
/** Series of one select lie behind each other in memory of this many samples (1 MiB): memory for each of its own costs more than decoding it. */
const SLAB_SAMPLES = 1 << 16;

export interface Samples {
	readonly timestamps: Float64Array<ArrayBuffer>;
	readonly values: Float64Array<ArrayBuffer>;
	/** No value is a stale marker. */
	readonly noStale: boolean;
	/** No value is less than the one before. */
	readonly neverFalls: boolean;
}

const NAN_BITS = 0x7ff00000;

/**
 * Gathers the samples of one series from several places, given from the least to the most authoritative: where two have
 * the same time, the later given wins. Runs that follow each other in time are simply joined.
 */
export class SampleRuns {
	#slab: SampleSlab;
	/** Samples `[start .. start + count)` of the slab are those of the series; before them are taken ones. */
	#start = 0;
	/** Where the series begin that are not taken yet. */
	#floor = 0;
	#count = 0;
	/** Whether a run began before the end of the one before. */
	#tangled = false;
	#mayBeStale = false;
	#mayFall = false;
	/** Samples that gave way to another value of the same time. */
	replaced = 0;
	readonly #minMs: number;
	readonly #maxMs: number;
	readonly #budget: SampleBudget;
	readonly #memory: SampleMemory | undefined;

	constructor(minMs: number, maxMs: number, budget: SampleBudget, memory?: SampleMemory) {
		this.#memory = memory;
		this.#slab = memory?.take(FIRST_SAMPLES) ?? newSlab(FIRST_SAMPLES);
		this.#minMs = minMs;
		this.#maxMs = maxMs;
		this.#budget = budget;
	}

	reset(): void {
		this.#start = this.#floor;
		this.#count = 0;
		this.#tangled = false;
		this.#mayBeStale = false;
		this.#mayFall = false;
	}

	/**
	 * Adds `count` samples with times `baseMs + offsets[i]`, from index `from` on, and the words at `wordsFrom`. Those outside
	 * of the range are left out. Throws `FN_QUERY_SAMPLE_LIMIT`.
	 */
	add(baseMs: number, offsets: Float64Array | Uint32Array, from: number, words: Uint32Array, wordsFrom: number, count: number): void {
		this.#reserve(count);
		const { times, values, words: target } = this.#slab;
		const begin = this.#start + this.#count;
		let at = begin;
		let previous = this.#count === 0 ? Number.NEGATIVE_INFINITY : (times[at - 1] as number);
		for (let i = 0; i < count; i++) {
			const time = baseMs + (offsets[from + i] as number);
			if (time < this.#minMs || time > this.#maxMs) continue;
			if (time <= previous) this.#tangled = true;
			previous = time;
			times[at] = time;
			target[at * 2] = words[wordsFrom + i * 2] as number;
			const high = words[wordsFrom + i * 2 + 1] as number;
			target[at * 2 + 1] = high;
			if ((high & NAN_BITS) === NAN_BITS) this.#mayBeStale = true;
			if (at > this.#start && (values[at] as number) < (values[at - 1] as number)) this.#mayFall = true;
			at++;
		}
		this.#spend(at - begin);
	}

	/**
	 * Adds the chunk `bytes[start .. end)`, whose offsets count from `baseMs`, without copies in between. Throws `ChunkDamaged`, and then
	 * nothing was added, and `FN_QUERY_SAMPLE_LIMIT`.
	 */
	addChunk(
		decoder: ChunkDecoder,
		{ bytes, start, end }: { readonly bytes: Uint8Array; readonly start: number; readonly end: number },
		baseMs: number,
	): void {
		const count = decoder.open(bytes, start, end);
		this.#reserve(count);
		const begin = this.#start + this.#count;
		decoder.read(this.#slab, begin, baseMs);
		const { times, values } = this.#slab;
		let lo = begin;
		let hi = begin + count;
		if ((times[lo] as number) < this.#minMs) lo = firstAfter(times, this.#minMs - 1, lo, hi);
		if ((times[hi - 1] as number) > this.#maxMs) hi = firstAfter(times, this.#maxMs, lo, hi);
		if (lo >= hi) return;
		if (decoder.mayBeStale) this.#mayBeStale = true;
		if (decoder.mayFall) this.#mayFall = true;
		if (this.#count === 0) this.#start = lo;
		else {
			if ((times[lo] as number) <= (times[begin - 1] as number)) this.#tangled = true;
			if ((values[lo] as number) < (values[begin - 1] as number)) this.#mayFall = true;
			if (lo > begin) {
				times.copyWithin(begin, lo, hi);
				values.copyWithin(begin, lo, hi);
			}
		}
		this.#spend(hi - lo);
	}

	/** Drops all but the newest sample. */
	keepNewest(): void {
		if (this.#tangled) this.#untangle();
		if (this.#count < 2) return;
		this.#start += this.#count - 1;
		this.#count = 1;
	}

	get isEmpty(): boolean {
		return this.#count === 0;
	}

	/** The samples in order, each time once, in arrays of their own. */
	finish(): Samples {
		if (this.#tangled) this.#untangle();
		const end = this.#start + this.#count;
		return {
			timestamps: this.#slab.times.slice(this.#start, end),
			values: this.#slab.values.slice(this.#start, end),
			noStale: !this.#mayBeStale,
			neverFalls: !this.#mayFall,
		};
	}

	/** As `take`, but the next series goes into the same memory. */
	look(): Samples {
		if (this.#tangled) this.#untangle();
		const end = this.#start + this.#count;
		const samples = {
			timestamps: this.#slab.times.subarray(this.#start, end),
			values: this.#slab.values.subarray(this.#start, end),
			noStale: !this.#mayBeStale,
			neverFalls: !this.#mayFall,
		};
		return samples;
	}

	/** As `finish`, but the arrays are views of memory that they share with those of other series. The next series goes behind them. */
	take(): Samples {
		const samples = this.look();
		this.#start += this.#count;
		this.#floor = this.#start;
		this.#count = 0;
		return samples;
	}

	#spend(samples: number): void {
		this.#count += samples;
		this.#budget.left -= samples;
		if (this.#budget.left < 0) {
			throw new AppError(
				'FN_QUERY_SAMPLE_LIMIT',
				`the query needs more than ${this.#budget.limit} samples; ask for a shorter range or fewer series`,
				{ status: 422 },
			);
		}
	}

	#untangle(): void {
		const { times, words } = this.#slab;
		const order = Uint32Array.from({ length: this.#count }, (_, i) => this.#start + i).sort(
			(a, b) => (times[a] as number) - (times[b] as number) || a - b,
		);
		const sorted = new Float64Array(order.length);
		const sortedWords = new Uint32Array(order.length * 2);
		let at = 0;
		for (let i = 0; i < order.length; i++) {
			const index = order[i] as number;
			const time = times[index] as number;
			const next = order[i + 1];
			if (next !== undefined && times[next] === time) {
				if (words[index * 2] !== words[next * 2] || words[index * 2 + 1] !== words[next * 2 + 1]) this.replaced++;
				continue;
			}
			sorted[at] = time;
			sortedWords[at * 2] = words[index * 2] as number;
			sortedWords[at * 2 + 1] = words[index * 2 + 1] as number;
			at++;
		}
		times.set(sorted.subarray(0, at), this.#start);
		words.set(sortedWords.subarray(0, at * 2), this.#start * 2);
		this.#count = at;
		this.#tangled = false;
		this.#mayFall = true;
	}

	/** Makes room for `more` samples. What was taken stays where it is; the series that is being gathered moves. */
	#reserve(more: number): void {
		const { times, words } = this.#slab;
		const needed = this.#count + more;
		if (this.#start + needed <= times.length) return;
		const wanted = this.#start === 0 && needed > SLAB_SAMPLES ? needed * 2 : Math.max(needed, SLAB_SAMPLES);
		const larger = this.#memory?.take(wanted) ?? newSlab(this.#start === 0 ? Math.max(needed, times.length * 2) : wanted);
		larger.times.set(times.subarray(this.#start, this.#start + this.#count));
		larger.words.set(words.subarray(this.#start * 2, (this.#start + this.#count) * 2));
		this.#slab = larger;
		this.#start = 0;
		this.#floor = 0;
	}
}

/** Index of the first time after `timeMs` within `[lo .. hi)`, `hi` when there is none. */
function firstAfter(times: Float64Array, timeMs: number, lo: number, hi: number): number {
	let from = lo;
	let to = hi;
	while (from < to) {
		const middle = (from + to) >> 1;
		if ((times[middle] as number) <= timeMs) from = middle + 1;
		else to = middle;
	}
	return from;
}
