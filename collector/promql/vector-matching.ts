import { formatLabels, labelsKey, labelValue, withLabel, withoutName } from '../../core/labels.ts';
import type { Labels } from '../../protocol/labels.ts';
import { ARITHMETIC, type ArithmeticOperator, applyArithmetic, COMPARE, isArithmetic, isComparison } from './arithmetic.ts';
import type { Binary } from './ast.ts';
import { type Column, type EvaluationContext, newColumn } from './columns.ts';
import { executionError } from './query-error.ts';
import { dropLabels, keepLabels, signatureLabels } from './signatures.ts';

interface MatchGroup {
	readonly many: Column[];
	readonly one: Column[];
}

/**
 * Arithmetic and comparison between two vectors. Which series exist is decided at each step, as in Prometheus: two
 * series of one match group are an error only where both have a value at the same step.
 */
export function matchVectors(
	expr: Binary,
	left: readonly Column[],
	right: readonly Column[],
	context: EvaluationContext,
): readonly Column[] {
	const card = expr.matching?.card ?? 'one-to-one';
	// The "many" side gives the result its labels; in one-to-one that is the left side.
	const flipped = card === 'one-to-many';
	const many = flipped ? right : left;
	const one = flipped ? left : right;
	const signature = signatureLabels(expr.matching);
	const groups = new Map<string, MatchGroup>();
	for (const column of one) {
		const key = labelsKey(signature(column.labels));
		const group = groups.get(key);
		if (group === undefined) groups.set(key, { many: [], one: [column] });
		else group.one.push(column);
	}
	for (const column of many) groups.get(labelsKey(signature(column.labels)))?.many.push(column);
	const results = new Map<string, Column>();
	const labelsOf = resultLabels(expr);
	for (const group of groups.values()) {
		context.guard.check();
		const holder = group.one.length === 1 ? (group.one[0] as Column) : combine(group.one, signature, flipped ? 'left' : 'right');
		if (group.many.length > 0) matchGroup(expr, group, holder, { card, flipped, labelsOf, results });
	}
	return [...results.values()];
}

interface Holder {
	readonly values: Float64Array;
	readonly present: Uint8Array;
	/** Which of the group's columns gives the value at a step; absent when there is only one. */
	readonly source?: Int32Array;
}

/** The single value that the "one" side has at each step; two at once are an error. */
function combine(columns: readonly Column[], signature: (labels: Labels) => Labels, side: string): Holder {
	const count = columns[0]?.values.length ?? 0;
	const values = new Float64Array(count);
	const present = new Uint8Array(count);
	const source = new Int32Array(count);
	for (let c = 0; c < columns.length; c++) {
		const column = columns[c] as Column;
		for (let i = 0; i < count; i++) {
			if (column.present[i] === 0) continue;
			if (present[i] === 1) {
				const other = columns[source[i] as number] as Column;
				throw executionError(
					`found duplicate series for the match group ${braces(signature(column.labels))} on the ${side} hand-side of the operation: [${braces(column.labels)}, ${braces(other.labels)}];many-to-many matching not allowed: matching labels must be unique on one side`,
				);
			}
			present[i] = 1;
			values[i] = column.values[i] as number;
			source[i] = c;
		}
	}
	return { values, present, source };
}

function braces(labels: Labels): string {
	const pairs: string[] = [];
	for (let i = 0; i < labels.length; i += 2) pairs.push(`${labels[i]}=${JSON.stringify(labels[i + 1])}`);
	return labels.length === 0 ? formatLabels(labels) : `{${pairs.join(', ')}}`;
}

interface GroupTarget {
	readonly card: string;
	readonly flipped: boolean;
	readonly labelsOf: (many: Labels, one: Labels) => Labels;
	readonly results: Map<string, Column>;
}

function matchGroup(expr: Binary, group: MatchGroup, one: Holder, target: GroupTarget): void {
	const { op, bool } = expr;
	const count = one.values.length;
	const arithmetic = isArithmetic(op) ? ARITHMETIC[op] : null;
	const compare = isComparison(op) ? COMPARE[op] : null;
	// In one-to-one a match group gives one element a step, whatever its labels are.
	const taken = target.card === 'one-to-one' && group.many.length > 1 ? new Uint8Array(count) : null;
	for (const column of group.many) {
		if (isArithmetic(op) && taken === null && one.source === undefined && matchWhole(op, column, group, one, target)) continue;
		let output: Column | null = null;
		let outputSource = -1;
		for (let i = 0; i < count; i++) {
			if (column.present[i] === 0 || one.present[i] === 0) continue;
			const own = column.values[i] as number;
			const other = one.values[i] as number;
			const a = target.flipped ? other : own;
			const b = target.flipped ? own : other;
			let value: number;
			if (arithmetic !== null) value = arithmetic(a, b);
			else if (compare !== null) {
				const holds = compare(a, b);
				if (!holds && !bool) continue;
				value = bool ? (holds ? 1 : 0) : a;
			} else continue;
			if (taken !== null) {
				if (taken[i] === 1) {
					throw executionError('multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)');
				}
				taken[i] = 1;
			}
			const source = one.source === undefined ? 0 : (one.source[i] as number);
			if (output === null || source !== outputSource) {
				output = outputFor(target, column.labels, (group.one[source] as Column).labels, count);
				outputSource = source;
			}
			if (output.present[i] === 1) {
				throw executionError(
					target.card === 'one-to-one'
						? 'vector cannot contain metrics with the same labelset'
						: 'multiple matches for labels: grouping labels must ensure unique matches',
				);
			}
			output.present[i] = 1;
			output.values[i] = value;
		}
	}
}

/** One series on each side, and a result that nothing has been written to: no step needs to be looked at by itself. */
function matchWhole(op: ArithmeticOperator, column: Column, group: MatchGroup, one: Holder, target: GroupTarget): boolean {
	const before = target.results.size;
	const output = outputFor(target, column.labels, (group.one[0] as Column).labels, one.values.length);
	if (target.results.size === before) return false;
	if (target.flipped) applyArithmetic(op, one.values, column.values, output.values);
	else applyArithmetic(op, column.values, one.values, output.values);
	for (let i = 0; i < output.present.length; i++) output.present[i] = (column.present[i] as number) & (one.present[i] as number);
	return true;
}

function outputFor(target: GroupTarget, many: Labels, one: Labels, count: number): Column {
	const labels = target.labelsOf(many, one);
	const key = labelsKey(labels);
	const known = target.results.get(key);
	if (known !== undefined) return known;
	const column = newColumn(labels, count);
	target.results.set(key, column);
	return column;
}

function resultLabels(expr: Binary): (many: Labels, one: Labels) => Labels {
	const { matching } = expr;
	const dropName = isArithmetic(expr.op) || expr.bool;
	const names = new Set(matching?.labels ?? []);
	const card = matching?.card ?? 'one-to-one';
	return (many, one) => {
		let labels = dropName ? withoutName(many) : many;
		if (card === 'one-to-one') {
			if (matching?.on === true) labels = keepLabels(labels, names);
			else if (names.size > 0) labels = dropLabels(labels, names);
			return labels;
		}
		for (const name of matching?.include ?? []) labels = withLabel(labels, name, labelValue(one, name));
		return labels;
	};
}
