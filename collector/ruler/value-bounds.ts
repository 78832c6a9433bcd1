import { type Aggregation, type Binary, type Call, COMPARISONS, type Expr, unwrapParens } from '../promql/ast.ts';

/** Between what an expression's values lie, as far as names and functions tell. */
export interface Bounds {
	readonly min: number;
	readonly max: number;
	/** 0 is excluded although it lies between them. */
	readonly nonZero: boolean;
}

const ANY: Bounds = { min: Number.NEGATIVE_INFINITY, max: Number.POSITIVE_INFINITY, nonZero: false };
const NOT_NEGATIVE: Bounds = { min: 0, max: Number.POSITIVE_INFINITY, nonZero: false };

function between(min: number, max: number): Bounds {
	return { min, max, nonZero: false };
}

const FLAGS = /(^|_)up$|^probe_success$|^fournines_check_degraded$/;
const COUNTS = /_(total|count|bucket|bytes)$/;
/** What a machine or a configuration has is never nothing. */
const CAPACITIES = /(size|MemTotal|limit|max|maximum|capacity|quota)(_bytes|_seconds|_connections)?$/;

/** Functions whose values have bounds of their own, whatever goes in. */
const FUNCTIONS: Readonly<Record<string, Bounds>> = {
	rate: NOT_NEGATIVE,
	irate: NOT_NEGATIVE,
	increase: NOT_NEGATIVE,
	changes: NOT_NEGATIVE,
	resets: NOT_NEGATIVE,
	abs: NOT_NEGATIVE,
	sqrt: NOT_NEGATIVE,
	stddev_over_time: NOT_NEGATIVE,
	stdvar_over_time: NOT_NEGATIVE,
	mad_over_time: NOT_NEGATIVE,
	count_over_time: between(1, Number.POSITIVE_INFINITY),
	time: between(1, Number.POSITIVE_INFINITY),
	timestamp: NOT_NEGATIVE,
	absent: between(1, 1),
	absent_over_time: between(1, 1),
	present_over_time: between(1, 1),
	sgn: between(-1, 1),
	minute: between(0, 59),
	hour: between(0, 23),
	day_of_week: between(0, 6),
	day_of_month: between(1, 31),
	day_of_year: between(1, 366),
	days_in_month: between(28, 31),
	month: between(1, 12),
};

/** Functions that give some of the values that went in, or what lies between them; the argument that matters. */
const PASSING: Readonly<Record<string, number>> = {
	min_over_time: 0,
	max_over_time: 0,
	avg_over_time: 0,
	last_over_time: 0,
	first_over_time: 0,
	quantile_over_time: 1,
	vector: 0,
	sort: 0,
	sort_desc: 0,
	sort_by_label: 0,
	sort_by_label_desc: 0,
	label_replace: 0,
	label_join: 0,
};

export function boundsOf(expr: Expr): Bounds {
	const inner = unwrapParens(expr);
	switch (inner.kind) {
		case 'number':
			return between(inner.value, inner.value);
		case 'string':
		case 'paren':
			return ANY;
		case 'selector':
			return metricBounds(inner.name || (inner.matchers.find(({ name, kind }) => name === '__name__' && kind === '=')?.value ?? ''));
		case 'matrix':
			return boundsOf(inner.selector);
		case 'subquery':
			return boundsOf(inner.expr);
		case 'unary': {
			const { min, max, nonZero } = boundsOf(inner.expr);
			return inner.op === '-' ? { min: -max, max: -min, nonZero } : { min, max, nonZero };
		}
		case 'call':
			return callBounds(inner);
		case 'aggregation':
			return aggregationBounds(inner);
		case 'binary':
			return binaryBounds(inner);
	}
}

function metricBounds(name: string): Bounds {
	if (FLAGS.test(name)) return between(0, 1);
	if (CAPACITIES.test(name)) return { ...NOT_NEGATIVE, nonZero: true };
	return COUNTS.test(name) ? NOT_NEGATIVE : ANY;
}

