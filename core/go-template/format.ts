/** How Go prints values with `%v`; an own method `String` is Go's Stringer. A JavaScript number is printed as a float64, so a million is `1e+06`: use `printf` or `humanize`. */
export function formatValue(value: unknown): string {
	if (value === null || value === undefined) return '<no value>';
	if (typeof value === 'string') return value;
	if (typeof value === 'number') return formatNumber(value);
	if (typeof value === 'boolean' || typeof value === 'bigint') return String(value);
	if (Array.isArray(value)) return `[${value.map(formatValue).join(' ')}]`;
	if (value instanceof Map) {
		const keys = [...value.keys()].map(String).sort();
		return `map[${keys.map((key) => `${key}:${formatValue(value.get(key))}`).join(' ')}]`;
	}
	if (value instanceof Date) return value.toISOString();
	if (typeof value === 'object' && Object.hasOwn(value, 'String')) {
		const said = (value as { readonly String: unknown }).String;
		if (typeof said === 'function') return String(said());
	}
	if (typeof value === 'object')
		return `{${Object.values(value)
			.filter((entry) => typeof entry !== 'function')
			.map(formatValue)
			.join(' ')}}`;
	return String(value);
}

/** Go's shortest `%g`: an exponent below 1e-4 and from 1e6 on. */
export function formatNumber(value: number): string {
	if (value !== value) return 'NaN';
	if (value === Number.POSITIVE_INFINITY) return '+Inf';
	if (value === Number.NEGATIVE_INFINITY) return '-Inf';
	if (value === 0) return Object.is(value, -0) ? '-0' : '0';
	const exponential = value.toExponential();
	const exponent = Number(exponential.slice(exponential.indexOf('e') + 1));
	if (exponent < -4 || exponent >= 6) return goExponent(exponential);
	return String(value);
}

function goExponent(text: string): string {
	return text.replace(/e([+-])(\d)$/, 'e$10$2');
}

/** Go's `fmt.Sprintf` for the verbs that templates use: `%v %s %d %f %e %g %t %q %x %X %c %%` with flags, width, precision. */
export function sprintf(format: string, args: readonly unknown[]): string {
	let next = 0;
	let result = format.replace(
		/%([-+# 0]*)(\d+)?(?:\.(\d*))?([a-zA-Z%])/g,
		(_whole, flags: string, width: string | undefined, precision: string | undefined, verb: string) => {
			if (verb === '%') return '%';
			if (next >= args.length) return `%!${verb}(MISSING)`;
			const arg = args[next];
			next += 1;
			const digits = precision === undefined ? null : Number(precision === '' ? 0 : precision);
			let text = formatVerb(verb, arg, digits, flags);
			if (flags.includes('+') && typeof arg === 'number' && /^\d/.test(text)) text = `+${text}`;
			else if (flags.includes(' ') && typeof arg === 'number' && /^\d/.test(text)) text = ` ${text}`;
			return pad(text, width === undefined ? 0 : Number(width), flags, typeof arg === 'number');
		},
	);
	if (next < args.length)
		result += `%!(EXTRA ${args
			.slice(next)
			.map((arg) => `${typeName(arg)}=${formatValue(arg)}`)
			.join(', ')})`;
	return result;
}

function pad(text: string, width: number, flags: string, numeric: boolean): string {
	const missing = Math.min(width, 10_000) - [...text].length;
	if (missing <= 0) return text;
	if (flags.includes('-')) return text + ' '.repeat(missing);
	if (!flags.includes('0') || !numeric) return ' '.repeat(missing) + text;
	const sign = /^[+-]/.test(text) ? text.slice(0, 1) : '';
	return sign + '0'.repeat(missing) + text.slice(sign.length);
}

function typeName(value: unknown): string {
	if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'float64';
	if (typeof value === 'boolean') return 'bool';
	return typeof value === 'string' ? 'string' : 'object';
}

function formatVerb(verb: string, arg: unknown, precision: number | null, flags: string): string {
	const bad = () => `%!${verb}(${typeName(arg)}=${formatValue(arg)})`;
	switch (verb) {
		case 'v':
			return typeof arg === 'string' && flags.includes('#') ? JSON.stringify(arg) : formatValue(arg);
		case 's': {
			if (typeof arg === 'number' || typeof arg === 'boolean') return bad();
			const text = formatValue(arg);
			return precision === null ? text : [...text].slice(0, precision).join('');
		}
		case 'q':
			return typeof arg === 'number' ? bad() : JSON.stringify(formatValue(arg));
		case 't':
			return typeof arg === 'boolean' ? String(arg) : bad();
		case 'd':
			if (typeof arg === 'bigint') return arg.toString();
			return typeof arg === 'number' && Number.isInteger(arg) ? BigInt(arg).toString() : bad();
		case 'c':
			return typeof arg === 'number' && Number.isInteger(arg) && arg >= 0 && arg <= 0x10ffff ? String.fromCodePoint(arg) : bad();
		case 'x':
		case 'X': {
			const text =
				typeof arg === 'number' && Number.isInteger(arg)
					? arg.toString(16)
					: typeof arg === 'string'
						? [...new TextEncoder().encode(arg)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
						: bad();
			return verb === 'X' ? text.toUpperCase() : text;
		}
		default:
			return typeof arg === 'number' ? formatFloat(verb, arg, precision, bad) : bad();
	}
}

function formatFloat(verb: string, value: number, precision: number | null, bad: () => string): string {
	if (!'fFeEgG'.includes(verb)) return bad();
	if (!Number.isFinite(value)) return value !== value ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
	const digits = Math.min(precision ?? 6, 100);
	if (verb === 'f' || verb === 'F')
		return Math.abs(value) < 1e21 ? value.toFixed(digits) : `${BigInt(value)}${digits > 0 ? `.${'0'.repeat(digits)}` : ''}`;
	if (verb === 'e' || verb === 'E') {
		const text = goExponent(value.toExponential(digits));
		return verb === 'E' ? text.toUpperCase() : text;
	}
	if (precision === null) return formatNumber(value);
	// %.3g: significant digits without trailing zeros; an exponent below 1e-4 or from 10^precision on.
	const significant = Math.max(1, digits);
	const exponential = value.toExponential(significant - 1);
	const exponent = Number(exponential.slice(exponential.indexOf('e') + 1));
	const trim = (text: string) => (text.includes('.') ? text.replace(/\.?0+$/, '') : text);
	if (exponent < -4 || exponent >= significant) {
		const [mantissa = '', tail = ''] = exponential.split('e');
		return goExponent(`${trim(mantissa)}e${tail}`);
	}
	return trim(value.toFixed(Math.max(0, significant - 1 - exponent)));
}
