import { LineCounter, parseDocument } from 'yaml';
import { COMPARISONS, type Expr, unwrapParens, type VectorSelector, walk } from '../promql/ast.ts';
import { printExpression } from '../promql/printer.ts';
import { typeOf } from '../promql/type-check.ts';
import type { GroupDefinition, RuleDefinition } from './rule-file.ts';
import { StatedReasons } from './stated-reasons.ts';
import { boundsOf, canBeZero, comparisonOutcome } from './value-bounds.ts';

export type LintCheck = 'unknown-metric' | 'impossible-threshold' | 'missing-absent' | 'division-by-zero' | 'missing-runbook';

/** `error`: the rule cannot do what it is meant for. `warning`: it can fail people in a case that is easy to overlook. */
export interface LintFinding {
	readonly severity: 'error' | 'warning';
	readonly check: LintCheck;
	readonly file: string;
	/** 1-based; 0 when unknown. */
	readonly line: number;
	readonly group: string;
	readonly rule: string;
	readonly message: string;
}

export interface LintInput {
	readonly file: string;
	readonly text: string;
	readonly groups: readonly GroupDefinition[];
}

/**
 * Looks over rules that are well formed. Files are judged together: a metric that one records, or whose absence one
 * watches, counts for all. What a file accepts with a reason (`StatedReasons`) is left out. `knownMetrics`: the names that a store has; without them, unknown metrics are not looked for.
 */
export function lintRules(inputs: readonly LintInput[], knownMetrics: ReadonlySet<string> | null = null): readonly LintFinding[] {
	const rules = inputs.flatMap(({ groups }) => groups.flatMap((group) => group.rules));
	const recorded = new Set(['ALERTS', 'ALERTS_FOR_STATE', ...rules.filter(({ kind }) => kind === 'recording').map(({ name }) => name)]);
	const watched = new Set(rules.flatMap((rule) => watchedForAbsence(rule.expr)));
	const findings: LintFinding[] = [];
	for (const input of inputs) {
		const lines = ruleLines(input.text);
		const reasons = new StatedReasons(input.text);
		input.groups.forEach((group, g) => {
			group.rules.forEach((rule, r) => {
				const line = lines(g, r);
				const report = (severity: LintFinding['severity'], check: LintCheck, message: string) => {
					if (!reasons.accepts(check, line))
						findings.push({ severity, check, file: input.file, line, group: group.name, rule: rule.name, message });
				};
				if (knownMetrics !== null) checkMetrics(rule, (name) => knownMetrics.has(name) || recorded.has(name), report);
				checkComparisons(rule, report);
				checkDivisions(rule, report);
				if (rule.kind !== 'alerting') return;
				const metric = judgedByLowValue(rule.expr);
				if (metric !== null && !watched.has(metric)) {
					// Told once: one alert on its absence is enough for all.
					watched.add(metric);
					report(
						'warning',
						'missing-absent',
						`when "${metric}" is no longer sent, this alert ends instead of firing; add an alert on absent(${metric})`,
					);
				}
				if ((rule.annotations['runbook_url'] ?? '') === '')
					report('warning', 'missing-runbook', 'the alert has no annotation "runbook_url": whoever is woken by it finds no help');
			});
		});
	}
	return findings;
}

type Report = (severity: LintFinding['severity'], check: LintCheck, message: string) => void;

function metricOf(selector: VectorSelector): string {
	return selector.matchers.find(({ name, kind }) => name === '__name__' && kind === '=')?.value ?? '';
}

function metricsIn(expr: Expr): readonly string[] {
	return [...walk(expr)].flatMap((node) => (node.kind === 'selector' && metricOf(node) !== '' ? [metricOf(node)] : []));
}

function checkMetrics(rule: RuleDefinition, isKnown: (name: string) => boolean, report: Report): void {
	for (const name of new Set(metricsIn(rule.expr))) {
		if (!isKnown(name)) report('error', 'unknown-metric', `the store has no metric "${name}" and no rule records it; check its spelling`);
	}
}

function checkComparisons(rule: RuleDefinition, report: Report): void {
	for (const node of walk(rule.expr)) {
		if (node.kind !== 'binary' || !COMPARISONS.has(node.op) || node.bool) continue;
		const outcome = comparisonOutcome(node);
		const { min, max } = boundsOf(node.left);
		if (outcome === 'never') {
			report('error', 'impossible-threshold', `${printExpression(node)} can never hold: the left side lies between ${min} and ${max}`);
		} else if (outcome === 'always' && min !== max) {
			report('warning', 'impossible-threshold', `${printExpression(node)} always holds: the left side lies between ${min} and ${max}`);
		}
	}
}

function checkDivisions(rule: RuleDefinition, report: Report): void {
	const guarded = new Set<string>();
	for (const node of walk(rule.expr)) {
		if (node.kind === 'binary' && COMPARISONS.has(node.op) && !canBeZero(boundsOf(node)))
			guarded.add(printExpression(unwrapParens(node.left)));
	}
	for (const node of walk(rule.expr)) {
		if (node.kind !== 'binary' || (node.op !== '/' && node.op !== '%')) continue;
		const divisor = unwrapParens(node.right);
		if (typeOf(divisor) === 'string' || !canBeZero(boundsOf(divisor)) || guarded.has(printExpression(divisor))) continue;
		const text = printExpression(divisor);
		report(
			'warning',
			'division-by-zero',
			`${text} can be 0: the quotient is then NaN, which no threshold sees, or infinite, which every one does; write ${text.includes(' ') ? `(${text})` : text} > 0`,
		);
	}
}

/** Metrics that `absent`, `absent_over_time` or `unless` looks for. */
function watchedForAbsence(expr: Expr): readonly string[] {
	return [...walk(expr)].flatMap((node) => {
		if (node.kind === 'call' && (node.name === 'absent' || node.name === 'absent_over_time')) return metricsIn(node);
		return node.kind === 'binary' && node.op === 'unless' ? metricsIn(node.right) : [];
	});
}

/** The metric whose low value the alert is about, the first of a calculation; `null` for alerts on high values. */
function judgedByLowValue(expr: Expr): string | null {
	for (const node of walk(expr)) {
		if (node.kind !== 'binary' || node.bool) continue;
		const right = unwrapParens(node.right);
		const low = node.op === '<' || node.op === '<=' || (node.op === '==' && right.kind === 'number' && right.value === 0);
		const [metric] = metricsIn(node.left);
		if (low && right.kind === 'number' && metric !== undefined) return metric;
	}
	return null;
}

function ruleLines(text: string): (group: number, rule: number) => number {
	const counter = new LineCounter();
	const document = parseDocument(text, { lineCounter: counter });
	return (group, rule) => {
		const node = document.getIn(['groups', group, 'rules', rule], true);
		const range = typeof node === 'object' && node !== null && 'range' in node ? node.range : null;
		const start: unknown = Array.isArray(range) ? range[0] : undefined;
		return typeof start === 'number' ? counter.linePos(start).line : 0;
	};
}
