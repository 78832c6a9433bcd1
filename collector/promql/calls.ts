import { withLabel, withoutName } from '../../core/labels.ts';
import type { Labels } from '../../protocol/labels.ts';
import { METRIC_NAME } from '../../protocol/labels.ts';
import { type Call, type Expr, unwrapParens } from './ast.ts';
import { type Column, isEmpty, mergeColumns, newColumn, type Steps, type Value, vectorOf } from './columns.ts';
import { histogramQuantile } from './histogram-quantile.ts';
import { labelJoin, labelReplace, sortByLabels, sortByValue } from './label-functions.ts';
import type { Operands } from './operands.ts';
import { executionError } from './query-error.ts';
import { isRangeFunction, rangeCall } from './range-calls.ts';
import { DATE_FUNCTIONS, SAMPLE_FUNCTIONS, SAMPLE_FUNCTIONS_WITH_SCALARS } from './sample-functions.ts';

type Handler = (evaluator: Operands, call: Call, steps: Steps) => Value;

/** Evaluates a function call whose arguments the parser has checked. */
export function evaluateCall(evaluator: Operands, call: Call, steps: Steps): Value {
	const special = Object.hasOwn(SPECIAL, call.name) ? SPECIAL[call.name] : undefined;
	if (special !== undefined) return special(evaluator, call, steps);
	if (isRangeFunction(call.name)) return rangeCall(evaluator, call, steps);
	return sampleCall(evaluator, call, steps);
}

function argument(call: Call, index: number): Expr {
	const expr = call.args[index];
	if (expr === undefined) throw executionError(`argument ${index + 1} of ${call.name} is missing`);
	return expr;
}

/** What the host functions need: the time of each step in seconds. */
function times(steps: Steps): Float64Array {
	const values = new Float64Array(steps.count);
	for (let i = 0; i < steps.count; i++) values[i] = (steps.startMs + i * steps.stepMs) / 1000;
	return values;
}

function everywhere(labels: Labels, values: Float64Array): Column {
	return { labels, values, present: new Uint8Array(values.length).fill(1) };
}

function sampleCall(evaluator: Operands, call: Call, steps: Steps): Value {
	const plain = call.args.length <= 1 ? SAMPLE_FUNCTIONS[call.name] : undefined;
	if (plain !== undefined) {
		const columns =
			call.args.length === 0 && DATE_FUNCTIONS.has(call.name)
				? [everywhere([], times(steps))]
				: evaluator.vector(argument(call, 0), steps).columns;
		return vectorOf(mergeColumns(columns.map((column) => map(column, plain))));
	}
	const apply = SAMPLE_FUNCTIONS_WITH_SCALARS[call.name];
	if (apply === undefined) throw executionError(`function "${call.name}" is not implemented for these arguments`);
	const columns = evaluator.vector(argument(call, 0), steps).columns;
	const scalars = call.args.slice(1).map((expr) => evaluator.scalar(expr, steps).values);
	return vectorOf(
		mergeColumns(
			columns.map((column) => {
				const output = newColumn(withoutName(column.labels), steps.count);
				for (let i = 0; i < steps.count; i++) {
					if (column.present[i] === 0) continue;
					const first = scalars[0] === undefined ? 0 : (scalars[0][i] as number);
					const second = scalars[1] === undefined ? 0 : (scalars[1][i] as number);
					// An empty interval clamps everything away.
					if (call.name === 'clamp' && second < first) continue;
					output.values[i] = apply(column.values[i] as number, first, second);
					output.present[i] = 1;
				}
				return output;
			}),
		),
	);
}

function map(column: Column, apply: (value: number) => number): Column {
	const output = newColumn(withoutName(column.labels), column.values.length);
	for (let i = 0; i < output.values.length; i++) {
		if (column.present[i] === 0) continue;
		output.values[i] = apply(column.values[i] as number);
		output.present[i] = 1;
	}
	return output;
}

function absentFrom(columns: readonly { readonly present: Uint8Array }[], expr: Expr, steps: Steps): Value {
	const output = newColumn(absentLabels(unwrapParens(expr)), steps.count);
	output.present.fill(1);
	output.values.fill(1);
	for (const column of columns) for (let i = 0; i < steps.count; i++) if (column.present[i] === 1) output.present[i] = 0;
	return vectorOf(isEmpty(output) ? [] : [output]);
}

/** Labels that the missing series would have: those that its selector asks for by `=`, unless one is asked for twice. */
function absentLabels(expr: Expr): Labels {
	const selector = expr.kind === 'matrix' ? expr.selector : expr;
	if (selector.kind !== 'selector') return [];
	let labels: Labels = [];
	const seen = new Set<string>();
	for (const matcher of selector.matchers) {
		if (matcher.name === METRIC_NAME) continue;
		if (matcher.kind === '=' && !seen.has(matcher.name)) {
			labels = withLabel(labels, matcher.name, matcher.value);
			seen.add(matcher.name);
		} else labels = withLabel(labels, matcher.name, '');
	}
	return labels;
}

