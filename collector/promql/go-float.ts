/** Go's `strconv.FormatFloat(value, 'f', -1, 64)`: shortest digits that read back the same, never an exponent. */
export function formatFixed(value: number): string {
	const special = formatSpecial(value);
	if (special !== null) return special;
	const text = String(value);
	const match = /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(text);
	if (match === null) return text;
	const [, sign = '', lead = '', fraction = '', exponentText = '0'] = match;
	const digits = lead + fraction;
	const exponent = Number(exponentText);
	if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`;
	return `${sign}${digits}${'0'.repeat(Math.max(0, exponent - fraction.length))}`;
}

/** How Prometheus writes sample values in JSON: fixed, but with a two-digit exponent below 1e-6 and from 1e21. */
export function formatSample(value: number): string {
	const special = formatSpecial(value);
	if (special !== null) return special;
	const text = String(value);
	const at = text.indexOf('e');
	if (at < 0) return text;
	const exponent = text.slice(at + 2);
	return exponent.length >= 2 ? text : `${text.slice(0, at + 2)}0${exponent}`;
}

function formatSpecial(value: number): string | null {
	if (value !== value) return 'NaN';
	if (value === Number.POSITIVE_INFINITY) return '+Inf';
	if (value === Number.NEGATIVE_INFINITY) return '-Inf';
	return value === 0 && Object.is(value, -0) ? '-0' : null;
}

/** Go's `strconv.ParseFloat`, `null` for what it refuses. Hexadecimal floats, which nobody writes as a bucket, are refused too. */
export function parseGoFloat(text: string): number | null {
	const lower = text.toLowerCase();
	if (/^[+-]?(inf|infinity)$/.test(lower)) return lower.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
	if (lower === 'nan') return Number.NaN;
	return /^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?$/.test(lower) ? Number(lower) : null;
}
