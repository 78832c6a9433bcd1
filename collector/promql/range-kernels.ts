import { LAST_TWO_KERNELS } from './extrapolation.ts';
import { KahanSum, StableMean } from './kahan.ts';
import { quantileOf } from './quantile.ts';
import { executionError } from './query-error.ts';
import type { RangeKernel, RangeWindow } from './range-window.ts';

const kahan = new KahanSum();
const kahanMean = new KahanSum();
const stableMean = new StableMean();

const sum: RangeKernel = (window) => {
	kahan.reset();
	for (let i = window.lo; i < window.hi; i++) kahan.add(window.values[i] as number);
	window.result = kahan.total;
	return true;
};

const average: RangeKernel = (window) => {
	stableMean.reset();
	for (let i = window.lo; i < window.hi; i++) stableMean.add(window.values[i] as number);
	window.result = stableMean.mean;
	return true;
};

const minimum: RangeKernel = (window) => {
	let result = window.values[window.lo] as number;
	for (let i = window.lo + 1; i < window.hi; i++) {
		const value = window.values[i] as number;
		if (value < result || result !== result) result = value;
	}
	window.result = result;
	return true;
};

const maximum: RangeKernel = (window) => {
	let result = window.values[window.lo] as number;
	for (let i = window.lo + 1; i < window.hi; i++) {
		const value = window.values[i] as number;
		if (value > result || result !== result) result = value;
	}
	window.result = result;
	return true;
};

/** Population variance by Welford, with compensated sums. */
function variance(window: RangeWindow): number {
	kahan.reset();
	kahanMean.reset();
	let count = 0;
	for (let i = window.lo; i < window.hi; i++) {
		const value = window.values[i] as number;
		count += 1;
		const delta = value - kahanMean.total;
		kahanMean.add(delta / count);
		kahan.add(delta * (value - kahanMean.total));
	}
	return kahan.total / count;
}

/** Slope per second and value at `interceptMs` of the least-squares line, written to `line`. */
const line = { slope: 0, intercept: 0 };
const sums = { x: new KahanSum(), y: new KahanSum(), xy: new KahanSum(), xx: new KahanSum() };

function regress(window: RangeWindow, interceptMs: number): void {
	const { timestamps, values, lo, hi } = window;
	const { x: sumX, y: sumY, xy: sumXY, xx: sumXX } = sums;
	sumX.reset();
	sumY.reset();
	sumXY.reset();
	sumXX.reset();
	const first = values[lo] as number;
	let constant = true;
	for (let i = lo; i < hi; i++) {
		const y = values[i] as number;
		const x = ((timestamps[i] as number) - interceptMs) / 1000;
		if (y !== first) constant = false;
		sumX.add(x);
		sumY.add(y);
		sumXY.add(x * y);
		sumXX.add(x * x);
	}
	if (constant) {
		const infinite = first === Number.POSITIVE_INFINITY || first === Number.NEGATIVE_INFINITY;
		line.slope = infinite ? Number.NaN : 0;
		line.intercept = infinite ? Number.NaN : first;
		return;
	}
	const n = hi - lo;
	const covariance = sumXY.total - (sumX.total * sumY.total) / n;
	line.slope = covariance / (sumXX.total - (sumX.total * sumX.total) / n);
	line.intercept = sumY.total / n - (line.slope * sumX.total) / n;
}

const smoothing: RangeKernel = (window) => {
	const { values, lo, hi, first: factor, second: trendFactor } = window;
	if (!(factor > 0 && factor < 1)) throw executionError(`invalid smoothing factor. Expected: 0 < sf < 1, got: ${factor.toFixed(6)}`);
	if (!(trendFactor > 0 && trendFactor < 1)) {
		throw executionError(`invalid trend factor. Expected: 0 < tf < 1, got: ${trendFactor.toFixed(6)}`);
	}
	if (hi - lo < 2) return false;
	let before = 0;
	let smooth = values[lo] as number;
	let trend = (values[lo + 1] as number) - smooth;
	for (let i = lo + 1; i < hi; i++) {
		if (i > lo + 1) trend = trendFactor * (smooth - before) + (1 - trendFactor) * trend;
		const next = factor * (values[i] as number) + (1 - factor) * (smooth + trend);
		before = smooth;
		smooth = next;
	}
	window.result = smooth;
	return true;
};

/** The functions of one range vector that look at one window at a time, by name. Scalar arguments arrive as `first` and `second`. */
export const RANGE_KERNELS: Readonly<Record<string, RangeKernel>> = {
	...LAST_TWO_KERNELS,
	sum_over_time: sum,
	avg_over_time: average,
	min_over_time: minimum,
	max_over_time: maximum,
	count_over_time: (window) => {
		window.result = window.hi - window.lo;
		return true;
	},
	last_over_time: (window) => {
		window.result = window.values[window.hi - 1] as number;
		return true;
	},
	first_over_time: (window) => {
		window.result = window.values[window.lo] as number;
		return true;
	},
	present_over_time: (window) => {
		window.result = 1;
		return true;
	},
	stdvar_over_time: (window) => {
		window.result = variance(window);
		return true;
	},
	stddev_over_time: (window) => {
		window.result = Math.sqrt(variance(window));
		return true;
	},
	quantile_over_time: (window) => {
		window.result = quantileOf(window.first, window.values.slice(window.lo, window.hi));
		return true;
	},
	mad_over_time: (window) => {
		const values = window.values.slice(window.lo, window.hi);
		const median = quantileOf(0.5, values);
		for (let i = 0; i < values.length; i++) values[i] = Math.abs((values[i] as number) - median);
		window.result = quantileOf(0.5, values);
		return true;
	},
	changes: (window) => {
		let count = 0;
		let previous = window.values[window.lo] as number;
		for (let i = window.lo + 1; i < window.hi; i++) {
			const current = window.values[i] as number;
			if (current !== previous && !(current !== current && previous !== previous)) count += 1;
			previous = current;
		}
		window.result = count;
		return true;
	},
	resets: (window) => {
		let count = 0;
		let previous = window.values[window.lo] as number;
		for (let i = window.lo + 1; i < window.hi; i++) {
			const current = window.values[i] as number;
			if (current < previous) count += 1;
			previous = current;
		}
		window.result = count;
		return true;
	},
	deriv: (window) => {
		if (window.hi - window.lo < 2) return false;
		regress(window, window.timestamps[window.lo] as number);
		window.result = line.slope;
		return true;
	},
	predict_linear: (window) => {
		if (window.hi - window.lo < 2) return false;
		regress(window, window.timeMs);
		window.result = line.slope * window.first + line.intercept;
		return true;
	},
	double_exponential_smoothing: smoothing,
};

/** Range functions whose result is the series itself at some time, so that its name stays. */
export const KEEPS_NAME: ReadonlySet<string> = new Set(['last_over_time', 'first_over_time']);
