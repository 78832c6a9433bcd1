const UNIT = (value: number) => new Date(Math.trunc(value) * 1000);

function asRounded(value: number): number {
	return Math.floor(value + 0.5);
}

/** Functions of one sample value. */
export const SAMPLE_FUNCTIONS: Readonly<Record<string, (value: number) => number>> = {
	abs: Math.abs,
	acos: Math.acos,
	acosh: Math.acosh,
	asin: Math.asin,
	asinh: Math.asinh,
	atan: Math.atan,
	atanh: Math.atanh,
	ceil: Math.ceil,
	cos: Math.cos,
	cosh: Math.cosh,
	deg: (value) => (value * 180) / Math.PI,
	exp: Math.exp,
	floor: Math.floor,
	ln: Math.log,
	log10: Math.log10,
	log2: Math.log2,
	rad: (value) => (value * Math.PI) / 180,
	round: asRounded,
	sgn: (value) => (value < 0 ? -1 : value > 0 ? 1 : value),
	sin: Math.sin,
	sinh: Math.sinh,
	sqrt: Math.sqrt,
	tan: Math.tan,
	tanh: Math.tanh,
	day_of_month: (value) => UNIT(value).getUTCDate(),
	day_of_week: (value) => UNIT(value).getUTCDay(),
	day_of_year: (value) => {
		const date = UNIT(value);
		return Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear(), 0, 1)) / 86_400_000) + 1;
	},
	days_in_month: (value) => {
		const date = UNIT(value);
		return new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
	},
	hour: (value) => UNIT(value).getUTCHours(),
	minute: (value) => UNIT(value).getUTCMinutes(),
	month: (value) => UNIT(value).getUTCMonth() + 1,
	year: (value) => UNIT(value).getUTCFullYear(),
};

/** Of these the argument may be left out and is then the evaluation time. */
export const DATE_FUNCTIONS: ReadonlySet<string> = new Set([
	'day_of_month',
	'day_of_week',
	'day_of_year',
	'days_in_month',
	'hour',
	'minute',
	'month',
	'year',
]);

/** Functions of a sample value and scalar arguments at the same step. */
export const SAMPLE_FUNCTIONS_WITH_SCALARS: Readonly<Record<string, (value: number, first: number, second: number) => number>> = {
	clamp: (value, minimum, maximum) => Math.max(minimum, Math.min(maximum, value)),
	clamp_max: (value, maximum) => Math.min(maximum, value),
	clamp_min: (value, minimum) => Math.max(minimum, value),
	round: (value, nearest) => {
		const inverse = 1 / nearest;
		return Math.floor(value * inverse + 0.5) / inverse;
	},
};
