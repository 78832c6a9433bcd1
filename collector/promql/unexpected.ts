import type { Tree } from '@lezer/common';
import type { AppError } from '../../core/errors.ts';
import { AGGREGATORS } from './ast.ts';
import { FUNCTIONS } from './function-signatures.ts';
import { unquote } from './literals.ts';
import { parseError } from './query-error.ts';

/** The grammar never throws: it leaves error nodes behind. The first of them becomes an error, `null` when there is none. */
export function unexpectedError(text: string, source: string, tree: Tree): AppError | null {
	let first = -1;
	tree.iterate({
		enter: (node) => {
			if (node.type.isError && (first < 0 || node.from < first)) first = node.from;
			return first < 0 || node.from <= first;
		},
	});
	if (first < 0) return null;
	const unknown = unknownFunction(source, first);
	if (unknown !== null) return parseError(text, unknown, `unknown function with name "${source.slice(unknown.start, unknown.end)}"`);
	const open = openString(source);
	if (open !== null) return parseError(text, open, 'unterminated quoted string');
	const start = first + (/^(?:\s|#[^\n]*)*/.exec(source.slice(first))?.[0].length ?? 0);
	if (start >= source.length) {
		const paren = unclosed(source);
		return parseError(text, { start: paren?.at ?? start, end: source.length }, paren?.message ?? 'unexpected end of input');
	}
	const token = /^(?:[A-Za-z_:][A-Za-z0-9_:]*|[0-9.][0-9A-Za-z_.]*|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`|[!=<>~]{1,2}|.)/s.exec(
		source.slice(start),
	)?.[0];
	return parseError(text, { start, end: start + (token?.length ?? 1) }, `unexpected ${describe(token ?? '')}`);
}

function describe(token: string): string {
	if (/^[A-Za-z_:]/.test(token)) return `identifier "${token}"`;
	if (/^[0-9]/.test(token)) return `number "${token}"`;
	if (/^["'`]/.test(token)) return `string ${token}`;
	return `${token === '(' || token === ')' ? `${token === '(' ? 'left' : 'right'} parenthesis ` : 'character: '}'${token}'`;
}

/** A name directly before `(` at or just before the error that is neither a function nor a word of the language. */
function unknownFunction(source: string, at: number): { readonly start: number; readonly end: number } | null {
	const words = new Set<string>([
		...AGGREGATORS,
		'by',
		'without',
		'on',
		'ignoring',
		'group_left',
		'group_right',
		'and',
		'or',
		'unless',
		'bool',
		'offset',
		'atan2',
	]);
	for (const match of source.matchAll(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`|#[^\n]*|([A-Za-z_:][A-Za-z0-9_:]*)\s*\(/gs)) {
		const name = match[1];
		if (name === undefined || match.index > at) continue;
		const end = match.index + name.length;
		if (match.index + match[0].length < at) continue;
		if (Object.hasOwn(FUNCTIONS, name) || words.has(name.toLowerCase())) continue;
		return { start: match.index, end };
	}
	return null;
}

function openString(source: string): { readonly start: number; readonly end: number } | null {
	for (const match of source.matchAll(/"(?:[^"\\\n]|\\.)*"?|'(?:[^'\\\n]|\\.)*'?|`[^`]*`?|#[^\n]*/gs)) {
		if (match[0].startsWith('#')) continue;
		const result = unquote(match[0]);
		if ('problem' in result && result.problem === 'unterminated quoted string') {
			return { start: match.index, end: match.index + match[0].length };
		}
	}
	return null;
}

function unclosed(source: string): { readonly at: number; readonly message: string } | null {
	const stack: { readonly at: number; readonly bracket: string }[] = [];
	for (const match of source.matchAll(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`|#[^\n]*|[([{}\])]/gs)) {
		const token = match[0];
		if (token === '(' || token === '[' || token === '{') stack.push({ at: match.index, bracket: token });
		else if (token === ')' || token === ']' || token === '}') stack.pop();
	}
	const last = stack.at(-1);
	if (last === undefined) return null;
	if (last.bracket === '(') return { at: source.length, message: 'unclosed left parenthesis' };
	if (last.bracket === '{') return { at: source.length, message: 'unexpected end of input inside braces' };
	return { at: source.length, message: 'unexpected end of input in duration expression' };
}
