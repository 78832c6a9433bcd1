import { createHash } from 'node:crypto';
import { parseDuration } from '../../core/duration.ts';
import { momentMs, type SecondSpan } from '../inventory/calendar.ts';
import type { InventoryConfig, ServiceConfig } from '../inventory/config.ts';
import { rulesOf } from './check-reader.ts';
import { type CheckRules, contextMs } from './check-timeline.ts';
import { type Combine, combineTimelines, exclude } from './compose.ts';
import type { Timeline } from './intervals.ts';

/** A PromQL condition, evaluated like a check: `rules.id` is the service's. */
export interface Condition {
	readonly expression: string;
	readonly rules: CheckRules;
}

/** Everything that a service's state follows from. */
export interface ServiceTree {
	readonly id: string;
	readonly checks: readonly string[];
	readonly children: readonly ServiceTree[];
	readonly combine: Combine;
	readonly condition: Condition | null;
	/** Whole seconds; infinite where the service has no beginning or end. */
	readonly life: SecondSpan;
}

const DEFAULT_CONFIRM = { failed: 3, of: 5, recovered: 3 };

export function serviceTree(inventory: InventoryConfig, service: ServiceConfig): ServiceTree {
	const { zone } = inventory;
	const { combine } = service;
	const promql = typeof combine === 'object' && 'promql' in combine ? combine : null;
	const condition =
		promql === null
			? null
			: { expression: promql.promql, rules: { id: service.id, intervalMs: parseDuration(promql.interval ?? '10s'), ...DEFAULT_CONFIRM } };
	return {
		id: service.id,
		checks: service.checks,
		children: service.children.flatMap((id) => {
			const child = inventory.services.find((candidate) => candidate.id === id);
			return child === undefined ? [] : [serviceTree(inventory, child)];
		}),
		combine: typeof combine === 'object' && 'promql' in combine ? 'all' : combine,
		condition,
		life: {
			from: service.created === undefined ? Number.NEGATIVE_INFINITY : Math.floor(momentMs(service.created, zone) / 1000),
			to: service.removed === undefined ? Number.POSITIVE_INFINITY : Math.floor(momentMs(service.removed, zone) / 1000),
		},
	};
}

export function checksOf(tree: ServiceTree): readonly string[] {
	return [...new Set([...tree.checks, ...tree.children.flatMap(checksOf)])];
}

export function conditionsOf(tree: ServiceTree): readonly Condition[] {
	return [...(tree.condition === null ? [] : [tree.condition]), ...tree.children.flatMap(conditionsOf)];
}

/** Names the definition that a stored day was computed from: another definition has another key. */
export function treeKey(inventory: InventoryConfig, tree: ServiceTree): string {
	const ids = new Set(checksOf(tree));
	const facts = {
		tree,
		checks: inventory.checks.filter(({ id }) => ids.has(id)).map(rulesOf),
		vantages: inventory.vantages,
		hosts: inventory.hosts.map(({ id, zone, check }) => [id, zone, check]),
	};
	return createHash('sha256')
		.update(
			JSON.stringify(facts, (_key, value: unknown) =>
				value === Number.POSITIVE_INFINITY ? 'end' : value === Number.NEGATIVE_INFINITY ? 'begin' : value,
			),
		)
		.digest('hex')
		.slice(0, 32);
}

/** How far a sample reaches before and after itself, in whole seconds. */
export function reachSeconds(inventory: InventoryConfig, tree: ServiceTree): number {
	const ids = new Set(checksOf(tree));
	const rules = [
		...inventory.checks.filter(({ id }) => ids.has(id)).map(rulesOf),
		...conditionsOf(tree).map((condition) => condition.rules),
	];
	return Math.ceil(Math.max(0, ...rules.map(contextMs)) / 1000);
}

/** A check that the inventory does not describe. */
const DEFAULT_INTERVAL_MS = 10_000;

/** Of everything that the service's state follows from, the interval of the slowest: so late an event may be seen. */
export function longestIntervalMs(inventory: Pick<InventoryConfig, 'checks'>, tree: ServiceTree): number {
	const checks = checksOf(tree).map((id) => {
		const check = inventory.checks.find((candidate) => candidate.id === id);
		return check === undefined ? DEFAULT_INTERVAL_MS : rulesOf(check).intervalMs;
	});
	return Math.max(0, ...checks, ...conditionsOf(tree).map(({ rules }) => rules.intervalMs));
}

/** A sample holds for three intervals of its check: two transitions at most so far apart may be one event. */
const HOLD_INTERVALS = 3;

export function edgeSeconds(inventory: Pick<InventoryConfig, 'checks'>, tree: ServiceTree): number {
	return (HOLD_INTERVALS * longestIntervalMs(inventory, tree)) / 1000;
}

/** The state of a service from those of its parts; a child's own hours do not count, because exclusion comes last. */
export function treeTimeline(
	tree: ServiceTree,
	parts: (id: string, kind: 'check' | 'condition') => Timeline,
	window: SecondSpan,
): Timeline {
	const own =
		tree.condition === null
			? combineTimelines(
					[...tree.checks.map((id) => parts(id, 'check')), ...tree.children.map((child) => treeTimeline(child, parts, window))].filter(
						(timeline) => timeline.length > 0,
					),
					tree.combine,
					window,
				)
			: parts(tree.id, 'condition');
	return exclude(own, outsideLife(tree.life, window));
}

/** The spans of the window before the service was created and after it was removed. */
export function outsideLife(life: SecondSpan, window: SecondSpan): readonly (SecondSpan & { readonly reason: string })[] {
	return [
		{ from: window.from, to: Math.min(life.from, window.to), reason: 'not in service' },
		{ from: Math.max(life.to, window.from), to: window.to, reason: 'not in service' },
	].filter(({ from, to }) => from < to);
}
