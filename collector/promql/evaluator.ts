import { withoutName } from '../../core/labels.ts';
import { isStaleAt } from '../storage/storage.ts';
import { evaluateAggregation } from './aggregation.ts';
import { type Aggregation, type AtModifier, type Call, type Expr, type Unary, unwrapParens, type VectorSelector } from './ast.ts';
import { evaluateBinary } from './binary.ts';
import { evaluateCall } from './calls.ts';
import {
	type Column,
	type EvaluationContext,
	isEmpty,
	mergeColumns,
	newColumn,
	type ScalarValue,
	type Steps,
	type Value,
	type VectorValue,
	vectorOf,
} from './columns.ts';
import { TIME_DEPENDENT } from './function-signatures.ts';
import type { Operands, RangeInput } from './operands.ts';
import { executionError, positionText } from './query-error.ts';
import { canStream, reduceRangeCall } from './range-calls.ts';
import type { RangeSeries } from './range-window.ts';
import { atTime, type FetchSettings, type SelectorData, subquerySteps } from './selector-data.ts';
import { addPresent, countWindows } from './step-counts.ts';
import { isStepReducer } from './step-reducers.ts';
import { firstAfter } from './window-edges.ts';

/**
 * Evaluates a checked expression over data that were fetched before, node by node: each node gives its series over all
 * steps at once. Pure but for annotations and the guard.
 */
export class Evaluator implements Operands {
	readonly text: string;
	readonly context: EvaluationContext;
	readonly #data: SelectorData;
	readonly #settings: FetchSettings;
	readonly #invariant = new Map<Expr, boolean>();
	readonly #streamed: ReadonlyMap<Expr, () => Value>;
	/** Samples that each step has used, when somebody wants to know. */
	#counts: Float64Array | null = null;

	constructor(options: {
		readonly text: string;
		readonly data: SelectorData;
		readonly settings: FetchSettings;
		readonly context: EvaluationContext;
		/** Gets the samples that each step of the query uses, as Prometheus counts them: windows that overlap count again. */
		readonly stepCounts?: Float64Array;
		/** Parts that were evaluated while their series were read. */
		readonly streamed?: ReadonlyMap<Expr, () => Value>;
	}) {
		this.text = options.text;
		this.context = options.context;
		this.#data = options.data;
		this.#settings = options.settings;
		this.#counts = options.stepCounts ?? null;
		this.#streamed = options.streamed ?? new Map();
	}

	evaluate(expr: Expr, steps: Steps): Value {
		const { guard } = this.context;
		guard.check();
		const before = guard.held;
		const value =
			steps.count > 1 && this.#isInvariant(expr) && expr.kind !== 'number' && expr.kind !== 'string'
				? broadcast(this.#once(expr, steps), steps.count)
				: this.#node(expr, steps);
		guard.hold(cellsOf(value));
		guard.release(before + cellsOf(value));
		return value;
	}

	vector(expr: Expr, steps: Steps): VectorValue {
		const value = this.evaluate(expr, steps);
		if (value.kind !== 'vector') throw executionError(`expected an instant vector, got ${value.kind}`);
		return value;
	}

	scalar(expr: Expr, steps: Steps): ScalarValue {
		const value = this.evaluate(expr, steps);
		if (value.kind !== 'scalar') throw executionError(`expected a scalar, got ${value.kind}`);
		return value;
	}

	string(expr: Expr): string {
		const inner = unwrapParens(expr);
		if (inner.kind !== 'string') throw executionError('expected a string');
		return inner.value;
	}

	place(expr: Expr | undefined): string {
		return positionText(this.text, expr?.span.start ?? 0);
	}

	/** A part that does not depend on the step; what it used counts for every step. */
	#once(expr: Expr, steps: Steps): Value {
		const counts = this.#counts;
		if (counts === null) return this.#node(expr, { ...steps, count: 1 });
		this.#counts = new Float64Array(1);
		const value = this.#node(expr, { ...steps, count: 1 });
		const used = this.#counts[0] as number;
		for (let i = 0; i < counts.length; i++) counts[i] = (counts[i] as number) + used;
		this.#counts = counts;
		return value;
	}

