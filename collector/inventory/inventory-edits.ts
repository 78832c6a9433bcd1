import { parse } from 'yaml';
import type { Clock } from '../../core/clock.ts';
import { type ConfigProblem, configOrThrow } from '../../core/config-file.ts';
import { AppError, errorText } from '../../core/errors.ts';
import { uuidv7After } from '../../core/ids.ts';
import type { StateDatabase } from '../state/database.ts';
import type { InventoryConfig } from './config.ts';
import { differences, entriesOf, type InventoryDifference, type InventoryEntry, type Section, sameValue, withEntries } from './entries.ts';
import { inventoryYaml, parseInventoryFile } from './inventory-yaml.ts';

/** An entry that was edited in the product: what the file said then, and what it should be. `null`: no such entry. */
export interface InventoryEdit extends InventoryEntry {
	readonly base: unknown;
}

/** An edit that the file overruled, and by what. */
export interface RefusedEdit {
	readonly section: Section;
	readonly key: string;
	readonly edited: unknown;
	readonly file: unknown;
	readonly reason: string;
}

export interface InventoryVersion {
	readonly id: string;
	readonly atMs: number;
	/** Account, or `file`. */
	readonly author: string;
	readonly note: string;
	readonly diff: readonly InventoryDifference[];
	/** Edits that this reading of the file overruled. */
	readonly refused: readonly RefusedEdit[];
}

export interface InventoryEdits {
	/** What the file says, with the edits over it that still apply. */
	current(): InventoryConfig;
	/** Id of the newest version; whoever edits says over which one. */
	version(): string;
	/** Edits that are not in the file yet. */
	pending(): readonly InventoryEdit[];
	/** What would be in force with this file. */
	preview(file: InventoryConfig): InventoryConfig;
	/**
	 * The file was read (again): it wins, and what it overrules is listed in the version that this makes. `problems`: in the place of those
	 * that edits are held to. Answers what is in force from now on.
	 */
	readFile(inventory: InventoryConfig, problems?: InventoryCheck): Promise<InventoryConfig>;
	/** The whole inventory as YAML. Every problem at once (`FN_CONFIG_INVALID`); nothing is applied then. Throws `FN_INVENTORY_CONFLICT` (409). */
	replace(text: string, edit: EditNote): Promise<void>;
	/** Single entries, each as YAML, `null` to remove it. As `replace`; `FN_INVENTORY_ENTRY` for an entry that is none. */
	change(
		entries: readonly { readonly section: Section; readonly key: string; readonly text: string | null }[],
		edit: EditNote,
	): Promise<void>;
	/** Newest first. */
	history(limit: number): Promise<readonly InventoryVersion[]>;
	/** The inventory as it was after that version, as YAML. Throws `FN_INVENTORY_VERSION` (404). */
	textOf(version: string): Promise<string>;
}

export interface EditNote {
	/** The version that was looked at. */
	readonly over: string;
	readonly author: string;
	readonly note: string;
}

/** What is wrong with an inventory that it alone cannot say. */
export type InventoryCheck = (inventory: InventoryConfig) => readonly ConfigProblem[];

const FROM_FILE = 'file';

