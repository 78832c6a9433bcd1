import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findCommand, type TemporaryFolder, temporaryFolder } from '../../tests/harness/process.ts';
import { runRuleTests } from './rule-tests.ts';

const RULES = `groups:
  - name: g
    rules:
      - record: job:up:sum
        expr: sum by (job) (up)
      - alert: Down
        expr: up == 0
        for: 2m
        labels: {severity: critical}
        annotations: {summary: '{{ $labels.instance }} is {{ $value }}{{ $externalLabels.site }}'}
`;
const promtool = findCommand('promtool');
let folder: TemporaryFolder;
beforeEach(() => {
	folder = temporaryFolder('rule-tests');
	writeFileSync(join(folder.path, 'rules.yml'), RULES);
});
afterEach(() => folder.remove());

function file(body: string): string {
	const path = join(folder.path, 'rules.test.yml');
	writeFileSync(
		path,
		`rule_files: [rules.yml]
evaluation_interval: 1m
tests:
  - interval: 1m
    external_labels: {site: '@a'}
    input_series:
      - {series: 'up{job="j", instance="a"}', values: '1 0x10'}
      - {series: 'up{job="j", instance="b"}', values: '1x5 stale _x5'}
${body}`,
	);
	return path;
}

const LABELS = 'exp_labels: {severity: critical, job: j, instance: a}';

/** `good` is the verdict that promtool must share. */
const CASES = [
	{
		name: 'the alert as it is',
		good: true,
		body: `    alert_rule_test: [{eval_time: 4m, alertname: Down, exp_alerts: [{${LABELS}, exp_annotations: {summary: 'a is 0@a'}}]}]`,
	},
	{
		name: 'an annotation that differs',
		good: false,
		body: `    alert_rule_test: [{eval_time: 4m, alertname: Down, exp_alerts: [{${LABELS}, exp_annotations: {summary: 'a'}}]}]`,
	},
	{ name: 'pending is not firing', good: true, body: '    alert_rule_test: [{eval_time: 2m, alertname: Down, exp_alerts: []}]' },
	{ name: 'an alert that nobody expects', good: false, body: '    alert_rule_test: [{eval_time: 3m, alertname: Down, exp_alerts: []}]' },
	{
		name: 'a recorded value between evaluations',
		good: true,
		body: `    promql_expr_test: [{expr: 'job:up:sum', eval_time: 1m30s, exp_samples: [{labels: 'job:up:sum{job="j"}', value: 1}]}]`,
	},
	{
		name: 'a value that differs',
		good: false,
		body: `    promql_expr_test: [{expr: 'job:up:sum', eval_time: 1m, exp_samples: [{labels: 'job:up:sum{job="j"}', value: 2}]}]`,
	},
	{
		name: 'a series that has ended',
		good: true,
		body: `    promql_expr_test: [{expr: 'up{instance="b"}', eval_time: 7m, exp_samples: []}]`,
	},
];

describe('a rule test', () => {
	test.each(CASES)('$name', async ({ good, body }) => {
		const path = file(body);
		const results = await runRuleTests(path);
		expect(results.every(({ differences }) => differences.length === 0)).toBe(good);
		if (promtool === null) return;
		expect(spawnSync(promtool, ['test', 'rules', path], { encoding: 'utf8', timeout: 60_000 }).status === 0).toBe(good);
	});

	test('that differs shows both sides', async () => {
		const [result] = await runRuleTests(file('    alert_rule_test: [{eval_time: 3m, alertname: Down}]'));
		expect(result?.differences).toHaveLength(1);
		expect(result?.differences[0]).toContain('alert Down at 3m');
		expect(result?.differences[0]).toContain('wanted: nothing');
		expect(result?.differences[0]).toContain('"instance":"a"');
	});

	test('that is not well formed names every place', async () => {
		const path = file(`    promql_expr_test: [{expr: 'sum(', eval_time: 1m, exp_samples: [{labels: 'a b', value: 1}]}]
    colour: red`);
		const error = await runRuleTests(path).catch(String);
		expect(error).toContain('tests[0].promql_expr_test[0].expr');
		expect(error).toContain('tests[0].colour');
	});
});
