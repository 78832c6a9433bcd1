export const CALCULATIONS = [
	'lastNotNull',
	'last',
	'firstNotNull',
	'first',
	'mean',
	'max',
	'min',
	'sum',
	'count',
	'range',
	'delta',
] as const;
export type Calculation = (typeof CALCULATIONS)[number];

export function calculationOf(id: unknown): Calculation {
	return CALCULATIONS.find((known) => known === id) ?? 'lastNotNull';
}

/** One number of a series; `null` when it has none. Gaps are left out, except by `last` and `first`. */
export function reduceValues(values: readonly (number | null)[], calculation: Calculation): number | null {
	if (calculation === 'last') return values.at(-1) ?? null;
	if (calculation === 'first') return values[0] ?? null;
	let count = 0;
	let sum = 0;
	let min = Number.POSITIVE_INFINITY;
	let max = Number.NEGATIVE_INFINITY;
	let first: number | null = null;
	let last: number | null = null;
	for (const value of values) {
		if (value === null) continue;
		count++;
		sum += value;
		if (value < min) min = value;
		if (value > max) max = value;
		first ??= value;
		last = value;
	}
	if (calculation === 'count') return count;
	if (count === 0 || first === null || last === null) return null;
	switch (calculation) {
		case 'lastNotNull':
			return last;
		case 'firstNotNull':
			return first;
		case 'mean':
			return sum / count;
		case 'max':
			return max;
		case 'min':
			return min;
		case 'sum':
			return sum;
		case 'range':
			return max - min;
		case 'delta':
			return last - first;
	}
}