function callBounds({ name, args }: Call): Bounds {
	if (Object.hasOwn(FUNCTIONS, name)) return FUNCTIONS[name] ?? ANY;
	const passed = Object.hasOwn(PASSING, name) ? args[PASSING[name] ?? 0] : undefined;
	if (passed !== undefined) return boundsOf(passed);
	if (name === 'sum_over_time' && args[0] !== undefined) return summed(boundsOf(args[0]));
	return ANY;
}

function aggregationBounds({ op, expr }: Aggregation): Bounds {
	switch (op) {
		case 'count':
		case 'count_values':
			return between(1, Number.POSITIVE_INFINITY);
		case 'group':
			return between(1, 1);
		case 'stddev':
		case 'stdvar':
			return NOT_NEGATIVE;
		case 'sum':
			return summed(boundsOf(expr));
		default:
			return boundsOf(expr);
	}
}

/** A sum has at least one member. */
function summed({ min, max, nonZero }: Bounds): Bounds {
	if (min >= 0) return { min, max: max === 0 ? 0 : Number.POSITIVE_INFINITY, nonZero };
	return max <= 0 ? { min: Number.NEGATIVE_INFINITY, max, nonZero } : ANY;
}

function binaryBounds(expr: Binary): Bounds {
	const left = boundsOf(expr.left);
	const right = boundsOf(expr.right);
	if (COMPARISONS.has(expr.op)) return expr.bool ? between(0, 1) : narrowed(expr, left, right);
	switch (expr.op) {
		case '+':
			return between(left.min + right.min, left.max + right.max);
		case '-':
			return between(left.min - right.max, left.max - right.min);
		case '*':
			return left.min >= 0 && right.min >= 0 ? product(left, right) : ANY;
		case '/':
			return left.min >= 0 && right.min >= 0 ? NOT_NEGATIVE : ANY;
		case 'and':
		case 'unless':
			return left;
		case 'or':
			return { min: Math.min(left.min, right.min), max: Math.max(left.max, right.max), nonZero: left.nonZero && right.nonZero };
		default:
			return ANY;
	}
}

function product(left: Bounds, right: Bounds): Bounds {
	// 0 times infinity is not a bound.
	const max = left.max * right.max;
	return {
		min: left.min * right.min || 0,
		max: Number.isNaN(max) ? Number.POSITIVE_INFINITY : max,
		nonZero: left.nonZero && right.nonZero,
	};
}

/** What a comparison lets through of its left side. */
function narrowed(expr: Binary, left: Bounds, right: Bounds): Bounds {
	switch (expr.op) {
		case '>':
			return { min: Math.max(left.min, right.min), max: left.max, nonZero: left.nonZero || right.min >= 0 };
		case '>=':
			return { min: Math.max(left.min, right.min), max: left.max, nonZero: left.nonZero || right.min > 0 };
		case '<':
			return { min: left.min, max: Math.min(left.max, right.max), nonZero: left.nonZero || right.max <= 0 };
		case '<=':
			return { min: left.min, max: Math.min(left.max, right.max), nonZero: left.nonZero || right.max < 0 };
		case '==':
			return { min: Math.max(left.min, right.min), max: Math.min(left.max, right.max), nonZero: left.nonZero || right.nonZero };
		default:
			return { ...left, nonZero: left.nonZero || (right.min === 0 && right.max === 0) };
	}
}

export function canBeZero({ min, max, nonZero }: Bounds): boolean {
	return !nonZero && min <= 0 && max >= 0;
}

/** Whether a comparison can let something through, and whether it can keep anything back. */
export function comparisonOutcome(expr: Binary): 'never' | 'always' | 'sometimes' {
	const left = boundsOf(expr.left);
	const right = boundsOf(expr.right);
	const apart = left.max < right.min || left.min > right.max;
	const same = left.min === left.max && right.min === right.max && left.min === right.min;
	const verdict = (never: boolean, always: boolean) => (never ? 'never' : always ? 'always' : 'sometimes');
	switch (expr.op) {
		case '>':
			return verdict(left.max <= right.min, left.min > right.max);
		case '>=':
			return verdict(left.max < right.min, left.min >= right.max);
		case '<':
			return verdict(left.min >= right.max, left.max < right.min);
		case '<=':
			return verdict(left.min > right.max, left.max <= right.min);
		case '==':
			return verdict(apart, same);
		default:
			return verdict(same, apart);
	}
}
