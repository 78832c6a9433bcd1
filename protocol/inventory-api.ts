/** JSON of `/api/fournines/v1/inventory`. Times are integer milliseconds. */

/** A list of the inventory, or `zone`. */
export const INVENTORY_SECTIONS = [
	'zone',
	'systems',
	'subsystems',
	'hosts',
	'components',
	'interfaces',
	'contacts',
	'vantages',
	'calendars',
	'holidays',
	'maintenance',
	'checks',
	'services',
] as const;
export type InventorySection = (typeof INVENTORY_SECTIONS)[number];

export interface InventoryEntryAnswer {
	readonly section: InventorySection;
	readonly key: string;
	/** As YAML. */
	readonly text: string;
	/** Its name for people, where it has one. */
	readonly name: string;
	/** `file`, or edited in the product and not in the file yet. */
	readonly origin: 'file' | 'edited';
}

export interface InventoryDifferenceAnswer {
	readonly section: InventorySection;
	readonly key: string;
	/** YAML; `''` where there was, or is, no such entry. */
	readonly before: string;
	readonly after: string;
}

/** `GET /inventory/state`. */
export interface InventoryStateAnswer {
	/** Whoever edits says over which version. */
	readonly version: string;
	/** The whole inventory as YAML. */
	readonly text: string;
	readonly entries: readonly InventoryEntryAnswer[];
	/** Entries that were edited or removed in the product and are not in the file yet. */
	readonly pending: readonly InventoryDifferenceAnswer[];
	/** Newest first. */
	readonly history: readonly InventoryVersionAnswer[];
}

export interface InventoryVersionAnswer {
	readonly id: string;
	readonly atMs: number;
	/** Account, or `file`. */
	readonly author: string;
	readonly note: string;
	readonly diff: readonly InventoryDifferenceAnswer[];
	/** Edits that this reading of the file overruled: `before` is what was edited, `after` what the file says. */
	readonly refused: readonly (InventoryDifferenceAnswer & { readonly reason: string })[];
}

/** `PUT /inventory`. */
export interface InventoryTextRequest {
	readonly over: string;
	readonly note: string;
	readonly text: string;
}

/** `POST /inventory/entries`. An empty key is a new entry, `text: null` removes one. */
export interface InventoryEntriesRequest {
	readonly over: string;
	readonly note: string;
	readonly entries: readonly { readonly section: InventorySection; readonly key: string; readonly text: string | null }[];
}
