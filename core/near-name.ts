/** The way out of a name that is not known: the one that was probably meant, or those that there are. */
export function knownInstead(name: string, known: readonly string[]): string {
	const near = nearName(name, known);
	if (near !== null) return `; did you mean "${near}"?`;
	return known.length === 0 ? '; there is none' : `; known are: ${known.join(', ')}`;
}

/** `null` when none is near. */
export function nearName(name: string, known: readonly string[]): string | null {
	const near = known
		.map((candidate) => ({ candidate, distance: editDistance(name, candidate) }))
		.filter(({ candidate, distance }) => distance <= Math.min(3, Math.max(1, Math.round(candidate.length / 2.5))))
		.sort((a, b) => a.distance - b.distance)[0];
	return near?.candidate ?? null;
}

/** Levenshtein distance; both words are keys, so the quadratic table is tiny. */
function editDistance(a: string, b: string): number {
	let row = Array.from({ length: b.length + 1 }, (_, i) => i);
	for (let i = 1; i <= a.length; i++) {
		const next = [i];
		for (let j = 1; j <= b.length; j++) {
			const substitute = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
			next.push(Math.min(substitute, (row[j] as number) + 1, (next[j - 1] as number) + 1));
		}
		row = next;
	}
	return row[b.length] as number;
}
