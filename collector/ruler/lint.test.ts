import { describe, expect, test } from 'vitest';
import { lintRules } from './lint.ts';
import { parseRuleFile } from './rule-file.ts';

function lint(rules: string, known: readonly string[] | null = null): readonly string[] {
	const text = `groups:\n  - name: g\n    rules:\n${rules}`;
	const { groups, problems } = parseRuleFile(text, 'rules.yml');
	expect(problems).toEqual([]);
	return lintRules([{ file: 'rules.yml', text, groups }], known === null ? null : new Set(known)).map(
		({ severity, check, line, rule }) => `${line} ${rule}: ${severity} ${check}`,
	);
}

function alert(expr: string, name = 'A'): string {
	return `      - alert: ${name}\n        expr: ${JSON.stringify(expr)}\n        annotations: {runbook_url: docs/a.md}\n`;
}

describe('thresholds', () => {
	test.each([
		{ expr: 'up > 1', found: ['4 A: error impossible-threshold'] },
		{ expr: 'up == 2', found: ['4 A: error impossible-threshold'] },
		{ expr: 'rate(a_total[5m]) < 0', found: ['4 A: error impossible-threshold'] },
		{ expr: 'count(a) > 0', found: ['4 A: warning impossible-threshold'] },
		{ expr: 'hour() > 23', found: ['4 A: error impossible-threshold'] },
		{ expr: 'a > 10 and b > 5 < 5', found: ['4 A: error impossible-threshold'] },
		{ expr: '-up > 0.5', found: ['4 A: error impossible-threshold'] },
		{ expr: '1 - avg(up) > 1', found: ['4 A: error impossible-threshold'] },
		{ expr: 'sum(up) > 3', found: [] },
		{ expr: 'up > 0.5', found: [] },
		{ expr: 'absent(up) == 1', found: [] },
		{ expr: 'a > 5 < 9', found: ['4 A: warning missing-absent'] },
		{ expr: 'up > bool 1', found: [] },
		{ expr: 'delta(a[5m]) > 3', found: [] },
	])('$expr', ({ expr, found }) => {
		expect(lint(alert(expr)).filter((text) => !text.includes('missing-absent') || found.includes(text))).toEqual(found);
	});
});

describe('divisions', () => {
	test.each([
		{ expr: 'a_total / b_total > 2', bad: true },
		{ expr: 'a / rate(b_total[5m]) > 2', bad: true },
		{ expr: 'a / (rate(b_total[5m]) > 0) > 2', bad: false },
		{ expr: 'a / b > 2 and b > 0', bad: false },
		{ expr: 'a / (b != 0) > 2', bad: false },
		{ expr: 'a / (b >= 0) > 2', bad: true },
		{ expr: 'a / 100 > 2', bad: false },
		{ expr: 'a / 0 > 2', bad: true },
		{ expr: 'a / node_memory_MemTotal_bytes > 2', bad: false },
		{ expr: 'sum(a) / count(a) > 2', bad: false },
		{ expr: 'a % b > 2', bad: true },
	])('$expr', ({ expr, bad }) => {
		expect(lint(alert(expr)).includes('4 A: warning division-by-zero')).toBe(bad);
	});
});

describe('what vanishes', () => {
	test.each([
		{ name: 'nobody watches', rules: alert('up == 0'), bad: true },
		{ name: 'absent does', rules: alert('up == 0') + alert('absent(up)', 'B'), bad: false },
		{ name: 'absent_over_time with labels does', rules: alert('up == 0') + alert('absent_over_time(up{job="a"}[5m])', 'B'), bad: false },
		{ name: 'unless does', rules: alert('up == 0') + alert('group by (host) (a) unless up', 'B'), bad: false },
		{ name: 'a high value needs nobody', rules: alert('a > 5'), bad: false },
		{ name: 'a recording rule needs nobody', rules: '      - {record: r, expr: up == 0}\n', bad: false },
	])('$name', ({ rules, bad }) => {
		expect(lint(rules).some((text) => text.includes('missing-absent'))).toBe(bad);
	});

	test('is told once for all alerts on a metric', () => {
		expect(lint(alert('up == 0') + alert('up < 1', 'B')).filter((text) => text.includes('missing-absent'))).toHaveLength(1);
	});
});

test('an alert without a runbook, at its line', () => {
	expect(lint(`${alert('a > 5')}      - {alert: B, expr: a > 9}\n`)).toEqual(['7 B: warning missing-runbook']);
});

test('metrics that nobody sends and no rule records', () => {
	const rules = `      - {record: r, expr: known}\n${alert('r > 1 and unknwon > 2 and ALERTS > 0')}`;
	expect(lint(rules, ['known'])).toEqual(['5 A: error unknown-metric']);
	expect(lint(rules)).toEqual([]);
});

describe('a stated reason', () => {
	const file = (top: string, above: string) => {
		const text = `${top}groups:\n  - name: g\n    rules:\n${above}${alert('up < 1')}${alert('other < 1', 'B')}`;
		const { groups } = parseRuleFile(text, 'rules.yml');
		return lintRules([{ file: 'rules.yml', text, groups }]).map(({ rule, check }) => `${rule}: ${check}`);
	};
	test.each([
		{
			name: 'above a rule is about that rule',
			top: '',
			above: '      # lint: missing-absent: told by another\n',
			want: ['B: missing-absent'],
		},
		{ name: 'above the groups is about the file', top: '# lint: missing-absent: told by another\n', above: '', want: [] },
		{
			name: 'of another check changes nothing',
			top: '# lint: missing-runbook: none\n',
			above: '',
			want: ['A: missing-absent', 'B: missing-absent'],
		},
		{ name: 'must be given', top: '# lint: missing-absent:\n', above: '', want: ['A: missing-absent', 'B: missing-absent'] },
	])('$name', ({ top, above, want }) => {
		expect(file(top, above)).toEqual(want);
	});
});
