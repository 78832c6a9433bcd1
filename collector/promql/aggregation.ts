import { withLabel } from '../../core/labels.ts';
import type { Labels } from '../../protocol/labels.ts';
import type { Aggregation } from './ast.ts';
import {
	type Column,
	type EvaluationContext,
	isEmpty,
	mergeColumns,
	newColumn,
	type Value,
	type VectorValue,
	vectorOf,
} from './columns.ts';
import type { EvaluationGuard } from './evaluation-guard.ts';
import { formatFixed } from './go-float.ts';
import { type Group, groupColumns, groupLabels } from './grouping.ts';
import { KahanSum, StableMean } from './kahan.ts';
import { quantileOf } from './quantile.ts';
import { executionError } from './query-error.ts';
import { selectMembers } from './selecting-aggregation.ts';

/** Evaluates an aggregation of evaluated operands; `warnAt` is the position text of the parameter for annotations. */
export function evaluateAggregation(
	expr: Aggregation,
	input: VectorValue,
	param: Value | null,
	context: EvaluationContext & { readonly warnAt: string },
): Value {
	const labelsOf = groupLabels(expr.grouping, expr.without);
	switch (expr.op) {
		case 'count_values':
			return countValues(expr, input.columns, param?.kind === 'string' ? param.value : '', context);
		case 'topk':
		case 'bottomk':
		case 'limitk':
		case 'limit_ratio': {
			if (param?.kind !== 'scalar') throw executionError(`${expr.op} needs a scalar parameter`);
			return selectMembers(expr.op, groupColumns(input.columns, labelsOf), param.values, context);
		}
		case 'quantile': {
			if (param?.kind !== 'scalar') throw executionError('quantile needs a scalar parameter');
			const groups = groupColumns(input.columns, labelsOf);
			warnQuantiles(param.values, groups, context);
			return vectorOf(groups.map((group) => quantile(group, param.values, context)));
		}
		default: {
			const op = expr.op;
			return vectorOf(mergeColumns(groupColumns(input.columns, labelsOf).map((group) => REDUCERS[op](group, context.guard))));
		}
	}
}

type Reducer = 'sum' | 'avg' | 'min' | 'max' | 'count' | 'group' | 'stddev' | 'stdvar';

/** Walks the group's values step by step; `start` before each step, `add` per value, `end` gives the result. */
interface StepReducer {
	start(): void;
	add(value: number): void;
	end(): number;
}

function reduceSteps(group: Group, guard: EvaluationGuard, reducer: StepReducer): Column {
	const { members, labels } = group;
	const count = members[0]?.values.length ?? 0;
	const column = newColumn(labels, count);
	for (let i = 0; i < count; i++) {
		guard.check();
		let seen = 0;
		reducer.start();
		for (let m = 0; m < members.length; m++) {
			const member = members[m] as Column;
			if (member.present[i] === 0) continue;
			seen = 1;
			reducer.add(member.values[i] as number);
		}
		if (seen === 0) continue;
		column.present[i] = 1;
		column.values[i] = reducer.end();
	}
	return column;
}

class SumReducer implements StepReducer {
	readonly #sum = new KahanSum();
	start(): void {
		this.#sum.reset();
	}
	add(value: number): void {
		this.#sum.add(value);
	}
	end(): number {
		return this.#sum.total;
	}
}

class MeanReducer implements StepReducer {
	readonly #mean = new StableMean();
	start(): void {
		this.#mean.reset();
	}
	add(value: number): void {
		this.#mean.add(value);
	}
	end(): number {
		return this.#mean.mean;
	}
}

/** Welford; the first value's infinity or NaN makes the whole NaN. */
class VarianceReducer implements StepReducer {
	readonly #root: boolean;
	#count = 0;
	#mean = 0;
	#sum = 0;
	constructor(root: boolean) {
		this.#root = root;
	}
	start(): void {
		this.#count = 0;
		this.#mean = 0;
		this.#sum = 0;
	}
	add(value: number): void {
		this.#count += 1;
		if (this.#count === 1) {
			this.#mean = value;
			this.#sum = Number.isFinite(value) ? 0 : Number.NaN;
			return;
		}
		const delta = value - this.#mean;
		this.#mean += delta / this.#count;
		this.#sum += delta * (value - this.#mean);
	}
	end(): number {
		const variance = this.#sum / this.#count;
		return this.#root ? Math.sqrt(variance) : variance;
	}
}

