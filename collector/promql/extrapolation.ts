import type { RangeKernel, RangeWindow, SeriesKernel } from './range-window.ts';
import { runningCounts } from './weighted-kernels.ts';
import { firstAfter } from './window-edges.ts';

/**
 * Prometheus' `extrapolatedRate` at every step: the change between first and last sample of the window, with counter
 * resets added back, stretched to the edges of the window where the samples reach near them, and for counters never below
 * zero. Work per step does not grow with the window: only windows that hold a reset are walked through.
 */
function extrapolated(counter: boolean, perSecond: boolean): SeriesKernel {
	return (series, grid, column) => {
		const { timestamps, values } = series;
		// Where samples were taken away, their number is known all the same.
		const before = series.counts === undefined ? null : runningCounts(series.counts);
		const { firstEndMs, stepMs, count: steps, rangeMs } = grid;
		const resets = counter && series.neverFalls !== true ? resetsBefore(values) : null;
		const rangeSeconds = rangeMs / 1000;
		let lo = 0;
		let hi = 0;
		let loStride = 1;
		let hiStride = 1;
		for (let i = 0; i < steps; i++) {
			const endMs = firstEndMs + i * stepMs;
			const startMs = endMs - rangeMs;
			const hiBefore = hi;
			hi = firstAfter(timestamps, endMs, hiBefore, hiStride, timestamps.length);
			hiStride = hi - hiBefore;
			const loBefore = lo;
			lo = firstAfter(timestamps, startMs, loBefore, loStride, hi);
			loStride = lo - loBefore;
			const count = hi - lo;
			if (count < 2) continue;
			const firstValue = values[lo] as number;
			const firstTime = timestamps[lo] as number;
			const lastTime = timestamps[hi - 1] as number;
			let change = (values[hi - 1] as number) - firstValue;
			if (resets !== null && resets[lo] !== resets[hi - 1]) change += fallenBack(values, lo, hi);
			// All in milliseconds: the factor is a ratio, and divisions are what this loop spends its time with.
			let toStart = firstTime - startMs;
			let toEnd = endMs - lastTime;
			const interval = lastTime - firstTime;
			const taken = before === null ? count : Math.max(2, (before[hi] as number) - (before[lo] as number));
			const average = interval / (taken - 1);
			const threshold = average * 1.1;
			if (toStart >= threshold) toStart = average / 2;
			// Where the counter was zero lies at `interval * firstValue / change` before the first sample.
			if (counter && change > 0 && firstValue >= 0 && interval * firstValue < toStart * change) toStart = interval * (firstValue / change);
			if (toEnd >= threshold) toEnd = average / 2;
			column.values[i] = change * ((interval + toStart + toEnd) / (perSecond ? interval * rangeSeconds : interval));
			column.present[i] = 1;
		}
	};
}

/** How many resets lie at or before each sample; `null` when there is none, which is the rule. */
function resetsBefore(values: Float64Array): Uint32Array | null {
	let first = 1;
	while (first < values.length && !((values[first] as number) < (values[first - 1] as number))) first += 1;
	if (first >= values.length) return null;
	const resets = new Uint32Array(values.length);
	let count = 0;
	for (let i = first; i < values.length; i++) {
		if ((values[i] as number) < (values[i - 1] as number)) count += 1;
		resets[i] = count;
	}
	return resets;
}

/** What the counter lost at the resets inside of the window. */
function fallenBack(values: Float64Array, lo: number, hi: number): number {
	let lost = 0;
	for (let i = lo + 1; i < hi; i++) if ((values[i] as number) < (values[i - 1] as number)) lost += values[i - 1] as number;
	return lost;
}

export const EXTRAPOLATING_KERNELS: Readonly<Record<'rate' | 'increase' | 'delta', SeriesKernel>> = {
	rate: extrapolated(true, true),
	increase: extrapolated(true, false),
	delta: extrapolated(false, false),
};

function lastTwo(window: RangeWindow, perSecond: boolean): boolean {
	const { timestamps, values, hi } = window;
	if (hi - window.lo < 2) return false;
	const last = values[hi - 1] as number;
	const previous = values[hi - 2] as number;
	const interval = (timestamps[hi - 1] as number) - (timestamps[hi - 2] as number);
	// A counter that fell was reset: what it shows now is what it grew.
	const change = perSecond && last < previous ? last : last - previous;
	window.result = perSecond ? change / (interval / 1000) : change;
	return true;
}

export const LAST_TWO_KERNELS: Readonly<Record<'irate' | 'idelta', RangeKernel>> = {
	irate: (window) => lastTwo(window, true),
	idelta: (window) => lastTwo(window, false),
};
