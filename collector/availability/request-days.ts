import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { MinuteRow } from './request-minutes.ts';
import { type DayWatch, TouchedDays } from './touched-days.ts';

/** A finished UTC day of one definition of requests. */
export interface StoredRequestDay {
	/** Minutes of the day. */
	readonly rows: readonly MinuteRow[];
	/** Late samples lie in it or beside it. */
	readonly suspect: boolean;
}

/**
 * Finished days of request counts. Samples of counters are kept for weeks and reports are asked for years, so a day that was counted stays when
 * its samples have gone.
 */
export interface RequestDays {
	/** The days of `[fromDay, toDay)` that are there. */
	load(key: string, fromDay: number, toDay: number): ReadonlyMap<number, StoredRequestDay>;
	save(key: string, days: ReadonlyMap<number, readonly MinuteRow[]>): void;
	/** Samples of `[fromDay, toDay]` have changed: these days and those beside are counted again. */
	suspect(fromDay: number, toDay: number): void;
	/** To begin before samples are read, for what is saved of them. */
	watch(): DayWatch;
	close(): void;
}

const SCHEMA = `
create table if not exists request_day (
	key text not null, day integer not null, suspect integer not null, minutes text not null, primary key (key, day)) without rowid, strict`;

/** In `<dataDir>/ledger/requests.db`, or in memory. Throws what node:sqlite throws when the folder cannot be written. */
export function openRequestDays(dataDir: string | null): RequestDays {
	if (dataDir !== null) mkdirSync(join(dataDir, 'ledger'), { recursive: true, mode: 0o700 });
	const database = new DatabaseSync(dataDir === null ? ':memory:' : join(dataDir, 'ledger', 'requests.db'), { timeout: 5000 });
	database.exec('pragma journal_mode = wal; pragma synchronous = normal');
	database.exec(SCHEMA);
	const load = database.prepare('select day, suspect, minutes from request_day where key = ? and day >= ? and day < ?');
	const save = database.prepare('insert or replace into request_day (key, day, suspect, minutes) values (?, ?, 0, ?)');
	const suspect = database.prepare('update request_day set suspect = 1 where day >= ? and day <= ?');
	const touched = new TouchedDays();
	return {
		load: (key, fromDay, toDay) => {
			const rows = load.all(key, fromDay, toDay) as unknown as { day: number; suspect: number; minutes: string }[];
			return new Map(
				rows.map((row) => [row.day, { rows: JSON.parse(row.minutes) as readonly MinuteRow[], suspect: row.suspect === 1 }] as const),
			);
		},
		save: (key, days) => {
			for (const [day, rows] of days) save.run(key, day, JSON.stringify(rows));
		},
		suspect: (fromDay, toDay) => {
			touched.touch(fromDay, toDay);
			suspect.run(fromDay - 1, toDay + 1);
		},
		watch: () => touched.watch(),
		close: () => database.close(),
	};
}
