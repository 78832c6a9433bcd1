import { type Alert, isFiring } from '../alert.ts';
import type { InhibitRuleConfig } from '../config.ts';
import { createMatcher, type Matcher, matchesAll, parseMatchers } from '../route/matcher.ts';

export interface InhibitRule {
	readonly source: readonly Matcher[];
	readonly target: readonly Matcher[];
	readonly equal: readonly string[];
}

/** Fingerprint of the alert that inhibits this one, or `null`. */
export type CompiledInhibitor = (alert: Alert) => string | null;

/** Throws `FN_ALERTS_MATCHER`. */
export function buildInhibitRule(config: InhibitRuleConfig): InhibitRule {
	const side = (lines: readonly string[], equal: Record<string, string>, expression: Record<string, string>) => [
		...Object.entries(equal).map(([name, value]) => createMatcher(name, '=', value)),
		...Object.entries(expression).map(([name, value]) => createMatcher(name, '=~', value)),
		...lines.flatMap(parseMatchers),
	];
	return {
		source: side(config.source_matchers, config.source_match, config.source_match_re),
		target: side(config.target_matchers, config.target_match, config.target_match_re),
		equal: config.equal,
	};
}

/**
 * Answers which alert inhibits a given one, as Alertmanager does: equal labels must agree (missing equals empty), and an
 * alert that matches both sides is not inhibited by another one that does too. Built once per round over all firing alerts.
 */
export function createInhibitor(rules: readonly InhibitRule[], alerts: Iterable<Alert>, nowMs: number): CompiledInhibitor {
	if (rules.length === 0) return () => null;
	const indexes = rules.map(() => new Map<string, Alert[]>());
	for (const alert of alerts) {
		if (!isFiring(alert, nowMs)) continue;
		rules.forEach((rule, i) => {
			if (!matchesAll(rule.source, alert.labels)) return;
			const key = equalKey(rule, alert);
			const list = indexes[i]?.get(key);
			if (list === undefined) indexes[i]?.set(key, [alert]);
			else list.push(alert);
		});
	}
	return (alert) => {
		for (const [i, rule] of rules.entries()) {
			if (!matchesAll(rule.target, alert.labels)) continue;
			const twoSided = matchesAll(rule.source, alert.labels);
			const source = indexes[i]
				?.get(equalKey(rule, alert))
				?.find((candidate) => candidate.fingerprint !== alert.fingerprint && !(twoSided && matchesAll(rule.target, candidate.labels)));
			if (source !== undefined) return source.fingerprint;
		}
		return null;
	};
}

function equalKey(rule: InhibitRule, alert: Alert): string {
	return rule.equal.map((name) => alert.labels[name] ?? '').join('\uffff');
}
