import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type LintFinding, type LintInput, lintRules } from '../collector/ruler/lint.ts';
import { parseRuleFile } from '../collector/ruler/rule-file.ts';
import { runRuleTests } from '../collector/ruler/rule-tests.ts';
import { type ConfigProblem, formatProblem } from '../core/config-file.ts';
import { callCollector, collectorAccess } from './client.ts';
import { type Command, usageError } from './command.ts';
import { replayCommand } from './rules-replay.ts';

export const rulesCommand: Command = {
	help: `fournines rules check|test|replay FILE…

check    reads rule files and looks for what is well formed and still wrong: a threshold that can never be reached, a division
         by zero, an alert that ends when its metric vanishes, an alert without a runbook, and with --url a metric that the
         collector does not have. A comment "# lint: missing-absent: REASON" above a rule, or above "groups:" for the whole
         file, accepts what that check finds
test     runs rule tests in the format of "promtool test rules"
replay   runs the alerts of a file over the stored past: when would they have fired, for how long, and what is different from
         the rules that run now; what the file records is evaluated first

  fournines rules check rules/*.yml
  fournines rules check rules/*.yml --url http://127.0.0.1:9999 --strict
  fournines rules test rules/*.test.yml
  fournines rules replay proposed.yml --since 30d
  fournines rules replay proposed.yml --since 7d --rule HostCpuBusy --json
  fournines rules replay proposed.yml --since 7d --offline --data ./data --against rules/host.yml

Options of check
  --strict              warnings count as mistakes
  --url URL             look metrics up in this collector
Options of replay
  --since DURATION      how far back; default 7d
  --until TIME          RFC 3339 or Unix seconds; default now
  --step DURATION       between evaluations; default the interval of the group, or 15s
  --rule NAME           only alerts of this name; may be repeated
  --against FILE        compare with this file instead of the rules that the collector runs
  --offline             read the store in --data; no collector may be running on it
  --json                for programs
  --url URL             default http://127.0.0.1:9999
Both
  --token-file FILE     a token with the scope "read" (default: <data>/keys/local-read.token)
  --data DIR            the collector's data folder (default ./data)

Exit code 0 when everything is good, 1 when there is a mistake or a test fails; a replay that works always ends with 0.`,
	run: async (args) => {
		const [action, ...rest] = args;
		switch (action) {
			case 'check':
				return check(rest);
			case 'test':
				return test(rest);
			case 'replay':
				return replayCommand(rest);
			default:
				throw usageError(`${action === undefined ? 'say what to do' : `"${action}" is not known`}: check, test or replay`);
		}
	},
};

async function check(args: readonly string[]): Promise<number> {
	const { values, positionals } = parseArgs({
		args: [...args],
		allowPositionals: true,
		options: { strict: { type: 'boolean' }, url: { type: 'string' }, 'token-file': { type: 'string' }, data: { type: 'string' } },
	});
	if (positionals.length === 0) throw usageError('name at least one rule file');
	const problems: ConfigProblem[] = [];
	const inputs: LintInput[] = [];
	for (const file of positionals) {
		const text = readFileSync(file, 'utf8');
		const result = parseRuleFile(text, file);
		problems.push(...result.problems);
		inputs.push({ file, text, groups: result.groups });
	}
	const known =
		values.url === undefined
			? null
			: await metricNames(collectorAccess({ url: values.url, tokenFile: values['token-file'], data: values.data }));
	const findings = lintRules(inputs, known);
	for (const problem of problems) process.stdout.write(`${formatProblem(problem)}\n`);
	for (const finding of findings) process.stdout.write(`${formatFinding(finding)}\n`);
	for (const { file, groups } of inputs) {
		if (problems.some((problem) => problem.file === file) || findings.some((finding) => finding.file === file)) continue;
		const count = groups.reduce((sum, group) => sum + group.rules.length, 0);
		process.stdout.write(`${file}: good, ${count} ${count === 1 ? 'rule' : 'rules'}\n`);
	}
	const bad = findings.some(({ severity }) => severity === 'error' || values.strict === true);
	return problems.length > 0 || bad ? 1 : 0;
}

export function formatFinding({ file, line, severity, check: name, group, rule, message }: LintFinding): string {
	return `${file}:${line}: ${severity}: group "${group}", rule "${rule}": ${message} (${name})`;
}

async function metricNames(access: ReturnType<typeof collectorAccess>): Promise<ReadonlySet<string>> {
	const { body } = await callCollector(access, '/api/v1/label/__name__/values');
	return new Set((JSON.parse(body.toString('utf8')) as { readonly data: readonly string[] }).data);
}

async function test(args: readonly string[]): Promise<number> {
	const { positionals } = parseArgs({ args: [...args], allowPositionals: true, options: {} });
	if (positionals.length === 0) throw usageError('name at least one test file');
	let failed = 0;
	for (const file of positionals) {
		const results = await runRuleTests(file);
		const bad = results.filter(({ differences }) => differences.length > 0);
		failed += bad.length;
		process.stdout.write(`${file}: ${bad.length === 0 ? `${results.length} passed` : `${bad.length} of ${results.length} FAILED`}\n`);
		for (const { name, differences } of bad) {
			process.stdout.write(`  ${name}\n`);
			for (const difference of differences) process.stdout.write(`    ${difference.replaceAll('\n', '\n  ')}\n`);
		}
	}
	return failed === 0 ? 0 : 1;
}
