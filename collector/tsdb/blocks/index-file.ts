import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** What must be known of blocks before they can be read: series, metadata, and how much of the log is in them. */
export const INDEX_FILE = 'index.db';
export const INDEX_VERSION = 1;

export const INDEX_SCHEMA = `
create table if not exists series (id integer primary key not null, labels blob not null, first_ms integer, last_ms integer);
create table if not exists metadata (metric text primary key not null, json text not null);
create table if not exists checkpoint (id integer primary key not null check (id = 1), segment integer not null, before_ms integer not null);
`;

/** Samples of log segments up to `segment` with times before `beforeMs` are in blocks. */
export interface Checkpoint {
	readonly segment: number;
	readonly beforeMs: number;
}

export interface IndexContent {
	readonly checkpoint: Checkpoint;
	/** Number of rows visited. */
	readonly series: number;
}

/** Reads the index; a folder without one is a new store. SQLite's errors pass through. */
export function readIndex(
	folder: string,
	visit: {
		readonly series: (id: number, labels: Uint8Array, firstMs: number | null, lastMs: number | null) => void;
		readonly metadata: (json: string) => void;
	},
): IndexContent {
	const database = new DatabaseSync(join(folder, INDEX_FILE), { timeout: 5000 });
	try {
		database.exec(`pragma journal_mode = wal; ${INDEX_SCHEMA} pragma user_version = ${INDEX_VERSION};`);
		let series = 0;
		for (const row of database.prepare('select id, labels, first_ms, last_ms from series order by id').iterate()) {
			const labels = row['labels'];
			if (!(labels instanceof Uint8Array)) continue;
			visit.series(Number(row['id']), labels, asTime(row['first_ms']), asTime(row['last_ms']));
			series++;
		}
		for (const row of database.prepare('select json from metadata').iterate()) visit.metadata(String(row['json']));
		const row = database.prepare('select segment, before_ms from checkpoint').get();
		const checkpoint = { segment: Number(row?.['segment'] ?? 0), beforeMs: Number(row?.['before_ms'] ?? 0) };
		return { checkpoint, series };
	} finally {
		database.close();
	}
}

function asTime(value: unknown): number | null {
	return typeof value === 'number' ? value : null;
}