	#node(expr: Expr, steps: Steps): Value {
		const streamed = this.#streamed.get(expr);
		if (streamed !== undefined) return streamed();
		switch (expr.kind) {
			case 'number':
				return { kind: 'scalar', values: new Float64Array(steps.count).fill(expr.value) };
			case 'string':
				return { kind: 'string', value: expr.value };
			case 'paren':
				return this.evaluate(expr.expr, steps);
			case 'selector':
				return vectorOf(this.instant(expr, steps, false));
			case 'unary':
				return this.#unary(expr, steps);
			case 'binary':
				return evaluateBinary(expr, this.evaluate(expr.left, steps), this.evaluate(expr.right, steps), this.context);
			case 'aggregation':
				return this.#aggregation(expr, steps);
			case 'call':
				return evaluateCall(this, expr, steps);
			case 'matrix':
			case 'subquery':
				throw executionError('a range vector is only allowed as the argument of a function');
		}
	}

	#unary(expr: Unary, steps: Steps): Value {
		const operand = this.evaluate(expr.expr, steps);
		if (expr.op === '+' || operand.kind === 'string') return operand;
		if (operand.kind === 'scalar') return { kind: 'scalar', values: operand.values.map((value) => -value) };
		return vectorOf(
			mergeColumns(
				operand.columns.map((column) => ({
					labels: withoutName(column.labels),
					values: column.values.map((value) => -value),
					present: column.present.slice(),
				})),
				true,
			),
		);
	}

	#aggregation(expr: Aggregation, steps: Steps): Value {
		if (isStepReducer(expr.op)) {
			const operand = unwrapParens(expr.expr);
			// Series by series, none is kept: a thousand series of a day would fill the memory that one answer needs.
			if (operand.kind === 'call' && canStream(operand) && !this.#isInvariant(operand)) return reduceRangeCall(this, expr, operand, steps);
		}
		const param = expr.param === null ? null : this.evaluate(expr.param, steps);
		const warnAt = this.place(expr.param ?? expr);
		return evaluateAggregation(expr, this.vector(expr.expr, steps), param, { ...this.context, warnAt });
	}

	instant(selector: VectorSelector, steps: Steps, timestamps: boolean): readonly Column[] {
		const { lookbackMs } = this.#settings;
		const at = atTime(selector.at, this.#settings);
		const columns: Column[] = [];
		for (const series of this.#data.get(selector) ?? []) {
			this.context.guard.check();
			const times = series.timestamps;
			const column = newColumn(timestamps ? withoutName(series.labels) : series.labels, steps.count);
			let next = 0;
			let stride = 1;
			for (let i = 0; i < steps.count; i++) {
				const time = (at ?? steps.startMs + i * steps.stepMs) - selector.offsetMs;
				const known = next;
				next = firstAfter(times, time, known, stride, times.length);
				stride = next - known;
				const index = next - 1;
				if (index < 0 || (times[index] as number) <= time - lookbackMs || isStaleAt(series.values, index)) continue;
				column.values[i] = timestamps ? (times[index] as number) / 1000 : (series.values[index] as number);
				column.present[i] = 1;
			}
			if (this.#counts !== null) addPresent(this.#counts, column.present);
			if (!isEmpty(column)) columns.push(column);
		}
		return timestamps ? mergeColumns(columns) : columns;
	}

	range(expr: Expr, steps: Steps): RangeInput {
		const inner = unwrapParens(expr);
		if (inner.kind === 'matrix') {
			const { selector, rangeMs } = inner;
			const series = (this.#data.get(selector) ?? []).map((stored) => ({ labels: stored.labels, ...pick(stored.live()) }));
			return this.#counted({ series, rangeMs, ...this.#windows(selector, steps) }, steps);
		}
		if (inner.kind !== 'subquery') throw executionError('expected a range vector');
		const windows = this.#windows(inner, steps);
		const lastMs = steps.startMs + (steps.count - 1) * steps.stepMs;
		const grid = subquerySteps(inner, { startMs: steps.startMs, endMs: lastMs }, this.#settings);
		if (grid.count === 0) return { series: [], rangeMs: inner.rangeMs, ...windows };
		const value = this.#inner(inner.expr, grid);
		return this.#counted({ series: value.columns.map((column) => compact(column, grid)), rangeMs: inner.rangeMs, ...windows }, steps);
	}

	/** The expression of a subquery; what its steps used counts for the last step of the query, as in Prometheus. */
	#inner(expr: Expr, grid: Steps): VectorValue {
		const counts = this.#counts;
		if (counts === null) return this.vector(expr, grid);
		this.#counts = new Float64Array(grid.count);
		const value = this.vector(expr, grid);
		const last = counts.length - 1;
		for (const used of this.#counts) counts[last] = (counts[last] as number) + used;
		this.#counts = counts;
		return value;
	}

	#counted(input: RangeInput, steps: Steps): RangeInput {
		if (this.#counts !== null) for (const series of input.series) countWindows(this.#counts, series, { ...input, count: steps.count });
		return input;
	}

	#windows(
		modified: { readonly at: AtModifier | null; readonly offsetMs: number },
		steps: Steps,
	): { readonly firstEndMs: number; readonly stepMs: number } {
		const at = atTime(modified.at, this.#settings);
		return { firstEndMs: (at ?? steps.startMs) - modified.offsetMs, stepMs: at === null ? steps.stepMs : 0 };
	}

	#isInvariant(expr: Expr): boolean {
		const known = this.#invariant.get(expr);
		if (known !== undefined) return known;
		const result = this.#computeInvariant(expr);
		this.#invariant.set(expr, result);
		return result;
	}

	#computeInvariant(expr: Expr): boolean {
		switch (expr.kind) {
			case 'number':
			case 'string':
				return true;
			case 'selector':
			case 'subquery':
				return expr.at !== null;
			case 'matrix':
				return expr.selector.at !== null;
			case 'paren':
			case 'unary':
				return this.#isInvariant(expr.expr);
			case 'binary':
				return this.#isInvariant(expr.left) && this.#isInvariant(expr.right);
			case 'aggregation':
				return this.#isInvariant(expr.expr) && (expr.param === null || this.#isInvariant(expr.param));
			case 'call':
				return !TIME_DEPENDENT.has(expr.name) && (expr as Call).args.every((argument) => this.#isInvariant(argument));
		}
	}
}

function pick({ timestamps, values, neverFalls, sums, counts }: RangeSeries): RangeSeries {
	const series = { timestamps, values, neverFalls: neverFalls === true };
	return sums === undefined || counts === undefined ? series : { ...series, sums, counts };
}

function compact(column: Column, grid: Steps): RangeInput['series'][number] {
	let count = 0;
	for (let i = 0; i < grid.count; i++) count += column.present[i] as number;
	const timestamps = new Float64Array(count);
	const values = new Float64Array(count);
	let kept = 0;
	for (let i = 0; i < grid.count; i++) {
		if (column.present[i] === 0) continue;
		timestamps[kept] = grid.startMs + i * grid.stepMs;
		values[kept] = column.values[i] as number;
		kept += 1;
	}
	return { labels: column.labels, timestamps, values };
}

function cellsOf(value: Value): number {
	if (value.kind === 'string') return 0;
	if (value.kind === 'scalar') return value.values.length;
	return value.columns.length * (value.columns[0]?.values.length ?? 0);
}

/** The value of one step at all of them. */
function broadcast(value: Value, count: number): Value {
	if (value.kind === 'string') return value;
	if (value.kind === 'scalar') return { kind: 'scalar', values: new Float64Array(count).fill(value.values[0] as number) };
	return vectorOf(
		value.columns.map((column) => ({
			labels: column.labels,
			values: new Float64Array(count).fill(column.values[0] as number),
			present: new Uint8Array(count).fill(column.present[0] as number),
		})),
		value.ordered,
	);
}
