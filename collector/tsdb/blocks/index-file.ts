import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { crc32 } from 'node:zlib';
import { errorText } from '../../../core/errors.ts';
import { type Departed, GonePostings, POSTINGS_SCHEMA } from './gone-postings.ts';

/** What must be known of blocks before they can be read: series, metadata, and how much of the log is in them. */
export const INDEX_FILE = 'index.db';
export const INDEX_VERSION = 3;

export const INDEX_SCHEMA = `
create table if not exists series (
	id integer primary key not null, labels blob not null, first_ms integer, last_ms integer, gone integer not null default 0, name text, crc integer
);
create table if not exists metadata (metric text primary key not null, json text not null) without rowid;
create table if not exists checkpoint (id integer primary key not null check (id = 1), segment integer not null, before_ms integer not null);
create table if not exists block_span (name text primary key not null) without rowid;
create table if not exists deletion (id integer primary key not null check (id = 1), number integer not null);
`;

/** Finds those of the gone that are older than what is kept. Apart, because a version 1 index has no such columns yet. */
const GONE_INDEX = 'drop index if exists gone_series; create index if not exists gone_last on series (last_ms) where gone = 1;';
/** Series whose postings are made in one go when an older index is brought up to date. */
const UPGRADE_SERIES = 20_000;

/** Opens the index for writing, makes what is missing, and brings version 1 up to date. */
export function openIndexForWriting(folder: string, timeoutMs: number): DatabaseSync {
	const database = new DatabaseSync(join(folder, INDEX_FILE), { timeout: timeoutMs });
	try {
		// Small pages: most tables have a handful of rows. No WAL: at the next start it must be readable without making a file beside it.
		database.exec(`pragma page_size = 1024; pragma journal_mode = delete; pragma synchronous = full; ${INDEX_SCHEMA} ${POSTINGS_SCHEMA}`);
		const columns = database.prepare("select name from pragma_table_info('series')").all();
		if (!columns.some((column) => column['name'] === 'gone')) {
			database.exec('alter table series add column gone integer not null default 0; alter table series add column name text;');
		}
		if (!columns.some((column) => column['name'] === 'crc')) database.exec('alter table series add column crc integer');
		const version = Number(database.prepare('pragma user_version').get()?.['user_version'] ?? 0);
		database.exec(GONE_INDEX);
		if (version < INDEX_VERSION) addMissingPostings(database);
		database.exec(`pragma user_version = ${INDEX_VERSION};`);
		return database;
	} catch (error) {
		database.close();
		throw error;
	}
}

/** An index of version 2 knows who has gone, but not by label. Done again from the beginning when it was interrupted. */
function addMissingPostings(database: DatabaseSync): void {
	database.exec('begin immediate; delete from gone_posting; delete from gone_pair;');
	const postings = new GonePostings(database);
	const page = database.prepare(
		'select id, labels, first_ms, last_ms from series where gone = 1 and first_ms is not null and id > ? order by id limit ?',
	);
	for (let last = -1; ; ) {
		const rows = page.all(last, UPGRADE_SERIES);
		if (rows.length === 0) break;
		postings.add(rows.flatMap(departedRow));
		last = Number(rows.at(-1)?.['id']);
	}
	database.exec('commit');
}

/** A row of `series` as postings want it; nothing when its labels or times are not there. */
export function departedRow(row: Record<string, unknown>): readonly Departed[] {
	const { id, labels, first_ms: firstMs, last_ms: lastMs } = row;
	if (!(labels instanceof Uint8Array) || typeof firstMs !== 'number' || typeof lastMs !== 'number') return [];
	return [{ id: Number(id), labels, firstMs, lastMs }];
}

/** Labels of single series that have gone, for a replay that meets their samples. */
export class SeriesLookup {
	readonly #folder: string;
	#database: DatabaseSync | null = null;

	constructor(folder: string) {
		this.#folder = folder;
	}

	labels(id: number): Uint8Array | null {
		const labels = this.#row(id)?.['labels'];
		return labels instanceof Uint8Array ? labels : null;
	}

	/** When blocks say that it lived; `null` for a series without any. */
	span(id: number): { readonly firstMs: number; readonly lastMs: number } | null {
		const row = this.#row(id);
		const firstMs = asTime(row?.['first_ms']);
		const lastMs = asTime(row?.['last_ms']);
		return firstMs === null || lastMs === null ? null : { firstMs, lastMs };
	}

	close(): void {
		this.#database?.close();
	}

