/** An entry of the inventory that was edited in the product and is not in the file yet. */
export interface InventoryEditTable {
	/** `services`, `hosts`, …; `zone` has one entry with an empty key. */
	section: string;
	entry_key: string;
	/** What the file said when it was edited, as JSON; `null` where it had no such entry. */
	base: string;
	/** JSON; `null` where it was removed. */
	value: string;
}

/** Append-only: every change of the inventory in force, by people and by the file. */
export interface InventoryChangeTable {
	id: string;
	at_ms: number;
	/** Account, or `file`. */
	author: string;
	note: string;
	/** JSON lists. */
	diff: string;
	refused: string;
	/** The whole inventory after it, as JSON. */
	inventory: string;
}

export interface InventoryTables {
	inventory_edit: InventoryEditTable;
	inventory_change: InventoryChangeTable;
}
