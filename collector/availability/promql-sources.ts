import { type createEngine, MAX_POINTS } from '../promql/engine.ts';
import type { EvaluateCondition } from './service-days.ts';

type Engine = ReturnType<typeof createEngine>;

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
