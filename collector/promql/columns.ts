import { compareLabels, labelsKey } from '../../core/labels.ts';
import type { Labels } from '../../protocol/labels.ts';
import type { Annotations } from './annotations.ts';
import type { EvaluationGuard } from './evaluation-guard.ts';
import { executionError } from './query-error.ts';

/** The evaluation times `startMs + i * stepMs` for `i` in `[0, count)`. An instant query has one. */
export interface Steps {
	readonly startMs: number;
	readonly stepMs: number;
	readonly count: number;
}

/** One series over all steps. `present[i]` is 1 where there is a value: NaN is a value. */
export interface Column {
	readonly labels: Labels;
	readonly values: Float64Array;
	readonly present: Uint8Array;
}

export interface VectorValue {
	readonly kind: 'vector';
	readonly columns: readonly Column[];
	/** The order of the columns means something (sort, topk) and an instant query must keep it. */
	readonly ordered: boolean;
}

export interface ScalarValue {
	readonly kind: 'scalar';
	readonly values: Float64Array;
}

export interface StringValue {
	readonly kind: 'string';
	readonly value: string;
}

export type Value = VectorValue | ScalarValue | StringValue;

/** What evaluation needs beside the steps. */
export interface EvaluationContext {
	readonly annotations: Annotations;
	readonly guard: EvaluationGuard;
}

export const SAME_LABELSET = 'vector cannot contain metrics with the same labelset';

export function newColumn(labels: Labels, count: number): Column {
	return { labels, values: new Float64Array(count), present: new Uint8Array(count) };
}

export function vectorOf(columns: readonly Column[], ordered = false): VectorValue {
	return { kind: 'vector', columns, ordered };
}

export function isEmpty(column: Column): boolean {
	return column.present.indexOf(1) < 0;
}

/**
 * Joins columns whose labels became equal, which is an error where both have a value at the same step. With `strict`
 * equal labels are an error at once, as Prometheus does for functions of range vectors. Empty columns are dropped.
 */
export function mergeColumns(columns: readonly Column[], strict = false): readonly Column[] {
	if (columns.length <= 1) return columns.length === 1 && isEmpty(columns[0] as Column) ? [] : columns;
	const byKey = new Map<string, Column>();
	for (const column of columns) {
		if (isEmpty(column)) continue;
		const key = labelsKey(column.labels);
		const other = byKey.get(key);
		if (other === undefined) {
			byKey.set(key, column);
			continue;
		}
		if (strict) throw executionError(SAME_LABELSET);
		const { values, present } = other;
		for (let i = 0; i < present.length; i++) {
			if (column.present[i] === 0) continue;
			if (present[i] === 1) throw executionError(SAME_LABELSET);
			present[i] = 1;
			values[i] = column.values[i] as number;
		}
	}
	return [...byKey.values()];
}

export function sortColumns(columns: readonly Column[]): readonly Column[] {
	return [...columns].sort((a, b) => compareLabels(a.labels, b.labels));
}
