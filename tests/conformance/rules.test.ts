import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { expandFiles } from '../../collector/configured-files.ts';
import { lintRules } from '../../collector/ruler/lint.ts';
import { parseRuleFile } from '../../collector/ruler/rule-file.ts';
import { runRuleTests } from '../../collector/ruler/rule-tests.ts';
import { thresholdOf } from '../../collector/ruler/thresholds.ts';
import { parseDuration } from '../../core/duration.ts';
import { SEVERITIES } from '../../protocol/alert.ts';
import { findCommand } from '../harness/process.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const files = expandFiles(['rules/*.yml'], root);
const tests = readdirSync(join(root, 'rules')).filter((file) => file.endsWith('.test.yml'));
const promtool = findCommand('promtool');

/** What they compare with belongs to how the product works. */
const WITHOUT_THRESHOLD = new Set(['BudgetBurningFast', 'BudgetBurningSlowly', 'EscalationAuditStale']);

describe('the shipped rules', () => {
	test('leave no file without tests and take no test for rules', () => {
		expect(files.map((file) => file.replace(/^.*\//, '').replace(/\.yml$/, '.test.yml'))).toEqual([...tests].sort());
	});

	test('are at least seventy alerts, each with a name of its own, and as many as the papers say', () => {
		const names = files.flatMap((file) =>
			parseRuleFile(readFileSync(file, 'utf8'), file).groups.flatMap(({ rules }) =>
				rules.filter(({ kind }) => kind === 'alerting').map(({ name }) => name),
			),
		);
		expect(new Set(names).size).toBe(names.length);
		expect(names.length).toBeGreaterThanOrEqual(70);
		for (const [paper, words] of [
			['README.md', 'rules come with it'],
			['README.zh-CN.md', '条规则，每条都有'],
			['docs/rules.md', 'rules in Prometheus'],
		] as const)
			expect(readFileSync(join(root, paper), 'utf8')).toContain(`${names.length} ${words}`);
	});

	test('have nothing that the lint would tell, but for what they state a reason for', () => {
		const inputs = files.map((file) => {
			const text = readFileSync(file, 'utf8');
			return { file, text, groups: parseRuleFile(text, file).groups };
		});
		expect(lintRules(inputs)).toEqual([]);
	});

	test.each(files)('%s says everything that a person needs', (file) => {
		const { groups, problems } = parseRuleFile(readFileSync(file, 'utf8'), file);
		expect(problems).toEqual([]);
		for (const rule of groups.flatMap((group) => group.rules)) {
			if (rule.kind !== 'alerting') continue;
			const { labels, annotations, name } = rule;
			expect(SEVERITIES, name).toContain(labels['severity']);
			expect(labels['team'], name).toMatch(/^(ops|dba|app)$/);
			for (const key of ['summary', 'description', 'action']) expect(annotations[key], `${name}: ${key}`).toMatch(/\p{Script=Han}/u);
			expect(annotations['summary_en'], name).toMatch(/^[\x20-\x7e]+$/);
			const runbook = annotations['runbook_url'] ?? '';
			expect(
				existsSync(join(root, runbook)) && readFileSync(join(root, runbook), 'utf8').includes('**Put right.**'),
				`${name}: ${runbook}`,
			).toBe(true);
		}
	});

	test('say which number is their threshold, so that it can be another one for some host', () => {
		const rules = files.flatMap((file) => parseRuleFile(readFileSync(file, 'utf8'), file).groups.flatMap((group) => group.rules));
		const marked = rules.filter((rule) => rule.kind === 'alerting' && rule.annotations['threshold'] !== undefined);
		expect(marked.length).toBeGreaterThan(45);
		for (const rule of rules) {
			if (rule.kind !== 'alerting' || WITHOUT_THRESHOLD.has(rule.name)) continue;
			const threshold = thresholdOf(rule);
			if (rule.annotations['threshold'] !== undefined) expect(threshold, rule.name).toMatchObject({ kind: 'number' });
			else if (threshold.kind === 'number') expect(threshold.value, `${rule.name} does not say its threshold`).toBe(0);
			else expect(threshold.message).toContain('has no threshold to replace');
		}
	});

	test.each(tests)('%s shows each alert firing, quiet, and over again', (file) => {
		const { groups } = parseRuleFile(readFileSync(join(root, 'rules', file.replace('.test.yml', '.yml')), 'utf8'), file);
		const { tests: cases } = parse(readFileSync(join(root, 'rules', file), 'utf8')) as { tests: readonly RuleTestCase[] };
		for (const { kind, name } of groups.flatMap(({ rules }) => rules)) {
			if (kind !== 'alerting') continue;
			const looks = cases.map((one) => looksAt(name, one));
			expect(
				looks.some((seen) => seen.some(({ fires }) => fires)),
				`${name} never fires`,
			).toBe(true);
			expect(looks.some(quietBefore), `${name} is never seen quiet before it fires, or where it need not`).toBe(true);
			expect(looks.some(overAfter), `${name} is never seen over`).toBe(true);
		}
	});

	test.each(tests)('%s passes on our own engine', async (file) => {
		for (const result of await runRuleTests(join(root, 'rules', file))) expect(result.differences, result.name).toEqual([]);
	});

	test.skipIf(promtool === null).each(tests)('%s passes under promtool', (file) => {
		const rules = join(root, 'rules', file.replace('.test.yml', '.yml'));
		for (const args of [
			['check', 'rules', rules],
			['test', 'rules', join(root, 'rules', file)],
		]) {
			const { status, stdout, stderr } = spawnSync(promtool ?? '', args, { encoding: 'utf8', timeout: 60_000 });
			expect(`${stdout}${stderr}`).toMatch(/SUCCESS/);
			expect(status, `${stdout}${stderr}`).toBe(0);
		}
	});
});

interface RuleTestCase {
	readonly alert_rule_test?: readonly {
		readonly eval_time: string;
		readonly alertname: string;
		readonly exp_alerts?: readonly unknown[];
	}[];
	readonly promql_expr_test?: readonly {
		readonly expr: string;
		readonly eval_time: string;
		readonly exp_samples?: readonly { readonly labels: string }[];
	}[];
}

interface Look {
	readonly atMs: number;
	readonly fires: boolean;
}

/** The moments at which a test case says whether an alert fires. */
function looksAt(name: string, { alert_rule_test: alerts = [], promql_expr_test: expressions = [] }: RuleTestCase): readonly Look[] {
	const looks: Look[] = [];
	for (const { alertname, eval_time, exp_alerts = [] } of alerts)
		if (alertname === name) looks.push({ atMs: parseDuration(eval_time), fires: exp_alerts.length > 0 });
	for (const { expr, eval_time, exp_samples = [] } of expressions) {
		const only = /alertname=~?"([^"]*)"/.exec(expr)?.[1];
		if (!expr.includes('ALERTS') || expr.includes('"pending"') || (only !== undefined && !new RegExp(`^(?:${only})$`).test(name))) continue;
		const fires = exp_samples.some(
			({ labels }) => (only === name || labels.includes(`alertname="${name}"`)) && !labels.includes('"pending"'),
		);
		looks.push({ atMs: parseDuration(eval_time), fires });
	}
	return looks;
}

function firstFiringMs(looks: readonly Look[]): number {
	return Math.min(Number.POSITIVE_INFINITY, ...looks.filter(({ fires }) => fires).map(({ atMs }) => atMs));
}

function quietBefore(looks: readonly Look[]): boolean {
	return looks.some(({ atMs, fires }) => !fires && atMs < firstFiringMs(looks));
}

function overAfter(looks: readonly Look[]): boolean {
	return looks.some(({ atMs, fires }) => !fires && atMs > firstFiringMs(looks));
}
