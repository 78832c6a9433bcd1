import type { ValueType } from './ast.ts';

export interface FunctionSignature {
	readonly args: readonly ValueType[];
	/** 0: exactly `args`; n > 0: the last n are optional; -1: the last may be repeated or left out. */
	readonly variadic: number;
	readonly returns: ValueType;
}

const fn = (args: readonly ValueType[], returns: ValueType = 'vector', variadic = 0): FunctionSignature => ({ args, variadic, returns });

const VECTOR = fn(['vector']);
const MATRIX = fn(['matrix']);
const DATE = fn(['vector'], 'vector', 1);

/** Every function of the language. Names that the grammar knows and this table does not are experimental and refused by name. */
export const FUNCTIONS: Readonly<Record<string, FunctionSignature>> = {
	abs: VECTOR,
	absent: VECTOR,
	absent_over_time: MATRIX,
	acos: VECTOR,
	acosh: VECTOR,
	asin: VECTOR,
	asinh: VECTOR,
	atan: VECTOR,
	atanh: VECTOR,
	avg_over_time: MATRIX,
	ceil: VECTOR,
	changes: MATRIX,
	clamp: fn(['vector', 'scalar', 'scalar']),
	clamp_max: fn(['vector', 'scalar']),
	clamp_min: fn(['vector', 'scalar']),
	cos: VECTOR,
	cosh: VECTOR,
	count_over_time: MATRIX,
	day_of_month: DATE,
	day_of_week: DATE,
	day_of_year: DATE,
	days_in_month: DATE,
	deg: VECTOR,
	delta: MATRIX,
	deriv: MATRIX,
	double_exponential_smoothing: fn(['matrix', 'scalar', 'scalar']),
	exp: VECTOR,
	first_over_time: MATRIX,
	floor: VECTOR,
	histogram_avg: VECTOR,
	histogram_count: VECTOR,
	histogram_fraction: fn(['scalar', 'scalar', 'vector']),
	histogram_quantile: fn(['scalar', 'vector']),
	histogram_stddev: VECTOR,
	histogram_stdvar: VECTOR,
	histogram_sum: VECTOR,
	hour: DATE,
	idelta: MATRIX,
	increase: MATRIX,
	irate: MATRIX,
	label_join: fn(['vector', 'string', 'string', 'string'], 'vector', -1),
	label_replace: fn(['vector', 'string', 'string', 'string', 'string']),
	last_over_time: MATRIX,
	ln: VECTOR,
	log10: VECTOR,
	log2: VECTOR,
	mad_over_time: MATRIX,
	max_over_time: MATRIX,
	min_over_time: MATRIX,
	minute: DATE,
	month: DATE,
	pi: fn([], 'scalar'),
	predict_linear: fn(['matrix', 'scalar']),
	present_over_time: MATRIX,
	quantile_over_time: fn(['scalar', 'matrix']),
	rad: VECTOR,
	rate: MATRIX,
	resets: MATRIX,
	round: fn(['vector', 'scalar'], 'vector', 1),
	scalar: fn(['vector'], 'scalar'),
	sgn: VECTOR,
	sin: VECTOR,
	sinh: VECTOR,
	sort: VECTOR,
	sort_by_label: fn(['vector', 'string'], 'vector', -1),
	sort_by_label_desc: fn(['vector', 'string'], 'vector', -1),
	sort_desc: VECTOR,
	sqrt: VECTOR,
	stddev_over_time: MATRIX,
	stdvar_over_time: MATRIX,
	sum_over_time: MATRIX,
	tan: VECTOR,
	tanh: VECTOR,
	time: fn([], 'scalar'),
	timestamp: VECTOR,
	vector: fn(['scalar']),
	year: DATE,
};

/** Functions whose result depends on the evaluation time even when all their arguments do not. */
export const TIME_DEPENDENT: ReadonlySet<string> = new Set([
	'days_in_month',
	'day_of_month',
	'day_of_week',
	'day_of_year',
	'hour',
	'minute',
	'month',
	'year',
	'predict_linear',
	'time',
	'timestamp',
]);
