import type { Column } from './columns.ts';
import type { RangeSeries, SeriesKernel, WindowGrid } from './range-window.ts';

/** Calls `at` for every window that holds a sample, with its samples `[lo, hi)`; both only ever grow. */
function slide(series: RangeSeries, grid: WindowGrid, at: (i: number, lo: number, hi: number) => void): void {
	const { timestamps } = series;
	let lo = 0;
	let hi = 0;
	for (let i = 0; i < grid.count; i++) {
		const endMs = grid.firstEndMs + i * grid.stepMs;
		while (hi < timestamps.length && (timestamps[hi] as number) <= endMs) hi += 1;
		while (lo < hi && (timestamps[lo] as number) <= endMs - grid.rangeMs) lo += 1;
		if (lo < hi) at(i, lo, hi);
	}
}

/** Smallest or largest value by a queue of the candidates: each sample enters and leaves it once. NaN only where there is nothing else. */
function extreme(maximum: boolean): SeriesKernel {
	return (series, grid, column) => {
		const { values } = series;
		const queue = new Uint32Array(values.length);
		let head = 0;
		let tail = 0;
		let next = 0;
		slide(series, grid, (i, lo, hi) => {
			for (; next < hi; next++) {
				const value = values[next] as number;
				if (value !== value) continue;
				while (
					tail > head &&
					(maximum ? (values[queue[tail - 1] as number] as number) <= value : (values[queue[tail - 1] as number] as number) >= value)
				)
					tail -= 1;
				queue[tail] = next;
				tail += 1;
			}
			while (head < tail && (queue[head] as number) < lo) head += 1;
			put(column, i, head < tail ? (values[queue[head] as number] as number) : (values[hi - 1] as number));
		});
	};
}

/** Differences of a running count, which are exact. `counts(i)`: whether something happens between the samples `i - 1` and `i`. */
function counted(counts: (previous: number, current: number) => boolean): SeriesKernel {
	return (series, grid, column) => {
		const { values } = series;
		const before = new Uint32Array(values.length);
		for (let i = 1; i < values.length; i++) {
			before[i] = (before[i - 1] as number) + (counts(values[i - 1] as number, values[i] as number) ? 1 : 0);
		}
		slide(series, grid, (i, lo, hi) => put(column, i, (before[hi - 1] as number) - (before[lo] as number)));
	};
}

/**
 * Sums without ever subtracting, which would let an error once made stay: the window is a stack of sums from each sample
 * up to a border, and one running sum behind the border; when the border leaves the window, it moves to the window's end.
 * Both are compensated as `KahanSum` is. What is not finite is left to the walk through each window, with its own rules.
 */
function summed(mean: boolean): SeriesKernel {
	return (series, grid, column) => {
		const { values } = series;
		const sums = new Float64Array(values.length);
		const compensations = new Float64Array(values.length);
		let border = 0;
		let next = 0;
		let sum = 0;
		let compensation = 0;
		slide(series, grid, (i, lo, hi) => {
			if (lo >= border) {
				border = hi;
				let stacked = 0;
				let rest = 0;
				for (let k = hi - 1; k >= lo; k--) {
					const value = values[k] as number;
					const total = stacked + value;
					rest += Math.abs(stacked) >= Math.abs(value) ? stacked - total + value : value - total + stacked;
					stacked = total;
					sums[k] = stacked;
					compensations[k] = rest;
				}
				next = hi;
				sum = 0;
				compensation = 0;
			}
			for (; next < hi; next++) {
				const value = values[next] as number;
				const total = sum + value;
				compensation += Math.abs(sum) >= Math.abs(value) ? sum - total + value : value - total + sum;
				sum = total;
			}
			const stacked = sums[lo] as number;
			const total = stacked + sum;
			const rest = Math.abs(stacked) >= Math.abs(sum) ? stacked - total + sum : sum - total + stacked;
			const result = total + ((compensations[lo] as number) + compensation + rest);
			put(column, i, mean ? result / (hi - lo) : result);
		});
	};
}

function put(column: Column, i: number, value: number): void {
	column.values[i] = value;
	column.present[i] = 1;
}

/** Functions whose work per step does not grow with the window. `sum`: only where `isSummable`. */
export const SLIDING_KERNELS: Readonly<Record<string, { readonly kind: 'exact' | 'sum'; readonly kernel: SeriesKernel }>> = {
	min_over_time: { kind: 'exact', kernel: extreme(false) },
	max_over_time: { kind: 'exact', kernel: extreme(true) },
	changes: {
		kind: 'exact',
		kernel: counted((previous, current) => current !== previous && !(current !== current && previous !== previous)),
	},
	resets: { kind: 'exact', kernel: counted((previous, current) => current < previous) },
	sum_over_time: { kind: 'sum', kernel: summed(false) },
	avg_over_time: { kind: 'sum', kernel: summed(true) },
};

/** Beyond this a sum of any window may overflow. */
const SUMMABLE = 1e290;

/** Whether the sums of these values stay finite, which the sliding sums rely on. */
export function isSummable(values: Float64Array): boolean {
	for (let i = 0; i < values.length; i++) if (!(Math.abs(values[i] as number) < SUMMABLE)) return false;
	return true;
}
