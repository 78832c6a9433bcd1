import { labelsKey, withoutName } from '../../core/labels.ts';
import type { Labels } from '../../protocol/labels.ts';
import { METRIC_NAME } from '../../protocol/labels.ts';
import { quantileWarning } from './aggregation.ts';
import { type Aggregation, type Call, type Expr, unwrapParens } from './ast.ts';
import { type Column, type EvaluationContext, isEmpty, mergeColumns, newColumn, type Steps, type Value, vectorOf } from './columns.ts';
import { EXTRAPOLATING_KERNELS } from './extrapolation.ts';
import { groupLabels } from './grouping.ts';
import type { Operands } from './operands.ts';
import { executionError } from './query-error.ts';
import { KEEPS_NAME, RANGE_KERNELS } from './range-kernels.ts';
import { newWindow, type RangeSeries, type WindowGrid } from './range-window.ts';
import { seriesKernel, walkWindows } from './series-kernels.ts';
import { isStepReducer, newStepReducer, type StepReducer } from './step-reducers.ts';

const COUNTER_SUFFIX = /(_total|_sum|_count|_bucket)$/;

/** Whether `name` is a function of one range vector and scalars that gives at most one value per series and step. */
export function isRangeFunction(name: string): boolean {
	return Object.hasOwn(RANGE_KERNELS, name) || Object.hasOwn(EXTRAPOLATING_KERNELS, name);
}

/** Takes series one after the other; `finish` gives the value and uses it up. */
export interface SeriesSink<Series> {
	add(series: Series): void;
	finish(): Value;
}

interface Writing {
	readonly context: EvaluationContext;
	readonly place: (expr: Expr | undefined) => string;
	readonly call: Call;
	readonly steps: Steps;
	readonly windows: Pick<WindowGrid, 'firstEndMs' | 'stepMs' | 'rangeMs'>;
	/** Values of the scalar arguments at each step. */
	readonly scalars: readonly Float64Array[];
}

type LabelledSeries = RangeSeries & { readonly labels: Labels };

export function rangeCall(evaluator: Operands, call: Call, steps: Steps): Value {
	const { series, ...writing } = prepare(evaluator, call, steps);
	const sink = collectColumns(writing);
	for (const one of series) sink.add(one);
	return sink.finish();
}

/** The columns of `call`, series by series. */
export function collectColumns(writing: Writing): SeriesSink<LabelledSeries> {
	const columns: Column[] = [];
	const { count } = writing.steps;
	const write = columnWriter(writing, {
		target: (labels) => newColumn(labels, count),
		visit: (column) => {
			writing.context.guard.hold(count);
			columns.push(column);
		},
	});
	return {
		add: write,
		finish: () => {
			writing.context.guard.release(writing.context.guard.held - columns.length * count);
			return vectorOf(mergeColumns(columns, true));
		},
	};
}

/** Whether a call's series may be aggregated as they come: they are stored ones, and dropping the name cannot make two of them equal. */
export function canStream(call: Call): boolean {
	if (!isRangeFunction(call.name)) return false;
	const matrix = unwrapParens(matrixOf(call));
	if (matrix.kind !== 'matrix') return false;
	return (
		KEEPS_NAME.has(call.name) ||
		matrix.selector.matchers.some(({ name, kind, value }) => name === METRIC_NAME && kind === '=' && value !== '')
	);
}

/** `aggregation` of `call` without keeping the series in between. */
export function reduceRangeCall(evaluator: Operands, aggregation: Aggregation, call: Call, steps: Steps): Value {
	const { series, ...writing } = prepare(evaluator, call, steps);
	const sink = aggregateColumns(aggregation, writing);
	for (const one of series) sink.add(one);
	return sink.finish();
}

export function aggregateColumns(aggregation: Aggregation, writing: Writing): SeriesSink<LabelledSeries> {
	const { op } = aggregation;
	if (!isStepReducer(op)) throw executionError(`${op} cannot be evaluated series by series`);
	const { steps, context } = writing;
	const labelsOf = groupLabels(aggregation.grouping, aggregation.without);
	const groups = new Map<string, { readonly labels: Labels; readonly reducer: StepReducer }>();
	const scratch = newColumn([], steps.count);
	const write = columnWriter(writing, {
		target: (labels) => {
			scratch.present.fill(0);
			return { labels, values: scratch.values, present: scratch.present };
		},
		visit: (column) => {
			const labels = labelsOf(column.labels);
			const key = labelsKey(labels);
			let group = groups.get(key);
			if (group === undefined) {
				context.guard.hold(steps.count);
				group = { labels, reducer: newStepReducer(op, steps.count) };
				groups.set(key, group);
			}
			group.reducer.add(column);
		},
	});
	return { add: write, finish: () => vectorOf([...groups.values()].map(({ labels, reducer }) => reducer.finish(labels))) };
}

function matrixOf(call: Call): Expr {
	const expr = call.args[matrixIndex(call)];
	if (expr === undefined) throw executionError(`${call.name} needs a range vector`);
	return expr;
}

function matrixIndex(call: Call): number {
	return call.name === 'quantile_over_time' ? 1 : 0;
}

function prepare(evaluator: Operands, call: Call, steps: Steps): Writing & { readonly series: readonly LabelledSeries[] } {
	const at = matrixIndex(call);
	const scalars = call.args.filter((_, index) => index !== at).map((expr) => evaluator.scalar(expr, steps).values);
	const { series, firstEndMs, stepMs, rangeMs } = evaluator.range(matrixOf(call), steps);
	const { context } = evaluator;
	return { context, place: (expr) => evaluator.place(expr), call, steps, windows: { firstEndMs, stepMs, rangeMs }, scalars, series };
}

/**
 * Writes the values of a series at all steps into a column that `target` gives, with nothing present, and hands it to `visit` when it
 * has any.
 */
function columnWriter(
	{ context, place, call, steps, windows, scalars }: Writing,
	{ target, visit }: { readonly target: (labels: Labels) => Column; readonly visit: (column: Column) => void },
): (series: LabelledSeries) => void {
	const { guard, annotations } = context;
	const grid = { ...windows, count: steps.count };
	const window = newWindow();
	const kernel = Object.hasOwn(RANGE_KERNELS, call.name) ? RANGE_KERNELS[call.name] : undefined;
	const counter = call.name === 'rate' || call.name === 'increase';
	const keepName = KEEPS_NAME.has(call.name);
	let warned = call.name !== 'quantile_over_time';
	return (series) => {
		guard.check();
		const column = target(keepName ? series.labels : withoutName(series.labels));
		const whole = seriesKernel(call.name, series, grid);
		if (whole !== null) whole(series, grid, column);
		else if (kernel !== undefined) walkWindows(series, grid, column, { kernel, scalars, times: steps, window });
		if (isEmpty(column)) return;
		visit(column);
		if (!warned) {
			const q = (scalars[0] ?? []).find((value, i) => column.present[i] === 1 && !(value >= 0 && value <= 1));
			if (q !== undefined) {
				annotations.warn(quantileWarning(q, place(call.args[0])));
				warned = true;
			}
		}
		const name = series.labels[0] === METRIC_NAME ? (series.labels[1] as string) : '';
		if (counter && name !== '' && !COUNTER_SUFFIX.test(name)) {
			annotations.info(
				`metric might not be a counter, name does not end in _total/_sum/_count/_bucket: "${name}" (${place(matrixOf(call))})`,
			);
		}
	};
}
