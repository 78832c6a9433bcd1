import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Registry } from 'prom-client';
import { parse } from 'yaml';
import { createEngine } from '../../collector/promql/engine.ts';
import { createRuler } from '../../collector/ruler/ruler.ts';
import { systemClock } from '../../core/clock.ts';
import { parseDuration } from '../../core/duration.ts';
import { formatLabels, labelsFromObject, labelsKey, labelsToObject } from '../../core/labels.ts';
import { silentLogger } from '../../core/log.ts';
import { createMemoryStorage } from './memory-storage.ts';
import { seriesLine } from './promql-script.ts';

interface AlertExpectation {
	readonly exp_labels?: Readonly<Record<string, string>>;
	readonly exp_annotations?: Readonly<Record<string, string>>;
}

interface RuleTestFile {
	readonly rule_files: readonly string[];
	readonly evaluation_interval?: string;
	readonly tests: readonly {
		readonly name?: string;
		readonly interval?: string;
		readonly input_series?: readonly { readonly series: string; readonly values: string }[];
		readonly alert_rule_test?: readonly {
			readonly eval_time: string;
			readonly alertname: string;
			readonly exp_alerts?: readonly AlertExpectation[];
		}[];
		readonly promql_expr_test?: readonly {
			readonly expr: string;
			readonly eval_time: string;
			readonly exp_samples?: readonly { readonly labels: string; readonly value: number }[];
		}[];
	}[];
}

export interface RuleTestResult {
	readonly name: string;
	/** Empty when everything was as expected. */
	readonly differences: readonly string[];
}

/** Runs a file in the format of `promtool test rules` on our own engine and ruler. */
export async function runRuleTests(file: string): Promise<readonly RuleTestResult[]> {
	const content = parse(readFileSync(file, 'utf8')) as RuleTestFile;
	const results: RuleTestResult[] = [];
	for (const [index, one] of content.tests.entries()) {
		const storage = createMemoryStorage();
		const engine = createEngine({ queryable: storage, clock: systemClock });
		const intervalMs = parseDuration(one.interval ?? '1m');
		for (const { series, values } of one.input_series ?? []) {
			const line = seriesLine(`${series} ${values}`, 0);
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
			externalUrl: '',
		});
		await ruler.load(content.rule_files.map((rules) => join(dirname(file), rules)));
		const differences: string[] = [];
		const compare = (what: string, got: readonly unknown[], wanted: readonly unknown[]) => {
			const sorted = (list: readonly unknown[]) => JSON.stringify(list.map((entry) => JSON.stringify(entry)).sort());
			if (sorted(got) !== sorted(wanted)) differences.push(`${what}: wanted ${JSON.stringify(wanted)}, got ${JSON.stringify(got)}`);
		};
		const times = [...(one.alert_rule_test ?? []), ...(one.promql_expr_test ?? [])].map((entry) => parseDuration(entry.eval_time));
		const stepMs = parseDuration(content.evaluation_interval ?? '1m');
		for (let timeMs = 0; timeMs <= Math.max(...times); timeMs += stepMs) {
			await ruler.evaluateOnce(timeMs);
			for (const group of ruler.groups()) {
				for (const rule of group.rules) if (rule.health === 'err') differences.push(`${rule.definition.name}: ${rule.lastError}`);
			}
			const due = (evalTime: string) => parseDuration(evalTime) >= timeMs && parseDuration(evalTime) < timeMs + stepMs;
			for (const entry of (one.alert_rule_test ?? []).filter((test) => due(test.eval_time))) {
				const rules = ruler.groups().flatMap((group) => group.rules.filter((rule) => rule.definition.name === entry.alertname));
				const firing = rules.flatMap((rule) => [...(rule.alerting?.active.values() ?? [])].filter((alert) => alert.state === 'firing'));
				const ordered = (record: Readonly<Record<string, string>>) => labelsToObject(labelsFromObject(record));
				compare(
					`${entry.alertname} at ${entry.eval_time}`,
					firing.map((alert) => [labelsToObject(alert.labels), ordered(alert.annotations)]),
					(entry.exp_alerts ?? []).map((alert) => [
						ordered({ alertname: entry.alertname, ...alert.exp_labels }),
						ordered(alert.exp_annotations ?? {}),
					]),
				);
			}
			for (const entry of (one.promql_expr_test ?? []).filter((test) => due(test.eval_time))) {
				const { value } = await engine.instant(entry.expr, parseDuration(entry.eval_time));
				const samples = value.kind === 'vector' ? value.samples : [];
				compare(
					`${entry.expr} at ${entry.eval_time}`,
					samples.map((sample) => [labelsKey(sample.labels), sample.value]),
					(entry.exp_samples ?? []).map((sample) => [labelsKey(seriesLine(sample.labels, 0).labels), sample.value]),
				);
			}
		}
		results.push({ name: one.name ?? formatLabels(['test', String(index)]), differences });
	}
	return results;
}
