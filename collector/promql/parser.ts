import type { SyntaxNode } from '@lezer/common';
import { parser as grammar } from '@prometheus-io/lezer-promql';
import type { AppError } from '../../core/errors.ts';
import {
	AGGREGATOR_PARAMETERS,
	AGGREGATORS,
	type Aggregation,
	type Aggregator,
	type AtModifier,
	type Call,
	type Expr,
	type MatcherSpec,
	type Span,
	type VectorSelector,
} from './ast.ts';
import { FUNCTIONS } from './function-signatures.ts';
import { normaliseNumbers, parseNumber, unquote } from './literals.ts';
import { buildExpression, type Token } from './operator-precedence.ts';
import { matchingOf, operatorOf } from './parse-operators.ts';
import { parseError } from './query-error.ts';
import { checkTypes } from './type-check.ts';
import { unexpectedError } from './unexpected.ts';

/** Deeper trees are refused before they overflow the stack of the evaluator. */
const MAX_DEPTH = 1000;

/**
 * Parses and type-checks a query. Throws `FN_QUERY_PARSE` (status 400) with `line:column` and, where it can be had,
 * Prometheus' own message.
 */
export function parseQuery(text: string): Expr {
	const source = normaliseNumbers(text);
	if (source.replace(/#[^\n]*/g, '').trim() === '') throw parseError(text, { start: 0, end: 0 }, 'no expression found in input');
	const tree = grammar.parse(source);
	const broken = unexpectedError(text, source, tree);
	if (broken !== null) throw broken;
	const root = tree.topNode.firstChild;
	if (root === null) throw parseError(text, { start: 0, end: 0 }, 'no expression found in input');
	const expr = new Converter(text, source).expression(root, 0);
	checkTypes(text, expr);
	return expr;
}

/** Turns the grammar's tree into our own. The tree's idea of precedence is not used: see `operator-precedence.ts`. */
class Converter {
	readonly #text: string;
	readonly #source: string;

	constructor(text: string, source: string) {
		this.#text = text;
		this.#source = source;
	}

	expression(node: SyntaxNode, depth: number): Expr {
		const tokens: Token[] = [];
		this.#flatten(node, tokens, depth);
		return buildExpression(this.#text, tokens);
	}

	#fail(node: SyntaxNode | Span, message: string): AppError {
		const span = 'from' in node ? { start: node.from, end: node.to } : node;
		return parseError(this.#text, span, message);
	}

	#slice(node: SyntaxNode): string {
		return this.#source.slice(node.from, node.to);
	}

	/** Emits operators and operands in source order, down to parentheses, calls and aggregations, which are operands. */
	#flatten(node: SyntaxNode, tokens: Token[], depth: number): void {
		if (depth > MAX_DEPTH) throw this.#fail(node, `expression is nested more than ${MAX_DEPTH} levels deep`);
		const span = { start: node.from, end: node.to };
		switch (node.name) {
			case 'BinaryExpr': {
				const parts = childrenOf(node);
				const left = parts[0];
				const op = parts[1];
				const right = parts.at(-1);
				if (left === undefined || op === undefined || right === undefined) throw this.#fail(node, 'unexpected end of input');
				this.#flatten(left, tokens, depth + 1);
				const modifiers = parts.slice(2, -1);
				const fill = modifiers.find((part) => part.name === 'FillModifier');
				if (fill !== undefined) throw this.#fail(fill, 'fill modifiers are experimental and not supported');
				const operator = operatorOf(this.#slice(op));
				if (operator === null) throw this.#fail(op, `operator "${this.#slice(op)}" is experimental and not supported`);
				tokens.push({
					kind: 'infix',
					op: operator,
					bool: modifiers.some((part) => part.name === 'BoolModifier'),
					matching: matchingOf(
						operator,
						modifiers.find((part) => part.name === 'MatchingModifierClause'),
						(label) => this.#labelName(label),
					),
					span: { start: op.from, end: op.to },
				});
				this.#flatten(right, tokens, depth + 1);
				return;
			}
			case 'UnaryExpr': {
				const op = node.firstChild;
				const operand = node.lastChild;
				if (op === null || operand === null) throw this.#fail(node, 'unexpected end of input');
				tokens.push({ kind: 'prefix', op: this.#slice(op) === '-' ? '-' : '+', span: { start: op.from, end: op.to } });
				this.#flatten(operand, tokens, depth + 1);
				return;
			}
			case 'NumberDurationLiteral': {
				const text = this.#slice(node);
				const sign = text[0] === '-' || text[0] === '+' ? text[0] : null;
				if (sign !== null) tokens.push({ kind: 'prefix', op: sign, span: { start: node.from, end: node.from + 1 } });
				const bare = sign === null ? text : text.slice(1).trimStart();
				tokens.push({
					kind: 'operand',
					expr: { kind: 'number', value: this.#number(node, bare), span: { start: node.to - bare.length, end: node.to } },
				});
				return;
			}
			case 'OffsetExpr': {
				this.#flatten(this.#first(node), tokens, depth + 1);
				const duration = node.getChild('OffsetDurationExpr');
				const offset = duration === null ? 0 : this.#duration(duration);
				tokens.push({ kind: 'offset', offsetMs: offset, span });
				return;
			}
			case 'StepInvariantExpr': {
				this.#flatten(this.#first(node), tokens, depth + 1);
				tokens.push({ kind: 'at', at: this.#at(node), span });
				return;
			}
			case 'MatrixSelector': {
				this.#flatten(this.#first(node), tokens, depth + 1);
				const duration = node.getChild('DurationExpr');
				tokens.push({ kind: 'range', rangeMs: this.#positiveDuration(duration ?? node), span });
				return;
			}
			case 'SubqueryExpr': {
				this.#flatten(this.#first(node), tokens, depth + 1);
				const [range, step] = node.getChildren('DurationExpr');
				tokens.push({
					kind: 'subquery',
					rangeMs: this.#positiveDuration(range ?? node),
					stepMs: step === undefined ? null : this.#positiveDuration(step),
					span,
				});
				return;
			}
			case 'AnchoredExpr':
			case 'SmoothedExpr':
				throw this.#fail(
					node,
					`the modifier "${node.name === 'AnchoredExpr' ? 'anchored' : 'smoothed'}" is experimental and not supported`,
				);
			default:
				tokens.push({ kind: 'operand', expr: this.#operand(node, depth) });
		}
	}

	#operand(node: SyntaxNode, depth: number): Expr {
		const span = { start: node.from, end: node.to };
		switch (node.name) {
			case 'ParenExpr':
				return { kind: 'paren', expr: this.expression(this.#first(node), depth + 1), span };
			case 'StringLiteral':
				return { kind: 'string', value: this.#string(node), span };
			case 'VectorSelector':
				return this.#selector(node);
			case 'FunctionCall':
				return this.#call(node, depth);
			case 'AggregateExpr':
				return this.#aggregation(node, depth);
			default:
				throw this.#fail(node, `unexpected "${this.#slice(node)}"`);
		}
	}

	#first(node: SyntaxNode): SyntaxNode {
		const child = node.firstChild;
		if (child === null) throw this.#fail(node, 'unexpected end of input');
		return child;
	}

	#number(node: SyntaxNode, text: string): number {
		const value = parseNumber(text.trim());
		if (value === null) throw this.#fail(node, `bad number or duration syntax: "${text}"`);
		return value;
	}

	#string(node: SyntaxNode): string {
		const result = unquote(this.#text.slice(node.from, node.to));
		if ('problem' in result) throw this.#fail(node, result.problem);
		return result.value;
	}

	/** Milliseconds of a range, step or offset. */
	#duration(node: SyntaxNode): number {
		const parts = childrenOf(node);
		const first = parts[0];
		if (parts.length === 1 && first?.name === 'NumberDurationLiteralInDurationContext') {
			return Math.round(this.#number(first, this.#slice(first)) * 1000);
		}
		const second = parts[1];
		if (parts.length === 2 && first?.name === 'UnaryOp' && second !== undefined) {
			return (this.#slice(first) === '-' ? -1 : 1) * this.#duration(second);
		}
		throw this.#fail(node, 'duration expressions are experimental and not supported; write a plain duration such as 5m');
	}

	#positiveDuration(node: SyntaxNode): number {
		const ms = this.#duration(node);
		if (!(ms > 0)) throw this.#fail(node, 'duration must be greater than 0');
		if (!Number.isFinite(ms)) throw this.#fail(node, 'duration out of range');
		return ms;
	}

	#at(node: SyntaxNode): AtModifier {
		const preprocessor = node.getChild('AtModifierPreprocessors');
		if (preprocessor !== null) return { kind: this.#slice(preprocessor).toLowerCase() === 'start' ? 'start' : 'end' };
		const literal = node.getChildren('NumberDurationLiteral').at(-1) ?? node;
		const text = this.#slice(literal);
		const sign = text.startsWith('-') ? -1 : 1;
		const seconds = sign * this.#number(literal, text.replace(/^[+-]\s*/, ''));
		if (!Number.isFinite(seconds) || Math.abs(seconds) > 9.2e15) {
			throw this.#fail(literal, `timestamp out of bounds for @ modifier: ${seconds}`);
		}
		return { kind: 'time', timeMs: Math.round(seconds * 1000) };
	}

	#labelName(node: SyntaxNode): string {
		return node.name === 'QuotedLabelName' || node.name === 'StringLiteral' ? this.#string(node) : this.#slice(node);
	}

	#selector(node: SyntaxNode): VectorSelector {
		const identifier = node.getChild('Identifier');
		const braces = node.getChild('LabelMatchers');
		const matchers: MatcherSpec[] = [];
		let name = identifier === null ? '' : this.#slice(identifier);
		if (identifier !== null) {
			matchers.push({ name: '__name__', kind: '=', value: name, span: { start: identifier.from, end: identifier.to } });
		}
		for (const part of braces === null ? [] : childrenOf(braces)) {
			const span = { start: part.from, end: part.to };
			if (part.name === 'QuotedLabelName') {
				const value = this.#string(part);
				if (name !== '') throw this.#fail(part, `metric name must not be set twice: "${name}" or "${value}"`);
				name = value;
				matchers.push({ name: '__name__', kind: '=', value, span });
				continue;
			}
			const [label, op, value] = childrenOf(part);
			if (label === undefined || op === undefined || value === undefined) throw this.#fail(part, 'unexpected end of label matching');
			const kind = this.#slice(op);
			if (kind !== '=' && kind !== '!=' && kind !== '=~' && kind !== '!~') {
				throw this.#fail(op, `unexpected "${kind}" in label matching, expected label matching operator`);
			}
			const labelName = this.#labelName(label);
			if (labelName === '__name__' && identifier !== null) {
				throw this.#fail(identifier, `metric name must not be set twice: "${name}" or "${this.#string(value)}"`);
			}
			matchers.push({ name: labelName, kind, value: this.#string(value), span });
		}
		return { kind: 'selector', name, matchers, offsetMs: 0, at: null, span: { start: node.from, end: node.to } };
	}

	#call(node: SyntaxNode, depth: number): Call {
		const identifier = this.#first(node);
		const name = this.#slice(identifier);
		if (!Object.hasOwn(FUNCTIONS, name)) throw this.#fail(identifier, `unknown function with name "${name}"`);
		return { kind: 'call', name, args: this.#arguments(node, depth), span: { start: node.from, end: node.to } };
	}

	#arguments(node: SyntaxNode, depth: number): readonly Expr[] {
		const body = node.getChild('FunctionCallBody');
		return body === null ? [] : childrenOf(body).map((argument) => this.expression(argument, depth + 1));
	}

	#aggregation(node: SyntaxNode, depth: number): Aggregation {
		const span = { start: node.from, end: node.to };
		const op = this.#slice(this.#first(node)).toLowerCase();
		if (!isAggregator(op)) throw this.#fail(node, `unknown aggregation "${op}"`);
		const args = this.#arguments(node, depth);
		const wanted = AGGREGATOR_PARAMETERS[op] === undefined ? 1 : 2;
		if (args.length === 0) throw this.#fail(node, 'no arguments for aggregate expression provided');
		if (args.length !== wanted) {
			throw this.#fail(node, `wrong number of arguments for aggregate expression provided, expected ${wanted}, got ${args.length}`);
		}
		const modifier = node.getChild('AggregateModifier');
		const labels = modifier?.getChild('GroupingLabels');
		return {
			kind: 'aggregation',
			op,
			param: wanted === 2 ? (args[0] as Expr) : null,
			expr: args.at(-1) as Expr,
			grouping: labels === null || labels === undefined ? [] : childrenOf(labels).map((label) => this.#labelName(label)),
			without: modifier?.getChild('Without') !== null && modifier !== null,
			span,
		};
	}
}

function isAggregator(name: string): name is Aggregator {
	return (AGGREGATORS as readonly string[]).includes(name);
}

function childrenOf(node: SyntaxNode): readonly SyntaxNode[] {
	const result: SyntaxNode[] = [];
	for (let child = node.firstChild; child !== null; child = child.nextSibling) {
		if (child.name !== 'LineComment') result.push(child);
	}
	return result;
}
