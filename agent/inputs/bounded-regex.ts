/** A pattern whose search time grows with the text alone: answers of foreign servers are searched with it. */
export interface BoundedRegex {
	readonly source: string;
	test(text: string): boolean;
	/** The first group of the first match, or the whole match where the pattern has no group; `null` without a match. */
	first(text: string): string | null;
}

/** RE2 syntax, as Prometheus and its exporters take it. Rejects with a message for a pattern that is not. Loaded when first needed. */
export async function compileRegex(source: string): Promise<BoundedRegex> {
	const { RE2JS } = await import('re2js');
	const pattern = RE2JS.compile(source);
	return {
		source,
		test: (text) => pattern.matcher(text).find(),
		first: (text) => {
			const matcher = pattern.matcher(text);
			if (!matcher.find()) return null;
			return matcher.groupCount() > 0 ? (matcher.group(1) ?? '') : (matcher.group(0) ?? '');
		},
	};
}

/** What is wrong with a pattern as far as it can be told without loading the engine, or `null`. */
export function regexProblem(source: string): string | null {
	try {
		// Go's `(?P<name>`, `(?i)` and `(?s)` are not JavaScript's; they are taken out for this look at the brackets.
		new RegExp(
			source
				.replace(/\(\?P</g, '(?<')
				.replace(/\(\?[imsU]+\)/g, '')
				.replace(/\(\?[imsU]+:/g, '(?:'),
		);
	} catch {
		return `"${source}" is not a regular expression`;
	}
	if (/\(\?<?[=!]|\\[1-9]|\\k</.test(source)) return `"${source}" uses look-around or a back-reference, which RE2 does not have`;
	return null;
}
