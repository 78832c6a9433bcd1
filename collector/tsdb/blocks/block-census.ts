import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { errorText } from '../../../core/errors.ts';
import type { Logger } from '../../../core/log.ts';
import { BUCKET_MS } from '../shared-head.ts';
import { parseBlockFile } from './block-files.ts';
import { readDeletionsSparing } from './deleted-ranges.ts';
import { GroupCache, LongFile } from './long-file.ts';

/** What block files say of their series, for a store that has lost its index. */
export interface BlockCensus {
	/** Highest id that occurs in any chunk or definition, -1 for none: it must not be given to another series. */
	readonly highestId: number;
	readonly files: number;
}

/** Reads the series of every block file; `firstMs` and `lastMs` are the edges of the hours that the file covers. Damaged files are reported and passed over. */
export function takeBlockCensus(
	folder: string,
	visit: (id: number, labels: Uint8Array, firstMs: number, lastMs: number) => void,
	log: Logger,
): BlockCensus {
	let highestId = -1;
	let files = 0;
	for (const name of readdirSync(folder).sort()) {
		const file = parseBlockFile(name);
		if (file === null) continue;
		files++;
		let database: DatabaseSync | null = null;
		let long: LongFile | null = null;
		try {
			if (file.isLong) {
				long = new LongFile(join(folder, name), new GroupCache(0));
				const deleted = readDeletionsSparing({ folder, longName: name, mark: long.mark }, (message) =>
					log.error({ file: join(folder, name) }, message),
				);
				for (const { id, labels } of long.series()) {
					highestId = Math.max(highestId, id);
					if (deleted.covers(id, file.startMs, file.endMs - 1)) continue;
					visit(id, labels, file.startMs, file.endMs - 1);
				}
				continue;
			}
			database = new DatabaseSync(join(folder, name), { readOnly: true, timeout: 5000 });
			const highestOf = database.prepare('select max(key) as key from chunk where key >= ? and key < ?');
			const buckets = database.prepare('select bucket from bucket order by bucket').all();
			for (const row of buckets) {
				const bucket = Number(row['bucket']);
				const key = Number(highestOf.get(bucket * 2 ** 32, (bucket + 1) * 2 ** 32)?.['key'] ?? -1);
				highestId = Math.max(highestId, key % 2 ** 32);
			}
			const firstMs = Number(buckets[0]?.['bucket'] ?? 0) * BUCKET_MS;
			const lastMs = (Number(buckets.at(-1)?.['bucket'] ?? 0) + 1) * BUCKET_MS - 1;
			for (const row of database.prepare('select id, labels from series order by id').iterate()) {
				const labels = row['labels'];
				if (!(labels instanceof Uint8Array)) continue;
				highestId = Math.max(highestId, Number(row['id']));
				visit(Number(row['id']), labels, firstMs, lastMs);
			}
		} catch (error) {
			log.error({ file: join(folder, name), error: errorText(error) }, 'a block file is damaged; its series may not be found again');
		} finally {
			database?.close();
			long?.close();
		}
	}
	return { highestId, files };
}
