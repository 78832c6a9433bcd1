/** NaN sorts lowest, as Prometheus orders samples for quantiles. */
export function ascendingNaNFirst(a: number, b: number): number {
	if (a !== a) return b !== b ? 0 : -1;
	if (b !== b) return 1;
	return a - b;
}

/** Linear interpolation between the nearest ranks of `values`, which are sorted in place. */
export function quantileOf(q: number, values: Float64Array): number {
	const count = values.length;
	if (count === 0 || q !== q) return Number.NaN;
	if (q < 0) return Number.NEGATIVE_INFINITY;
	if (q > 1) return Number.POSITIVE_INFINITY;
	let hasNaN = false;
	for (let i = 0; i < count; i++) if (values[i] !== values[i]) hasNaN = true;
	// The default order of typed arrays puts NaN last.
	if (hasNaN) values.sort(ascendingNaNFirst);
	else values.sort();
	const rank = q * (count - 1);
	const lower = Math.max(0, Math.floor(rank));
	const upper = Math.min(count - 1, lower + 1);
	const weight = rank - Math.floor(rank);
	return (values[lower] as number) * (1 - weight) + (values[upper] as number) * weight;
}
