import { asFlag, asList, asObject, asText } from './json-read.ts';

/** A template variable. What people choose is a list, also where only one value is possible. */
export interface Variable {
	readonly name: string;
	readonly label: string;
	readonly kind: 'query' | 'custom' | 'interval' | 'constant' | 'textbox' | 'datasource' | 'unknown';
	/** Of a query: `label_values(…)`; otherwise the comma-separated values. */
	readonly query: string;
	/** Keeps the values that match; the first group, if there is one, is the value. */
	readonly regex: string;
	/** 0 as they come, 1 and 2 alphabetical, 3 and 4 numerical, 5 and 6 without regard to case; even ones descending. */
	readonly sort: number;
	readonly multi: boolean;
	readonly includeAll: boolean;
	/** What "all" stands for; empty is every value, as alternatives. */
	readonly allValue: string;
	readonly hidden: boolean;
	readonly initial: readonly string[];
}

export interface VariableOption {
	readonly text: string;
	readonly value: string;
}

export const ALL = '$__all';

const KINDS = ['query', 'custom', 'interval', 'constant', 'textbox', 'datasource'] as const;

export function readVariable(value: unknown): Variable {
	const variable = asObject(value);
	const query = variable['query'];
	const type = asText(variable['type']);
	const current = asObject(variable['current'])['value'];
	return {
		name: asText(variable['name']),
		label: asText(variable['label']) || asText(variable['name']),
		kind: KINDS.find((kind) => kind === type) ?? 'unknown',
		query: typeof query === 'string' ? query : asText(asObject(query)['query']),
		regex: asText(variable['regex']),
		sort: typeof variable['sort'] === 'number' ? variable['sort'] : 0,
		multi: asFlag(variable['multi']),
		includeAll: asFlag(variable['includeAll']),
		allValue: asText(variable['allValue']),
		// 2 hides the variable, 1 only its label.
		hidden: variable['hide'] === 2 || type === 'datasource' || type === 'constant',
		initial: (Array.isArray(current) ? asList(current).map((each) => String(each)) : [asText(current)]).filter((each) => each !== ''),
	};
}

/** `a, b : c` is the value `a`, and the value `c` under the name `b`; `\,` is a comma inside. */
export function customOptions(query: string): readonly VariableOption[] {
	return query
		.split(/(?<!\\),/)
		.map((part) => part.replaceAll('\\,', ',').trim())
		.filter((part) => part !== '')
		.map((part) => {
			const pair = /^(.+?)\s+:\s+(.+)$/.exec(part);
			return pair === null ? { text: part, value: part } : { text: pair[1] ?? part, value: pair[2] ?? part };
		});
}

export interface LabelValuesQuery {
	readonly selector: string;
	readonly label: string;
}

/** `label_values(label)` or `label_values(selector, label)`; `null` for anything else. */
export function parseLabelValues(query: string): LabelValuesQuery | null {
	const match = /^\s*label_values\(\s*(?:(.+),)?\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*\)\s*$/s.exec(query);
	if (match === null) return null;
	return { selector: (match[1] ?? '').trim(), label: match[2] ?? '' };
}

export function sortedOptions(values: readonly string[], variable: Pick<Variable, 'regex' | 'sort'>): readonly VariableOption[] {
	const kept = variable.regex === '' ? values.map((value) => ({ text: value, value })) : filtered(values, variable.regex);
	const unique = [...new Map(kept.map((option) => [option.value, option])).values()];
	const { sort } = variable;
	if (sort === 0) return unique;
	const order = (a: VariableOption, b: VariableOption) => {
		if (sort === 3 || sort === 4) return numberIn(a.text) - numberIn(b.text);
		if (sort === 5 || sort === 6) return compare(a.text.toLowerCase(), b.text.toLowerCase());
		return compare(a.text, b.text);
	};
	unique.sort(order);
	return sort % 2 === 0 ? unique.reverse() : unique;
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
const numberIn = (text: string) => Number(/-?\d+(\.\d+)?/.exec(text)?.[0] ?? Number.POSITIVE_INFINITY);

function filtered(values: readonly string[], regex: string): readonly VariableOption[] {
	const parts = /^\/(.*)\/([gimsuy]*)$/s.exec(regex);
	let pattern: RegExp;
	try {
		pattern = parts === null ? new RegExp(`^(?:${regex})$`) : new RegExp(parts[1] ?? '', (parts[2] ?? '').replace(/[gy]/g, ''));
	} catch {
		// A board with a broken filter still works, with every value.
		return values.map((value) => ({ text: value, value }));
	}
	return values.flatMap((each) => {
		const match = pattern.exec(each);
		if (match === null) return [];
		const value = match.groups?.['value'] ?? match[1] ?? each;
		return [{ text: match.groups?.['text'] ?? value, value }];
	});
}

/** What is chosen when the address says nothing, or something that no longer exists. */
export function chosenValues(variable: Variable, options: readonly VariableOption[], wanted: readonly string[]): readonly string[] {
	const all = variable.includeAll ? [ALL] : [];
	if (variable.kind === 'textbox' || variable.kind === 'constant') return wanted.length > 0 ? wanted : [variable.query];
	const exists = (value: string) => all.includes(value) || options.some((option) => option.value === value);
	for (const candidate of [wanted, variable.initial]) {
		const known = candidate.filter(exists);
		if (known.length > 0) return variable.multi ? known : known.slice(0, 1);
	}
	if (all.length > 0) return all;
	return options.slice(0, 1).map((option) => option.value);
}
