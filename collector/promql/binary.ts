import { withoutName } from '../../core/labels.ts';
import { applyArithmetic, COMPARE, isArithmetic, isComparison } from './arithmetic.ts';
import type { Binary } from './ast.ts';
import {
	type Column,
	type EvaluationContext,
	isEmpty,
	mergeColumns,
	newColumn,
	type ScalarValue,
	type Value,
	vectorOf,
} from './columns.ts';
import { executionError } from './query-error.ts';
import { setOperation } from './set-operators.ts';
import { matchVectors } from './vector-matching.ts';

/** Evaluates a binary operator on evaluated operands. Types were checked by the parser. */
export function evaluateBinary(expr: Binary, left: Value, right: Value, context: EvaluationContext): Value {
	if (left.kind === 'scalar' && right.kind === 'scalar') return scalars(expr, left, right);
	if (left.kind === 'vector' && right.kind === 'scalar') return vectorScalar(expr, left.columns, right, false, context);
	if (left.kind === 'scalar' && right.kind === 'vector') return vectorScalar(expr, right.columns, left, true, context);
	if (left.kind === 'vector' && right.kind === 'vector') {
		const op = expr.op;
		if (op === 'and' || op === 'or' || op === 'unless') {
			return vectorOf(mergeColumns(setOperation(op, left.columns, right.columns, expr.matching)));
		}
		return vectorOf(mergeColumns(matchVectors(expr, left.columns, right.columns, context)));
	}
	throw executionError('binary expression must contain only scalar and instant vector types');
}

function scalars(expr: Binary, left: ScalarValue, right: ScalarValue): ScalarValue {
	const count = left.values.length;
	const values = new Float64Array(count);
	const op = expr.op;
	if (isArithmetic(op)) {
		applyArithmetic(op, left.values, right.values, values);
	} else if (isComparison(op)) {
		const compare = COMPARE[op];
		for (let i = 0; i < count; i++) values[i] = compare(left.values[i] as number, right.values[i] as number) ? 1 : 0;
	}
	return { kind: 'scalar', values };
}

/** `swapped`: the scalar stands on the left. A comparison without `bool` always keeps the vector's value. */
function vectorScalar(expr: Binary, columns: readonly Column[], scalar: ScalarValue, swapped: boolean, context: EvaluationContext): Value {
	const op = expr.op;
	const result: Column[] = [];
	for (const column of columns) {
		context.guard.check();
		const count = column.values.length;
		const arithmetic = isArithmetic(op);
		const output = newColumn(arithmetic || expr.bool ? withoutName(column.labels) : column.labels, count);
		const { values, present } = output;
		if (arithmetic) {
			// Cells without a value get one that nobody looks at.
			if (swapped) applyArithmetic(op, scalar.values, column.values, values);
			else applyArithmetic(op, column.values, scalar.values, values);
			present.set(column.present);
		} else if (isComparison(op)) {
			const compare = COMPARE[op];
			for (let i = 0; i < count; i++) {
				if (column.present[i] === 0) continue;
				const own = column.values[i] as number;
				const other = scalar.values[i] as number;
				const holds = swapped ? compare(other, own) : compare(own, other);
				if (!holds && !expr.bool) continue;
				values[i] = expr.bool ? (holds ? 1 : 0) : own;
				present[i] = 1;
			}
		}
		if (!isEmpty(output)) result.push(output);
	}
	return vectorOf(mergeColumns(result));
}
