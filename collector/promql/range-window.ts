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
