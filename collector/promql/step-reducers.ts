import type { Labels } from '../../protocol/labels.ts';
import { type Column, newColumn } from './columns.ts';
import { StableMean } from './kahan.ts';

/**
 * Reduces series to one value per step. Series are added one after the other and each is walked along its steps: with
 * thousands of series, walking step by step across all of them misses the cache at every value (bench/query.ts).
 */
export interface StepReducer {
	/** The arrays of `column` are not kept. */
	add(column: Column): void;
	/** The result; the reducer is used up. */
	finish(labels: Labels): Column;
}

export type StepReducerName = 'sum' | 'avg' | 'min' | 'max' | 'count' | 'group' | 'stddev' | 'stdvar';

const REDUCERS: Readonly<Record<StepReducerName, (steps: number) => StepReducer>> = {
	sum: (steps) => new SumReducer(steps),
	avg: (steps) => new MeanReducer(steps),
	min: (steps) => new ExtremeReducer(steps, false),
	max: (steps) => new ExtremeReducer(steps, true),
	count: (steps) => new CountReducer(steps, false),
	group: (steps) => new CountReducer(steps, true),
	stddev: (steps) => new VarianceReducer(steps, true),
	stdvar: (steps) => new VarianceReducer(steps, false),
};

export function isStepReducer(name: string): name is StepReducerName {
	return Object.hasOwn(REDUCERS, name);
}

export function newStepReducer(name: StepReducerName, steps: number): StepReducer {
	return REDUCERS[name](steps);
}

/** `KahanSum` per step. */
class SumReducer implements StepReducer {
	readonly #sums: Column;
	readonly #compensations: Float64Array;

	constructor(steps: number) {
		this.#sums = newColumn([], steps);
		this.#compensations = new Float64Array(steps);
	}

	add(column: Column): void {
		const { values: sums, present: seen } = this.#sums;
		const compensations = this.#compensations;
		const { values, present } = column;
		for (let i = 0; i < sums.length; i++) {
			if (present[i] === 0) continue;
			seen[i] = 1;
			const value = values[i] as number;
			const sum = sums[i] as number;
			const total = sum + value;
			if (total === Number.POSITIVE_INFINITY || total === Number.NEGATIVE_INFINITY) compensations[i] = 0;
			else if (Math.abs(sum) >= Math.abs(value)) compensations[i] = (compensations[i] as number) + (sum - total + value);
			else compensations[i] = (compensations[i] as number) + (value - total + sum);
			sums[i] = total;
		}
	}

	finish(labels: Labels): Column {
		const { values, present } = this.#sums;
		for (let i = 0; i < values.length; i++) values[i] = (values[i] as number) + (this.#compensations[i] as number);
		return { labels, values, present };
	}
}

/** `StableMean` per step. */
class MeanReducer implements StepReducer {
	readonly #sums: Float64Array;
	readonly #compensations: Float64Array;
	readonly #counts: Float64Array;
	/** Steps whose sum left the numbers: from then on their mean is kept by one that can go on. */
	readonly #overflown = new Map<number, StableMean>();
	readonly #present: Uint8Array;

	constructor(steps: number) {
		this.#sums = new Float64Array(steps);
		this.#compensations = new Float64Array(steps);
		this.#counts = new Float64Array(steps);
		this.#present = new Uint8Array(steps);
	}

	add(column: Column): void {
		const sums = this.#sums;
		const compensations = this.#compensations;
		const counts = this.#counts;
		const { values, present } = column;
		for (let i = 0; i < sums.length; i++) {
			if (present[i] === 0) continue;
			const value = values[i] as number;
			const sum = sums[i] as number;
			const total = sum + value;
			if (total - total !== 0) {
				this.#addBeyond(i, value);
				continue;
			}
			this.#present[i] = 1;
			counts[i] = (counts[i] as number) + 1;
			compensations[i] = (compensations[i] as number) + (Math.abs(sum) >= Math.abs(value) ? sum - total + value : value - total + sum);
			sums[i] = total;
		}
	}

