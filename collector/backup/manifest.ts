import { createHash } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, readSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '../../core/errors.ts';

export const MANIFEST_FILE = 'backup.json';

export interface BackupFile {
	/** Relative to the data folder, with slashes. */
	readonly path: string;
	readonly bytes: number;
	/** Hex. */
	readonly sha256: string;
}

export interface BackupManifest {
	readonly version: 1;
	/** RFC 3339. */
	readonly createdAt: string;
	readonly files: readonly BackupFile[];
}

/** Length and SHA-256 of a file, read in parts. */
export function describeFile(folder: string, path: string): BackupFile {
	const hash = createHash('sha256');
	const fd = openSync(join(folder, path), 'r');
	try {
		const part = Buffer.alloc(1 << 20);
		let bytes = 0;
		for (let read = readSync(fd, part); read > 0; read = readSync(fd, part)) {
			hash.update(part.subarray(0, read));
			bytes += read;
		}
		return { path, bytes, sha256: hash.digest('hex') };
	} finally {
		closeSync(fd);
	}
}

/** Written last and synced: a backup without it is not complete. */
export function writeManifest(folder: string, manifest: BackupManifest): void {
	const fd = openSync(join(folder, MANIFEST_FILE), 'wx', 0o600);
	try {
		writeFileSync(fd, `${JSON.stringify(manifest, null, '\t')}\n`);
		fsyncSync(fd);
	} finally {
		closeSync(fd);
	}
}

/** Reads the manifest of a backup. Throws `FN_BACKUP_DAMAGED`. */
export function readManifest(folder: string): BackupManifest {
	const file = join(folder, MANIFEST_FILE);
	if (!existsSync(file)) throw damaged(`${folder} has no ${MANIFEST_FILE}: it is no backup, or one that was not finished`);
	try {
		const parsed: unknown = JSON.parse(readFileSync(file, 'utf8'));
		if (isManifest(parsed)) return parsed;
	} catch (error) {
		throw damaged(`${file} cannot be read`, error);
	}
	throw damaged(`${file} is not a manifest of this version`);
}

/** Compares the files below `folder` with the manifest. Throws `FN_BACKUP_DAMAGED` with the first that differ. */
export function compareFiles(folder: string, manifest: BackupManifest): void {
	const wrong: string[] = [];
	for (const file of manifest.files) {
		const path = join(folder, file.path);
		if (!existsSync(path)) wrong.push(`${file.path} is missing`);
		else if (statSync(path).size !== file.bytes || describeFile(folder, file.path).sha256 !== file.sha256)
			wrong.push(`${file.path} was changed`);
	}
	if (wrong.length > 0)
		throw damaged(
			`${folder} does not fit its manifest: ${wrong.slice(0, 5).join(', ')}${wrong.length > 5 ? ` and ${wrong.length - 5} more` : ''}`,
		);
}

function damaged(message: string, cause?: unknown): AppError {
	return new AppError('FN_BACKUP_DAMAGED', `${message}; use another backup`, { cause });
}

function isManifest(value: unknown): value is BackupManifest {
	if (typeof value !== 'object' || value === null || !('version' in value) || value.version !== 1) return false;
	if (!('createdAt' in value) || typeof value.createdAt !== 'string' || !('files' in value) || !Array.isArray(value.files)) return false;
	return value.files.every((file: unknown) => {
		if (typeof file !== 'object' || file === null || !('path' in file) || !('bytes' in file) || !('sha256' in file)) return false;
		const { path } = file;
		// A path that leaves the folder would be written wherever it points.
		const inside = typeof path === 'string' && path !== '' && !path.startsWith('/') && !path.split('/').includes('..');
		return inside && typeof file.bytes === 'number' && typeof file.sha256 === 'string';
	});
}
