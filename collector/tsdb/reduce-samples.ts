import { isStaleAt } from '../storage/storage.ts';
import type { Weights } from './codec/weights.ts';

/**
 * Samples of one series, ascending by time, each with what it stands for: itself (its value, 1), or, when it is the last that was kept of a
 * bucket, all of the bucket; the others that were kept of that bucket stand for nothing. Stale markers stand for nothing.
 */
export interface WeightedSamples {
	readonly times: Float64Array;
	readonly values: Float64Array;
	readonly sums: Float64Array;
	readonly counts: Float64Array;
	/** 1 for samples that stay whatever comes: an earlier reduction has chosen them. */
	readonly chosen: Uint8Array;
}

/** A counter falls when it is reset, a gauge all the time: with more falls than this share of the samples, they are not resets. */
const RESETS_AT_MOST = 0.1;

/** Weights of samples that nothing was taken from. */
export function ownWeights(times: Float64Array, values: Float64Array): WeightedSamples {
	const counts = new Float64Array(values.length).fill(1);
	const sums = values.slice();
	for (let i = 0; i < values.length; i++) {
		if (!isStaleAt(values, i)) continue;
		counts[i] = 0;
		sums[i] = 0;
	}
	return { times, values, sums, counts, chosen: new Uint8Array(values.length) };
}

/**
 * Which samples stay when those of each bucket `(k × everyMs - everyMs, k × everyMs]` are reduced, ascending: the first, the last, the lowest, the
 * highest, stale markers, and of a counter those before and after a reset. `sums` and `counts` of the samples are changed so that the last of each
 * bucket has the weight of all.
 */
export function reduceSamples(samples: WeightedSamples, everyMs: number): Uint32Array {
	const { times, sums, counts, chosen } = samples;
	const stays = Uint8Array.from(chosen);
	keepResets(samples, stays);
	for (let from = 0; from < times.length; ) {
		const bucket = Math.ceil((times[from] as number) / everyMs);
		let to = from + 1;
		while (to < times.length && (times[to] as number) <= bucket * everyMs) to++;
		keepOfBucket(samples, stays, from, to);
		from = to;
	}
	let count = 0;
	for (const one of stays) count += one;
	const kept = new Uint32Array(count);
	let at = 0;
	for (let i = 0; i < stays.length; i++) {
		if (stays[i] === 1) kept[at++] = i;
		else {
			sums[i] = 0;
			counts[i] = 0;
		}
	}
	return kept;
}

function keepOfBucket({ values, sums, counts }: WeightedSamples, stays: Uint8Array, from: number, to: number): void {
	let first = -1;
	let last = -1;
	let low = -1;
	let high = -1;
	let sum = 0;
	let count = 0;
	for (let i = from; i < to; i++) {
		if (isStaleAt(values, i)) {
			stays[i] = 1;
			continue;
		}
		const value = values[i] as number;
		if (first < 0) first = i;
		last = i;
		// A NaN is the lowest and highest only of those that are all NaN.
		if (low < 0 || value < (values[low] as number) || Number.isNaN(values[low])) low = i;
		if (high < 0 || value > (values[high] as number) || Number.isNaN(values[high])) high = i;
		sum += sums[i] as number;
		count += counts[i] as number;
		sums[i] = 0;
		counts[i] = 0;
	}
	if (last < 0) return;
	for (const index of [first, last, low, high]) stays[index] = 1;
	sums[last] = sum;
	counts[last] = count;
}

function keepResets({ values }: WeightedSamples, stays: Uint8Array): void {
	const falls: number[] = [];
	let previous = -1;
	for (let i = 0; i < values.length; i++) {
		if (isStaleAt(values, i)) continue;
		if (previous >= 0 && (values[i] as number) < (values[previous] as number)) falls.push(previous, i);
		previous = i;
	}
	if (falls.length / 2 > values.length * RESETS_AT_MOST) return;
	for (const index of falls) stays[index] = 1;
}

/**
 * Gives samples that an earlier reduction has left their weights; the others, which came later, keep their own. `kept` is everything that the
 * reduction left, with the values that it had then.
 */
export function applyWeights(
	samples: WeightedSamples,
	kept: { readonly times: Float64Array; readonly values: Float64Array; readonly weights: Weights },
): void {
	const { times, values, sums, counts, chosen } = samples;
	let old = 0;
	let weight = 0;
	const { offsets, sums: oldSums, counts: oldCounts } = kept.weights;
	for (let i = 0; i < times.length; i++) {
		const time = times[i] as number;
		while (old < kept.times.length && (kept.times[old] as number) < time) old++;
		if (kept.times[old] !== time) continue;
		while (weight < offsets.length && (offsets[weight] as number) < time) weight++;
		const has = offsets[weight] === time;
		const before = kept.values[old] as number;
		// A value that came later for the same time takes the place of the one that was counted.
		const change = isStaleAt(values, i) || isStaleAt(kept.values, old) || values[i] === before ? 0 : (values[i] as number) - before;
		sums[i] = (has ? (oldSums[weight] as number) : 0) + (Number.isFinite(change) ? change : 0);
		counts[i] = has ? (oldCounts[weight] as number) : 0;
		chosen[i] = 1;
	}
}

/** The samples at `indices`. */
export function pick(samples: WeightedSamples, indices: Uint32Array): WeightedSamples {
	const values = new Float64Array(indices.length);
	const words = new Uint32Array(values.buffer);
	const from = new Uint32Array(samples.values.buffer, samples.values.byteOffset, samples.values.length * 2);
	indices.forEach((index, i) => {
		words[i * 2] = from[index * 2] as number;
		words[i * 2 + 1] = from[index * 2 + 1] as number;
	});
	return {
		times: Float64Array.from(indices, (index) => samples.times[index] as number),
		values,
		sums: Float64Array.from(indices, (index) => samples.sums[index] as number),
		counts: Float64Array.from(indices, (index) => samples.counts[index] as number),
		chosen: Uint8Array.from(indices, (index) => samples.chosen[index] as number),
	};
}

/** The weights of samples that stand for others; `null` when each stands for itself. */
export function weightsOf({ times, values, sums, counts }: WeightedSamples): Weights | null {
	const carriers: number[] = [];
	let plain = true;
	for (let i = 0; i < times.length; i++) {
		if (counts[i] !== 1 && !isStaleAt(values, i)) plain = false;
		if ((counts[i] as number) > 0) carriers.push(i);
	}
	if (plain) return null;
	return {
		offsets: Float64Array.from(carriers, (i) => times[i] as number),
		sums: Float64Array.from(carriers, (i) => sums[i] as number),
		counts: Float64Array.from(carriers, (i) => counts[i] as number),
	};
}
