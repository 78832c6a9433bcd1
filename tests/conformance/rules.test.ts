import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { expandRuleFiles } from '../../collector/rule-files.ts';
import { lintRules } from '../../collector/ruler/lint.ts';
import { parseRuleFile } from '../../collector/ruler/rule-file.ts';
import { runRuleTests } from '../../collector/ruler/rule-tests.ts';
import { SEVERITIES } from '../../protocol/alert.ts';
import { findCommand } from '../harness/process.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const files = expandRuleFiles(['rules/*.yml'], root);
const tests = readdirSync(join(root, 'rules')).filter((file) => file.endsWith('.test.yml'));
const promtool = findCommand('promtool');

describe('the shipped rules', () => {
	test('leave no file without tests and take no test for rules', () => {
		expect(files.map((file) => file.replace(/^.*\//, '').replace(/\.yml$/, '.test.yml'))).toEqual([...tests].sort());
	});

	test('are at least seventy alerts, each with a name of its own', () => {
		const names = files.flatMap((file) =>
			parseRuleFile(readFileSync(file, 'utf8'), file).groups.flatMap(({ rules }) =>
				rules.filter(({ kind }) => kind === 'alerting').map(({ name }) => name),
			),
		);
		expect(new Set(names).size).toBe(names.length);
		expect(names.length).toBeGreaterThanOrEqual(70);
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
