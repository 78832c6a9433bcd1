import { readYaml } from '../../core/config-file.ts';
import type { AlertRuleAnswer, ThresholdOverrideAnswer } from '../../protocol/rule-api.ts';
import type { ThresholdConfig } from './config.ts';
import type { RuleGroup } from './group.ts';
import { holds, type InCalendar, thresholdOf, thresholdParts } from './thresholds.ts';

/** The line of the configuration that sets a threshold; 0 for none. */
export type ThresholdLine = (threshold: ThresholdConfig) => number;

/** Alerting rules of the groups in their order, each with the thresholds that are set for it. Pure but for `inCalendar`. */
export function alertRules(
	groups: readonly Pick<RuleGroup, 'definition' | 'rules'>[],
	{ timeMs, inCalendar, lineOf }: { readonly timeMs: number; readonly inCalendar: InCalendar; readonly lineOf: ThresholdLine },
): readonly AlertRuleAnswer[] {
	return groups.flatMap(({ definition: { name: group, file }, rules }) =>
		rules.flatMap(({ definition, alerting, lastError }): readonly AlertRuleAnswer[] => {
			if (definition.kind !== 'alerting') return [];
			const { name, query, forMs, labels, annotations, thresholds } = definition;
			const threshold = thresholdOf(definition);
			const states = [...(alerting?.active.values() ?? [])].map(({ state }) => state);
			const count = (wanted: string) => states.filter((state) => state === wanted).length;
			return [
				{
					name,
					group,
					file,
					query,
					forSeconds: forMs / 1000,
					labels,
					annotations,
					state: alerting?.state ?? 'inactive',
					pending: count('pending'),
					firing: count('firing'),
					lastError,
					threshold: threshold.kind === 'number' ? { value: threshold.value, parts: thresholdParts(definition, threshold.value) } : null,
					problem: threshold.kind === 'number' ? '' : threshold.message,
					overrides: thresholds.map((one) => override(one, holds(one, timeMs, inCalendar), lineOf(one))),
				},
			];
		}),
	);
}

function override(threshold: ThresholdConfig, inForce: boolean, line: number): ThresholdOverrideAnswer {
	const { value, host = '', system = '', labels = {}, during = '', outside = '' } = threshold;
	return { value, host, system, labels, during, outside, holds: inForce, line };
}

/**
 * Where the text of a configuration sets each of the thresholds in force. The text may have been edited since it was read, and then says
 * something else: a line is told only while the two are the same.
 */
export function thresholdLines(text: string, inForce: readonly ThresholdConfig[]): ThresholdLine {
	const read = readYaml(text, '');
	if (read.kind === 'bad') return () => 0;
	const { value, line } = read.config;
	const written = thresholdsIn(value);
	if (JSON.stringify(written.map(inOrder)) !== JSON.stringify(inForce.map(inOrder))) return () => 0;
	const lines = new Map(written.map((one, i) => [JSON.stringify(inOrder(one)), line(['rules', 'thresholds', i])]));
	return (threshold) => lines.get(JSON.stringify(inOrder(threshold))) ?? 0;
}

function thresholdsIn(value: unknown): readonly object[] {
	const rules = typeof value === 'object' && value !== null && 'rules' in value ? value.rules : null;
	const list = typeof rules === 'object' && rules !== null && 'thresholds' in rules ? rules.thresholds : null;
	return Array.isArray(list) ? list.filter((one) => typeof one === 'object' && one !== null) : [];
}

/** Keys in one order, whatever the order in which they were written. */
function inOrder(one: object): readonly (readonly [string, unknown])[] {
	const entries = Object.entries(one).map(([key, value]): readonly [string, unknown] => [
		key,
		typeof value === 'object' && value !== null ? inOrder(value) : value,
	]);
	return entries.sort(([a], [b]) => (a < b ? -1 : 1));
}
