import type { Labels } from '../../protocol/labels.ts';
import { type Aggregation, type Call, type Expr, unwrapParens, type VectorSelector } from './ast.ts';
import type { EvaluationContext, Steps, Value } from './columns.ts';
import { aggregateColumns, canStream, collectColumns, isRangeFunction, type SeriesSink } from './range-calls.ts';
import type { RangeSeries } from './range-window.ts';
import { isStepReducer } from './step-reducers.ts';

/** A part of an expression that is evaluated while its series are read, so that none of their samples are kept. */
export interface StreamedCall {
	readonly expr: Expr;
	readonly sink: SeriesSink<RangeSeries & { readonly labels: Labels }>;
	/** Whether the series came this way: a selector that another part needs as well is fetched for both. */
	used: boolean;
}

/**
 * Range functions over stored series, alone or under an aggregation that takes series one by one: what most panels of boards are. Ten thousand series of a
 * day are 230 MB of samples, which would be written to memory and read again (bench/query.ts).
 */
export function streamedCalls(
	expr: Expr,
	steps: Steps,
	options: { readonly context: EvaluationContext; readonly place: (expr: Expr | undefined) => string },
): ReadonlyMap<VectorSelector, StreamedCall> {
	const streams = new Map<VectorSelector, StreamedCall>();
	const visit = (node: Expr): void => {
		switch (node.kind) {
			case 'aggregation': {
				const operand = unwrapParens(node.expr);
				if (isStepReducer(node.op) && operand.kind === 'call' && canStream(operand) && add(node, operand)) return;
				if (node.param !== null) visit(node.param);
				visit(node.expr);
				return;
			}
			case 'call':
				if (!add(node, node)) for (const argument of node.args) visit(argument);
				return;
			case 'binary':
				visit(node.left);
				visit(node.right);
				return;
			case 'unary':
			case 'paren':
				visit(node.expr);
				return;
			default:
				// A subquery has steps of its own.
				return;
		}
	};
	const add = (node: Aggregation | Call, call: Call): boolean => {
		const [only] = call.args;
		const matrix = only === undefined ? undefined : unwrapParens(only);
		if (call.args.length !== 1 || matrix?.kind !== 'matrix' || matrix.selector.at !== null || !isRangeFunction(call.name)) return false;
		const windows = { firstEndMs: steps.startMs - matrix.selector.offsetMs, stepMs: steps.stepMs, rangeMs: matrix.rangeMs };
		const writing = { ...options, call, steps, windows, scalars: [] };
		const sink = node.kind === 'aggregation' ? aggregateColumns(node, writing) : collectColumns(writing);
		streams.set(matrix.selector, { expr: node, sink, used: false });
		return true;
	};
	visit(expr);
	return streams;
}

/** The values of the parts that were evaluated while reading. */
export function streamedValues(streams: ReadonlyMap<VectorSelector, StreamedCall>): ReadonlyMap<Expr, () => Value> {
	return new Map([...streams.values()].filter(({ used }) => used).map(({ expr, sink }) => [expr, () => sink.finish()]));
}
