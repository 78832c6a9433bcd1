import { labelValue } from '../../core/labels.ts';
import type { Labels } from '../../protocol/labels.ts';
import type { BinaryOperator, Expr, Span } from '../promql/ast.ts';
import { unwrapParens, walk } from '../promql/ast.ts';
import type { ThresholdConfig } from './config.ts';
import type { GroupDefinition, RuleDefinition } from './rule-file.ts';

/** Name of the annotation that says which number of an expression is the threshold, and what it is. */
export const THRESHOLD_ANNOTATION = 'threshold';

/** A rule with one of its thresholds in force. */
export interface ThresholdVariant {
	readonly query: string;
	/** As the annotation shows it; `null`: the one that the rule was written with. */
	readonly threshold: string | null;
	/** Whether this threshold is the one for a result with these labels. */
	readonly keeps: (labels: Labels) => boolean;
}

/** `true` inside the hours of a calendar; `null`: there is no such calendar. */
export type InCalendar = (id: string, timeMs: number) => boolean | null;

const ORDERINGS: ReadonlySet<BinaryOperator> = new Set(['<', '<=', '>', '>=']);

export interface ThresholdRule {
	readonly name: string;
	readonly query: string;
	readonly expr: Expr;
	readonly annotations: Readonly<Record<string, string>>;
}

type Choice = { readonly kind: 'number'; readonly value: number } | { readonly kind: 'problem'; readonly message: string };

/**
 * The number that overrides replace: the one that the annotation `threshold` names, or the only one that the expression
 * compares with. Each place that compares with it is replaced, so that branches for several intervals stay alike.
 */
export function thresholdOf(rule: ThresholdRule): Choice {
	const compared = [...new Set(comparedNumbers(rule.expr).map(({ value }) => value))].sort((a, b) => a - b);
	const written = rule.annotations[THRESHOLD_ANNOTATION];
	if (written !== undefined) {
		const value = Number(written);
		if (written.trim() !== '' && compared.includes(value)) return { kind: 'number', value };
		return {
			kind: 'problem',
			message: `alert "${rule.name}": the annotation "threshold" is "${written}", but the expression compares with ${list(compared)}`,
		};
	}
	const [only, ...others] = compared;
	if (only === undefined) {
		return { kind: 'problem', message: `alert "${rule.name}" has no threshold to replace: it compares with no number by <, <=, > or >=` };
	}
	if (others.length === 0) return { kind: 'number', value: only };
	return {
		kind: 'problem',
		message: `alert "${rule.name}" compares with ${list(compared)}; say by an annotation "threshold" which of them is its threshold`,
	};
}

function list(numbers: readonly number[]): string {
	return numbers.length === 0 ? 'no number' : numbers.join(', ');
}

/** What the rule is evaluated as at one moment: one variant where no override holds. Pure but for `inCalendar`. */
export function variantsAt(
	rule: ThresholdRule,
	overrides: readonly ThresholdConfig[],
	timeMs: number,
	inCalendar: InCalendar,
): readonly ThresholdVariant[] {
	const shipped = { query: rule.query, threshold: null };
	const holding = overrides.filter((override) => holds(override, timeMs, inCalendar));
	const chosen = holding.length === 0 ? null : thresholdOf(rule);
	if (chosen?.kind !== 'number') return [{ ...shipped, keeps: () => true }];
	const ranked = holding.map((override, index) => ({ override, index, rank: rankOf(override) }));
	ranked.sort((a, b) => b.rank - a.rank || b.index - a.index);
	const valueFor = (labels: Labels) => ranked.find(({ override }) => covers(override, labels))?.override.value ?? null;
	const values = [...new Set(ranked.map(({ override }) => override.value))];
	const variants: ThresholdVariant[] = values.map((value) => ({
		query: replaceThreshold(rule, chosen.value, value),
		threshold: String(value),
		keeps: (labels) => valueFor(labels) === value,
	}));
	return [{ ...shipped, keeps: (labels) => valueFor(labels) === null }, ...variants];
}

