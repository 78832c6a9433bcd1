import { labelValue } from '../../core/labels.ts';
import type { Labels } from '../../protocol/labels.ts';
import type { Matcher } from '../storage/storage.ts';

/** The results of a rule that carry one of some values of a label, by which the rule is separable. */
export interface RulePart {
	readonly matcher: Matcher;
	has(labels: Labels): boolean;
}

export function rulePart(label: string, values: ReadonlySet<string>): RulePart {
	const literals = [...values].sort();
	const [only] = literals;
	const test = (value: string) => values.has(value);
	const matcher: Matcher =
		literals.length === 1 && only !== undefined
			? { name: label, kind: '=', value: only, test, literals }
			: { name: label, kind: '=~', value: literals.map((value) => value.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')).join('|'), test, literals };
	return { matcher, has: (labels) => values.has(labelValue(labels, label)) };
}
