import { templateParseError } from './template-error.ts';

export type Piece =
	| { readonly kind: 'text'; readonly text: string }
	| { readonly kind: 'action'; readonly tokens: readonly Token[]; readonly line: number };

export interface Token {
	readonly kind: 'string' | 'number' | 'char' | 'identifier' | 'variable' | 'field' | 'punctuation' | 'space';
	readonly text: string;
	readonly line: number;
}

/** One group for each of `KINDS`, in that order: groups with names cost more than the rest of reading a template. */
const TOKEN =
	/(\s+)|("(?:[^"\\\n]|\\.)*"|`[^`]*`)|('(?:[^'\\\n]|\\.)+')|(\$[A-Za-z0-9_]*)|(\.[A-Za-z_\p{L}][A-Za-z0-9_\p{L}]*)|([+-]?(?:0[xX][0-9a-fA-F]+|[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?|\.[0-9]+))|([A-Za-z_\p{L}][A-Za-z0-9_\p{L}]*)|(:=|[=|(),.])/uy;
const KINDS = ['space', 'string', 'char', 'variable', 'field', 'number', 'identifier', 'punctuation'] as const;

/** Splits a template into text and actions; `{{-` and `-}}` trim the text beside them, comments vanish. */
export function scan(name: string, source: string): readonly Piece[] {
	const pieces: Piece[] = [];
	let at = 0;
	let trimNext = false;
	const lineAt = (offset: number) => source.slice(0, offset).split('\n').length;
	while (at <= source.length) {
		const open = source.indexOf('{{', at);
		let text = open < 0 ? source.slice(at) : source.slice(at, open);
		if (trimNext) text = text.trimStart();
		if (open < 0) {
			if (text !== '') pieces.push({ kind: 'text', text });
			return pieces;
		}
		let start = open + 2;
		if (/^-\s/.test(source.slice(start, start + 2))) {
			text = text.trimEnd();
			start += 1;
		}
		if (text !== '') pieces.push({ kind: 'text', text });
		const line = lineAt(open);
		const comment = /^\s*\/\*/.exec(source.slice(start));
		let end: number;
		if (comment !== null) {
			const closing = source.indexOf('*/', start);
			end = closing < 0 ? -1 : source.indexOf('}}', closing);
			if (end < 0) throw templateParseError(name, line, 'unclosed comment');
		} else {
			const tokens: Token[] = [];
			end = tokensUntilClose(source, start, tokens, (offset, message) => templateParseError(name, lineAt(offset), message));
			pieces.push({ kind: 'action', tokens, line });
		}
		trimNext = /\s-$/.test(source.slice(start, end));
		at = end + 2;
	}
	return pieces;
}

function tokensUntilClose(source: string, start: number, tokens: Token[], fail: (offset: number, message: string) => Error): number {
	let at = start;
	let line = source.slice(0, start).split('\n').length;
	for (;;) {
		if (source.startsWith('}}', at)) return at;
		if (source.startsWith('-}}', at) && /\s/.test(source[at - 1] ?? '')) return at + 1;
		if (at >= source.length) throw fail(start, 'unclosed action');
		TOKEN.lastIndex = at;
		const match = TOKEN.exec(source);
		if (match === null) {
			const char = source[at] ?? '';
			throw fail(at, char === '"' || char === '`' ? 'unterminated quoted string' : `unexpected "${char}" in action`);
		}
		const [text] = match;
		const kind = KINDS.find((_, i) => match[i + 1] !== undefined) ?? 'punctuation';
		tokens.push({ kind, text, line });
		if (text.includes('\n')) line += text.split('\n').length - 1;
		at += text.length;
	}
}
