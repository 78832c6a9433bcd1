import { describe, expect, test } from 'vitest';
import { independentSteps } from './dependencies.ts';
import { parseRuleFile } from './rule-file.ts';

function steps(...rules: readonly string[]): readonly (readonly number[])[] {
	const { groups, problems } = parseRuleFile(`groups: [{name: g, rules: [${rules.join(', ')}]}]`, 'rules.yml');
	expect(problems).toEqual([]);
	return independentSteps(groups[0]?.rules ?? []);
}

describe('rules of a group', () => {
	test.each([
		{
			name: 'stand in one step when none reads what another writes',
			rules: ['{record: a, expr: x}', '{alert: B, expr: y > 0}'],
			want: [[0, 1]],
		},
		{
			name: 'follow what they read',
			rules: ['{record: a, expr: x}', '{record: b, expr: a}', '{alert: C, expr: b > 0}'],
			want: [[0], [1], [2]],
		},
		{ name: 'follow over a gap', rules: ['{record: a, expr: x}', '{record: b, expr: y}', '{record: c, expr: a}'], want: [[0, 1], [2]] },
		{ name: 'read what a later one writes as it was before', rules: ['{record: b, expr: a}', '{record: a, expr: x}'], want: [[0], [1]] },
		{ name: 'follow all when they name no metric', rules: ['{record: a, expr: x}', '{record: b, expr: "{job=\'j\'}"}'], want: [[0], [1]] },
		{ name: 'follow alerts when they read them', rules: ['{alert: A, expr: x > 0}', '{record: b, expr: sum(ALERTS)}'], want: [[0], [1]] },
		{
			name: 'keep their order when they write the same',
			rules: ['{record: a, expr: x}', '{record: a, expr: y, labels: {k: v}}'],
			want: [[0], [1]],
		},
	])('$name', ({ rules, want }) => {
		expect(steps(...rules)).toEqual(want);
	});
});
