import { ALL, type Variable, type VariableOption } from './variable.ts';

/** A variable with what is chosen of it. */
export interface VariableValue {
	readonly variable: Variable;
	readonly options: readonly VariableOption[];
	readonly values: readonly string[];
}

export type Scope = Readonly<Record<string, VariableValue>>;

const REFERENCE = /\$\{(\w+)(?:\.[^:^}]+)?(?::([^}]+))?\}|\[\[(\w+)(?::(\w+))?\]\]|\$(\w+)/g;

/**
 * Replaces `$name`, `${name}`, `${name:format}` and `[[name]]` as Grafana's Prometheus data source does: several values
 * become `(a|b)` with regular-expression characters escaped, a single-valued variable keeps its value.
 * `builtIn` holds `__interval` and its like. What is not known stays as it is.
 */
export function interpolate(text: string, scope: Scope, builtIn: Readonly<Record<string, string>> = {}): string {
	return text.replace(REFERENCE, (whole, braced: string, bracedFormat, square: string, squareFormat, plain: string) => {
		const name = braced ?? square ?? plain ?? '';
		const fixed = builtIn[name];
		if (fixed !== undefined) return fixed;
		const value = scope[name];
		return value === undefined ? whole : formatValue(value, bracedFormat ?? squareFormat ?? '');
	});
}

function formatValue({ variable, options, values }: VariableValue, format: string): string {
	const all = values.includes(ALL);
	if (all && variable.allValue !== '') return variable.allValue;
	const effective = all ? options.map((option) => option.value) : values;
	const [first = ''] = effective;
	switch (format) {
		case 'raw':
		case 'csv':
			return effective.join(',');
		case 'pipe':
			return effective.join('|');
		case 'text':
			return effective.map((value) => options.find((option) => option.value === value)?.text ?? value).join(' + ');
		case 'regex':
			return effective.length === 1 ? escapeRegex(first) : `(${effective.map(escapeRegex).join('|')})`;
		case 'doublequote':
			return effective.map((value) => `"${value.replaceAll('"', '\\"')}"`).join(',');
		default: {
			if (!variable.multi && !variable.includeAll) return escapeQuoted(first);
			return effective.length === 1 ? escapeForMatcher(first) : `(${effective.map(escapeForMatcher).join('|')})`;
		}
	}
}

const escapeRegex = (text: string) => text.replace(/[\\^$*+?.()|[\]{}/]/g, '\\$&');
/** Inside of a quoted PromQL string every backslash of the expression is written twice. */
const escapeForMatcher = (text: string) =>
	text
		.replace(/[\\^$*+?.()|[\]{}]/g, '\\$&')
		.replaceAll('\\', '\\\\')
		.replaceAll('"', '\\"');
const escapeQuoted = (text: string) => text.replaceAll('\\', '\\\\').replaceAll('"', '\\"');
