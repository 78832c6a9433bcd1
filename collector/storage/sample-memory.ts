import type { SampleMemory, SampleSlab } from './storage.ts';

/** Samples of a slab (1 MiB). */
const SLAB_SAMPLES = 1 << 16;
const FREE_SLABS = 64;

/** Memory of one query; what lies in it means nothing after `release`. */
export interface QueryMemory extends SampleMemory {
	release(): void;
}

/**
 * Slabs that queries use one after the other. New memory for the samples of each query, which the system has to clear first,
 * costs as much as decoding them (bench/query.ts).
 */
export class SamplePool {
	readonly #free: SampleSlab[] = [];
	readonly #limit: number;

	/** `limit`: slabs that are kept while nobody uses them. Default 64, which is 64 MiB. */
	constructor(limit = FREE_SLABS) {
		this.#limit = limit;
	}

	open(): QueryMemory {
		const taken: SampleSlab[] = [];
		return {
			take: (samples) => {
				// Longer ones than usual are for one series of very many samples, and not kept.
				if (samples > SLAB_SAMPLES) return newSlab(samples);
				const slab = this.#free.pop() ?? newSlab(SLAB_SAMPLES);
				taken.push(slab);
				return slab;
			},
			release: () => {
				for (const slab of taken.splice(0)) if (this.#free.length < this.#limit) this.#free.push(slab);
			},
		};
	}
}

export function newSlab(samples: number): SampleSlab {
	const values = new Float64Array(samples);
	return { times: new Float64Array(samples), values, words: new Uint32Array(values.buffer) };
}
