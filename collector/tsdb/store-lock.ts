import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { AppError } from '../../core/errors.ts';

export interface StoreLock {
	release(): void;
}

/**
 * Makes this process the only one that writes the folder. The operating system drops SQLite's file lock with the
 * process, however it ends, so nothing stale can be left behind. Throws `FN_STORE_LOCKED`.
 */
export function lockStore(folder: string): StoreLock {
	let database: DatabaseSync | null = null;
	try {
		database = new DatabaseSync(join(folder, 'lock.db'), { timeout: 0 });
		database.exec('begin exclusive');
	} catch (error) {
		database?.close();
		if (!isBusy(error)) throw error;
		throw new AppError(
			'FN_STORE_LOCKED',
			`the store in ${folder} is used by another process; stop that one, or choose another data folder`,
			{
				cause: error,
			},
		);
	}
	const held = database;
	return { release: () => held.close() };
}

const SQLITE_BUSY = 5;

function isBusy(error: unknown): boolean {
	return typeof error === 'object' && error !== null && 'errcode' in error && (Number(error.errcode) & 0xff) === SQLITE_BUSY;
}