/** Whether its calendar lets it count at that time. */
export function holds({ during, outside }: ThresholdConfig, timeMs: number, inCalendar: InCalendar): boolean {
	if (during !== undefined && inCalendar(during, timeMs) !== true) return false;
	return outside === undefined || inCalendar(outside, timeMs) === false;
}

/** One host before labels, labels before one system, a system before all; and for some hours before always. */
function rankOf({ host, labels, system, during, outside }: ThresholdConfig): number {
	const timed = during !== undefined || outside !== undefined ? 1 : 0;
	return (host === undefined ? 0 : 8) + (labels === undefined ? 0 : 4) + (system === undefined ? 0 : 2) + timed;
}

function covers({ host, system, labels: wanted = {} }: ThresholdConfig, labels: Labels): boolean {
	const has = (name: string, value: string | undefined) => value === undefined || labelValue(labels, name) === value;
	return has('host', host) && has('system', system) && Object.entries(wanted).every(([name, value]) => has(name, value));
}

/**
 * The groups with each alert's overrides in it. `problems`: overrides of alerts that do not exist, have no threshold, or ask for a
 * calendar that there is not, each in one line.
 */
export function applyThresholds(
	groups: readonly GroupDefinition[],
	thresholds: readonly ThresholdConfig[],
	hasCalendar: (id: string) => boolean,
): { readonly groups: readonly GroupDefinition[]; readonly problems: readonly string[] } {
	const alerts = groups.flatMap(({ rules }) => rules.filter((rule) => rule.kind === 'alerting'));
	const problems = new Set<string>();
	for (const { rule, during, outside } of thresholds) {
		const named = alerts.filter(({ name }) => name === rule);
		if (named.length === 0) problems.add(`there is no alert "${rule}" in the rule files`);
		for (const alert of named) {
			const threshold = thresholdOf(alert);
			if (threshold.kind === 'problem') problems.add(threshold.message);
		}
		for (const calendar of [during, outside]) {
			if (calendar !== undefined && !hasCalendar(calendar)) problems.add(`alert "${rule}": the inventory has no calendar "${calendar}"`);
		}
	}
	const withThresholds = (rule: RuleDefinition): RuleDefinition =>
		rule.kind === 'alerting' ? { ...rule, thresholds: thresholds.filter((threshold) => threshold.rule === rule.name) } : rule;
	return { groups: groups.map((group) => ({ ...group, rules: group.rules.map(withThresholds) })), problems: [...problems] };
}

/** The expression's text with another number in every comparison that is with `from`. */
function replaceThreshold(rule: ThresholdRule, from: number, to: number): string {
	return thresholdParts(rule, from).join(String(to));
}

/** The expression's text around every number that it compares with and that is `threshold`. */
export function thresholdParts({ query, expr }: Pick<ThresholdRule, 'query' | 'expr'>, threshold: number): readonly string[] {
	const places = comparedNumbers(expr).filter(({ value }) => value === threshold);
	const parts: string[] = [];
	let from = 0;
	for (const { span } of places.sort((a, b) => a.span.start - b.span.start)) {
		parts.push(query.slice(from, span.start));
		from = span.end;
	}
	return [...parts, query.slice(from)];
}

function comparedNumbers(expr: Expr): { readonly value: number; readonly span: Span }[] {
	return [...walk(expr)].flatMap((node) =>
		node.kind === 'binary' && ORDERINGS.has(node.op)
			? [node.left, node.right].flatMap((side) => {
					const value = numberOf(side);
					return value === null ? [] : [{ value, span: side.span }];
				})
			: [],
	);
}

function numberOf(expr: Expr): number | null {
	const bare = unwrapParens(expr);
	if (bare.kind === 'number') return bare.value;
	if (bare.kind !== 'unary') return null;
	const inner = numberOf(bare.expr);
	return inner === null ? null : bare.op === '-' ? -inner : inner;
}