	#row(id: number): Record<string, unknown> | undefined {
		if (!existsSync(join(this.#folder, INDEX_FILE))) return undefined;
		this.#database ??= new DatabaseSync(join(this.#folder, INDEX_FILE), { timeout: 5000 });
		return this.#database.prepare('select labels, first_ms, last_ms from series where id = ?').get(id);
	}
}

/** Samples of log segments up to `segment` with times before `beforeMs` are in blocks. */
export interface Checkpoint {
	readonly segment: number;
	readonly beforeMs: number;
}

export interface IndexContent {
	readonly checkpoint: Checkpoint;
	/** Number of rows visited. */
	readonly series: number;
	/** There is no index: a new store, or one whose index is lost. */
	readonly missing: boolean;
	/** Ids below this have been given. */
	readonly nextId: number;
	/** Whether there are series that have left memory: those are not visited. */
	readonly hasGone: boolean;
	/** Deletions up to this number have been applied to block files. */
	readonly deletedThrough: number;
	/** Days and months (`samples-2026-11-21`) of which there were block files. */
	readonly blockSpans: readonly string[];
}

/** Reads the index and writes nothing, so that it works on a full disk; a folder without one is a new store. SQLite's errors pass through. */
export function readIndex(
	folder: string,
	visit: {
		readonly series: (id: number, labels: Uint8Array, firstMs: number | null, lastMs: number | null) => void;
		readonly metadata: (json: string) => void;
	},
): IndexContent {
	const nothing = {
		checkpoint: { segment: 0, beforeMs: 0 },
		series: 0,
		missing: true,
		nextId: 0,
		hasGone: false,
		deletedThrough: 0,
		blockSpans: [],
	};
	if (!existsSync(join(folder, INDEX_FILE))) return nothing;
	const database = new DatabaseSync(join(folder, INDEX_FILE), { timeout: 5000 });
	try {
		let series = 0;
		const version = Number(database.prepare('pragma user_version').get()?.['user_version'] ?? 0);
		const alive = version >= 2 ? 'where gone = 0' : '';
		const highest = database.prepare('select max(id) as id from series').get()?.['id'];
		const hasGone = version >= 2 && database.prepare('select 1 from series where gone = 1 limit 1').get() !== undefined;
		const hasChecksums = database.prepare("select 1 from pragma_table_info('series') where name = 'crc'").get() !== undefined;
		const checksum = hasChecksums ? 'crc' : 'null as crc';
		for (const row of database.prepare(`select id, labels, first_ms, last_ms, ${checksum} from series ${alive} order by id`).iterate()) {
			const labels = row['labels'];
			if (!(labels instanceof Uint8Array)) continue;
			if (row['crc'] !== null && crc32(labels, Number(row['id'])) !== row['crc'])
				throw new IndexDamaged(`the labels of series ${row['id']} have changed`);
			visit.series(Number(row['id']), labels, asTime(row['first_ms']), asTime(row['last_ms']));
			series++;
		}
		for (const row of database.prepare('select json from metadata').iterate()) visit.metadata(String(row['json']));
		const row = database.prepare('select segment, before_ms from checkpoint').get();
		const checkpoint = { segment: Number(row?.['segment'] ?? 0), beforeMs: Number(row?.['before_ms'] ?? 0) };
		// An index that was made before there were deletions has no such table.
		const hasDeletions = database.prepare("select 1 from sqlite_master where name = 'deletion'").get() !== undefined;
		const deletedThrough = hasDeletions ? Number(database.prepare('select number from deletion').get()?.['number'] ?? 0) : 0;
		const nextId = typeof highest === 'number' ? highest + 1 : 0;
		const hasSpans = database.prepare("select 1 from sqlite_master where name = 'block_span'").get() !== undefined;
		const blockSpans = hasSpans
			? database
					.prepare('select name from block_span')
					.all()
					.map((span) => String(span['name']))
			: [];
		return { checkpoint, series, missing: false, nextId, hasGone, deletedThrough, blockSpans };
	} catch (error) {
		// A crash between the creation of the file and of its tables.
		if (errorText(error).includes('no such table')) return nothing;
		throw error;
	} finally {
		database.close();
	}
}

const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;

/** What SQLite does not see. */
class IndexDamaged extends Error {
	readonly errcode = SQLITE_CORRUPT;
}

/** Whether SQLite says that the content of a file is damaged, as opposed to a disk that is full or a file that is in use. */
export function isDamage(error: unknown): boolean {
	if (typeof error !== 'object' || error === null || !('errcode' in error)) return false;
	const code = Number(error.errcode) & 0xff;
	return code === SQLITE_CORRUPT || code === SQLITE_NOTADB;
}

function asTime(value: unknown): number | null {
	return typeof value === 'number' ? value : null;
}
