/**
 * Index of the first of `times[from .. end)` that is after `timeMs`. Samples mostly come at even distances, so that the edge of a window moves by as
 * many samples as at the step before: `stride` is tried first.
 */
export function firstAfter(times: Float64Array, timeMs: number, from: number, stride: number, end: number): number {
	const guess = from + stride;
	if (stride > 0 && guess <= end && (times[guess - 1] as number) <= timeMs) {
		if (guess === end || (times[guess] as number) > timeMs) return guess;
		let at = guess + 1;
		while (at < end && (times[at] as number) <= timeMs) at += 1;
		return at;
	}
	let at = from;
	while (at < end && (times[at] as number) <= timeMs) at += 1;
	return at;
}
