import type { MatcherKind } from '../storage/storage.ts';

/** Half-open range of UTF-16 offsets in the query text. */
export interface Span {
	readonly start: number;
	readonly end: number;
}

export type ValueType = 'scalar' | 'string' | 'vector' | 'matrix';

/** The words that error messages use for a type. */
export const TYPE_NAMES: Readonly<Record<ValueType, string>> = {
	scalar: 'scalar',
	string: 'string',
	vector: 'instant vector',
	matrix: 'range vector',
};

export type AtModifier = { readonly kind: 'time'; readonly timeMs: number } | { readonly kind: 'start' } | { readonly kind: 'end' };

export interface MatcherSpec {
	readonly name: string;
	readonly kind: MatcherKind;
	readonly value: string;
	readonly span: Span;
}

export interface NumberLiteral {
	readonly kind: 'number';
	readonly value: number;
	readonly span: Span;
}

export interface StringLiteral {
	readonly kind: 'string';
	readonly value: string;
	readonly span: Span;
}

export interface VectorSelector {
	readonly kind: 'selector';
	/** The metric name when it was written outside of the matchers, else `''`. It is also in `matchers`. */
	readonly name: string;
	readonly matchers: readonly MatcherSpec[];
	readonly offsetMs: number;
	readonly at: AtModifier | null;
	readonly span: Span;
}

export interface MatrixSelector {
	readonly kind: 'matrix';
	readonly selector: VectorSelector;
	readonly rangeMs: number;
	readonly span: Span;
}

export interface Subquery {
	readonly kind: 'subquery';
	readonly expr: Expr;
	readonly rangeMs: number;
	/** `null`: the engine's evaluation interval. */
	readonly stepMs: number | null;
	readonly offsetMs: number;
	readonly at: AtModifier | null;
	readonly span: Span;
}

export interface Call {
	readonly kind: 'call';
	readonly name: string;
	readonly args: readonly Expr[];
	readonly span: Span;
}

export const AGGREGATORS = [
	'sum',
	'avg',
	'min',
	'max',
	'count',
	'group',
	'stddev',
	'stdvar',
	'topk',
	'bottomk',
	'quantile',
	'count_values',
	'limitk',
	'limit_ratio',
] as const;
export type Aggregator = (typeof AGGREGATORS)[number];

/** Aggregations that take a parameter, and its type. */
export const AGGREGATOR_PARAMETERS: Readonly<Partial<Record<Aggregator, ValueType>>> = {
	topk: 'scalar',
	bottomk: 'scalar',
	quantile: 'scalar',
	limitk: 'scalar',
	limit_ratio: 'scalar',
	count_values: 'string',
};

export interface Aggregation {
	readonly kind: 'aggregation';
	readonly op: Aggregator;
	readonly param: Expr | null;
	readonly expr: Expr;
	readonly grouping: readonly string[];
	readonly without: boolean;
	readonly span: Span;
}

export const BINARY_OPERATORS = ['+', '-', '*', '/', '%', '^', 'atan2', '==', '!=', '<', '<=', '>', '>=', 'and', 'or', 'unless'] as const;
export type BinaryOperator = (typeof BINARY_OPERATORS)[number];

export const COMPARISONS: ReadonlySet<BinaryOperator> = new Set(['==', '!=', '<', '<=', '>', '>=']);
export const SET_OPERATORS: ReadonlySet<BinaryOperator> = new Set(['and', 'or', 'unless']);

export interface VectorMatching {
	readonly card: 'one-to-one' | 'many-to-one' | 'one-to-many' | 'many-to-many';
	readonly labels: readonly string[];
	readonly on: boolean;
	readonly include: readonly string[];
}

export interface Binary {
	readonly kind: 'binary';
	readonly op: BinaryOperator;
	readonly left: Expr;
	readonly right: Expr;
	readonly bool: boolean;
	/** What was written; `null` when nothing was. */
	readonly matching: VectorMatching | null;
	readonly opSpan: Span;
	readonly span: Span;
}

export interface Unary {
	readonly kind: 'unary';
	readonly op: '-' | '+';
	readonly expr: Expr;
	readonly span: Span;
}

export interface Paren {
	readonly kind: 'paren';
	readonly expr: Expr;
	readonly span: Span;
}

export type Expr = NumberLiteral | StringLiteral | VectorSelector | MatrixSelector | Subquery | Call | Aggregation | Binary | Unary | Paren;

/** `expr` without the parentheses around it. */
export function unwrapParens(expr: Expr): Expr {
	let inner = expr;
	while (inner.kind === 'paren') inner = inner.expr;
	return inner;
}

/** The direct operands of a node, in source order. */
export function children(expr: Expr): readonly Expr[] {
	switch (expr.kind) {
		case 'number':
		case 'string':
		case 'selector':
			return [];
		case 'matrix':
			return [expr.selector];
		case 'subquery':
		case 'unary':
		case 'paren':
			return [expr.expr];
		case 'call':
			return expr.args;
		case 'aggregation':
			return expr.param === null ? [expr.expr] : [expr.param, expr.expr];
		case 'binary':
			return [expr.left, expr.right];
	}
}

/** Every node of the tree, parents first. */
export function* walk(expr: Expr): Generator<Expr> {
	yield expr;
	for (const child of children(expr)) yield* walk(child);
}
