import { AppError } from '../../core/errors.ts';
import type { Labels } from '../../protocol/labels.ts';
import type { Engine, QueryOptions } from '../promql/engine.ts';
import type { RulePart } from './rule-part.ts';

export interface RuleSample {
	readonly labels: Labels;
	readonly value: number;
}

/** How a rule is evaluated this time. */
export interface RuleRun {
	readonly queryOffsetMs: number;
	/** 0: as many results as there are. */
	readonly limit: number;
	readonly signal: AbortSignal;
	/** Only these results are asked for, and only their alerts and series change. Default: all. */
	readonly part?: RulePart | undefined;
}

export function queryOptions({ signal, part }: RuleRun): QueryOptions {
	return part === undefined ? { signal } : { signal, within: part.matcher };
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
