import type { RangeSeries, WindowGrid } from './range-window.ts';
import { firstAfter } from './window-edges.ts';

/** Counts one sample at each step that has one. */
export function addPresent(counts: Float64Array, present: Uint8Array): void {
	for (let i = 0; i < counts.length; i++) counts[i] = (counts[i] as number) + (present[i] as number);
}

/** Counts the samples in each window of a series. */
export function countWindows(counts: Float64Array, series: RangeSeries, grid: WindowGrid): void {
	const { timestamps } = series;
	let lo = 0;
	let hi = 0;
	for (let i = 0; i < grid.count; i++) {
		const endMs = grid.firstEndMs + i * grid.stepMs;
		hi = firstAfter(timestamps, endMs, hi, 1, timestamps.length);
		lo = firstAfter(timestamps, endMs - grid.rangeMs, lo, 1, hi);
		counts[i] = (counts[i] as number) + hi - lo;
	}
}
