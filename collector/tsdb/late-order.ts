/** The order of the samples of a late page by time, of equal times the one that came first first. `word` is where the page begins. */
export function lateOrder(doubles: Float64Array, word: number, count: number): readonly number[] {
	const timeOf = (index: number) => doubles[(word + index * 4) >> 1] as number;
	return Array.from({ length: count }, (_, i) => i).sort((a, b) => timeOf(a) - timeOf(b) || a - b);
}
