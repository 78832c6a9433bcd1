import { AppError } from '../../core/errors.ts';
import { labelsKey, withLabel } from '../../core/labels.ts';
import { METRIC_NAME } from '../../protocol/labels.ts';
import type { Engine } from '../promql/engine.ts';
import type { RecordingDefinition } from './rule-file.ts';
import { queryOptions, queryVector, type RuleRun, type RuleSample } from './rule-query.ts';

/** Evaluates a recording rule and returns the samples to write. */
export async function evaluateRecording(
	definition: RecordingDefinition,
	engine: Engine,
	timeMs: number,
	options: RuleRun,
): Promise<readonly RuleSample[]> {
	const found = await queryVector(engine, definition.query, timeMs - options.queryOffsetMs, queryOptions(options));
	const samples = new Map<string, RuleSample>();
	for (const { labels, value } of found) {
		let own = withLabel(labels, METRIC_NAME, definition.name);
		for (const [name, text] of Object.entries(definition.labels)) own = withLabel(own, name, text);
		const key = labelsKey(own);
		if (samples.has(key)) {
			throw new AppError(
				'FN_RULER_DUPLICATE_LABELS',
				`recording rule "${definition.name}": two results have the same labels once the rule's labels are set; keep a label in the expression that tells them apart`,
				{ status: 422 },
			);
		}
		samples.set(key, { labels: own, value });
	}
	if (options.limit > 0 && samples.size > options.limit) {
		throw new AppError(
			'FN_RULER_LIMIT',
			`recording rule "${definition.name}" has ${samples.size} series, more than the group's limit of ${options.limit}`,
			{ status: 422 },
		);
	}
	return [...samples.values()];
}
