import { createHash } from 'node:crypto';
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
	const names = route.groupBy === 'all' ? Object.keys(labels) : route.groupBy.filter((name) => (labels[name] ?? '') !== '');
	const grouped: Record<string, string> = {};
	for (const name of [...new Set(names)].sort()) grouped[name] = labels[name] ?? '';
	const printed = Object.entries(grouped)
		.map(([name, value]) => `${name}=${JSON.stringify(value)}`)
		.join(', ');
	const groupKey = `${route.key}:{${printed}}`;
	return {
		id: createHash('sha256').update(`${route.receiver}\n${groupKey}`).digest('hex'),
		groupKey,
		receiver: route.receiver,
		labels: grouped,
	};
}
