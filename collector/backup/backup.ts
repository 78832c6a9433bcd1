import { chmodSync, constants, copyFileSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { backup, DatabaseSync } from 'node:sqlite';
import { AppError, errorText, systemErrorCode } from '../../core/errors.ts';
import { type BackupManifest, compareFiles, describeFile, readManifest, writeManifest } from './manifest.ts';

export interface BackupRequest {
	readonly dataDir: string;
	/** Must not exist. */
	readonly outDir: string;
	readonly nowMs: number;
}

/** Hours are written into blocks once an hour, for seconds: that one comes in between twice is rare. */
const ATTEMPTS = 5;
const BUSY_TIMEOUT_MS = 10_000;
/** Of the folders in a data folder: those that are copied with care, the local agent's, whose spool is its own, and what can be made again. */
const SPECIAL = ['store', 'state', 'ledger', 'audit', 'agent', 'cache'];

/**
 * Copies a data folder, also while a collector uses it: everything that was acknowledged before the call is in the copy. SQLite files
 * are copied by SQLite; the log of the store before the blocks that take its samples over. When a block or an audit segment was
 * finished meanwhile, the copy may have the one side without the other, and is made again. Throws `FN_BACKUP_NO_DATA`,
 * `FN_BACKUP_TARGET`, `FN_BACKUP_UNSETTLED`; errors of the disk pass through. Whatever fails leaves no folder behind.
 */
export async function backupData({ dataDir, outDir, nowMs }: BackupRequest): Promise<BackupManifest> {
	if (!existsSync(join(dataDir, 'store')) && !existsSync(join(dataDir, 'state'))) {
		throw new AppError('FN_BACKUP_NO_DATA', `there is no collector's data in ${dataDir}; name the folder with --data`);
	}
	if (existsSync(outDir))
		throw new AppError('FN_BACKUP_TARGET', `${outDir} exists; nothing is written over, so name a folder that does not`);
	if (!/^\.\.(\/|$)/.test(relative(dataDir, outDir))) {
		throw new AppError(
			'FN_BACKUP_TARGET',
			`${outDir} is in the data folder: every backup would hold those before it, and twice as much; name a folder outside of ${dataDir}`,
		);
	}
	mkdirSync(dirname(outDir), { recursive: true });
	mkdirSync(outDir, { mode: 0o700 });
	try {
		for (let attempt = 1; ; attempt++) {
			const paths = await copyOnce(dataDir, outDir);
			if (paths !== null) {
				const manifest: BackupManifest = {
					version: 1,
					createdAt: new Date(nowMs).toISOString(),
					files: paths.sort().map((path) => describeFile(outDir, path)),
				};
				writeManifest(outDir, manifest);
				return manifest;
			}
			if (attempt === ATTEMPTS) {
				throw new AppError('FN_BACKUP_UNSETTLED', `the data in ${dataDir} was rearranged during each of ${ATTEMPTS} attempts; try again`, {
					retryable: true,
				});
			}
			for (const name of readdirSync(outDir)) rmSync(join(outDir, name), { recursive: true });
		}
	} catch (error) {
		rmSync(outDir, { recursive: true, force: true });
		throw error;
	}
}

/** Compares a backup with its manifest. Throws `FN_BACKUP_DAMAGED`. */
export function verifyBackup(folder: string): BackupManifest {
	const manifest = readManifest(folder);
	compareFiles(folder, manifest);
	return manifest;
}

/**
 * Makes a data folder from a backup, which is verified before and after. The folder appears whole or not at all. Throws
 * `FN_BACKUP_DAMAGED`, `FN_BACKUP_TARGET`.
 */
export function restoreData({ fromDir, dataDir }: { readonly fromDir: string; readonly dataDir: string }): BackupManifest {
	const manifest = verifyBackup(fromDir);
	if (existsSync(dataDir) && readdirSync(dataDir).length > 0) {
		throw new AppError('FN_BACKUP_TARGET', `${dataDir} is not empty; nothing is written over, so move it away or name another with --data`);
	}
	const made = `${dataDir}.restoring`;
	mkdirSync(dirname(dataDir), { recursive: true });
	rmSync(made, { recursive: true, force: true });
	mkdirSync(made, { mode: 0o700 });
	try {
		for (const { path } of manifest.files) copyFile(fromDir, made, path);
		compareFiles(made, manifest);
		if (existsSync(dataDir)) rmSync(dataDir, { recursive: true });
		renameSync(made, dataDir);
	} catch (error) {
		rmSync(made, { recursive: true, force: true });
		throw error;
	}
	return manifest;
}

/** The paths that were copied, or `null` when something moved between files meanwhile. */
async function copyOnce(dataDir: string, outDir: string): Promise<string[] | null> {
	const before = arrangement(dataDir);
	const copied: string[] = [];
	const plain = (path: string) => {
		copyFile(dataDir, outDir, path);
		copied.push(path);
	};
	const database = async (path: string) => {
		await copyDatabase(dataDir, outDir, path);
		copied.push(path);
	};
	try {
		for (const name of listed(dataDir, 'store/log')) plain(`store/log/${name}`);
		if (existsSync(join(dataDir, 'store/index.db'))) await database('store/index.db');
		for (const name of listed(dataDir, 'store/blocks')) {
			// A compacted file never changes, nor does the list of what was deleted from it; one of hours has a write-ahead log beside it.
			if (name.endsWith('.long.db') || name.endsWith('.long.deleted')) plain(`store/blocks/${name}`);
			else if (name.endsWith('.db')) await database(`store/blocks/${name}`);
		}
		for (const folder of ['state', 'ledger'])
			for (const name of listed(dataDir, folder)) if (name.endsWith('.db')) await database(`${folder}/${name}`);
		for (const name of listed(dataDir, 'audit')) plain(`audit/${name}`);
		for (const name of listed(dataDir, '.')) {
			if (SPECIAL.includes(name)) continue;
			for (const path of filesBelow(dataDir, name)) plain(path);
		}
	} catch (error) {
		// A file that was listed and has gone meanwhile.
		if (['ENOENT', 'ERR_SQLITE_ERROR'].includes(systemErrorCode(error)) && arrangement(dataDir) !== before) return null;
		throw error;
	}
	return arrangement(dataDir) === before ? copied : null;
}

/**
 * Says which files there are and how far the index is. As long as it stays the same, nothing has moved from the log into blocks,
 * from hours into a compacted file, or from an open audit segment into a sealed one.
 */
function arrangement(dataDir: string): string {
	const files = ['store/blocks', 'audit'].flatMap((folder) =>
		listed(dataDir, folder)
			.filter((name) => !/-(wal|shm|journal)$|\.new$/.test(name))
			.map((name) => `${folder}/${name} ${statSync(join(dataDir, folder, name), { throwIfNoEntry: false })?.ino}`),
	);
	return JSON.stringify([files, listed(dataDir, 'store/log')[0], indexState(join(dataDir, 'store/index.db'))]);
}

function indexState(file: string): unknown {
	if (!existsSync(file)) return null;
	let index: DatabaseSync | null = null;
	try {
		index = new DatabaseSync(file, { readOnly: true, timeout: BUSY_TIMEOUT_MS });
		const checkpoint = index.prepare('select segment, before_ms, (select max(id) from series) as newest from checkpoint').get() ?? null;
		const hasDeletions = index.prepare("select 1 from sqlite_master where name = 'deletion'").get() !== undefined;
		return [checkpoint, hasDeletions ? (index.prepare('select number from deletion').get() ?? null) : null];
	} catch (error) {
		// Just being made, or damaged: the copy is then what it is, and a start puts a damaged one aside.
		return errorText(error);
	} finally {
		index?.close();
	}
}

async function copyDatabase(from: string, to: string, path: string): Promise<void> {
	const target = join(to, path);
	mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
	const source = new DatabaseSync(join(from, path), { readOnly: true, timeout: BUSY_TIMEOUT_MS });
	try {
		// All pages in one step, under one lock: in steps, every change in between would begin it anew.
		await backup(source, target, { rate: 2 ** 30 });
	} finally {
		source.close();
	}
	chmodSync(target, 0o600);
}

function copyFile(from: string, to: string, path: string): void {
	const target = join(to, path);
	mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
	copyFileSync(join(from, path), target, constants.COPYFILE_EXCL);
	chmodSync(target, 0o600);
}

function listed(dataDir: string, folder: string): string[] {
	const path = join(dataDir, folder);
	return existsSync(path) ? readdirSync(path).sort() : [];
}

function filesBelow(dataDir: string, path: string): string[] {
	const stat = statSync(join(dataDir, path), { throwIfNoEntry: false });
	if (stat?.isDirectory()) return listed(dataDir, path).flatMap((name) => filesBelow(dataDir, `${path}/${name}`));
	return stat?.isFile() ? [path] : [];
}
