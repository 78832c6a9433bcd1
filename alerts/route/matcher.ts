import { RE2JS } from 're2js';
import { AppError } from '../../core/errors.ts';

export type MatcherOperator = '=' | '!=' | '=~' | '!~';

/** One condition on a label, with Alertmanager's meaning: a missing label is an empty one, expressions are anchored. */
export interface Matcher {
	readonly name: string;
	readonly operator: MatcherOperator;
	readonly value: string;
	matches(value: string): boolean;
}

const MATCHER = /^\s*([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(=~|!=|!~|=)\s*([\s\S]*?)\s*$/;

/** Throws `FN_ALERTS_MATCHER` when the expression is not valid RE2. */
export function createMatcher(name: string, operator: MatcherOperator, value: string): Matcher {
	if (operator === '=' || operator === '!=') {
		const equal = operator === '=';
		return { name, operator, value, matches: (text) => (text === value) === equal };
	}
	let pattern: RE2JS;
	try {
		pattern = RE2JS.compile(`^(?:${value})$`);
	} catch (error) {
		throw new AppError('FN_ALERTS_MATCHER', `the matcher ${name}${operator}"${value}" has no valid RE2 expression`, {
			cause: error,
			status: 400,
		});
	}
	const positive = operator === '=~';
	return { name, operator, value, matches: (text) => pattern.matcher(text).find() === positive };
}

/** Parses one matcher, `severity="critical"` or `team=~net.*`, as Alertmanager does. Throws `FN_ALERTS_MATCHER`. */
export function parseMatcher(text: string): Matcher {
	const parts = MATCHER.exec(text);
	if (parts === null) throw bad(text, 'write a label name, one of = != =~ !~, and a value, for example severity="critical"');
	const [, name, operator, raw] = parts as unknown as [string, string, MatcherOperator, string];
	return createMatcher(name, operator, unquote(raw, text));
}

/** Parses `{a="b", c!~"d"}`; the braces may be missing. Commas inside quotes do not separate. */
export function parseMatchers(text: string): readonly Matcher[] {
	let inner = text.trim();
	if (inner.startsWith('{')) {
		if (!inner.endsWith('}')) throw bad(text, 'the closing } is missing');
		inner = inner.slice(1, -1);
	}
	return splitOutsideQuotes(inner)
		.filter((part, index, all) => part.trim() !== '' || index < all.length - 1)
		.map(parseMatcher);
}

export function matchesAll(matchers: readonly Matcher[], labels: Readonly<Record<string, string>>): boolean {
	return matchers.every((matcher) => matcher.matches(labels[matcher.name] ?? ''));
}

/** `{a="b",c=~"d"}`, sorted, as Alertmanager prints a matcher list in group keys. */
export function formatMatchers(matchers: readonly Matcher[]): string {
	return `{${[...matchers]
		.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.value < b.value ? -1 : 1))
		.map((matcher) => `${matcher.name}${matcher.operator}${JSON.stringify(matcher.value)}`)
		.join(',')}}`;
}

function splitOutsideQuotes(text: string): string[] {
	const parts: string[] = [];
	let part = '';
	let quoted = false;
	for (let i = 0; i < text.length; i++) {
		const character = text[i] as string;
		if (character === '\\' && quoted) {
			part += character + (text[i + 1] ?? '');
			i++;
			continue;
		}
		if (character === '"') quoted = !quoted;
		if (character === ',' && !quoted) {
			parts.push(part);
			part = '';
		} else {
			part += character;
		}
	}
	if (quoted) throw bad(text, 'a quotation mark is not closed');
	parts.push(part);
	return parts;
}

function unquote(raw: string, whole: string): string {
	let body = raw;
	const opens = raw.startsWith('"');
	if (opens) {
		if (raw.length < 2 || !raw.endsWith('"') || /(^|[^\\])(\\\\)*\\"$/.test(raw)) throw bad(whole, 'the quotation mark is not closed');
		body = raw.slice(1, -1);
	}
	let value = '';
	for (let i = 0; i < body.length; i++) {
		const character = body[i] as string;
		if (character === '"') throw bad(whole, 'a quotation mark inside the value must be written \\"');
		if (character !== '\\') {
			value += character;
			continue;
		}
		const next = body[++i];
		if (next === 'n') value += '\n';
		else if (next === '"' || next === '\\') value += next;
		else value += `\\${next ?? ''}`;
	}
	return value;
}

function bad(text: string, wayOut: string): AppError {
	return new AppError('FN_ALERTS_MATCHER', `the matcher ${JSON.stringify(text)} cannot be read: ${wayOut}`, { status: 400 });
}