/** Minimum and maximum ignore NaN unless there is nothing else. */
class ExtremeReducer implements StepReducer {
	readonly #maximum: boolean;
	#result = Number.NaN;
	constructor(maximum: boolean) {
		this.#maximum = maximum;
	}
	start(): void {
		this.#result = Number.NaN;
	}
	add(value: number): void {
		if (this.#result !== this.#result || (this.#maximum ? value > this.#result : value < this.#result)) this.#result = value;
	}
	end(): number {
		return this.#result;
	}
}

function count(group: Group, constant: number | null): Column {
	const { members, labels } = group;
	const column = newColumn(labels, members[0]?.values.length ?? 0);
	const { values, present } = column;
	for (const member of members) {
		for (let i = 0; i < values.length; i++) {
			if (member.present[i] === 0) continue;
			present[i] = 1;
			values[i] = constant ?? (values[i] as number) + 1;
		}
	}
	return column;
}

const REDUCERS: Readonly<Record<Reducer, (group: Group, guard: EvaluationGuard) => Column>> = {
	sum: (group, guard) => reduceSteps(group, guard, new SumReducer()),
	avg: (group, guard) => reduceSteps(group, guard, new MeanReducer()),
	min: (group, guard) => reduceSteps(group, guard, new ExtremeReducer(false)),
	max: (group, guard) => reduceSteps(group, guard, new ExtremeReducer(true)),
	stddev: (group, guard) => reduceSteps(group, guard, new VarianceReducer(true)),
	stdvar: (group, guard) => reduceSteps(group, guard, new VarianceReducer(false)),
	count: (group) => count(group, null),
	group: (group) => count(group, 1),
};

function quantile(group: Group, q: Float64Array, context: EvaluationContext): Column {
	const { members, labels } = group;
	const column = newColumn(labels, q.length);
	const scratch = new Float64Array(members.length);
	for (let i = 0; i < q.length; i++) {
		context.guard.check();
		let used = 0;
		for (const member of members) {
			if (member.present[i] === 0) continue;
			scratch[used] = member.values[i] as number;
			used += 1;
		}
		if (used === 0) continue;
		column.present[i] = 1;
		column.values[i] = quantileOf(q[i] as number, scratch.subarray(0, used));
	}
	return column;
}

function warnQuantiles(q: Float64Array, groups: readonly Group[], context: EvaluationContext & { readonly warnAt: string }): void {
	if (groups.length === 0) return;
	for (const value of q) if (!(value >= 0 && value <= 1)) context.annotations.warn(quantileWarning(value, context.warnAt));
}

export function quantileWarning(q: number, warnAt: string): string {
	return `quantile value should be between 0 and 1, got ${q === Number.POSITIVE_INFINITY ? '+Inf' : q} (${warnAt})`;
}

function countValues(expr: Aggregation, columns: readonly Column[], label: string, context: EvaluationContext): Value {
	if (label === '') throw executionError(`invalid label name "${label}"`);
	const labelsOf = groupLabels(expr.without ? expr.grouping : [...expr.grouping, label], expr.without);
	const outputs = new Map<string, Column>();
	for (const column of columns) {
		context.guard.check();
		for (let i = 0; i < column.values.length; i++) {
			if (column.present[i] === 0) continue;
			const labels: Labels = labelsOf(withLabel(column.labels, label, formatFixed(column.values[i] as number)));
			const key = labels.join('\uffff');
			let output = outputs.get(key);
			if (output === undefined) {
				output = newColumn(labels, column.values.length);
				outputs.set(key, output);
				context.guard.hold(column.values.length);
			}
			output.present[i] = 1;
			output.values[i] = (output.values[i] as number) + 1;
		}
	}
	return vectorOf([...outputs.values()].filter((column) => !isEmpty(column)));
}
