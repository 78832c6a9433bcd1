import { parseDuration } from '../../core/duration.ts';
import type { RouteConfig } from '../config.ts';
import type { TimeInterval } from '../time/time-interval.ts';
import { createMatcher, formatMatchers, type Matcher, matchesAll, parseMatchers } from './matcher.ts';

/** A node of the routing tree with everything inherited filled in. */
export interface Route {
	/** Path of matchers from the root, as in Alertmanager's group keys: `{}/{severity="critical"}`. */
	readonly key: string;
	readonly receiver: string;
	/** `'all'` groups by every label, so that each alert is a group of its own. */
	readonly groupBy: readonly string[] | 'all';
	readonly groupWaitMs: number;
	readonly groupIntervalMs: number;
	readonly repeatIntervalMs: number;
	/** Not inherited, as in Alertmanager. */
	readonly muteTimeIntervals: readonly TimeInterval[];
	readonly activeTimeIntervals: readonly TimeInterval[];
	readonly matchers: readonly Matcher[];
	readonly continues: boolean;
	readonly routes: readonly Route[];
}

/** Alertmanager's defaults. */
const DEFAULTS = { groupWaitMs: 30_000, groupIntervalMs: 300_000, repeatIntervalMs: 4 * 3_600_000 } as const;

/** Builds the tree; the configuration must have passed `checkAlertsConfig`, and `intervals` holds every interval that it names. */
export function buildRoute(config: RouteConfig, intervals: ReadonlyMap<string, TimeInterval> = new Map()): Route {
	return buildNode(config, null, intervals);
}

function buildNode(config: RouteConfig, parent: Route | null, intervals: ReadonlyMap<string, TimeInterval>): Route {
	const named = (names: readonly string[]) => names.flatMap((name) => intervals.get(name) ?? []);
	const matchers = routeMatchers(config);
	const groupBy = config.group_by === undefined ? (parent?.groupBy ?? []) : config.group_by.includes('...') ? 'all' : config.group_by;
	const node = {
		key: parent === null ? formatMatchers(matchers) : `${parent.key}/${formatMatchers(matchers)}`,
		receiver: config.receiver ?? parent?.receiver ?? '',
		groupBy,
		groupWaitMs: duration(config.group_wait, parent?.groupWaitMs ?? DEFAULTS.groupWaitMs),
		groupIntervalMs: duration(config.group_interval, parent?.groupIntervalMs ?? DEFAULTS.groupIntervalMs),
		repeatIntervalMs: duration(config.repeat_interval, parent?.repeatIntervalMs ?? DEFAULTS.repeatIntervalMs),
		muteTimeIntervals: named(config.mute_time_intervals),
		activeTimeIntervals: named(config.active_time_intervals),
		matchers,
		continues: config.continue,
	};
	return { ...node, routes: config.routes.map((child) => buildNode(child, { ...node, routes: [] }, intervals)) };
}

/** The matchers of a route from all three spellings that Alertmanager knows. Throws `FN_ALERTS_MATCHER`. */
export function routeMatchers(config: Pick<RouteConfig, 'matchers' | 'match' | 'match_re'>): readonly Matcher[] {
	return [
		...Object.entries(config.match).map(([name, value]) => createMatcher(name, '=', value)),
		...Object.entries(config.match_re).map(([name, value]) => createMatcher(name, '=~', value)),
		...config.matchers.flatMap(parseMatchers),
	];
}

function duration(text: string | undefined, inherited: number): number {
	return text === undefined ? inherited : parseDuration(text);
}

/**
 * The routes that take an alert: the deepest match of the first matching child, and of further children while the
 * matching ones say `continue`; the node itself when no child matches. The root takes everything.
 */
export function matchRoutes(route: Route, labels: Readonly<Record<string, string>>): readonly Route[] {
	if (!matchesAll(route.matchers, labels)) return [];
	const found: Route[] = [];
	for (const child of route.routes) {
		const matched = matchRoutes(child, labels);
		found.push(...matched);
		if (matched.length > 0 && !child.continues) break;
	}
	return found.length > 0 ? found : [route];
}
