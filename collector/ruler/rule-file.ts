import { type Static, Type } from 'typebox';
import { parse as parseYaml } from 'yaml';
import { type ConfigProblem, parseConfig } from '../../core/config-file.ts';
import { DURATION_PATTERN, parseDuration } from '../../core/duration.ts';
import { errorText } from '../../core/errors.ts';
import type { Expr } from '../promql/ast.ts';
import { parseQuery } from '../promql/parser.ts';
import { typeOf } from '../promql/type-check.ts';
import type { ThresholdConfig } from './config.ts';
import { parseRuleTemplate } from './rule-template.ts';

const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
const METRIC = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;

const Duration = Type.String({ pattern: DURATION_PATTERN });
// YAML reads `severity: 1` as a number; Prometheus takes it as the text "1".
const Text = Type.Union([Type.String(), Type.Number(), Type.Boolean()]);
const Texts = Type.Record(Type.String(), Text);

const RuleSchema = Type.Object(
	{
		record: Type.Optional(Type.String()),
		alert: Type.Optional(Type.String()),
		expr: Type.Union([Type.String(), Type.Number()]),
		for: Type.Optional(Duration),
		keep_firing_for: Type.Optional(Duration),
		labels: Type.Optional(Texts),
		annotations: Type.Optional(Texts),
	},
	{ additionalProperties: false },
);

const RuleFileSchema = Type.Object(
	{
		groups: Type.Array(
			Type.Object(
				{
					name: Type.String({ minLength: 1 }),
					interval: Type.Optional(Duration),
					query_offset: Type.Optional(Duration),
					limit: Type.Optional(Type.Integer({ minimum: 0 })),
					labels: Type.Optional(Texts),
					rules: Type.Array(RuleSchema, { default: [] }),
				},
				{ additionalProperties: false },
			),
			{ default: [] },
		),
	},
	{ additionalProperties: false },
);

export type RuleDefinition = AlertingDefinition | RecordingDefinition;

export interface AlertingDefinition {
	readonly kind: 'alerting';
	readonly name: string;
	readonly query: string;
	readonly expr: Expr;
	readonly forMs: number;
	readonly keepFiringForMs: number;
	readonly labels: Readonly<Record<string, string>>;
	readonly annotations: Readonly<Record<string, string>>;
	/** Other thresholds that the configuration sets. */
	readonly thresholds: readonly ThresholdConfig[];
}

export interface RecordingDefinition {
	readonly kind: 'recording';
	readonly name: string;
	readonly query: string;
	readonly expr: Expr;
	readonly labels: Readonly<Record<string, string>>;
}

export interface GroupDefinition {
	readonly file: string;
	readonly name: string;
	/** `null`: the evaluation interval of the configuration. */
	readonly intervalMs: number | null;
	readonly queryOffsetMs: number;
	/** Most alerts or series that a rule may produce; 0 is unlimited. */
	readonly limit: number;
	readonly rules: readonly RuleDefinition[];
}

export interface RuleFileResult {
	readonly groups: readonly GroupDefinition[];
	readonly problems: readonly ConfigProblem[];
}

/** Reads the text of a rule file in Prometheus' format; every problem is found at once and names line, group and rule. */
export function parseRuleFile(text: string, file: string): RuleFileResult {
	const result = parseConfig(text, { file, schema: RuleFileSchema, check: (config, report) => checkGroups(config, report) });
	if (result.kind === 'bad') return { groups: [], problems: named(text, result.problems) };
	return { groups: result.config.groups.map((group) => groupDefinition(group, file)), problems: [] };
}

/** Only the problems, for `fournines check` and editors. */
export function checkRuleFile(text: string, file: string): readonly ConfigProblem[] {
	return parseRuleFile(text, file).problems;
}

type Group = Static<typeof RuleFileSchema>['groups'][number];
type Rule = Group['rules'][number];
type Report = (path: readonly (string | number)[], message: string) => void;

function checkGroups(config: Static<typeof RuleFileSchema>, report: Report): void {
	const names = new Set<string>();
	config.groups.forEach((group, g) => {
		if (names.has(group.name)) report(['groups', g, 'name'], `the group name "${group.name}" occurs twice in this file`);
		names.add(group.name);
		checkLabelNames(group.labels ?? {}, ['groups', g, 'labels'], report);
		if (group.interval !== undefined && parseDuration(group.interval) === 0)
			report(['groups', g, 'interval'], 'the interval must be longer than 0');
		const seen = new Map<string, number>();
		group.rules.forEach((rule, r) => {
			checkRule(rule, ['groups', g, 'rules', r], report);
			const key = JSON.stringify([rule.record ?? '', rule.alert ?? '', String(rule.expr), sortedEntries(rule.labels)]);
			const twin = seen.get(key);
			if (twin !== undefined) report(['groups', g, 'rules', r], `the same rule stands at rules[${twin}] of this group already`);
			seen.set(key, r);
		});
	});
}

