import type { Command, Node, Operand, Pipe } from './ast.ts';
import { type Piece, scan, type Token } from './lexer.ts';
import { templateParseError } from './template-error.ts';

export interface ParsedTemplate {
	readonly body: readonly Node[];
	/** From `define` and `block`. */
	readonly definitions: ReadonlyMap<string, readonly Node[]>;
}

/** Parses template text. `isFunction` tells which names can be called. Throws `FN_TEMPLATE_PARSE`. */
export function parseTemplateText(name: string, text: string, isFunction: (name: string) => boolean): ParsedTemplate {
	return new TemplateParser(name, scan(name, text), isFunction).parse();
}

const NESTING_LIMIT = 200;

class TemplateParser {
	readonly #name: string;
	readonly #pieces: readonly Piece[];
	readonly #isFunction: (name: string) => boolean;
	readonly #definitions = new Map<string, readonly Node[]>();
	#next = 0;
	#rangeDepth = 0;
	#depth = 0;
	#variables: string[] = ['$'];

	constructor(name: string, pieces: readonly Piece[], isFunction: (name: string) => boolean) {
		this.#name = name;
		this.#pieces = pieces;
		this.#isFunction = isFunction;
	}

	parse(): ParsedTemplate {
		const { nodes, closedBy, line } = this.#list(false);
		if (closedBy !== '') throw this.#fail(line, `unexpected {{${closedBy}}}`);
		return { body: nodes, definitions: this.#definitions };
	}

	#fail(line: number, message: string): Error {
		return templateParseError(this.#name, line, message);
	}

	/** Nodes up to `end`, `else` or the end of the text; `closedBy` is what stopped it. `else` keeps its tokens for `else if`. */
	#list(nested: boolean): { nodes: readonly Node[]; closedBy: 'end' | 'else' | ''; rest: readonly Token[]; line: number } {
		this.#depth += 1;
		if (this.#depth > NESTING_LIMIT) throw this.#fail(0, `nested more than ${NESTING_LIMIT} levels deep`);
		const nodes: Node[] = [];
		for (;;) {
			const piece = this.#pieces[this.#next];
			if (piece === undefined) {
				this.#depth -= 1;
				if (nested) throw this.#fail(this.#lastLine(), 'unexpected EOF: an {{end}} is missing');
				return { nodes, closedBy: '', rest: [], line: 0 };
			}
			this.#next += 1;
			if (piece.kind === 'text') {
				nodes.push(piece);
				continue;
			}
			const tokens = trimSpaces(piece.tokens);
			const word = tokens[0]?.kind === 'identifier' ? tokens[0].text : '';
			if (word === 'end' || word === 'else') {
				this.#depth -= 1;
				return { nodes, closedBy: word, rest: trimSpaces(tokens.slice(1)), line: piece.line };
			}
			const node = this.#action(word, tokens, piece.line);
			if (node !== null) nodes.push(node);
		}
	}

	#lastLine(): number {
		const last = this.#pieces.findLast((piece) => piece.kind === 'action');
		return last?.kind === 'action' ? last.line : 1;
	}

