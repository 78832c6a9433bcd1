import { DESK_ALERT } from '../../protocol/alert.ts';
import type { InventoryConfig } from '../inventory/config.ts';
import type { MaintenanceWindow } from './window.ts';

type Labels = Readonly<Record<string, string>>;

/**
 * Says which of the windows that are active now holds an alert, `''` for none. Held is what speaks of a covered service, of a check
 * that serves covered services only, or of a host that the window names. What the desk itself reminds of is never held.
 */
export function maintenanceCoverage(
	windows: readonly MaintenanceWindow[],
	inventory: Pick<InventoryConfig, 'services'>,
): (labels: Labels) => string {
	if (windows.length === 0) return () => '';
	const byService = new Map<string, string>();
	const byHost = new Map<string, string>();
	for (const { id, request } of windows) {
		for (const service of request.services) if (!byService.has(service)) byService.set(service, id);
		for (const host of request.hosts ?? []) if (!byHost.has(host)) byHost.set(host, id);
	}
	const users = new Map<string, string[]>();
	for (const { id, checks } of inventory.services) for (const check of checks) users.set(check, [...(users.get(check) ?? []), id]);
	return (labels) => {
		if (DESK_ALERT.test(labels['alertname'] ?? '')) return '';
		const service = labels['service'];
		if (service !== undefined) return byService.get(service) ?? hostWindow(byHost, labels);
		const checked = users.get(labels['check'] ?? '') ?? [];
		// A check that also serves somebody who was promised service must still wake people.
		if (checked.length > 0 && checked.every((id) => byService.has(id))) return byService.get(checked[0] ?? '') ?? '';
		return hostWindow(byHost, labels);
	};
}

function hostWindow(byHost: ReadonlyMap<string, string>, labels: Labels): string {
	return byHost.get(labels['host'] ?? '') ?? byHost.get(labels['instance'] ?? '') ?? '';
}