/** Classic samples carry no native histogram, so functions of histograms give nothing. */
const nothing: Handler = (evaluator, call, steps) => {
	for (const expr of call.args) evaluator.evaluate(expr, steps);
	return vectorOf([]);
};

function sorted(descending: boolean): Handler {
	return (evaluator, call, steps) => {
		const value = evaluator.vector(argument(call, 0), steps);
		// In a range query there is no order by value: results are sorted by labels.
		return steps.count > 1 ? value : vectorOf(sortByValue(value.columns, descending), true);
	};
}

function sortedByLabel(descending: boolean): Handler {
	return (evaluator, call, steps) => {
		const names = call.args.slice(1).map((expr) => evaluator.string(expr));
		return vectorOf(sortByLabels(evaluator.vector(argument(call, 0), steps).columns, names, descending), true);
	};
}

const SPECIAL: Readonly<Record<string, Handler>> = {
	pi: (_evaluator, _call, steps) => ({ kind: 'scalar', values: new Float64Array(steps.count).fill(Math.PI) }),
	time: (_evaluator, _call, steps) => ({ kind: 'scalar', values: times(steps) }),
	vector: (evaluator, call, steps) => vectorOf([everywhere([], evaluator.scalar(argument(call, 0), steps).values)]),
	scalar: (evaluator, call, steps) => {
		const { columns } = evaluator.vector(argument(call, 0), steps);
		const values = new Float64Array(steps.count).fill(Number.NaN);
		for (let i = 0; i < steps.count; i++) {
			let seen = 0;
			for (const column of columns) {
				if (column.present[i] === 0) continue;
				seen += 1;
				values[i] = column.values[i] as number;
			}
			if (seen !== 1) values[i] = Number.NaN;
		}
		return { kind: 'scalar', values };
	},
	timestamp: (evaluator, call, steps) => {
		const operand = unwrapParens(argument(call, 0));
		if (operand.kind === 'selector') return vectorOf(evaluator.instant(operand, steps, true));
		const time = times(steps);
		return vectorOf(
			mergeColumns(
				evaluator.vector(operand, steps).columns.map((column) => ({
					labels: withoutName(column.labels),
					values: time.slice(),
					present: column.present.slice(),
				})),
			),
		);
	},
	absent: (evaluator, call, steps) => absentFrom(evaluator.vector(argument(call, 0), steps).columns, argument(call, 0), steps),
	absent_over_time: (evaluator, call, steps) => {
		const input = evaluator.range(argument(call, 0), steps);
		const columns = input.series.map((series) => {
			const flags = new Uint8Array(steps.count);
			let lo = 0;
			let hi = 0;
			for (let i = 0; i < steps.count; i++) {
				const endMs = input.firstEndMs + i * input.stepMs;
				while (hi < series.timestamps.length && (series.timestamps[hi] as number) <= endMs) hi += 1;
				while (lo < hi && (series.timestamps[lo] as number) <= endMs - input.rangeMs) lo += 1;
				if (lo < hi) flags[i] = 1;
			}
			return { present: flags };
		});
		return absentFrom(columns, argument(call, 0), steps);
	},
	sort: sorted(false),
	sort_desc: sorted(true),
	sort_by_label: sortedByLabel(false),
	sort_by_label_desc: sortedByLabel(true),
	label_replace: (evaluator, call, steps) =>
		vectorOf(
			labelReplace(evaluator.vector(argument(call, 0), steps).columns, {
				destination: evaluator.string(argument(call, 1)),
				replacement: evaluator.string(argument(call, 2)),
				source: evaluator.string(argument(call, 3)),
				pattern: evaluator.string(argument(call, 4)),
			}),
		),
	label_join: (evaluator, call, steps) =>
		vectorOf(
			labelJoin(evaluator.vector(argument(call, 0), steps).columns, {
				destination: evaluator.string(argument(call, 1)),
				separator: evaluator.string(argument(call, 2)),
				sources: call.args.slice(3).map((expr) => evaluator.string(expr)),
			}),
		),
	histogram_quantile: (evaluator, call, steps) => {
		const q = evaluator.scalar(argument(call, 0), steps).values;
		return vectorOf(
			histogramQuantile(evaluator.vector(argument(call, 1), steps).columns, q, {
				...evaluator.context,
				quantileAt: evaluator.place(call.args[0]),
				vectorAt: evaluator.place(call.args[1]),
			}),
		);
	},
	histogram_avg: nothing,
	histogram_count: nothing,
	histogram_fraction: nothing,
	histogram_stddev: nothing,
	histogram_stdvar: nothing,
	histogram_sum: nothing,
};
