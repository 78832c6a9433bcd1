import { METRIC_NAME } from '../../protocol/labels.ts';
import { type Expr, type VectorSelector, walk } from '../promql/ast.ts';
import { createMatcher } from '../promql/matcher.ts';
import type { RuleDefinition } from './rule-file.ts';

/** Whether an expression may read a metric of one of these names; a selector without a name may read any. */
export function dependsOn(expr: Expr, names: Iterable<string>): boolean {
	for (const node of walk(expr)) if (node.kind === 'selector' && selectsAny(node, names)) return true;
	return false;
}

function selectsAny(selector: VectorSelector, names: Iterable<string>): boolean {
	const matchers = selector.matchers
		.filter(({ name }) => name === METRIC_NAME)
		.map(({ kind, name, value }) => createMatcher(kind, name, value));
	for (const name of names) if (matchers.every((matcher) => matcher.test(name))) return true;
	return false;
}

/**
 * The rules of a group in steps: each rule stands in a later step than every rule before it that writes what it reads, so that
 * the rules of one step may run in any order. Indexes into `rules`, ascending within a step.
 */
export function independentSteps(rules: readonly RuleDefinition[]): readonly (readonly number[])[] {
	const steps: number[][] = [];
	const stepOf: number[] = [];
	rules.forEach((rule, index) => {
		let step = 0;
		for (let before = 0; before < index; before++) {
			const other = rules[before] as RuleDefinition;
			// Two rules that write the same metric keep their order as well.
			if (
				dependsOn(rule.expr, writtenBy(other)) ||
				dependsOn(other.expr, writtenBy(rule)) ||
				(rule.kind === 'recording' && other.name === rule.name)
			)
				step = Math.max(step, (stepOf[before] as number) + 1);
		}
		stepOf.push(step);
		const members = steps[step];
		if (members === undefined) steps.push([index]);
		else members.push(index);
	});
	return steps;
}

function writtenBy(rule: RuleDefinition): readonly string[] {
	return rule.kind === 'recording' ? [rule.name] : ['ALERTS', 'ALERTS_FOR_STATE'];
}
