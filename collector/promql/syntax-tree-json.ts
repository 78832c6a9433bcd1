import { type AtModifier, type Binary, type Expr, type MatcherSpec, SET_OPERATORS, type ValueType, type VectorSelector } from './ast.ts';
import { FUNCTIONS } from './function-signatures.ts';
import { formatFixed } from './go-float.ts';
import { typeOf } from './type-check.ts';

/** The tree that `/api/v1/parse_query` of Prometheus 3 answers, which its query builder draws. */
export function syntaxTree(expr: Expr): object {
	switch (expr.kind) {
		case 'number':
			return { type: 'numberLiteral', val: formatFixed(expr.value) };
		case 'string':
			return { type: 'stringLiteral', val: expr.value };
		case 'paren':
			return { type: 'parenExpr', expr: syntaxTree(expr.expr) };
		case 'unary':
			return { type: 'unaryExpr', op: expr.op, expr: syntaxTree(expr.expr) };
		case 'selector':
			return { type: 'vectorSelector', ...selector(expr) };
		case 'matrix':
			return { type: 'matrixSelector', ...selector(expr.selector), range: expr.rangeMs };
		case 'subquery':
			return {
				type: 'subquery',
				expr: syntaxTree(expr.expr),
				range: expr.rangeMs,
				offset: expr.offsetMs,
				step: expr.stepMs ?? 0,
				...fixedTime(expr.at),
			};
		case 'call': {
			const signature = FUNCTIONS[expr.name];
			return {
				type: 'call',
				func: {
					name: expr.name,
					argTypes: signature?.args ?? [],
					variadic: signature?.variadic ?? 0,
					returnType: signature?.returns ?? ('vector' satisfies ValueType),
				},
				args: expr.args.map(syntaxTree),
			};
		}
		case 'aggregation':
			return {
				type: 'aggregation',
				op: expr.op,
				expr: syntaxTree(expr.expr),
				param: expr.param === null ? null : syntaxTree(expr.param),
				grouping: expr.grouping,
				without: expr.without,
			};
		case 'binary':
			return {
				type: 'binaryExpr',
				op: expr.op,
				lhs: syntaxTree(expr.left),
				rhs: syntaxTree(expr.right),
				matching: matching(expr),
				bool: expr.bool,
			};
	}
}

function matching(expr: Binary): object | null {
	if (typeOf(expr.left) !== 'vector' || typeOf(expr.right) !== 'vector') return null;
	const { card, labels, on, include } = expr.matching ?? { card: 'one-to-one', labels: [], on: false, include: [] };
	return { card: SET_OPERATORS.has(expr.op) ? 'many-to-many' : card, labels, on, include };
}

function selector({ name, offsetMs, matchers, at }: VectorSelector): object {
	return { name, offset: offsetMs, matchers: matchers.map(matcher), ...fixedTime(at) };
}

function matcher({ name, value, kind }: MatcherSpec): object {
	return { name, value, type: kind };
}

function fixedTime(at: AtModifier | null): { readonly timestamp: number | null; readonly startOrEnd: string | null } {
	if (at === null) return { timestamp: null, startOrEnd: null };
	return at.kind === 'time' ? { timestamp: at.timeMs, startOrEnd: null } : { timestamp: null, startOrEnd: at.kind };
}
