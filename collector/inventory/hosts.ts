import type { InventoryConfig } from './config.ts';

/** The labels that samples of a host carry; empty where the inventory says nothing of it. */
export function hostLabels(
	inventory: InventoryConfig,
	host: string,
): { readonly host: string; readonly system: string; readonly zone: string } {
	const known = inventory.hosts.find(({ id }) => id === host);
	return { host, system: known?.system ?? '', zone: known?.zone ?? '' };
}
