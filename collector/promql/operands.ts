import type { Labels } from '../../protocol/labels.ts';
import type { Expr, VectorSelector } from './ast.ts';
import type { Column, EvaluationContext, ScalarValue, Steps, Value, VectorValue } from './columns.ts';
import type { RangeSeries } from './range-window.ts';

/** The samples of a range vector, and where its windows lie for each step. */
export interface RangeInput {
	readonly series: readonly (RangeSeries & { readonly labels: Labels })[];
	readonly rangeMs: number;
	/** End of the first window. */
	readonly firstEndMs: number;
	/** From the end of a window to that of the next; 0 under `@`. */
	readonly stepMs: number;
}

/** How a function gets at its arguments; the evaluator implements it. */
export interface Operands {
	readonly context: EvaluationContext;
	evaluate(expr: Expr, steps: Steps): Value;
	vector(expr: Expr, steps: Steps): VectorValue;
	scalar(expr: Expr, steps: Steps): ScalarValue;
	string(expr: Expr): string;
	/** The samples of a range vector: stored ones without stale markers, or those of a subquery's grid. */
	range(expr: Expr, steps: Steps): RangeInput;
	/** An instant vector selector. With `timestamps` the values are the times of the samples in seconds. */
	instant(selector: VectorSelector, steps: Steps, timestamps: boolean): readonly Column[];
	/** `line:column` of a node, for annotations. */
	place(expr: Expr | undefined): string;
}
