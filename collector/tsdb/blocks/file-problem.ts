import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { errorText } from '../../../core/errors.ts';
import { isDamage } from './index-file.ts';

const BUSY_TIMEOUT_MS = 10_000;

/**
 * Looks whether the pages of a file fit together: a row that lies in the wrong place is not found, and nothing else would say so. Returns what is
 * wrong, `null` when nothing is or the file has gone.
 */
export function fileProblem(path: string): string | null {
	if (!existsSync(path)) return null;
	try {
		const database = new DatabaseSync(path, { readOnly: true, timeout: BUSY_TIMEOUT_MS });
		try {
			const answer = String(Object.values(database.prepare('pragma quick_check(1)').get() ?? {})[0]);
			return answer === 'ok' ? null : answer;
		} finally {
			database.close();
		}
	} catch (error) {
		if (!isDamage(error)) throw error;
		return errorText(error);
	}
}
