import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { Registry } from 'prom-client';
import { systemClock } from '../../core/clock.ts';
import { configOrThrow } from '../../core/config-file.ts';
import { parseDuration } from '../../core/duration.ts';
import { formatLabels, labelsFromObject, labelsToObject } from '../../core/labels.ts';
import { silentLogger } from '../../core/log.ts';
import type { Labels } from '../../protocol/labels.ts';
import { createEngine, type Engine } from '../promql/engine.ts';
import { parseGoFloat } from '../promql/go-float.ts';
import { seriesLine } from '../promql/series-notation.ts';
import { createMemoryStorage } from '../storage/memory-storage.ts';
import { queryVector } from './rule-query.ts';
import { parseRuleTestFile, type RuleTest, type RuleTestFile } from './rule-test-file.ts';
import { createRuler, type Ruler } from './ruler.ts';

export interface RuleTestResult {
	/** Its name, or its number from 1. */
	readonly name: string;
	/** Empty when everything was as expected. */
	readonly differences: readonly string[];
}

const DEFAULT_INTERVAL = '1m';

/**
 * Runs a file in the format of `promtool test rules` (prometheus.io, "Unit testing for rules") on our own engine and
 * ruler. Rule files are found from the test file's folder. Throws `FN_CONFIG_INVALID` for a file that is not well formed
 * and `FN_RULER_FILES` for bad rules.
 */
export async function runRuleTests(file: string): Promise<readonly RuleTestResult[]> {
	const parsed = parseRuleTestFile(await readFile(file, 'utf8'), file);
	const content = configOrThrow(parsed.kind === 'ok' ? { kind: 'ok', config: parsed.content } : parsed);
	const results: RuleTestResult[] = [];
	for (const [index, one] of content.tests.entries()) {
		results.push({ name: one.name ?? String(index + 1), differences: await runTest(one, content, dirname(file)) });
	}
	return results;
}

async function runTest(one: RuleTest, content: RuleTestFile, folder: string): Promise<readonly string[]> {
	const storage = createMemoryStorage();
	const engine = createEngine({ queryable: storage, clock: systemClock });
	const intervalMs = parseDuration(one.interval ?? DEFAULT_INTERVAL);
	for (const { series, values } of one.input_series ?? []) {
		const line = seriesLine(`${series} ${values}`);
		line.values.forEach((value, i) => {
			if (value !== undefined) storage.add(line.labels, i * intervalMs, value);
		});
	}
	const ruler = createRuler({
		engine,
		appendable: storage,
		sink: async () => {},
		clock: systemClock,
		log: silentLogger,
		metrics: new Registry(),
		externalUrl: one.external_url ?? '',
		externalLabels: texts(one.external_labels),
	});
	await ruler.load(content.rule_files.map((rules) => resolve(folder, rules)));
	const ordered = groupsInOrder(ruler, content.group_eval_order ?? []);
	const alertTests = one.alert_rule_test ?? [];
	const queryTests = one.promql_expr_test ?? [];
	const differences = new Set<string>();
	const stepMs = parseDuration(content.evaluation_interval ?? DEFAULT_INTERVAL);
	const lastMs = Math.max(0, ...[...alertTests, ...queryTests].map((entry) => parseDuration(entry.eval_time)));
	for (let timeMs = 0; timeMs <= lastMs; timeMs += stepMs) {
		for (const group of ordered) {
			await group.evaluate(timeMs);
			for (const rule of group.rules) if (rule.health === 'err') differences.add(`${rule.definition.name}: ${rule.lastError}`);
		}
		const due = (evalTime: string) => parseDuration(evalTime) >= timeMs && parseDuration(evalTime) < timeMs + stepMs;
		for (const entry of alertTests) if (due(entry.eval_time)) add(differences, alertDifference(ruler, entry));
		for (const entry of queryTests)
			if (due(entry.eval_time)) add(differences, await queryDifference(engine, entry, content.fuzzy_compare === true));
	}
	return [...differences];
}

function add(differences: Set<string>, difference: string | null): void {
	if (difference !== null) differences.add(difference);
}

function groupsInOrder(ruler: Ruler, order: readonly string[]): ReturnType<Ruler['groups']> {
	const rank = (name: string) => (order.includes(name) ? order.indexOf(name) : order.length);
	return [...ruler.groups()].sort((a, b) => rank(a.definition.name) - rank(b.definition.name));
}

function alertDifference(ruler: Ruler, entry: NonNullable<RuleTest['alert_rule_test']>[number]): string | null {
	const rules = ruler.groups().flatMap((group) => group.rules.filter((rule) => rule.definition.name === entry.alertname));
	const firing = rules.flatMap((rule) => [...(rule.alerting?.active.values() ?? [])].filter((alert) => alert.state === 'firing'));
	const show = (labels: Readonly<Record<string, string>>, annotations: Readonly<Record<string, string>>) =>
		JSON.stringify({ labels: sorted(labels), annotations: sorted(annotations) });
	return compare(
		`alert ${entry.alertname} at ${entry.eval_time}`,
		firing.map((alert) => show(labelsToObject(alert.labels), alert.annotations)),
		(entry.exp_alerts ?? []).map((alert) => show({ alertname: entry.alertname, ...texts(alert.exp_labels) }, texts(alert.exp_annotations))),
	);
}

async function queryDifference(
	engine: Engine,
	entry: NonNullable<RuleTest['promql_expr_test']>[number],
	fuzzy: boolean,
): Promise<string | null> {
	const samples = await queryVector(engine, entry.expr, parseDuration(entry.eval_time));
	const show = (labels: Labels, value: number) => `${formatLabels(labels)} ${fuzzy ? value.toPrecision(12) : value}`;
	return compare(
		`${entry.expr} at ${entry.eval_time}`,
		samples.map((sample) => show(sample.labels, sample.value)),
		(entry.exp_samples ?? []).map((sample) => show(seriesLine(sample.labels).labels, expectedValue(sample.value))),
	);
}

/** YAML reads `.inf` and `.nan` as numbers, but `+Inf` and `NaN` as texts. */
function expectedValue(value: number | string): number {
	return typeof value === 'number' ? value : (parseGoFloat(value) ?? Number.NaN);
}

function compare(what: string, got: readonly string[], wanted: readonly string[]): string | null {
	const list = (entries: readonly string[]) => (entries.length === 0 ? 'nothing' : `\n      ${[...entries].sort().join('\n      ')}`);
	return list(got) === list(wanted) ? null : `${what}\n    wanted: ${list(wanted)}\n    got: ${list(got)}`;
}

function sorted(record: Readonly<Record<string, string>>): Record<string, string> {
	return labelsToObject(labelsFromObject(record));
}

function texts(record: Readonly<Record<string, string | number | boolean>> | undefined): Readonly<Record<string, string>> {
	return Object.fromEntries(Object.entries(record ?? {}).map(([name, value]) => [name, String(value)]));
}