	#action(word: string, tokens: readonly Token[], line: number): Node | null {
		const rest = trimSpaces(tokens.slice(1));
		switch (word) {
			case 'if':
			case 'with':
			case 'range':
				return this.#control(word, rest, line);
			case 'define':
			case 'block': {
				const title = this.#title(rest, line);
				const pipeTokens = trimSpaces(rest.slice(1));
				const outer = this.#variables;
				const pipe = word === 'block' && pipeTokens.length > 0 ? this.#pipe(pipeTokens, line) : null;
				this.#variables = ['$'];
				const { nodes, closedBy } = this.#list(true);
				this.#variables = outer;
				if (closedBy !== 'end') throw this.#fail(line, `unexpected {{else}} in ${word}`);
				this.#definitions.set(title, nodes);
				return word === 'block' ? { kind: 'template', name: title, pipe, line } : null;
			}
			case 'template': {
				const title = this.#title(rest, line);
				const pipeTokens = trimSpaces(rest.slice(1));
				return { kind: 'template', name: title, pipe: pipeTokens.length === 0 ? null : this.#pipe(pipeTokens, line), line };
			}
			case 'break':
			case 'continue':
				if (this.#rangeDepth === 0) throw this.#fail(line, `{{${word}}} outside {{range}}`);
				return { kind: word, line };
			default:
				if (tokens.length === 0) throw this.#fail(line, 'missing value for command');
				return { kind: 'action', pipe: this.#pipe(tokens, line), line };
		}
	}

	#title(tokens: readonly Token[], line: number): string {
		const token = tokens[0];
		if (token?.kind !== 'string') throw this.#fail(line, 'the name of a template must be a quoted string');
		return this.#unquote(token);
	}

	#control(kind: 'if' | 'with' | 'range', tokens: readonly Token[], line: number): Node {
		const scope = this.#variables.length;
		if (tokens.length === 0) throw this.#fail(line, `missing value for ${kind}`);
		const pipe = this.#pipe(tokens, line, kind === 'range');
		if (kind === 'range') this.#rangeDepth += 1;
		const body = this.#list(true);
		if (kind === 'range') this.#rangeDepth -= 1;
		let otherwise: readonly Node[] = [];
		if (body.closedBy === 'else') {
			const word = body.rest[0];
			if (word?.kind === 'identifier' && (word.text === 'if' || word.text === 'with') && kind !== 'range') {
				otherwise = [this.#control(word.text, trimSpaces(body.rest.slice(1)), body.line)];
			} else {
				if (body.rest.length > 0) throw this.#fail(body.line, `unexpected "${word?.text ?? ''}" after else`);
				const tail = this.#list(true);
				if (tail.closedBy !== 'end') throw this.#fail(tail.line, 'expected {{end}}, found a second {{else}}');
				otherwise = tail.nodes;
			}
		}
		this.#variables.length = scope;
		return { kind, pipe, body: body.nodes, otherwise, line };
	}

	#pipe(tokens: readonly Token[], line: number, twoVariables = false): Pipe {
		const assignAt = tokens.findIndex((token) => token.kind === 'punctuation' && (token.text === ':=' || token.text === '='));
		const variables: string[] = [];
		let body = tokens;
		let assigns = false;
		if (assignAt >= 0) {
			assigns = tokens[assignAt]?.text === '=';
			for (const token of tokens.slice(0, assignAt)) {
				if (token.kind === 'variable') variables.push(token.text);
				else if (token.kind !== 'space' && token.text !== ',') throw this.#fail(line, `unexpected "${token.text}" in declaration`);
			}
			if (variables.length === 0 || variables.length > (twoVariables ? 2 : 1))
				throw this.#fail(line, 'wrong number of variables in declaration');
			body = tokens.slice(assignAt + 1);
		}
		const commands = this.#commands(trimSpaces(body), line);
		for (const variable of variables) {
			if (assigns && !this.#variables.includes(variable)) throw this.#fail(line, `undefined variable "${variable}"`);
			if (!assigns) this.#variables.push(variable);
		}
		return { variables, assigns, commands };
	}

	#commands(tokens: readonly Token[], line: number): readonly Command[] {
		const commands: Command[] = [];
		let from = 0;
		let depth = 0;
		for (let i = 0; i <= tokens.length; i++) {
			const token = tokens[i];
			if (token?.text === '(' && token.kind === 'punctuation') depth += 1;
			if (token?.text === ')' && token.kind === 'punctuation') depth -= 1;
			if (depth < 0) throw this.#fail(line, 'unexpected ")"');
			if (token !== undefined && !(depth === 0 && token.kind === 'punctuation' && token.text === '|')) continue;
			const part = trimSpaces(tokens.slice(from, i));
			if (part.length === 0) throw this.#fail(line, 'missing value for command');
			const operands = this.#operands(part, line);
			if (commands.length > 0 && operands[0]?.kind === 'literal') throw this.#fail(line, 'a literal cannot take the result of a pipeline');
			commands.push({ operands, line });
			from = i + 1;
		}
		if (depth !== 0) throw this.#fail(line, 'unclosed left paren');
		return commands;
	}

