import { parseGoFloat } from '../../collector/promql/go-float.ts';
import { parseNumber } from '../../collector/promql/literals.ts';
import { parseQuery } from '../../collector/promql/parser.ts';
import { tryParseDuration } from '../../core/duration.ts';
import type { Labels } from '../../protocol/labels.ts';

/** Values of a series line: a number, `null` for a stale marker, `undefined` for no sample. */
export type ScriptValue = number | null | undefined;

export interface ScriptSeries {
	readonly labels: Labels;
	readonly values: readonly ScriptValue[];
}

export type ScriptCommand =
	| { readonly kind: 'clear'; readonly line: number }
	| { readonly kind: 'load'; readonly line: number; readonly stepMs: number; readonly series: readonly ScriptSeries[] }
	| ScriptEvaluation;

export interface ScriptEvaluation {
	readonly kind: 'eval';
	readonly line: number;
	readonly query: string;
	readonly times:
		| { readonly kind: 'instant'; readonly timeMs: number }
		| { readonly kind: 'range'; startMs: number; endMs: number; stepMs: number };
	readonly ordered: boolean;
	readonly expectFail: boolean;
	readonly expectWarning: boolean;
	readonly expectInfo: boolean;
	readonly expected: readonly ScriptSeries[];
	readonly scalar: number | null;
	/** The block speaks of native histograms, which the product does not have. */
	readonly nativeHistogram: boolean;
}

const NATIVE = /\{\{.*\}\}/;

/** Reads Prometheus' own test script language (promql/promqltest), as far as float samples need it. */
export function parsePromqlScript(text: string): readonly ScriptCommand[] {
	const commands: ScriptCommand[] = [];
	const lines = text.split('\n').map((line) => line.trim());
	for (let i = 0; i < lines.length; ) {
		const line = lines[i] as string;
		if (line === '' || line.startsWith('#')) {
			i += 1;
			continue;
		}
		const at = i + 1;
		if (line === 'clear') {
			commands.push({ kind: 'clear', line: at });
			i += 1;
			continue;
		}
		const body: string[] = [];
		i += 1;
		while (i < lines.length && lines[i] !== '') {
			if (!(lines[i] as string).startsWith('#')) body.push(lines[i] as string);
			i += 1;
		}
		const load = /^load(?:_with_nhcb)?\s+(\S+)$/.exec(line);
		if (load !== null) {
			const series = body.filter((entry) => !NATIVE.test(entry)).map((entry) => seriesLine(entry, at));
			commands.push({ kind: 'load', line: at, stepMs: duration(load[1] as string), series });
			continue;
		}
		commands.push(evaluation(line, body, at));
	}
	return commands;
}

function duration(text: string): number {
	const ms = text === '0' ? 0 : (tryParseDuration(text) ?? Number.NaN);
	if (Number.isNaN(ms)) throw new Error(`"${text}" is not a duration`);
	return ms;
}

function evaluation(line: string, body: readonly string[], at: number): ScriptEvaluation {
	const instant = /^eval(?:_(fail|warn|info|ordered))?\s+instant\s+at\s+(\S+)\s+(.+)$/.exec(line);
	const range = /^eval(?:_(fail|warn|info))?\s+range\s+from\s+(\S+)\s+to\s+(\S+)\s+step\s+(\S+)\s+(.+)$/.exec(line);
	const match = instant ?? range;
	if (match === null) throw new Error(`line ${at}: not understood: ${line}`);
	const mode = match[1] ?? '';
	const expects = body.filter((entry) => entry.startsWith('expect'));
	const has = (word: string) => expects.some((entry) => entry === `expect ${word}` || entry.startsWith(`expect ${word} `));
	const results = body.filter((entry) => !entry.startsWith('expect'));
	const nativeHistogram = results.some((entry) => NATIVE.test(entry));
	const single = results.length === 1 ? number(results[0] as string) : null;
	return {
		kind: 'eval',
		line: at,
		query: (match.at(-1) ?? '').trim(),
		times:
			instant !== null
				? { kind: 'instant', timeMs: duration(instant[2] as string) }
				: {
						kind: 'range',
						startMs: duration(match[2] as string),
						endMs: duration(match[3] as string),
						stepMs: duration(match[4] as string),
					},
		ordered: mode === 'ordered' || has('ordered'),
		expectFail: mode === 'fail' || has('fail'),
		expectWarning: mode === 'warn' || has('warn'),
		expectInfo: mode === 'info' || has('info'),
		expected: single !== null || nativeHistogram ? [] : results.map((entry) => seriesLine(entry, at)),
		scalar: single,
		nativeHistogram,
	};
}

function number(text: string): number | null {
	return parseGoFloat(text);
}

/** `metric{labels} items…`. */
export function seriesLine(text: string, line: number): ScriptSeries {
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
	if (expr.kind !== 'selector') throw new Error(`line ${line}: not a series: ${metric}`);
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
	if (value === null) throw new Error(`line ${line}: "${text}" is not a value`);
	return text.startsWith('-') ? -value : value;
}