	/** Infinities and NaN; the step's sum is made infinite, so that all that follows comes here as well. */
	#addBeyond(step: number, value: number): void {
		let mean = this.#overflown.get(step);
		if (mean === undefined) {
			mean = new StableMean();
			mean.resume(this.#sums[step] as number, this.#compensations[step] as number, this.#counts[step] as number);
			this.#overflown.set(step, mean);
			this.#sums[step] = Number.POSITIVE_INFINITY;
			this.#present[step] = 1;
		}
		mean.add(value);
	}

	finish(labels: Labels): Column {
		const values = this.#sums;
		for (let i = 0; i < values.length; i++)
			if (this.#present[i] === 1) values[i] = ((values[i] as number) + (this.#compensations[i] as number)) / (this.#counts[i] as number);
		for (const [step, mean] of this.#overflown) values[step] = mean.mean;
		return { labels, values, present: this.#present };
	}
}

/** Welford; the first value's infinity or NaN makes the whole NaN. */
class VarianceReducer implements StepReducer {
	readonly #root: boolean;
	readonly #counts: Uint32Array;
	readonly #means: Float64Array;
	readonly #sums: Float64Array;

	constructor(steps: number, root: boolean) {
		this.#root = root;
		this.#counts = new Uint32Array(steps);
		this.#means = new Float64Array(steps);
		this.#sums = new Float64Array(steps);
	}

	add(column: Column): void {
		const { values, present } = column;
		for (let i = 0; i < this.#counts.length; i++) {
			if (present[i] === 0) continue;
			const value = values[i] as number;
			const count = (this.#counts[i] as number) + 1;
			this.#counts[i] = count;
			if (count === 1) {
				this.#means[i] = value;
				this.#sums[i] = Number.isFinite(value) ? 0 : Number.NaN;
				continue;
			}
			const delta = value - (this.#means[i] as number);
			const mean = (this.#means[i] as number) + delta / count;
			this.#means[i] = mean;
			this.#sums[i] = (this.#sums[i] as number) + delta * (value - mean);
		}
	}

	finish(labels: Labels): Column {
		const column = newColumn(labels, this.#counts.length);
		for (let i = 0; i < this.#counts.length; i++) {
			const count = this.#counts[i] as number;
			if (count === 0) continue;
			column.present[i] = 1;
			const variance = (this.#sums[i] as number) / count;
			column.values[i] = this.#root ? Math.sqrt(variance) : variance;
		}
		return column;
	}
}

/** Minimum and maximum ignore NaN unless there is nothing else. */
class ExtremeReducer implements StepReducer {
	readonly #maximum: boolean;
	readonly #column: Column;

	constructor(steps: number, maximum: boolean) {
		this.#maximum = maximum;
		this.#column = newColumn([], steps);
	}

	add(column: Column): void {
		const { values: results, present: seen } = this.#column;
		const { values, present } = column;
		for (let i = 0; i < results.length; i++) {
			if (present[i] === 0) continue;
			const value = values[i] as number;
			const result = results[i] as number;
			if (seen[i] === 0 || result !== result || (this.#maximum ? value > result : value < result)) results[i] = value;
			seen[i] = 1;
		}
	}

	finish(labels: Labels): Column {
		return { labels, values: this.#column.values, present: this.#column.present };
	}
}

class CountReducer implements StepReducer {
	/** `group` is 1 wherever anything is. */
	readonly #one: boolean;
	readonly #column: Column;

	constructor(steps: number, one: boolean) {
		this.#one = one;
		this.#column = newColumn([], steps);
	}

	add(column: Column): void {
		const { values, present } = this.#column;
		for (let i = 0; i < values.length; i++) {
			if (column.present[i] === 0) continue;
			present[i] = 1;
			values[i] = this.#one ? 1 : (values[i] as number) + 1;
		}
	}

	finish(labels: Labels): Column {
		return { labels, values: this.#column.values, present: this.#column.present };
	}
}
