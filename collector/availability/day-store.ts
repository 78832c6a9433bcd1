import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { ServiceState } from '../../protocol/api.ts';
import type { Interval, Timeline } from './intervals.ts';
import { type DayWatch, TouchedDays } from './touched-days.ts';

/** A finished day of one service, before exclusion. Days are counted from 1970-01-01 UTC. */
export interface StoredDay {
	readonly timeline: Timeline;
	/** Late data lies in the next or the last day, and may have changed the edge of this one. */
	readonly suspect: boolean;
}

/**
 * Finished days of ledgers. Only a cache: everything in it can be computed again from stored checks, so a file that is lost or cannot
 * be read costs time and nothing else.
 */
export interface DayStore {
	/** The days of `[fromDay, toDay)` that are there. */
	load(key: string, fromDay: number, toDay: number): Map<number, StoredDay>;
	save(key: string, days: ReadonlyMap<number, Timeline>): void;
	/** Forgets `[fromDay, toDay]` of every service and suspects the days beside. */
	forget(fromDay: number, toDay: number): void;
	/** The day's neighbours changed. */
	suspect(key: string, day: number): void;
	/** To begin before samples are read, for what is saved of them. */
	watch(): DayWatch;
	close(): void;
}

/** In memory, for tests and tools that end soon. */
export function createMemoryDayStore(): DayStore {
	const keys = new Map<string, Map<number, StoredDay>>();
	const touched = new TouchedDays();
	const mark = (own: Map<number, StoredDay>, day: number) => {
		const known = own.get(day);
		if (known !== undefined) own.set(day, { ...known, suspect: true });
	};
	return {
		load: (key, fromDay, toDay) => new Map([...(keys.get(key) ?? [])].filter(([day]) => day >= fromDay && day < toDay)),
		save: (key, days) => {
			const own = keys.get(key) ?? new Map<number, StoredDay>();
			keys.set(key, own);
			for (const [day, timeline] of days) own.set(day, { timeline, suspect: false });
		},
		forget: (fromDay, toDay) => {
			touched.touch(fromDay, toDay);
			for (const own of keys.values()) {
				for (const day of [...own.keys()]) if (day >= fromDay && day <= toDay) own.delete(day);
				mark(own, fromDay - 1);
				mark(own, toDay + 1);
			}
		},
		suspect: (key, day) => mark(keys.get(key) ?? new Map(), day),
		watch: () => touched.watch(),
		close: () => {},
	};
}

const SCHEMA = `
pragma journal_mode = wal; pragma synchronous = normal;
create table if not exists ledger_day (
	key text not null, day integer not null, suspect integer not null, intervals text not null, primary key (key, day)) without rowid, strict`;
/** Written into the file; another number empties it. */
const VERSION = 1;

/** In `<dataDir>/ledger/days.db`. Throws what node:sqlite throws when the folder cannot be written. */
export function openDayStore(dataDir: string): DayStore {
	const folder = join(dataDir, 'ledger');
	mkdirSync(folder, { recursive: true, mode: 0o700 });
	const database = new DatabaseSync(join(folder, 'days.db'), { timeout: 5000 });
	database.exec(SCHEMA);
	const { user_version: version } = database.prepare('pragma user_version').get() as { user_version: number };
	if (version !== VERSION) database.exec(`delete from ledger_day; pragma user_version = ${VERSION}`);
	const load = database.prepare('select day, suspect, intervals from ledger_day where key = ? and day >= ? and day < ?');
	const save = database.prepare('insert or replace into ledger_day (key, day, suspect, intervals) values (?, ?, 0, ?)');
	const forget = database.prepare('delete from ledger_day where day >= ? and day <= ?');
	const suspects = database.prepare('update ledger_day set suspect = 1 where day in (?, ?)');
	const suspect = database.prepare('update ledger_day set suspect = 1 where key = ? and day = ?');
	const touched = new TouchedDays();
	return {
		load: (key, fromDay, toDay) => {
			const days = new Map<number, StoredDay>();
			for (const row of load.all(key, fromDay, toDay) as unknown as { day: number; suspect: number; intervals: string }[])
				days.set(row.day, { timeline: decodeTimeline(row.intervals), suspect: row.suspect === 1 });
			return days;
		},
		save: (key, days) => {
			database.exec('begin immediate');
			try {
				for (const [day, timeline] of days) save.run(key, day, encodeTimeline(timeline));
				database.exec('commit');
			} catch (error) {
				database.exec('rollback');
				throw error;
			}
		},
		forget: (fromDay, toDay) => {
			touched.touch(fromDay, toDay);
			forget.run(fromDay, toDay);
			suspects.run(fromDay - 1, toDay + 1);
		},
		suspect: (key, day) => {
			suspect.run(key, day);
		},
		watch: () => touched.watch(),
		close: () => database.close(),
	};
}

const STATES: readonly ServiceState[] = ['up', 'degraded', 'down', 'unknown', 'excluded'];

/** `[from, to, state, unconfirmed, reason]` per interval. */
export function encodeTimeline(timeline: Timeline): string {
	return JSON.stringify(
		timeline.map(({ from, to, state, unconfirmed, reason }) => [from, to, STATES.indexOf(state), unconfirmed ? 1 : 0, reason]),
	);
}

export function decodeTimeline(text: string): Timeline {
	return (JSON.parse(text) as [number, number, number, number, string][]).map(
		([from, to, state, unconfirmed, reason]): Interval => ({
			from,
			to,
			state: STATES[state] ?? 'unknown',
			unconfirmed: unconfirmed === 1,
			reason,
		}),
	);
}
