import { METRIC_NAME } from '../../protocol/labels.ts';
import { type Expr, type VectorSelector, walk } from '../promql/ast.ts';
import { createMatcher } from '../promql/matcher.ts';
import type { Matcher } from '../storage/storage.ts';
import type { RuleDefinition } from './rule-file.ts';

/** Rules with more selectors than this are rare, and their last ones are taken for one input: they are kept as bits of a number. */
export const MAX_INPUTS = 31;

/** A selector that new samples can change the result of. */
export interface RuleInput {
	/** Those on the metric's name; none: any metric may match. */
	readonly nameMatchers: readonly Matcher[];
	readonly matchers: readonly Matcher[];
}

/** The selectors of an expression that look at the present: what lies at a fixed time or an offset is not changed by what arrives now. */
export function inputsOf(expr: Expr): readonly RuleInput[] {
	const inputs = new Map<string, RuleInput>();
	for (const node of walk(expr)) {
		if (node.kind !== 'selector' || node.offsetMs !== 0 || node.at !== null) continue;
		inputs.set(JSON.stringify(node.matchers.map(({ name, kind, value }) => [name, kind, value]).sort()), inputOf(node));
	}
	return [...inputs.values()];
}

function inputOf({ matchers }: VectorSelector): RuleInput {
	const compiled = matchers.map(({ kind, name, value }) => createMatcher(kind, name, value));
	return {
		nameMatchers: compiled.filter(({ name }) => name === METRIC_NAME),
		matchers: compiled.filter(({ name }) => name !== METRIC_NAME),
	};
}

const ALERT_METRICS: readonly string[] = ['ALERTS', 'ALERTS_FOR_STATE'];

interface Reader {
	readonly definition: RuleDefinition;
	readonly inputs: readonly RuleInput[];
}

/** A metric that rules write is an input only of selectors that name it: one without a name would read its own rule's alerts. */
export function readsMetric({ nameMatchers }: RuleInput, metric: string, isWrittenByRules: boolean): boolean {
	if (nameMatchers.length === 0) return !isWrittenByRules;
	return nameMatchers.every((matcher) => matcher.test(metric));
}

/**
 * Which rules read what which rules write: `readers[i]` are the indexes of the rules that read what rule `i` writes. Alerts are
 * told apart by their name.
 */
export function readersOf(rules: readonly Reader[]): readonly (readonly number[])[] {
	const byMetric = new Map<string, number[]>();
	for (const { definition } of rules) if (definition.kind === 'recording') byMetric.set(definition.name, []);
	for (const metric of ALERT_METRICS) byMetric.set(metric, []);
	const metrics = [...byMetric.keys()];
	rules.forEach(({ inputs }, index) => {
		for (const input of inputs) {
			const literals = input.nameMatchers.find((matcher) => matcher.literals !== null)?.literals ?? metrics;
			for (const metric of literals) {
				const readers = byMetric.get(metric);
				if (readers !== undefined && readers.at(-1) !== index && readsMetric(input, metric, true)) readers.push(index);
			}
		}
	});
	return rules.map(({ definition }) => {
		if (definition.kind === 'recording') return byMetric.get(definition.name) ?? [];
		const readers = new Set(ALERT_METRICS.flatMap((metric) => byMetric.get(metric) ?? []));
		return [...readers].filter((index) => (rules[index] as Reader).inputs.some((input) => readsAlert(input, definition.name)));
	});
}

function readsAlert(input: RuleInput, alert: string): boolean {
	if (!ALERT_METRICS.some((metric) => readsMetric(input, metric, true))) return false;
	return input.matchers.every((matcher) => matcher.name !== 'alertname' || matcher.test(alert));
}
