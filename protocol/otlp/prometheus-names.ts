/** What of a metric decides its suffix. */
export type OtlpNameKind = 'counter' | 'gauge' | 'other';

/** UCUM units as Prometheus spells them out. */
const UNITS: Readonly<Record<string, string>> = {
	d: 'days',
	h: 'hours',
	min: 'minutes',
	s: 'seconds',
	ms: 'milliseconds',
	us: 'microseconds',
	ns: 'nanoseconds',
	By: 'bytes',
	KiBy: 'kibibytes',
	MiBy: 'mebibytes',
	GiBy: 'gibibytes',
	TiBy: 'tibibytes',
	KBy: 'kilobytes',
	kBy: 'kilobytes',
	MBy: 'megabytes',
	GBy: 'gigabytes',
	TBy: 'terabytes',
	m: 'meters',
	V: 'volts',
	A: 'amperes',
	J: 'joules',
	W: 'watts',
	g: 'grams',
	Cel: 'celsius',
	Hz: 'hertz',
	'1': '',
	'%': 'percent',
};
const PER_UNITS: Readonly<Record<string, string>> = {
	s: 'second',
	m: 'minute',
	min: 'minute',
	h: 'hour',
	d: 'day',
	w: 'week',
	mo: 'month',
	y: 'year',
};

/**
 * The Prometheus name of an OTLP metric, with its unit and type as suffixes: `http.server.duration` in `s` is
 * `http_server_duration_seconds`, a counter ends with `_total`, a gauge without a dimension with `_ratio`
 * (https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/#otlp-metric-points-to-prometheus).
 * `''` when nothing of the name can stay.
 */
export function prometheusName(name: string, unit: string, kind: OtlpNameKind): string {
	let tokens = name.split(/[^a-zA-Z0-9:]+/).filter((token) => token !== '');
	if (tokens.length === 0) return '';
	const { main, per } = unitTokens(unit);
	if (main !== '' && !tokens.includes(main)) tokens.push(...main.split('_'));
	if (per !== '' && !tokens.includes(per)) tokens.push('per', per);
	const suffix = kind === 'counter' ? 'total' : kind === 'gauge' && unit === '1' ? 'ratio' : '';
	if (suffix !== '') tokens = [...tokens.filter((token) => token !== suffix), suffix];
	const joined = tokens.join('_');
	return /^[0-9]/.test(joined) ? `_${joined}` : joined;
}

/** The unit as metadata shows it: `bytes`, `seconds`, `bytes_per_second`, `''`. */
export function prometheusUnit(unit: string): string {
	const { main, per } = unitTokens(unit);
	return per === '' ? main : `${main === '' ? '' : `${main}_`}per_${per}`;
}

/** Annotations in braces, as in `{requests}/s`, say nothing of the dimension and are left out. */
function unitTokens(unit: string): { readonly main: string; readonly per: string } {
	const slash = unit.indexOf('/');
	const main = (slash < 0 ? unit : unit.slice(0, slash)).trim();
	const per = slash < 0 ? '' : unit.slice(slash + 1).trim();
	return { main: /[{}]/.test(main) ? '' : clean(UNITS[main] ?? main), per: /[{}]/.test(per) ? '' : clean(PER_UNITS[per] ?? per) };
}

function clean(text: string): string {
	return text.replace(/[^a-zA-Z0-9:]+/g, '_').replace(/^_+|_+$/g, '');
}

/** The Prometheus label of an attribute's key: other characters become underscores, and a digit or single underscore is not the first. */
export function prometheusLabel(key: string): string {
	const label = key.replace(/[^a-zA-Z0-9_]/gu, '_');
	if (/^[0-9]/.test(label)) return `key_${label}`;
	return /^_(?!_)/.test(label) ? `key${label}` : label;
}
