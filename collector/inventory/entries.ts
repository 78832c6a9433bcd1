import type { InventoryConfig } from './config.ts';

/** Lists of the inventory in the order of the file, and what names an entry of each. */
const KEYS: { readonly [S in ListName]: (entry: InventoryConfig[S][number]) => string } = {
	systems: ({ id }) => id,
	subsystems: ({ id }) => id,
	hosts: ({ id }) => id,
	components: ({ id }) => id,
	interfaces: ({ id }) => id,
	contacts: ({ id }) => id,
	vantages: ({ host }) => host,
	calendars: ({ id, valid_from: from }) => (from === undefined ? id : `${id} ${from}`),
	holidays: ({ year }) => String(year),
	maintenance: ({ contract }) => contract,
	checks: ({ id }) => id,
	services: ({ id }) => id,
};
type ListName = Exclude<keyof InventoryConfig, 'zone'>;

const SECTIONS = Object.keys(KEYS) as readonly ListName[];
/** A list of the inventory, or its one word that is none. */
export type Section = ListName | 'zone';

/** One entry as it is or should be; `null` where there is none. JSON values, compared by their text. */
export interface InventoryEntry {
	readonly section: Section;
	readonly key: string;
	readonly value: unknown;
}

/** A difference between two inventories. */
export interface InventoryDifference {
	readonly section: Section;
	readonly key: string;
	/** `null` where there was, or is, no such entry. */
	readonly before: unknown;
	readonly after: unknown;
}

/** Every entry by `section key`, in the order of the file. */
export function entriesOf(inventory: InventoryConfig): ReadonlyMap<string, InventoryEntry> {
	const entries = new Map<string, InventoryEntry>([['zone ', { section: 'zone', key: '', value: inventory.zone }]]);
	for (const section of SECTIONS) {
		const keyOf = KEYS[section] as (entry: unknown) => string;
		for (const value of inventory[section]) entries.set(`${section} ${keyOf(value)}`, { section, key: keyOf(value), value });
	}
	return entries;
}

export function differences(before: InventoryConfig, after: InventoryConfig): readonly InventoryDifference[] {
	const old = entriesOf(before);
	const now = entriesOf(after);
	const found: InventoryDifference[] = [];
	for (const [name, { section, key, value }] of old) {
		const next = now.get(name)?.value ?? null;
		if (!sameValue(value, next)) found.push({ section, key, before: value, after: next });
	}
	for (const [name, { section, key, value }] of now) if (!old.has(name)) found.push({ section, key, before: null, after: value });
	return found;
}

/** The inventory with these entries instead of its own; `null` removes. Changed ones stay in their place, new ones come last. */
export function withEntries(inventory: InventoryConfig, changes: readonly InventoryEntry[]): InventoryConfig {
	const entries = new Map(entriesOf(inventory));
	for (const { section, key, value } of changes) {
		if (value === null) entries.delete(`${section} ${key}`);
		else entries.set(`${section} ${key}`, { section, key, value });
	}
	const lists = Object.fromEntries(SECTIONS.map((section) => [section, [] as unknown[]]));
	let { zone } = inventory;
	for (const { section, value } of entries.values()) {
		if (section === 'zone') zone = String(value);
		else lists[section]?.push(value);
	}
	return { zone, ...lists } as unknown as InventoryConfig;
}

/** The order of keys inside of an entry means nothing. */
export function sameValue(a: unknown, b: unknown): boolean {
	return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
}

function sorted(value: unknown): unknown {
	if (Array.isArray(value)) return value.map(sorted);
	if (typeof value !== 'object' || value === null) return value;
	return Object.fromEntries(
		Object.entries(value)
			.sort(([a], [b]) => (a < b ? -1 : 1))
			.map(([key, inner]) => [key, sorted(inner)]),
	);
}
