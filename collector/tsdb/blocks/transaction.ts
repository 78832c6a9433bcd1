import type { DatabaseSync } from 'node:sqlite';

/** How long a writer waits for readers that hold a file. */
export const BUSY_TIMEOUT_MS = 10_000;

/** All of the work or nothing. */
export function inTransaction(database: DatabaseSync, work: () => void): void {
	database.exec('begin immediate');
	try {
		work();
		database.exec('commit');
	} catch (error) {
		if (database.isTransaction) database.exec('rollback');
		throw error;
	}
}