	#operands(tokens: readonly Token[], line: number): readonly Operand[] {
		const operands: Operand[] = [];
		for (let i = 0; i < tokens.length; ) {
			const token = tokens[i] as Token;
			if (token.kind === 'space') {
				i += 1;
				continue;
			}
			if (operands.length > 0 && tokens[i - 1]?.kind !== 'space') throw this.#fail(line, `unexpected "${token.text}" in operand`);
			let fieldsFrom = i + 1;
			if (token.text === '(' && token.kind === 'punctuation') {
				const close = closing(tokens, i);
				if (close < 0) throw this.#fail(line, 'unclosed left paren');
				const pipe = this.#pipe(trimSpaces(tokens.slice(i + 1, close)), line);
				fieldsFrom = close + 1;
				const fields = fieldsAfter(tokens, fieldsFrom);
				operands.push({ kind: 'pipe', pipe, fields });
				i = fieldsFrom + fields.length;
				continue;
			}
			const fields = token.kind === 'variable' || token.kind === 'field' ? fieldsAfter(tokens, fieldsFrom) : [];
			operands.push(this.#operand(token, fields, line));
			i = fieldsFrom + fields.length;
		}
		return operands;
	}

	#operand(token: Token, fields: readonly string[], line: number): Operand {
		switch (token.kind) {
			case 'string':
				return { kind: 'literal', value: this.#unquote(token) };
			case 'char': {
				const text = this.#unquote({ ...token, text: `"${token.text.slice(1, -1).replaceAll('"', '\\"')}"` });
				return { kind: 'literal', value: text.codePointAt(0) ?? 0 };
			}
			case 'number': {
				const value = Number(token.text);
				if (Number.isNaN(value)) throw this.#fail(line, `bad number syntax: "${token.text}"`);
				return { kind: 'literal', value };
			}
			case 'variable':
				if (!this.#variables.includes(token.text)) throw this.#fail(line, `undefined variable "${token.text}"`);
				return { kind: 'variable', name: token.text, fields };
			case 'field':
				return { kind: 'field', fields: [token.text.slice(1), ...fields] };
			case 'identifier':
				if (token.text === 'true' || token.text === 'false') return { kind: 'literal', value: token.text === 'true' };
				if (token.text === 'nil') return { kind: 'literal', value: null };
				if (!this.#isFunction(token.text)) throw this.#fail(line, `function "${token.text}" not defined`);
				return { kind: 'function', name: token.text };
			default:
				if (token.text === '.') return { kind: 'dot' };
				throw this.#fail(line, `unexpected "${token.text}" in operand`);
		}
	}

	#unquote(token: Token): string {
		if (token.text.startsWith('`')) return token.text.slice(1, -1);
		const body = token.text.slice(1, -1);
		const simple: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', a: '\x07', b: '\b', f: '\f', v: '\v' };
		return body.replace(
			/\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|(.))/gs,
			(whole, hex?: string, short?: string, long?: string, octal?: string, char?: string) => {
				const code = hex ?? short ?? long;
				if (code !== undefined) return String.fromCodePoint(Math.min(Number.parseInt(code, 16), 0x10ffff));
				if (octal !== undefined) return String.fromCodePoint(Number.parseInt(octal, 8));
				if (char !== undefined && Object.hasOwn(simple, char)) return simple[char] as string;
				if (char === '"' || char === '\\' || char === "'") return char;
				throw this.#fail(token.line, `unknown escape sequence ${whole}`);
			},
		);
	}
}

function trimSpaces(tokens: readonly Token[]): readonly Token[] {
	let from = 0;
	let to = tokens.length;
	while (from < to && tokens[from]?.kind === 'space') from += 1;
	while (to > from && tokens[to - 1]?.kind === 'space') to -= 1;
	return tokens.slice(from, to);
}

function fieldsAfter(tokens: readonly Token[], from: number): readonly string[] {
	const fields: string[] = [];
	for (let i = from; tokens[i]?.kind === 'field'; i++) fields.push((tokens[i] as Token).text.slice(1));
	return fields;
}

function closing(tokens: readonly Token[], open: number): number {
	let depth = 0;
	for (let i = open; i < tokens.length; i++) {
		const token = tokens[i] as Token;
		if (token.kind !== 'punctuation') continue;
		if (token.text === '(') depth += 1;
		if (token.text === ')') depth -= 1;
		if (depth === 0) return i;
	}
	return -1;
}
