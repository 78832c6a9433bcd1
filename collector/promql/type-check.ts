import {
	AGGREGATOR_PARAMETERS,
	type Binary,
	type Call,
	COMPARISONS,
	children,
	type Expr,
	SET_OPERATORS,
	TYPE_NAMES,
	type ValueType,
	type VectorSelector,
} from './ast.ts';
import { FUNCTIONS } from './function-signatures.ts';
import { createMatcher } from './matcher.ts';
import { parseError } from './query-error.ts';

/** The type that a checked expression evaluates to. */
export function typeOf(expr: Expr): ValueType {
	switch (expr.kind) {
		case 'number':
			return 'scalar';
		case 'string':
			return 'string';
		case 'selector':
		case 'aggregation':
			return 'vector';
		case 'matrix':
		case 'subquery':
			return 'matrix';
		case 'call':
			return FUNCTIONS[expr.name]?.returns ?? 'vector';
		case 'binary':
			return typeOf(expr.left) === 'scalar' && typeOf(expr.right) === 'scalar' ? 'scalar' : 'vector';
		case 'unary':
		case 'paren':
			return typeOf(expr.expr);
	}
}

/** Throws `FN_QUERY_PARSE` for the first mistake, with Prometheus' message. */
export function checkTypes(text: string, expr: Expr): void {
	for (const child of children(expr)) checkTypes(text, child);
	const expectType = (node: Expr, wanted: ValueType, context: string) => {
		const got = typeOf(node);
		if (got !== wanted) throw parseError(text, node.span, `expected type ${TYPE_NAMES[wanted]} in ${context}, got ${TYPE_NAMES[got]}`);
	};
	switch (expr.kind) {
		case 'number':
		case 'string':
		case 'matrix':
		case 'paren':
			return;
		case 'selector':
			checkSelector(text, expr);
			return;
		case 'subquery':
			if (typeOf(expr.expr) !== 'vector') {
				throw parseError(text, expr.span, `subquery is only allowed on instant vector, got ${typeOf(expr.expr)} instead`);
			}
			return;
		case 'unary': {
			const type = typeOf(expr.expr);
			if (type !== 'scalar' && type !== 'vector') {
				throw parseError(
					text,
					expr.span,
					`unary expression only allowed on expressions of type scalar or instant vector, got "${TYPE_NAMES[type]}"`,
				);
			}
			return;
		}
		case 'aggregation': {
			const param = AGGREGATOR_PARAMETERS[expr.op];
			expectType(expr.expr, 'vector', 'aggregation expression');
			if (param !== undefined && expr.param !== null) expectType(expr.param, param, 'aggregation parameter');
			return;
		}
		case 'call':
			checkCall(text, expr, expectType);
			return;
		case 'binary':
			checkBinary(text, expr);
			return;
	}
}

function checkSelector(text: string, expr: VectorSelector): void {
	let selective = false;
	for (const spec of expr.matchers) {
		let matchesEmpty: boolean;
		try {
			matchesEmpty = createMatcher(spec.kind, spec.name, spec.value).test('');
		} catch (error) {
			throw parseError(text, spec.span, error instanceof Error ? error.message : String(error));
		}
		if (!matchesEmpty) selective = true;
	}
	if (!selective) throw parseError(text, expr.span, 'vector selector must contain at least one non-empty matcher');
}

function checkCall(text: string, expr: Call, expectType: (node: Expr, wanted: ValueType, context: string) => void): void {
	const signature = FUNCTIONS[expr.name];
	if (signature === undefined) throw parseError(text, expr.span, `unknown function with name "${expr.name}"`);
	const declared = signature.args.length;
	const count = expr.args.length;
	if (signature.variadic === 0) {
		if (count !== declared) throw parseError(text, expr.span, `expected ${declared} argument(s) in call to "${expr.name}", got ${count}`);
	} else {
		const minimum = declared - 1;
		if (count < minimum) {
			throw parseError(text, expr.span, `expected at least ${minimum} argument(s) in call to "${expr.name}", got ${count}`);
		}
		const maximum = minimum + signature.variadic;
		if (signature.variadic > 0 && count > maximum) {
			throw parseError(text, expr.span, `expected at most ${maximum} argument(s) in call to "${expr.name}", got ${count}`);
		}
	}
	for (let i = 0; i < count; i++) {
		const wanted = signature.args[Math.min(i, declared - 1)] as ValueType;
		expectType(expr.args[i] as Expr, wanted, `call to function "${expr.name}"`);
	}
}

function checkBinary(text: string, expr: Binary): void {
	const left = typeOf(expr.left);
	const right = typeOf(expr.right);
	const comparison = COMPARISONS.has(expr.op);
	const set = SET_OPERATORS.has(expr.op);
	const fail = (message: string) => parseError(text, expr.opSpan, message);
	if (expr.bool && !comparison) throw fail('bool modifier can only be used on comparison operators');
	if (comparison && !expr.bool && left === 'scalar' && right === 'scalar') {
		throw fail('comparisons between scalars must use BOOL modifier');
	}
	const matching = expr.matching;
	if (matching?.on === true && matching.card !== 'one-to-one' && matching.card !== 'many-to-many') {
		const twice = matching.labels.find((label) => matching.include.includes(label));
		if (twice !== undefined) throw fail(`label "${twice}" must not occur in ON and GROUP clause at once`);
	}
	for (const [side, type] of [
		[expr.left, left],
		[expr.right, right],
	] as const) {
		if (type !== 'scalar' && type !== 'vector') {
			throw parseError(text, side.span, 'binary expression must contain only scalar and instant vector types');
		}
	}
	if (left === 'scalar' || right === 'scalar') {
		if (matching !== null && matching.labels.length > 0) throw fail('vector matching only allowed between instant vectors');
		if (set) throw fail(`set operator "${expr.op}" not allowed in binary scalar expression`);
		return;
	}
	if (set && matching !== null) {
		if (matching.card === 'one-to-many' || matching.card === 'many-to-one') throw fail(`no grouping allowed for "${expr.op}" operation`);
		if (matching.card !== 'many-to-many') throw fail('set operations must always be many-to-many');
	}
}
