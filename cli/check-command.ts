import { existsSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { parse } from 'yaml';
import { loadAgentConfig } from '../agent/config.ts';
import { checkAlertsConfig } from '../alerts/check-config.ts';
import { type AlertsConfig, AlertsConfigSchema } from '../alerts/config.ts';
import { configWarnings } from '../alerts/config-warnings.ts';
import { explainRouting } from '../alerts/route/explain.ts';
import { type CollectorConfig, CollectorConfigSchema, checkCollectorConfig } from '../collector/config.ts';
import { configuredRuleFiles, patternsWithoutRules } from '../collector/configured-files.ts';
import { readProfile } from '../collector/contracts/profile-files.ts';
import { hasCalendar } from '../collector/inventory/calendar.ts';
import { dayKindOrUnknown } from '../collector/inventory/holidays.ts';
import { contractsProblems } from '../collector/known-profiles.ts';
import { checkRuleFile, parseRuleFile } from '../collector/ruler/rule-file.ts';
import { applyThresholds } from '../collector/ruler/thresholds.ts';
import { type ConfigProblem, formatProblem, loadConfigFile, placeInConfig } from '../core/config-file.ts';
import { type Command, usageError } from './command.ts';
import { ROOT_DIR } from './version.ts';

const FILE_KINDS = ['collector', 'agent', 'rules', 'alertmanager', 'contract'] as const;
type FileKind = (typeof FILE_KINDS)[number];

export const checkCommand: Command = {
	help: `fournines check FILE… [--kind ${FILE_KINDS.join('|')}]
fournines check COLLECTOR.YML --alert LABEL=VALUE… [--at TIME]

Reads each file as the collector or the agent would, and prints every problem with its line and key; with a collector's file
also those of the rules that it names, of the thresholds that it sets for them, and of the contracts that it names.
Which kind a file is follows from its keys; --kind says it where that is not enough.

  fournines check collector.yml
  fournines check agent.yml rules/*.yml contracts/*.yml

An Alertmanager's own file is checked as what would stand under the key "alerts" of collector.yml; "fournines convert" makes it so.

  fournines check alertmanager.yml

With --alert it also shows where an alert with these labels would go, through which routes, and why.

  fournines check collector.yml --alert severity=critical --alert team=dba --alert host=db-1

Exit code 0 when all files are good, 1 when there is a problem.`,
	run: async (args) => {
		const { values, positionals } = parseArgs({
			args: [...args],
			allowPositionals: true,
			options: { kind: { type: 'string' }, alert: { type: 'string', multiple: true }, at: { type: 'string' } },
		});
		if (positionals.length === 0) throw usageError('name at least one file');
		const given = FILE_KINDS.find((known) => known === values.kind);
		if (values.kind !== undefined && given === undefined) throw usageError(`--kind ${values.kind}: write one of ${FILE_KINDS.join(', ')}`);
		let problems = 0;
		for (const file of positionals) {
			const found = problemsOf(file, given);
			problems += found.length;
			for (const problem of found) process.stdout.write(`${formatProblem(problem)}\n`);
			const kind = given ?? kindOf(file);
			if (kind === 'alertmanager' && found.length > 0) process.stdout.write(`${CONVERT_HINT.replaceAll('FILE', file)}\n`);
			if (found.length === 0) for (const warning of warningsOf(file, kind)) process.stdout.write(`${warning}\n`);
			if (found.length === 0)
				process.stdout.write(`${file}: good${kind === 'alertmanager' ? '; put it under the key "alerts" of collector.yml' : ''}\n`);
		}
		if (problems === 0 && values.alert !== undefined)
			explain(positionals, values.alert, { at: values.at, kind: values.kind as FileKind | undefined });
		return problems === 0 ? 0 : 1;
	},
};

const CONVERT_HINT = 'to take the file over as it is: fournines convert alertmanager FILE --out FOLDER';

/** What is good, and should be known. */
export function warningsOf(file: string, kind: FileKind): readonly string[] {
	const found = alertsOf(file, kind);
	if (found === null) return [];
	const text = readFileSync(file, 'utf8');
	const empty = patternsWithoutRules(found.ruleFiles, file, ROOT_DIR).map((pattern) => {
		const place = placeInConfig(text, file, ['rules', 'files', found.ruleFiles.indexOf(pattern)]);
		return formatProblem({ ...place, message: `WARNING: no rule file is called "${pattern}"; what it means is never evaluated` });
	});
	const alerts = configWarnings(found.alerts).map(({ path, message }) => {
		const place = placeInConfig(text, file, kind === 'alertmanager' ? path : ['alerts', ...path]);
		return formatProblem({ ...place, message: `WARNING: ${message}` });
	});
	return [...empty, ...alerts];
}

function explain(
	files: readonly string[],
	pairs: readonly string[],
	{ at, kind }: { readonly at: string | undefined; readonly kind: FileKind | undefined },
): void {
	const labels: Record<string, string> = {};
	for (const pair of pairs) {
		const equals = pair.indexOf('=');
		if (equals < 1) throw usageError(`--alert ${pair}: write LABEL=VALUE`);
		labels[pair.slice(0, equals)] = pair.slice(equals + 1);
	}
	const nowMs = at === undefined ? Date.now() : Date.parse(at);
	if (Number.isNaN(nowMs)) throw usageError(`--at ${at}: write a time as RFC 3339, for example 2026-11-22T03:00:00+08:00`);
	for (const file of files) {
		const found = alertsOf(file, kind ?? kindOf(file));
		if (found === null) continue;
		const lines = explainRouting(found.alerts, labels, nowMs, (day) => dayKindOrUnknown(day, found.holidays));
		process.stdout.write(`${lines.join('\n')}\n`);
	}
}

interface FoundAlerts {
	readonly alerts: AlertsConfig;
	readonly holidays: CollectorConfig['inventory']['holidays'];
	/** Patterns. */
	readonly ruleFiles: readonly string[];
}

function alertsOf(file: string, kind: FileKind): FoundAlerts | null {
	if (kind === 'alertmanager') {
		const result = loadConfigFile(file, AlertsConfigSchema, checkAlertsConfig);
		return result.kind === 'ok' ? { alerts: result.config, holidays: [], ruleFiles: [] } : null;
	}
	const result = kind === 'collector' ? loadConfigFile(file, CollectorConfigSchema, checkCollectorConfig) : null;
	if (result?.kind !== 'ok') return null;
	const { alerts, inventory, rules } = result.config;
	return { alerts, holidays: inventory.holidays, ruleFiles: rules.files };
}

export function problemsOf(file: string, kind?: FileKind): readonly ConfigProblem[] {
	switch (kind ?? kindOf(file)) {
		case 'agent': {
			const result = loadAgentConfig(file);
			return result.kind === 'ok' ? [] : result.problems;
		}
		case 'rules':
			return checkRuleFile(readFileSync(file, 'utf8'), file);
		case 'alertmanager': {
			const result = loadConfigFile(file, AlertsConfigSchema, checkAlertsConfig);
			return result.kind === 'ok' ? [] : result.problems;
		}
		case 'contract': {
			const result = readProfile(readFileSync(file, 'utf8'), file);
			return result.kind === 'ok' ? [] : result.problems;
		}
		case 'collector': {
			const result = loadConfigFile(file, CollectorConfigSchema, checkCollectorConfig);
			if (result.kind !== 'ok') return result.problems;
			return [...ruleProblems(result.config, file), ...contractsProblems(result.config, { configFile: file, rootDir: ROOT_DIR })];
		}
	}
}

/** Problems of the rules that a collector with this configuration would load, and of the thresholds that it sets for them. */
function ruleProblems({ rules, inventory }: CollectorConfig, file: string): readonly ConfigProblem[] {
	const found = configuredRuleFiles(rules.files, file, ROOT_DIR).map((path) =>
		existsSync(path)
			? parseRuleFile(readFileSync(path, 'utf8'), path)
			: { groups: [], problems: [{ file: path, line: 0, path: '', message: 'the rule file does not exist' }] },
	);
	const groups = found.flatMap((result) => result.groups);
	const thresholds = applyThresholds(groups, rules.thresholds, (id) => hasCalendar(inventory, id)).problems;
	return [
		...found.flatMap((result) => result.problems),
		...thresholds.map((message) => ({ file, line: 0, path: 'rules.thresholds', message })),
	];
}

/** A guess from the top-level keys; a file that cannot be read or parsed is left to the collector's check, which says so. */
function kindOf(file: string): FileKind {
	let keys: readonly string[] = [];
	try {
		const content: unknown = parse(readFileSync(file, 'utf8'));
		if (typeof content === 'object' && content !== null) keys = Object.keys(content);
	} catch {
		return 'collector';
	}
	if (keys.includes('clocks') && keys.includes('levels')) return 'contract';
	if (keys.includes('groups')) return 'rules';
	if (keys.includes('route') && keys.includes('receivers')) return 'alertmanager';
	return ['inputs', 'spool', 'host', 'collector'].some((key) => keys.includes(key)) ? 'agent' : 'collector';
}
