import { labelsToObject } from '../../../core/labels.ts';
import { rfc3339 } from '../../../core/rfc3339.ts';
import { printExpression } from '../../promql/printer.ts';
import type { ActiveAlert } from '../../ruler/alert-state.ts';
import type { RuleGroup, RunningRule } from '../../ruler/group.ts';

const ZERO_TIME = '0001-01-01T00:00:00Z';

function time(ms: number | null): string {
	return ms === null ? ZERO_TIME : rfc3339(ms);
}

/** Values in these answers are text in Go's exponent form, `5e+00`. */
function goExponent(value: number): string {
	if (!Number.isFinite(value)) return value !== value ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
	return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2');
}

export function alertJson(alert: ActiveAlert): object {
	return {
		labels: labelsToObject(alert.labels),
		annotations: alert.annotations,
		state: alert.state,
		activeAt: time(alert.activeAtMs),
		...(alert.keepFiringSinceMs === null ? {} : { keepFiringSince: time(alert.keepFiringSinceMs) }),
		value: goExponent(alert.value),
	};
}

/** Alerts that are pending or firing. */
export function liveAlerts(rule: RunningRule): readonly ActiveAlert[] {
	return [...(rule.alerting?.active.values() ?? [])].filter((alert) => alert.state !== 'inactive');
}

export function ruleJson(rule: RunningRule, withAlerts: boolean): object {
	const { definition } = rule;
	const shared = {
		name: definition.name,
		query: printExpression(definition.expr),
		labels: definition.labels,
		health: rule.health,
		...(rule.lastError === '' ? {} : { lastError: rule.lastError }),
		evaluationTime: rule.evaluationSeconds,
		lastEvaluation: time(rule.lastEvaluationMs),
	};
	if (definition.kind === 'recording') return { ...shared, type: 'recording' };
	return {
		...shared,
		state: rule.alerting?.state ?? 'inactive',
		duration: definition.forMs / 1000,
		keepFiringFor: definition.keepFiringForMs / 1000,
		annotations: definition.annotations,
		alerts: withAlerts ? liveAlerts(rule).map(alertJson) : [],
		type: 'alerting',
	};
}

export function groupJson(group: RuleGroup, rules: readonly object[]): object {
	return {
		name: group.definition.name,
		file: group.definition.file,
		rules,
		interval: group.intervalMs / 1000,
		limit: group.definition.limit,
		evaluationTime: group.evaluationSeconds,
		lastEvaluation: time(group.lastEvaluationMs),
	};
}
