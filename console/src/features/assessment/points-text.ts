/** Hundredths of a point as points: `-0.5`, `100`. */
export function pointsText(centipoints: number): string {
	return String(centipoints / 100);
}

/** Fen as yuan, with as many decimals as it has. */
export function yuanText(fen: number): string {
	return (fen / 100).toLocaleString('en-US', { maximumFractionDigits: 2 });
}
