import { AppError } from '../../core/errors.ts';
import type { Labels } from '../../protocol/labels.ts';
import { parseNumber } from './literals.ts';
import { parseQuery } from './parser.ts';

/** Values of a series line: a number, `null` for a stale marker, `undefined` for no sample. */
export type ScriptValue = number | null | undefined;

export interface ScriptSeries {
	readonly labels: Labels;
	readonly values: readonly ScriptValue[];
}

/**
 * Reads `metric{labels} items…`, the notation of series in Prometheus' test scripts and rule tests. Throws `FN_QUERY_SERIES`; `line`
 * is what its message names, 0 for none.
 */
export function seriesLine(text: string, line = 0): ScriptSeries {
	const end = metricEnd(text);
	const metric = text.slice(0, end).trim();
	return { labels: labelsOf(metric, line), values: seriesValues(text.slice(end).trim(), line) };
}

function metricEnd(text: string): number {
	let quoted = '';
	for (let i = 0; i < text.length; i++) {
		const char = text[i] as string;
		if (quoted !== '') {
			if (char === '\\') i += 1;
			else if (char === quoted) quoted = '';
		} else if (char === '"' || char === "'") quoted = char;
		else if (char === '}') return i + 1;
		else if ((char === ' ' || char === '\t') && !text.slice(0, i).includes('{') && !text.slice(i).trimStart().startsWith('{')) return i;
	}
	return text.length;
}

function labelsOf(metric: string, line: number): Labels {
	if (metric === '{}') return [];
	const expr = parseQuery(metric);
	if (expr.kind !== 'selector') throw notationError(line, `"${metric}" is not a series`);
	return expr.matchers
		.filter((matcher) => matcher.value !== '')
		.sort((a, b) => (a.name < b.name ? -1 : 1))
		.flatMap((matcher) => [matcher.name, matcher.value]);
}

/** The values of `items`: `_`, `_xN`, `stale`, `V`, `VxN`, `V+DxN`, `V-DxN`. */
export function seriesValues(items: string, line = 0): readonly ScriptValue[] {
	const values: ScriptValue[] = [];
	for (const item of items.split(/\s+/).filter((part) => part !== '')) {
		const blank = /^_(?:x(\d+))?$/.exec(item);
		if (blank !== null) {
			for (let i = 0; i < Number(blank[1] ?? 1); i++) values.push(undefined);
			continue;
		}
		if (item === 'stale') {
			values.push(null);
			continue;
		}
		const repeated =
			/^([+-]?(?:\d[\d.]*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?|Inf|NaN))(?:([+-])(\d[\d.]*(?:[eE][+-]?\d+)?))?x(\d+)$/i.exec(item);
		if (repeated !== null) {
			const [, first = '', sign, step, count = '0'] = repeated;
			const delta = step === undefined ? 0 : Number(step) * (sign === '-' ? -1 : 1);
			let value = signed(first, line);
			for (let i = 0; i <= Number(count); i++) {
				values.push(value);
				value += delta;
			}
			continue;
		}
		values.push(signed(item, line));
	}
	return values;
}

function signed(text: string, line: number): number {
	const value = parseNumber(text.replace(/^[+-]/, ''));
	if (value === null) throw notationError(line, `"${text}" is not a value; write for example 1, 1+2x10, _, _x5 or stale`);
	return text.startsWith('-') ? -value : value;
}

function notationError(line: number, message: string): AppError {
	return new AppError('FN_QUERY_SERIES', line === 0 ? message : `line ${line}: ${message}`, { status: 400 });
}
