import { type Binary, type Call, type Expr, SET_OPERATORS } from '../promql/ast.ts';
import { DATE_FUNCTIONS } from '../promql/sample-functions.ts';

/**
 * What an expression is to a label: `scalar` and `fixed` read no series (a number; a vector without labels), `apart` gives for each
 * value of the label what the series with that value alone give. `null`: none of these.
 */
type Nature = 'scalar' | 'fixed' | 'apart' | null;

/** Functions whose vector has nothing to do with the labels of what they read. */
const LABEL_LOSING: ReadonlySet<string> = new Set(['absent', 'absent_over_time', 'scalar', 'vector']);

/**
 * Whether the expression can be evaluated for one value of `label` by itself: for every value, adding the matcher `label="value"` to
 * all selectors gives exactly those elements of the whole result that carry it. An absent label counts as the value `''`. Errors
 * are not part of the promise: what fails for another value is not seen.
 */
export function isSeparable(expr: Expr, label: string): boolean {
	return natureOf(expr, label) === 'apart';
}

/** Labels worth trying, the finest first: those of hosts, then what the expression groups or matches by. */
export function separatingLabel(expr: Expr, labels: readonly string[]): string | null {
	return labels.find((label) => isSeparable(expr, label)) ?? null;
}

function natureOf(expr: Expr, label: string): Nature {
	switch (expr.kind) {
		case 'number':
		case 'string':
			return 'scalar';
		case 'selector':
		case 'matrix':
			return 'apart';
		case 'paren':
		case 'unary':
			return natureOf(expr.expr, label);
		case 'subquery':
			return natureOf(expr.expr, label) === 'apart' ? 'apart' : null;
		case 'aggregation': {
			if (expr.param !== null && natureOf(expr.param, label) !== 'scalar') return null;
			if (expr.op === 'count_values' && expr.param?.kind === 'string' && expr.param.value === label) return null;
			const keeps = expr.without ? !expr.grouping.includes(label) : expr.grouping.includes(label);
			return keeps && natureOf(expr.expr, label) === 'apart' ? 'apart' : null;
		}
		case 'call':
			return natureOfCall(expr, label);
		case 'binary':
			return natureOfBinary(expr, label);
	}
}

function natureOfCall(call: Call, label: string): Nature {
	if (call.name === 'vector') return natureOf(call.args[0] as Expr, label) === 'scalar' ? 'fixed' : null;
	if (call.args.length === 0) return DATE_FUNCTIONS.has(call.name) ? 'fixed' : 'scalar';
	if (LABEL_LOSING.has(call.name)) return null;
	// The label that a histogram's buckets are told apart by is gone from the result.
	if (call.name.startsWith('histogram_') && label === 'le') return null;
	if (call.name === 'label_replace' || call.name === 'label_join') {
		const target = call.args[1];
		if (target?.kind !== 'string' || target.value === label) return null;
	}
	const natures = call.args.map((argument) => natureOf(argument, label));
	return natures.includes('apart') && !natures.includes(null) ? 'apart' : null;
}

function natureOfBinary(expr: Binary, label: string): Nature {
	const left = natureOf(expr.left, label);
	const right = natureOf(expr.right, label);
	if (left === null || right === null) return null;
	if (left !== 'apart' && right !== 'apart') return left === 'scalar' && right === 'scalar' ? 'scalar' : expr.op === 'or' ? null : 'fixed';
	if (left === 'scalar' || right === 'scalar') return 'apart';
	const { matching } = expr;
	const matched = matching === null || matching.labels.includes(label) === matching.on;
	if (left === 'apart' && right === 'apart') return matched ? 'apart' : null;
	// Beside a vector that is the same for all, elements stay what they are where they are filtered only.
	return left === 'apart' && SET_OPERATORS.has(expr.op) && expr.op !== 'or' ? 'apart' : null;
}