/** Edits of the inventory over a file, kept in the state database. `onChange` hears of every inventory that comes into force by an edit. */
export async function openInventoryEdits(options: {
	readonly state: StateDatabase;
	readonly clock: Clock;
	readonly file: InventoryConfig;
	readonly onChange: (inventory: InventoryConfig) => void;
	/** What edits are held to beside the inventory's own rules. */
	readonly problems?: InventoryCheck;
}): Promise<InventoryEdits> {
	const { state, clock, problems: check = () => [] } = options;
	let file = options.file;
	let edits: readonly InventoryEdit[] = (await state.selectFrom('inventory_edit').selectAll().execute()).map((row) => ({
		section: row.section as Section,
		key: row.entry_key,
		base: JSON.parse(row.base) as unknown,
		value: JSON.parse(row.value) as unknown,
	}));
	const newest = await state.selectFrom('inventory_change').selectAll().orderBy('id', 'desc').executeTakeFirst();
	let version = newest?.id ?? '';
	let current = newest === undefined ? file : (JSON.parse(newest.inventory) as InventoryConfig);
	let turn: Promise<unknown> = Promise.resolve();
	const serial = <T>(work: () => Promise<T>): Promise<T> => {
		const next = turn.then(work);
		turn = next.catch(() => {});
		return next;
	};

	const write = async (
		next: InventoryConfig,
		kept: readonly InventoryEdit[],
		entry: Omit<InventoryVersion, 'id' | 'atMs' | 'diff'>,
	): Promise<void> => {
		const diff = differences(current, next);
		// The first version is what later ones are compared with.
		const isNew = version === '' || diff.length > 0 || entry.refused.length > 0;
		const atMs = clock.now();
		const id = uuidv7After(version, atMs);
		await state.transaction().execute(async (transaction) => {
			await transaction.deleteFrom('inventory_edit').execute();
			for (const { section, key, base, value } of kept)
				await transaction
					.insertInto('inventory_edit')
					.values({ section, entry_key: key, base: JSON.stringify(base), value: JSON.stringify(value) })
					.execute();
			if (!isNew) return;
			await transaction
				.insertInto('inventory_change')
				.values({
					id,
					at_ms: atMs,
					author: entry.author.slice(0, 64),
					note: entry.note.slice(0, 255),
					diff: JSON.stringify(diff),
					refused: JSON.stringify(entry.refused),
					inventory: JSON.stringify(next),
				})
				.execute();
		});
		if (isNew) version = id;
		edits = kept;
		current = next;
	};

	const readFile = async (next: InventoryConfig, problems: InventoryCheck = check): Promise<InventoryConfig> => {
		const { inventory, kept, refused } = overFile(next, edits, problems);
		file = next;
		await write(inventory, kept, { author: FROM_FILE, note: '', refused });
		return inventory;
	};
	const edit = async (next: InventoryConfig, { over, author, note }: EditNote): Promise<void> => {
		if (over !== version) {
			throw new AppError(
				'FN_INVENTORY_CONFLICT',
				'the inventory was changed by somebody else since it was opened; read it again and repeat the edit',
				{
					status: 409,
				},
			);
		}
		const problems = check(next);
		if (problems.length > 0) configOrThrow({ kind: 'bad', problems });
		const kept = differences(file, next).map(({ section, key, before, after }) => ({ section, key, base: before, value: after }));
		await write(next, kept, { author, note, refused: [] });
		options.onChange(next);
	};

	await readFile(file);
	return {
		current: () => current,
		version: () => version,
		pending: () => edits,
		preview: (next) => overFile(next, edits).inventory,
		readFile: (next, problems) => serial(() => readFile(next, problems)),
		replace: (text, note) => serial(async () => edit(configOrThrow(parseInventoryFile(text, 'inventory')), note)),
		change: (entries, note) =>
			serial(async () => {
				const parsed = entries.map(({ section, key, text }, i) => ({
					section,
					// A new entry must not take the place of one that has its id already: that is a mistake to be told.
					key: key === '' && section !== 'zone' ? `\0${i}` : key,
					value: text === null ? null : parseEntry(section, text),
				}));
				const gone = parsed.find(({ section, key, value }) => value === null && !entriesOf(current).has(`${section} ${key}`));
				if (gone !== undefined)
					throw new AppError('FN_INVENTORY_ENTRY', `there is no ${gone.section} "${gone.key}" to remove`, { status: 400 });
				// An entry may be renamed: its old key goes, its own key is what its text says.
				const next = withEntries(current, parsed);
				await edit(configOrThrow(parseInventoryFile(inventoryYaml(next), 'inventory')), note);
			}),
		history: async (limit) => {
			const rows = await state
				.selectFrom('inventory_change')
				.select(['id', 'at_ms', 'author', 'note', 'diff', 'refused'])
				.orderBy('id', 'desc')
				.limit(limit)
				.execute();
			return rows.map((row) => ({
				id: row.id,
				atMs: row.at_ms,
				author: row.author,
				note: row.note,
				diff: JSON.parse(row.diff) as readonly InventoryDifference[],
				refused: JSON.parse(row.refused) as readonly RefusedEdit[],
			}));
		},
		textOf: async (id) => {
			const row = await state.selectFrom('inventory_change').select('inventory').where('id', '=', id).executeTakeFirst();
			if (row === undefined)
				throw new AppError('FN_INVENTORY_VERSION', `there is no version "${id.slice(0, 64)}" of the inventory`, { status: 404 });
			return inventoryYaml(JSON.parse(row.inventory) as InventoryConfig);
		},
	};
}

/**
 * Edits over a file that may have changed since. An entry that the file left alone keeps its edit; one that the file now says as it was
 * edited needs none any more; any other the file decides, and the edit is refused. Edits that make no sound inventory with the file any
 * more are refused all together, because nobody can say which of them was meant without the others.
 */
export function overFile(
	file: InventoryConfig,
	edits: readonly InventoryEdit[],
	check: InventoryCheck = () => [],
): { readonly inventory: InventoryConfig; readonly kept: readonly InventoryEdit[]; readonly refused: readonly RefusedEdit[] } {
	const said = entriesOf(file);
	const kept: InventoryEdit[] = [];
	const refused: RefusedEdit[] = [];
	for (const edit of edits) {
		const { section, key, value, base } = edit;
		const now = said.get(`${section} ${key}`)?.value ?? null;
		if (sameValue(now, value)) continue;
		if (sameValue(now, base)) kept.push(edit);
		else refused.push({ section, key, edited: value, file: now, reason: 'the file says something else since' });
	}
	if (kept.length === 0) return { inventory: file, kept, refused };
	const inventory = withEntries(file, kept);
	const checked = parseInventoryFile(inventoryYaml(inventory), 'inventory');
	// What is wrong with the file alone is not the fault of its edits.
	const problems = checked.kind === 'bad' ? checked.problems : check(file).length > 0 ? [] : check(checked.config);
	if (checked.kind === 'ok' && problems.length === 0) return { inventory: checked.config, kept, refused };
	const reason = `with the file: ${problems.map(({ path, message }) => `${path}: ${message}`).join('; ')}`.slice(0, 2000);
	const all = kept.map(({ section, key, value }) => ({
		section,
		key,
		edited: value,
		file: said.get(`${section} ${key}`)?.value ?? null,
		reason,
	}));
	return { inventory: file, kept: [], refused: [...refused, ...all] };
}

function parseEntry(section: Section, text: string): unknown {
	let value: unknown;
	try {
		value = parse(text, { maxAliasCount: 100 });
	} catch (error) {
		throw new AppError('FN_INVENTORY_ENTRY', `the entry of ${section} is not valid YAML: ${errorText(error)}`, { status: 400 });
	}
	if (section === 'zone' ? typeof value !== 'string' : typeof value !== 'object' || value === null || Array.isArray(value))
		throw new AppError('FN_INVENTORY_ENTRY', `an entry of ${section} is written as its keys and values`, { status: 400 });
	return value;
}
