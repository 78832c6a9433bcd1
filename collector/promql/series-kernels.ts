import type { Column } from './columns.ts';
import { EXTRAPOLATING_KERNELS } from './extrapolation.ts';
import type { RangeKernel, RangeSeries, RangeWindow, SeriesKernel, WindowGrid } from './range-window.ts';
import { isSummable, SLIDING_KERNELS } from './sliding-windows.ts';
import { WEIGHTED_KERNELS } from './weighted-kernels.ts';
import { firstAfter } from './window-edges.ts';

/** From here on a window has so many samples that walking through it at every step costs more than what sliding needs to remember. */
const SLIDE_FROM_SAMPLES = 16;

/**
 * The kernel that knows all windows of a series at once, where there is one and it pays; `null` where each window is
 * looked at for itself.
 */
export function seriesKernel(name: string, series: RangeSeries, grid: WindowGrid): SeriesKernel | null {
	if (series.counts !== undefined && Object.hasOwn(WEIGHTED_KERNELS, name)) return WEIGHTED_KERNELS[name] ?? null;
	if (Object.hasOwn(EXTRAPOLATING_KERNELS, name)) return EXTRAPOLATING_KERNELS[name as keyof typeof EXTRAPOLATING_KERNELS];
	const sliding = Object.hasOwn(SLIDING_KERNELS, name) ? SLIDING_KERNELS[name] : undefined;
	const samples = series.timestamps.length;
	if (sliding === undefined || samples === 0 || grid.count < 3 || grid.stepMs === 0 || grid.rangeMs < 3 * grid.stepMs) return null;
	const spanMs = (series.timestamps[samples - 1] as number) - (series.timestamps[0] as number);
	const perWindow = spanMs < grid.rangeMs ? samples : (samples / spanMs) * grid.rangeMs;
	if (perWindow < SLIDE_FROM_SAMPLES) return null;
	return sliding.kind === 'sum' && !isSummable(series.values) ? null : sliding.kernel;
}

/** Looks at each window for itself. `scalars` are the scalar arguments at each step. */
export function walkWindows(
	series: RangeSeries,
	grid: WindowGrid,
	column: Column,
	options: {
		readonly kernel: RangeKernel;
		readonly scalars: readonly Float64Array[];
		readonly times: { readonly startMs: number; readonly stepMs: number };
		/** Used again for every series of a call. */
		readonly window: RangeWindow;
	},
): void {
	const { timestamps } = series;
	const { kernel, scalars, times, window } = options;
	const [first, second] = scalars;
	window.timestamps = timestamps;
	window.values = series.values;
	let lo = 0;
	let hi = 0;
	let loStride = 1;
	let hiStride = 1;
	for (let i = 0; i < grid.count; i++) {
		const endMs = grid.firstEndMs + i * grid.stepMs;
		const startMs = endMs - grid.rangeMs;
		const hiBefore = hi;
		hi = firstAfter(timestamps, endMs, hiBefore, hiStride, timestamps.length);
		hiStride = hi - hiBefore;
		const loBefore = lo;
		lo = firstAfter(timestamps, startMs, loBefore, loStride, hi);
		loStride = lo - loBefore;
		if (lo === hi) continue;
		window.lo = lo;
		window.hi = hi;
		window.startMs = startMs;
		window.endMs = endMs;
		window.timeMs = times.startMs + i * times.stepMs;
		window.first = first === undefined ? 0 : (first[i] as number);
		window.second = second === undefined ? 0 : (second[i] as number);
		if (!kernel(window)) continue;
		column.values[i] = window.result;
		column.present[i] = 1;
	}
}
