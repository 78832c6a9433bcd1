import type { AlertsConfig } from '../config.ts';
import { buildPolicy, chooseChain } from '../escalation/chain.ts';
import { groupIdentity } from '../group/group-key.ts';
import type { DayKindOf } from '../roster/duty-window.ts';
import { timeMute } from '../stages/time-mute.ts';
import { buildTimeInterval } from '../time/time-interval.ts';
import { formatMatchers, matchesAll } from './matcher.ts';
import { buildRoute, matchRoutes, type Route, routeMatchers } from './route.ts';

/** Where an alert with these labels would go and why, line by line. The configuration must have passed `checkAlertsConfig`. */
export function explainRouting(
	config: AlertsConfig,
	labels: Readonly<Record<string, string>>,
	nowMs: number,
	kindOf?: DayKindOf,
): readonly string[] {
	const intervals = new Map(
		[...config.time_intervals, ...config.mute_time_intervals].map((interval) => [interval.name, buildTimeInterval(interval, kindOf)]),
	);
	const root = buildRoute(config.route, intervals);
	const lines: string[] = [];
	const walk = (route: Route, depth: number): boolean => {
		const indent = '  '.repeat(depth);
		const failed = route.matchers.find((matcher) => !matcher.matches(labels[matcher.name] ?? ''));
		const shown = depth === 0 ? 'root' : formatMatchers(route.matchers);
		if (failed !== undefined) {
			lines.push(`${indent}- ${shown}: no, ${failed.name} is ${JSON.stringify(labels[failed.name] ?? '')}`);
			return false;
		}
		lines.push(`${indent}- ${shown}: matches`);
		for (const child of route.routes) if (walk(child, depth + 1) && !child.continues) break;
		return true;
	};
	walk(root, 0);
	for (const route of matchRoutes(root, labels)) {
		const channels = channelsOf(config, route.receiver);
		const seconds = (ms: number) => `${ms / 1000}s`;
		lines.push(`receiver ${route.receiver}${channels === '' ? ', which has no channels: recorded, nobody is told' : `: ${channels}`}`);
		lines.push(
			`  told with its group ${groupIdentity(route, labels).groupKey} after ${seconds(route.groupWaitMs)}, then every ${seconds(
				route.groupIntervalMs,
			)} when something changes, and again after ${seconds(route.repeatIntervalMs)}`,
		);
		const muted = timeMute(route, nowMs);
		if (muted !== '') lines.push(`  not at this moment (${muted.slice('time:'.length)}); what is held back is told afterwards`);
	}
	lines.push(...explainOnCall(config, labels));
	for (const [i, rule] of config.inhibit_rules.entries()) {
		const target = buildTarget(rule);
		if (!matchesAll(target, labels)) continue;
		const equal = rule.equal.map((name) => `${name}=${JSON.stringify(labels[name] ?? '')}`).join(', ');
		const source = [...rule.source_matchers, ...entries(rule.source_match, '='), ...entries(rule.source_match_re, '=~')].join(', ');
		lines.push(`hidden by ${rule.name ?? `inhibit_rules[${i}]`} while an alert with ${source}${equal === '' ? '' : ` and ${equal}`} fires`);
	}
	return lines;
}

/** Who is called until somebody takes it. */
function explainOnCall({ oncall }: AlertsConfig, labels: Readonly<Record<string, string>>): readonly string[] {
	const subject = { severity: labels['severity'] ?? '', labels, faultLevel: null };
	const chain = chooseChain(oncall.policies.map(buildPolicy), subject);
	if (chain === null) return oncall.policies.length === 0 ? [] : ['on call: no policy applies, nobody is called'];
	const steps = chain.steps.map(
		({ to, waitMs, times }) => `  ${to.join(', ')}${times > 1 ? `, ${times} times` : ''}, then ${waitMs / 1000}s for somebody to take it`,
	);
	return [`on call: policy ${chain.policy} calls people${chain.rounds > 1 ? `, ${chain.rounds} rounds` : ''}`, ...steps];
}

function channelsOf(config: AlertsConfig, receiver: string): string {
	const found = config.receivers.find(({ name }) => name === receiver);
	return Object.entries(found ?? {})
		.flatMap(([key, value]) => {
			if (key === 'channel_configs') return found?.channel_configs.map(({ channel, to }) => [channel, ...to].join(' ')) ?? [];
			return Array.isArray(value) && value.length > 0 ? [`${value.length} × ${key.replace(/_configs$/, '')}`] : [];
		})
		.join(', ');
}

function entries(values: Readonly<Record<string, string>>, operator: string): string[] {
	return Object.entries(values).map(([name, value]) => `${name}${operator}${JSON.stringify(value)}`);
}

function buildTarget(rule: AlertsConfig['inhibit_rules'][number]) {
	return routeMatchers({ matchers: rule.target_matchers, match: rule.target_match, match_re: rule.target_match_re });
}
