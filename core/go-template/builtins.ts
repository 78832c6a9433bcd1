import { formatValue, sprintf } from './format.ts';

export type TemplateFunction = (...args: readonly unknown[]) => unknown;

/** Go's idea of true: not zero, not empty, not nil. */
export function isTrue(value: unknown): boolean {
	if (value === null || value === undefined || value === false || value === '' || value === 0) return false;
	if (Array.isArray(value)) return value.length > 0;
	if (value instanceof Map) return value.size > 0;
	return true;
}

function sameKind(a: unknown, b: unknown): void {
	const kindA = a === undefined ? 'object' : typeof a;
	const kindB = b === undefined ? 'object' : typeof b;
	if (kindA !== kindB) throw new Error(`incompatible types for comparison: ${kindA} and ${kindB}`);
}

function less(a: unknown, b: unknown): boolean {
	sameKind(a, b);
	if (typeof a === 'number' && typeof b === 'number') return a < b;
	if (typeof a === 'string' && typeof b === 'string') return a < b;
	throw new Error('invalid type for comparison');
}

function equal(a: unknown, b: unknown): boolean {
	if (a === null || a === undefined || b === null || b === undefined) return (a ?? null) === (b ?? null);
	sameKind(a, b);
	return a === b;
}

function index(value: unknown, ...keys: readonly unknown[]): unknown {
	let current = value;
	for (const key of keys) {
		if (Array.isArray(current) || typeof current === 'string') {
			if (typeof key !== 'number' || !Number.isInteger(key) || key < 0 || key >= current.length) {
				throw new Error(`index out of range: ${formatValue(key)}`);
			}
			current = current[key];
		} else if (current instanceof Map) current = current.has(key) ? current.get(key) : '';
		else if (typeof current === 'object' && current !== null && typeof key === 'string') {
			current = Object.hasOwn(current, key) ? (current as Readonly<Record<string, unknown>>)[key] : '';
		} else throw new Error(`cannot index ${formatValue(current)}`);
	}
	return current;
}

function length(value: unknown): number {
	if (Array.isArray(value)) return value.length;
	if (typeof value === 'string') return new TextEncoder().encode(value).length;
	if (value instanceof Map) return value.size;
	if (typeof value === 'object' && value !== null) return Object.keys(value).length;
	throw new Error(`len of type ${typeof value}`);
}

function slice(value: unknown, from: unknown = 0, to?: unknown): unknown {
	if (typeof value !== 'string' && !Array.isArray(value)) throw new Error(`slice of type ${typeof value}`);
	const end = to ?? value.length;
	if (typeof from !== 'number' || typeof end !== 'number' || from < 0 || end < from || end > value.length)
		throw new Error('slice index out of range');
	return value.slice(from, end);
}

const HTML: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&#34;', "'": '&#39;' };

export function escapeHtml(text: string): string {
	return text.replace(/[&<>"']/g, (char) => HTML[char] ?? char);
}

/** Spaces between operands when neither is a string, as `fmt.Sprint` does. */
function print(...args: readonly unknown[]): string {
	let text = '';
	args.forEach((arg, i) => {
		if (i > 0 && typeof arg !== 'string' && typeof args[i - 1] !== 'string') text += ' ';
		text += formatValue(arg);
	});
	return text;
}

/** The functions that Go's text/template always has. `and`, `or` and `not` are here for their names; the executor cuts them short. */
export const BUILTINS: Readonly<Record<string, TemplateFunction>> = {
	and: (...args) => args.find((arg) => !isTrue(arg)) ?? args.at(-1),
	or: (...args) => args.find((arg) => isTrue(arg)) ?? args.at(-1),
	not: (value) => !isTrue(value),
	eq: (first, ...others) => others.some((other) => equal(first, other)),
	ne: (a, b) => !equal(a, b),
	lt: (a, b) => less(a, b),
	le: (a, b) => less(a, b) || equal(a, b),
	gt: (a, b) => less(b, a),
	ge: (a, b) => less(b, a) || equal(a, b),
	len: length,
	index,
	slice,
	print,
	println: (...args) => `${args.map(formatValue).join(' ')}\n`,
	printf: (format, ...args) => sprintf(String(format), args),
	html: (...args) => escapeHtml(print(...args)),
	js: (...args) =>
		JSON.stringify(print(...args))
			.slice(1, -1)
			.replaceAll("'", "\\'")
			.replaceAll('<', '\\u003C')
			.replaceAll('>', '\\u003E'),
	urlquery: (...args) => encodeURIComponent(print(...args)).replaceAll('%20', '+'),
};
