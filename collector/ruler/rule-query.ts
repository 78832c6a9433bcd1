import { AppError } from '../../core/errors.ts';
import type { Labels } from '../../protocol/labels.ts';
import type { Engine, QueryOptions } from '../promql/engine.ts';

export interface RuleSample {
	readonly labels: Labels;
	readonly value: number;
}

/** Evaluates a rule's expression; a scalar is a vector with one element without labels. */
export async function queryVector(
	engine: Engine,
	query: string,
	timeMs: number,
	options: QueryOptions = {},
): Promise<readonly RuleSample[]> {
	const { value } = await engine.instant(query, timeMs, options);
	if (value.kind === 'vector') return value.samples;
	if (value.kind === 'scalar') return [{ labels: [], value: value.value }];
	throw new AppError('FN_RULER_RESULT_TYPE', `the rule's expression gives a ${value.kind}, but a rule needs an instant vector: ${query}`, {
		status: 422,
	});
}
