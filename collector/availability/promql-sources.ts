import type { SecondSpan } from '../inventory/calendar.ts';
import { type createEngine, MAX_POINTS } from '../promql/engine.ts';
import { percent } from './figures.ts';
import type { EvaluateCondition } from './service-days.ts';

type Engine = ReturnType<typeof createEngine>;

/** Requests over a window; whole numbers, truncated, because counters of requests are whole and `increase` extrapolates. */
export interface RequestFigures {
	readonly good: number;
	readonly total: number;
	/** Percent, truncated; `null` when there were no requests. */
	readonly sli: string | null;
}

/** Evaluates conditions by the query engine, in pieces that keep to its limit of points. */
export function evaluateCondition(engine: Engine): EvaluateCondition {
	return async (expression, { fromMs, toMs, stepMs, signal }) => {
		const steps = new Map<number, number>();
		const piece = stepMs * (MAX_POINTS - 1);
		for (let start = fromMs; start <= toMs; start += piece + stepMs) {
			const { value } = await engine.range(
				expression,
				start,
				Math.min(start + piece, toMs),
				stepMs,
				signal === undefined ? {} : { signal },
			);
			if (value.kind !== 'matrix') continue;
			for (const { timestamps, values } of value.series)
				for (let i = 0; i < timestamps.length; i++) {
					const time = timestamps[i] as number;
					// NaN says nothing about whether the condition holds.
					const size = Math.abs(values[i] as number);
					if (size === size) steps.set(time, Math.max(steps.get(time) ?? 0, size));
				}
		}
		return steps;
	};
}

/** `$range` in the expressions becomes the window; they are evaluated at its end. */
export async function requestFigures(
	engine: Engine,
	expressions: { readonly good: string; readonly total: string },
	window: SecondSpan,
	signal?: AbortSignal,
): Promise<RequestFigures> {
	const read = async (expression: string): Promise<number> => {
		const text = expression.replaceAll('$range', `${window.to - window.from}s`);
		const { value } = await engine.instant(text, window.to * 1000, signal === undefined ? {} : { signal });
		if (value.kind === 'scalar') return Math.trunc(value.value);
		return value.kind === 'vector' ? Math.trunc(value.samples.reduce((sum, sample) => sum + sample.value, 0)) : 0;
	};
	const total = await read(expressions.total);
	const good = Math.min(await read(expressions.good), total);
	return { good, total, sli: percent(good, total) };
}
