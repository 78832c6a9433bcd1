import { hash } from 'node:crypto';
import type { Route } from '../route/route.ts';

export interface GroupIdentity {
	/** Stable across restarts and configuration changes that leave the route alone: SHA-256 over receiver and `groupKey`. */
	readonly id: string;
	/** As Alertmanager prints it: `{}/{severity="critical"}:{alertname="ProbeDown"}`. */
	readonly groupKey: string;
	readonly receiver: string;
	readonly labels: Readonly<Record<string, string>>;
}

/** The group that `labels` belongs to under `route`. Labels of `group_by` that the alert lacks are left out. */
export function groupIdentity(route: Route, labels: Readonly<Record<string, string>>): GroupIdentity {
	const groupKey = groupKeyOf(route, labels);
	const { receiver } = route;
	return {
		id: hash('sha256', groupName({ receiver, groupKey })),
		groupKey,
		receiver,
		labels: Object.fromEntries(groupNames(route, labels).map((name) => [name, labels[name] ?? ''])),
	};
}

/** Tells groups apart; what `id` is the hash of. */
export function groupName({ receiver, groupKey }: Pick<GroupIdentity, 'receiver' | 'groupKey'>): string {
	return `${receiver}\n${groupKey}`;
}

export function groupKeyOf(route: Route, labels: Readonly<Record<string, string>>): string {
	const names = groupNames(route, labels);
	return `${route.key}:{${names.map((name) => `${name}=${JSON.stringify(labels[name])}`).join(', ')}}`;
}

function groupNames(route: Route, labels: Readonly<Record<string, string>>): readonly string[] {
	if (route.groupBy === 'all') return Object.keys(labels).sort();
	return route.groupBy.filter((name) => (labels[name] ?? '') !== '').sort();
}
