import type { Column } from './columns.ts';

/** Samples of one series, ascending by time, without stale markers. */
export interface RangeSeries {
	readonly timestamps: Float64Array;
	readonly values: Float64Array;
	/** Known to hold no value that is less than the one before it: a counter without resets. */
	readonly neverFalls?: boolean;
	/** What each sample stands for, where others were taken away: see `SeriesSamples`. */
	readonly sums?: Float64Array;
	readonly counts?: Float64Array;
}

/** The windows `(firstEndMs + i * stepMs - rangeMs, firstEndMs + i * stepMs]`. `stepMs` is 0 under `@`. */
export interface WindowGrid {
	readonly firstEndMs: number;
	readonly stepMs: number;
	readonly count: number;
	readonly rangeMs: number;
}

/** Evaluates a range function of one series at all steps; writes values and presence where there is a result. */
export type SeriesKernel = (series: RangeSeries, grid: WindowGrid, column: Column) => void;

/** What a range function sees of one series at one step. One object is reused for all windows of a query node. */
export interface RangeWindow {
	timestamps: Float64Array;
	values: Float64Array;
	/** Samples `[lo, hi)` are in the window; the caller guarantees at least one. */
	lo: number;
	hi: number;
	/** The window is `(startMs, endMs]`. */
	startMs: number;
	endMs: number;
	/** Evaluation time: differs from `endMs` under `offset` and `@`. */
	timeMs: number;
	/** Scalar arguments at this step. */
	first: number;
	second: number;
	result: number;
}

/** Writes `window.result` and returns whether there is one. */
export type RangeKernel = (window: RangeWindow) => boolean;

export function newWindow(): RangeWindow {
	const empty = new Float64Array(0);
	return {
		timestamps: empty,
		values: empty,
		lo: 0,
		hi: 0,
		startMs: 0,
		endMs: 0,
		timeMs: 0,
		first: 0,
		second: 0,
		result: 0,
	};
}
