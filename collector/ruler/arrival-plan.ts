import { METRIC_NAME } from '../../protocol/labels.ts';
import { type Expr, walk } from '../promql/ast.ts';
import type { RuleGroup, RunningRule } from './group.ts';
import type { RuleDefinition } from './rule-file.ts';
import { inputsOf, type RuleInput, readersOf } from './rule-inputs.ts';
import { separatingLabel } from './separability.ts';

/** Labels of hosts: most rules can be evaluated for one of them alone. */
const HOST_LABELS: readonly string[] = ['instance', 'host'];
const RANKS: Readonly<Record<string, number>> = { critical: 0, warning: 1 };
const LAST_RANK = 2;

/** A rule that is evaluated when its samples arrive. */
export interface PlannedRule {
	readonly group: RuleGroup;
	readonly rule: RunningRule;
	readonly inputs: readonly RuleInput[];
	/** Evaluated for single values of this label; `null`: only as a whole. */
	readonly label: string | null;
	/** Lower goes first: that of the severity, or of the most severe alert that a recording rule serves. */
	readonly rank: number;
}

/**
 * The rules that are evaluated on arrival: alerting rules, and the recording rules that they read. Not those of groups with a
 * `query_offset`, which mean to look later, nor those that read what they lead to themselves: each evaluation would ask for the next.
 */
export function planArrivals(groups: readonly RuleGroup[]): readonly PlannedRule[] {
	const all = groups
		.filter(({ definition }) => definition.queryOffsetMs === 0)
		.flatMap((group) => group.rules.map((rule) => ({ group, rule, definition: rule.definition, inputs: inputsOf(rule.definition.expr) })));
	const readers = readersOf(all);
	return all.flatMap(({ group, rule, definition, inputs }, index) => {
		const led = reachable(index, readers);
		if (led.has(index)) return [];
		const ranks = [definition, ...[...led].map((other) => (all[other] as (typeof all)[number]).definition)].flatMap(rankOf);
		if (ranks.length === 0) return [];
		return [{ group, rule, inputs, label: labelOf(definition, group.definition.limit), rank: Math.min(...ranks) }];
	});
}

/** Indexes that the edges lead to from `start`; `start` only when there is a circle. */
function reachable(start: number, edges: readonly (readonly number[])[]): ReadonlySet<number> {
	const found = new Set<number>();
	const left = [...(edges[start] ?? [])];
	for (let next = left.pop(); next !== undefined; next = left.pop()) {
		if (found.has(next)) continue;
		found.add(next);
		left.push(...(edges[next] ?? []));
	}
	return found;
}

function rankOf(definition: RuleDefinition): readonly number[] {
	return definition.kind === 'alerting' ? [RANKS[definition.labels['severity'] ?? ''] ?? LAST_RANK] : [];
}

function labelOf(definition: RuleDefinition, limit: number): string | null {
	// A limit counts all results together.
	if (limit > 0) return null;
	const candidates = new Set([...HOST_LABELS, ...namedLabels(definition.expr)]);
	// What the rule writes over no longer says where a result came from.
	for (const name of [METRIC_NAME, 'alertname', 'alertstate', ...Object.keys(definition.labels)]) candidates.delete(name);
	return separatingLabel(definition.expr, [...candidates]);
}

/** Labels that the expression groups or matches by. */
function namedLabels(expr: Expr): readonly string[] {
	const names = new Set<string>();
	for (const node of walk(expr)) {
		if (node.kind === 'aggregation' && !node.without) for (const name of node.grouping) names.add(name);
		if (node.kind === 'binary' && node.matching?.on === true) for (const name of node.matching.labels) names.add(name);
	}
	return [...names];
}
