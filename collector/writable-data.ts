import { accessSync, constants, copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AppError, systemErrorCode } from '../core/errors.ts';
import { makeFolder } from '../core/folder.ts';

/** What is small, and must be written for a collector to work at all: people, silences, the outbox, tokens, and computed days. */
const SMALL = ['state', 'keys', 'ledger'] as const;

/** Where a collector keeps what it must write. */
export interface WritableData {
	readonly folder: string;
	/** The folder is a copy that is gone with the process. */
	readonly volatile: boolean;
	/** Removes the copy. */
	release(): void;
}

/**
 * The data folder, or on a disk that has become read-only a copy of what must be written in the temporary folder: so a collector can still
 * be asked, evaluate its rules and send messages. What changes in the copy (acknowledgements, silences, the outbox) is lost at its end.
 * Throws `FN_DATA_FOLDER` when the folder can be neither written nor copied.
 */
export function openWritableData(dataDir: string): WritableData {
	try {
		makeFolder(dataDir, 0o700);
		accessSync(dataDir, constants.W_OK);
		// Root may write everywhere by its rights, and yet not below /proc, where Node's own recursive mkdir would never return.
		rmdirSync(mkdtempSync(join(dataDir, '.writable-')));
	} catch (error) {
		const code = systemErrorCode(error);
		if (code === 'EROFS' && existsSync(join(dataDir, 'state', 'state.db'))) return copyWhatIsWritten(dataDir);
		// A full disk is no reason not to start: reading goes on, and so do rules.
		if (!['ENOSPC', 'EDQUOT'].includes(code)) {
			throw new AppError(
				'FN_DATA_FOLDER',
				`the data folder ${dataDir} cannot be written (${code}); correct its rights, or name another with --data`,
				{ cause: error },
			);
		}
	}
	return { folder: dataDir, volatile: false, release: () => {} };
}

function copyWhatIsWritten(dataDir: string): WritableData {
	let folder = '';
	const release = () => rmSync(folder, { recursive: true, force: true });
	try {
		folder = mkdtempSync(join(tmpdir(), 'fournines-volatile-'));
		for (const part of SMALL) {
			mkdirSync(join(folder, part), { mode: 0o700 });
			const from = join(dataDir, part);
			if (!existsSync(from)) continue;
			// Shared memory of a database belongs to the process that made it; it is made anew from the write-ahead log.
			for (const name of readdirSync(from)) if (!name.endsWith('-shm')) copyFileSync(join(from, name), join(folder, part, name));
		}
	} catch (error) {
		if (folder !== '') release();
		throw new AppError(
			'FN_DATA_FOLDER',
			`the data folder ${dataDir} is on a read-only disk, and what must be written could not be copied to ${tmpdir()} (${systemErrorCode(error)}); make either writable`,
			{ cause: error },
		);
	}
	return { folder, volatile: true, release };
}