function checkRule(rule: Rule, path: readonly (string | number)[], report: Report): void {
	if (rule.record !== undefined && rule.alert !== undefined) report([...path, 'alert'], 'only one of "record" and "alert" may be set');
	if (rule.record === undefined && rule.alert === undefined) report(path, 'one of "record" and "alert" must be set');
	if (rule.record !== undefined) {
		if (!METRIC.test(rule.record)) report([...path, 'record'], `"${rule.record}" is not a metric name`);
		for (const key of ['for', 'keep_firing_for', 'annotations'] as const) {
			if (rule[key] !== undefined) report([...path, key], `"${key}" is only for alerting rules`);
		}
	}
	if (rule.alert === '') report([...path, 'alert'], 'the name of an alert must not be empty');
	try {
		const type = typeOf(parseQuery(String(rule.expr)));
		if (type !== 'scalar' && type !== 'vector') report([...path, 'expr'], 'the expression must give a scalar or an instant vector');
	} catch (error) {
		report([...path, 'expr'], `could not parse expression: ${errorText(error)}`);
	}
	checkLabelNames(rule.labels ?? {}, [...path, 'labels'], report);
	if (rule.alert === undefined) return;
	for (const key of ['labels', 'annotations'] as const) {
		for (const [name, text] of Object.entries(rule[key] ?? {})) {
			if (key === 'annotations' && !LABEL_NAME.test(name)) report([...path, key, name], `"${name}" is not an annotation name`);
			try {
				parseRuleTemplate(String(text), rule.alert);
			} catch (error) {
				report([...path, key, name], errorText(error));
			}
		}
	}
}

function checkLabelNames(labels: Readonly<Record<string, unknown>>, path: readonly (string | number)[], report: Report): void {
	for (const name of Object.keys(labels)) {
		if (!LABEL_NAME.test(name) || name === '__name__') report([...path, name], `"${name}" is not a label name that a rule may set`);
	}
}

function sortedEntries(labels: Readonly<Record<string, unknown>> | undefined): readonly [string, unknown][] {
	return Object.entries(labels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
}

function texts(record: Readonly<Record<string, string | number | boolean>> | undefined): Readonly<Record<string, string>> {
	return Object.fromEntries(Object.entries(record ?? {}).map(([name, value]) => [name, String(value)]));
}

function groupDefinition(group: Group, file: string): GroupDefinition {
	const shared = texts(group.labels);
	return {
		file,
		name: group.name,
		intervalMs: group.interval === undefined ? null : parseDuration(group.interval),
		queryOffsetMs: group.query_offset === undefined ? 0 : parseDuration(group.query_offset),
		limit: group.limit ?? 0,
		rules: group.rules.map((rule) => {
			const query = String(rule.expr).trim();
			const labels = { ...shared, ...texts(rule.labels) };
			const expr = parseQuery(query);
			if (rule.record !== undefined) return { kind: 'recording', name: rule.record, query, expr, labels };
			return {
				kind: 'alerting',
				name: rule.alert ?? '',
				query,
				expr,
				forMs: rule.for === undefined ? 0 : parseDuration(rule.for),
				keepFiringForMs: rule.keep_firing_for === undefined ? 0 : parseDuration(rule.keep_firing_for),
				labels,
				annotations: texts(rule.annotations),
				thresholds: [],
			};
		}),
	};
}

/** Adds the names of group and rule to the problems, because `groups[3].rules[7]` says little to a person. */
function named(text: string, problems: readonly ConfigProblem[]): readonly ConfigProblem[] {
	let raw: unknown;
	try {
		raw = parseYaml(text);
	} catch {
		// Not YAML: the problems say so, and there are no names to add.
		return problems;
	}
	return problems.map((problem) => {
		const match = /^groups\[(\d+)\](?:\.rules\[(\d+)\])?/.exec(problem.path);
		if (match === null) return problem;
		const group = at(at(raw, 'groups'), Number(match[1]));
		const rule = match[2] === undefined ? undefined : at(at(group, 'rules'), Number(match[2]));
		const ruleName = at(rule, 'alert') ?? at(rule, 'record');
		const where = [
			`group "${String(at(group, 'name') ?? match[1])}"`,
			...(rule === undefined ? [] : [`rule "${String(ruleName ?? match[2])}"`]),
		];
		return { ...problem, message: `${where.join(', ')}: ${problem.message}` };
	});
}

function at(value: unknown, key: string | number): unknown {
	if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
	return (value as Readonly<Record<string | number, unknown>>)[key];
}
