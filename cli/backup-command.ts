import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { backupData, restoreData, verifyBackup } from '../collector/backup/backup.ts';
import { type Command, usageError } from './command.ts';

export const backupCommand: Command = {
	help: `fournines backup --out DIR [--data DIR]
fournines backup --verify DIR

Copies everything in the data folder (metrics, state, log archive, keys, tokens), also while the collector runs: what it had
acknowledged when the copy began is in it. DIR must not exist. A manifest with the checksum of every file is written last: a
backup without one is not complete. It holds the signing keys: keep it as safe as the data folder.

  fournines backup --data /var/lib/fournines --out /backup/fournines-2026-11-21
  fournines backup --verify /backup/fournines-2026-11-21

Options
  --data DIR     default ./data
  --out DIR      where to; never writes over anything
  --verify DIR   compares every file of a backup with its manifest`,
	run: async (args) => {
		const { values } = parseArgs({
			args: [...args],
			options: { data: { type: 'string', default: 'data' }, out: { type: 'string' }, verify: { type: 'string' } },
		});
		if (values.verify !== undefined) {
			const manifest = verifyBackup(resolve(values.verify));
			process.stdout.write(`intact: ${manifest.files.length} files of ${manifest.createdAt}\n`);
			return 0;
		}
		if (values.out === undefined) throw usageError('--out is needed, for example --out backup-2026-11-21');
		const manifest = await backupData({ dataDir: resolve(values.data), outDir: resolve(values.out), nowMs: Date.now() });
		const bytes = manifest.files.reduce((sum, file) => sum + file.bytes, 0);
		process.stdout.write(`${manifest.files.length} files, ${bytes} bytes, in ${values.out}\n`);
		return 0;
	},
};

export const restoreCommand: Command = {
	help: `fournines restore --from DIR [--data DIR]

Makes a data folder from a backup. Every file is compared with the manifest first and again after it was copied. The data folder
must not exist or be empty: nothing is ever written over. Start the collector with it afterwards.

  fournines restore --from /backup/fournines-2026-11-21 --data /var/lib/fournines

Options
  --from DIR   a folder that "fournines backup" made
  --data DIR   default ./data`,
	run: async (args) => {
		const { values } = parseArgs({
			args: [...args],
			options: { data: { type: 'string', default: 'data' }, from: { type: 'string' } },
		});
		if (values.from === undefined) throw usageError('--from is needed, for example --from backup-2026-11-21');
		const manifest = restoreData({ fromDir: resolve(values.from), dataDir: resolve(values.data) });
		process.stdout.write(`restored ${manifest.files.length} files of ${manifest.createdAt} to ${values.data}\n`);
		return 0;
	},
};
