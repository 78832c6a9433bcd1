import type { RangeKernel, RangeWindow } from './range-window.ts';

/**
 * Prometheus' `extrapolatedRate`: the change between first and last sample, with counter resets added back, stretched to
 * the edges of the window where the samples reach near them, and for counters never below zero.
 */
function extrapolated(window: RangeWindow, counter: boolean, perSecond: boolean): boolean {
	const { timestamps, values, lo, hi } = window;
	const count = hi - lo;
	if (count < 2) return false;
	const firstValue = values[lo] as number;
	const firstTime = timestamps[lo] as number;
	const lastTime = timestamps[hi - 1] as number;
	let change = (values[hi - 1] as number) - firstValue;
	if (counter) {
		let previous = firstValue;
		for (let i = lo + 1; i < hi; i++) {
			const current = values[i] as number;
			if (current < previous) change += previous;
			previous = current;
		}
	}
	let toStart = (firstTime - window.startMs) / 1000;
	let toEnd = (window.endMs - lastTime) / 1000;
	const interval = (lastTime - firstTime) / 1000;
	const average = interval / (count - 1);
	const threshold = average * 1.1;
	if (toStart >= threshold) toStart = average / 2;
	if (counter && change > 0 && firstValue >= 0) {
		const toZero = interval * (firstValue / change);
		if (toZero < toStart) toStart = toZero;
	}
	if (toEnd >= threshold) toEnd = average / 2;
	let factor = (interval + toStart + toEnd) / interval;
	if (perSecond) factor /= (window.endMs - window.startMs) / 1000;
	window.result = change * factor;
	return true;
}

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

export const RATE_KERNELS: Readonly<Record<'rate' | 'increase' | 'delta' | 'irate' | 'idelta', RangeKernel>> = {
	rate: (window) => extrapolated(window, true, true),
	increase: (window) => extrapolated(window, true, false),
	delta: (window) => extrapolated(window, false, false),
	irate: (window) => lastTwo(window, true),
	idelta: (window) => lastTwo(window, false),
};
