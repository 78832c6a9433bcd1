import { createHash, createPrivateKey, sign } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { AppError } from '../../core/errors.ts';
import { run } from './node-runtime.ts';

/**
 * Writes `SHA256SUMS` over every file of the folder and, with a key, `SHA256SUMS.sig` (Ed25519; `openssl pkeyutl -verify -rawin` checks it).
 * Throws `FN_PACKAGE_KEY` when the key cannot be used.
 */
export function sealFolder(folder: string, keyFile: string | null): void {
	const lines = filesOf(folder)
		.filter((file) => file !== 'SHA256SUMS' && file !== 'SHA256SUMS.sig')
		.map(
			(file) =>
				`${createHash('sha256')
					.update(readFileSync(join(folder, file)))
					.digest('hex')}  ${file}\n`,
		);
	const sums = Buffer.from(lines.join(''));
	writeFileSync(join(folder, 'SHA256SUMS'), sums);
	if (keyFile === null) return;
	try {
		writeFileSync(join(folder, 'SHA256SUMS.sig'), sign(null, sums, createPrivateKey(readFileSync(keyFile))));
	} catch (error) {
		throw new AppError(
			'FN_PACKAGE_KEY',
			`the key ${keyFile} cannot be used to sign; make one with "openssl genpkey -algorithm ed25519 -out release.key"`,
			{ cause: error },
		);
	}
}

/** The folder as `file`; the same content gives the same bytes. */
export function archiveFolder(folder: string, file: string): void {
	const fixed = ['--sort=name', '--mtime=2020-01-01T00:00:00Z', '--owner=0', '--group=0', '--numeric-owner'];
	run('tar', [...fixed, '-czf', file, basename(folder)], dirname(folder));
}

/** Regular files below the folder, sorted. Symbolic links are left out: they are not content. */
function filesOf(folder: string): readonly string[] {
	return readdirSync(folder, { recursive: true })
		.map((name) => relative(folder, join(folder, String(name))))
		.filter((name) => lstatSync(join(folder, name)).isFile())
		.sort();
}
