import { parseGoFloat } from '../../collector/promql/go-float.ts';
import { type ScriptSeries, seriesLine } from '../../collector/promql/series-notation.ts';
import { tryParseDuration } from '../../core/duration.ts';

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
