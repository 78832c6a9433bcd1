import { withLabel } from '../../core/labels.ts';
import type { Labels } from '../../protocol/labels.ts';
import type { Aggregation } from './ast.ts';
import { type Column, type EvaluationContext, isEmpty, newColumn, type Value, type VectorValue, vectorOf } from './columns.ts';
import type { EvaluationGuard } from './evaluation-guard.ts';
import { formatFixed } from './go-float.ts';
import { type Group, groupColumns, groupLabels } from './grouping.ts';
import { quantileOf } from './quantile.ts';
import { executionError } from './query-error.ts';
import { selectMembers } from './selecting-aggregation.ts';
import { newStepReducer, type StepReducerName } from './step-reducers.ts';

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
			return vectorOf(groupColumns(input.columns, labelsOf).map((group) => reduce(op, group, context.guard)));
		}
	}
}

function reduce(op: StepReducerName, group: Group, guard: EvaluationGuard): Column {
	const reducer = newStepReducer(op, group.members[0]?.values.length ?? 0);
	for (const member of group.members) {
		guard.check();
		reducer.add(member);
	}
	return reducer.finish(group.labels);
}

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
