import { RE2JS } from 're2js';

/** An RE2 pattern that must match the whole value. */
export interface AnchoredRegexp {
	readonly test: (value: string) => boolean;
	/** The accepted values when they can be listed, else `null`. */
	readonly literals: readonly string[] | null;
}

const CACHE_SIZE = 1000;
const cache = new Map<string, AnchoredRegexp>();
/** Escapes of these are the character itself. */
const META = /[\\.+*?()|[\]{}^$]/;

/**
 * Compiles `^(?s:pattern)$` in RE2 syntax and linear time. Literals, alternations of literals, prefixes, suffixes and
 * substrings do without the automaton. Throws an `Error` that says what is wrong with the pattern.
 */
export function anchoredRegexp(pattern: string): AnchoredRegexp {
	const known = cache.get(pattern);
	if (known !== undefined) return known;
	const compiled = fastPath(pattern) ?? slowPath(pattern);
	if (cache.size >= CACHE_SIZE) cache.delete(cache.keys().next().value ?? '');
	cache.set(pattern, compiled);
	return compiled;
}

function slowPath(pattern: string): AnchoredRegexp {
	let compiled: RE2JS;
	try {
		compiled = RE2JS.compile(pattern, RE2JS.DOTALL);
	} catch (error) {
		throw new Error(error instanceof Error ? error.message : `error parsing regexp: ${pattern}`, { cause: error });
	}
	// A label has few distinct values and is asked for each series: remember them, bounded.
	const seen = new Map<string, boolean>();
	return {
		test: (value) => {
			const before = seen.get(value);
			if (before !== undefined) return before;
			const result = compiled.testExact(value);
			if (seen.size >= 10_000) seen.clear();
			seen.set(value, result);
			return result;
		},
		literals: null,
	};
}

function fastPath(pattern: string): AnchoredRegexp | null {
	if (pattern === '.*') return { test: () => true, literals: null };
	if (pattern === '.+') return { test: (value) => value !== '', literals: null };
	const alternatives = literalAlternatives(pattern);
	if (alternatives !== null) {
		if (alternatives.length === 1) {
			const only = alternatives[0] as string;
			return { test: (value) => value === only, literals: alternatives };
		}
		const set = new Set(alternatives);
		return { test: (value) => set.has(value), literals: [...set] };
	}
	const head = pattern.startsWith('.*') ? '.*' : pattern.startsWith('.+') ? '.+' : '';
	const tail = pattern.endsWith('.*') ? '.*' : pattern.endsWith('.+') ? '.+' : '';
	if (head === '' && tail === '') return null;
	const middle = literalText(pattern.slice(head.length, pattern.length - tail.length));
	if (middle === null || middle === '') return null;
	const before = head === '.+' ? 1 : 0;
	const after = tail === '.+' ? 1 : 0;
	if (head === '') return { test: (value) => value.length >= middle.length + after && value.startsWith(middle), literals: null };
	if (tail === '') return { test: (value) => value.length >= middle.length + before && value.endsWith(middle), literals: null };
	return {
		test: (value) => {
			const at = value.indexOf(middle, before);
			return at >= 0 && at + middle.length + after <= value.length;
		},
		literals: null,
	};
}

function literalAlternatives(pattern: string): readonly string[] | null {
	const body = /^\((?:\?:)?([^()]*)\)$/.exec(pattern)?.[1] ?? pattern;
	const parts = splitUnescaped(body);
	const literals: string[] = [];
	for (const part of parts) {
		const literal = literalText(part);
		if (literal === null) return null;
		literals.push(literal);
	}
	return literals;
}

function splitUnescaped(text: string): readonly string[] {
	const parts: string[] = [];
	let from = 0;
	for (let i = 0; i < text.length; i++) {
		if (text[i] === '\\') i += 1;
		else if (text[i] === '|') {
			parts.push(text.slice(from, i));
			from = i + 1;
		}
	}
	parts.push(text.slice(from));
	return parts;
}

/** What the pattern matches when it is only characters and escaped punctuation, else `null`. */
function literalText(pattern: string): string | null {
	if (!META.test(pattern)) return pattern;
	let text = '';
	for (let i = 0; i < pattern.length; i++) {
		const char = pattern[i] as string;
		if (char === '\\') {
			const next = pattern[i + 1] ?? '';
			if (!/^[!-/:-@[-`{-~]$/.test(next)) return null;
			text += next;
			i += 1;
		} else if (META.test(char)) return null;
		else text += char;
	}
	return text;
}
