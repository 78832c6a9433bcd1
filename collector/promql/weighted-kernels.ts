import type { SeriesKernel } from './range-window.ts';
import { firstAfter } from './window-edges.ts';

/**
 * `sum_over_time`, `count_over_time` and `avg_over_time` of a series from which samples were taken away: what is left says what it stands for
 * (`SeriesSamples.sums`, `counts`). Exact when windows begin and end where buckets do; otherwise a bucket counts for the window that has its last sample.
 */
function weighted(resultOf: (sum: number, count: number) => number): SeriesKernel {
	return (series, grid, column) => {
		const { timestamps, values, sums = values, counts } = series;
		const before = runningCounts(counts ?? new Float64Array(values.length).fill(1));
		let lo = 0;
		let hi = 0;
		let loStride = 1;
		let hiStride = 1;
		for (let i = 0; i < grid.count; i++) {
			const endMs = grid.firstEndMs + i * grid.stepMs;
			const hiBefore = hi;
			hi = firstAfter(timestamps, endMs, hiBefore, hiStride, timestamps.length);
			hiStride = hi - hiBefore;
			const loBefore = lo;
			lo = firstAfter(timestamps, endMs - grid.rangeMs, loBefore, loStride, hi);
			loStride = lo - loBefore;
			if (lo === hi) continue;
			const count = (before[hi] as number) - (before[lo] as number);
			// A window inside of a bucket has none of its weight: then what was kept speaks for itself.
			const isInside = count === 0;
			let sum = 0;
			let rest = 0;
			for (let k = lo; k < hi; k++) {
				const value = isInside ? (values[k] as number) : (sums[k] as number);
				const total = sum + value;
				// Compensated as Prometheus does, as long as it is finite.
				if (Math.abs(total) !== Number.POSITIVE_INFINITY)
					rest += Math.abs(sum) >= Math.abs(value) ? sum - total + value : value - total + sum;
				sum = total;
			}
			column.values[i] = resultOf(sum + rest, isInside ? hi - lo : count);
			column.present[i] = 1;
		}
	};
}

export const WEIGHTED_KERNELS: Readonly<Record<string, SeriesKernel>> = {
	sum_over_time: weighted((sum) => sum),
	count_over_time: weighted((_sum, count) => count),
	avg_over_time: weighted((sum, count) => sum / count),
};

/** How many samples lie before each one: one more entry than there are samples. */
export function runningCounts(counts: Float64Array): Float64Array {
	const before = new Float64Array(counts.length + 1);
	for (let i = 0; i < counts.length; i++) before[i + 1] = (before[i] as number) + (counts[i] as number);
	return before;
}
