import { AppError } from '../../core/errors.ts';

/** Samples that a query may still read. Shared by all series of one select. */
export interface SampleBudget {
	left: number;
	readonly limit: number;
}

export function sampleBudget(limit: number | undefined): SampleBudget {
	return { left: limit ?? Number.POSITIVE_INFINITY, limit: limit ?? Number.POSITIVE_INFINITY };
}

/**
 * Gathers the samples of one series from several places, given from the least to the most authoritative: where two have
 * the same time, the later given wins. Runs that follow each other in time are simply joined.
 */
export class SampleRuns {
	#times = new Float64Array(1024);
	#words = new Uint32Array(2048);
	#count = 0;
	/** Whether a run began before the end of the one before. */
	#tangled = false;
	/** Samples that gave way to another value of the same time. */
	replaced = 0;
	readonly #minMs: number;
	readonly #maxMs: number;
	readonly #budget: SampleBudget;

	constructor(minMs: number, maxMs: number, budget: SampleBudget) {
		this.#minMs = minMs;
		this.#maxMs = maxMs;
		this.#budget = budget;
	}

	reset(): void {
		this.#count = 0;
		this.#tangled = false;
	}

	/**
	 * Adds `count` samples with times `baseMs + offsets[i]`, from index `from` on, and the words at `wordsFrom`. Those outside
	 * of the range are left out. Throws `FN_QUERY_SAMPLE_LIMIT`.
	 */
	add(baseMs: number, offsets: Float64Array | Uint32Array, from: number, words: Uint32Array, wordsFrom: number, count: number): void {
		if (this.#count + count > this.#times.length) this.#grow(this.#count + count);
		const times = this.#times;
		const target = this.#words;
		let at = this.#count;
		let previous = at === 0 ? Number.NEGATIVE_INFINITY : (times[at - 1] as number);
		for (let i = 0; i < count; i++) {
			const time = baseMs + (offsets[from + i] as number);
			if (time < this.#minMs || time > this.#maxMs) continue;
			if (time <= previous) this.#tangled = true;
			previous = time;
			times[at] = time;
			target[at * 2] = words[wordsFrom + i * 2] as number;
			target[at * 2 + 1] = words[wordsFrom + i * 2 + 1] as number;
			at++;
		}
		this.#budget.left -= at - this.#count;
		this.#count = at;
		if (this.#budget.left < 0) {
			throw new AppError(
				'FN_QUERY_SAMPLE_LIMIT',
				`the query needs more than ${this.#budget.limit} samples; ask for a shorter range or fewer series`,
				{ status: 422 },
			);
		}
	}

	get isEmpty(): boolean {
		return this.#count === 0;
	}

	/** The samples in order, each time once, in arrays of their own. */
	finish(): { readonly timestamps: Float64Array<ArrayBuffer>; readonly values: Float64Array<ArrayBuffer> } {
		if (this.#tangled) this.#untangle();
		const values = new Float64Array(this.#count);
		new Uint32Array(values.buffer).set(this.#words.subarray(0, this.#count * 2));
		return { timestamps: this.#times.slice(0, this.#count), values };
	}

	#untangle(): void {
		const times = this.#times;
		const order = Uint32Array.from({ length: this.#count }, (_, i) => i).sort(
			(a, b) => (times[a] as number) - (times[b] as number) || a - b,
		);
		const sorted = new Float64Array(order.length);
		const words = new Uint32Array(order.length * 2);
		let at = 0;
		for (let i = 0; i < order.length; i++) {
			const index = order[i] as number;
			const time = times[index] as number;
			const next = order[i + 1];
			if (next !== undefined && times[next] === time) {
				if (this.#words[index * 2] !== this.#words[next * 2] || this.#words[index * 2 + 1] !== this.#words[next * 2 + 1]) this.replaced++;
				continue;
			}
			sorted[at] = time;
			words[at * 2] = this.#words[index * 2] as number;
			words[at * 2 + 1] = this.#words[index * 2 + 1] as number;
			at++;
		}
		this.#times = sorted;
		this.#words = words;
		this.#count = at;
		this.#tangled = false;
	}

	#grow(needed: number): void {
		const length = Math.max(needed, this.#times.length * 2);
		const times = new Float64Array(length);
		times.set(this.#times.subarray(0, this.#count));
		const words = new Uint32Array(length * 2);
		words.set(this.#words.subarray(0, this.#count * 2));
		this.#times = times;
		this.#words = words;
	}
}
