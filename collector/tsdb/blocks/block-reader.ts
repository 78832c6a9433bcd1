import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { errorText, systemErrorCode } from '../../../core/errors.ts';
import type { Logger } from '../../../core/log.ts';
import { ChunkDamaged, ChunkDecoder } from '../codec/chunk-codec.ts';
import type { SampleRuns } from '../sample-runs.ts';
import { BUCKET_MS } from '../shared-head.ts';
import { type BlockFile, chunkKey, type Family, parseBlockFile } from './block-files.ts';

interface OpenFile {
	readonly file: BlockFile;
	readonly database: DatabaseSync;
	readonly select: StatementSync;
	readonly dataVersion: StatementSync;
	version: number;
	buckets: readonly number[];
}

/** How long a reader waits for the writer's lock. WAL readers do not wait for writers; a file that is being created may be locked. */
const BUSY_TIMEOUT_MS = 1000;
/** Ten years of months and a quarter of days. */
const OPEN_FILES = 220;

/** Reads block files, each thread with connections of its own. A damaged file is reported once and read as far as it goes. */
export class BlockReader {
	readonly #folder: string;
	readonly #log: Logger;
	readonly #open = new Map<string, OpenFile>();
	readonly #reported = new Set<string>();
	readonly #decoder = new ChunkDecoder();
	#files: OpenFile[] = [];

	constructor(folder: string, log: Logger) {
		this.#folder = folder;
		this.#log = log;
	}

	/** Looks which files and buckets there are between the two times. Call before the first `collect` of a read. */
	begin(minMs: number, maxMs: number): void {
		this.#files = [];
		let names: string[] = [];
		try {
			names = readdirSync(this.#folder);
		} catch (error) {
			if (systemErrorCode(error) !== 'ENOENT') this.#report(this.#folder, error);
		}
		const present = new Set(names);
		for (const [name, open] of this.#open) {
			if (!present.has(name)) {
				this.#open.delete(name);
				open.database.close();
			}
		}
		for (const name of names) {
			const file = parseBlockFile(name);
			if (file === null || file.endMs <= minMs || file.startMs > maxMs) continue;
			const open = this.#openFile(file);
			if (open !== null) this.#files.push(open);
		}
		this.#files.sort((a, b) => a.file.startMs - b.file.startMs);
		this.#closeSurplus();
	}

	/** Adds what blocks hold of the series between the two times to `runs`, ascending. */
	collect(id: number, family: Family, minMs: number, maxMs: number, runs: SampleRuns): void {
		for (const open of this.#files) {
			if (open.file.family !== family) continue;
			for (const bucket of open.buckets) {
				const startMs = bucket * BUCKET_MS;
				if (startMs + BUCKET_MS <= minMs || startMs > maxMs) continue;
				try {
					const row = open.select.get(chunkKey(bucket, id));
					if (row === undefined) continue;
					const data = row['data'];
					if (!(data instanceof Uint8Array)) throw new ChunkDamaged('a chunk is not a blob');
					const count = this.#decoder.decode(data, 0, data.length);
					runs.add(startMs, this.#decoder.offsets, 0, this.#decoder.words, 0, count);
				} catch (error) {
					if (!(error instanceof ChunkDamaged) && !systemErrorCode(error).startsWith('ERR_SQLITE')) throw error;
					this.#report(open.file.name, error);
				}
			}
		}
	}

	close(): void {
		for (const open of this.#open.values()) open.database.close();
		this.#open.clear();
		this.#files = [];
	}

	#openFile(file: BlockFile): OpenFile | null {
		let open = this.#open.get(file.name);
		let database: DatabaseSync | null = null;
		try {
			if (open === undefined) {
				database = new DatabaseSync(join(this.#folder, file.name), { readOnly: true, timeout: BUSY_TIMEOUT_MS });
				open = {
					file,
					database,
					select: database.prepare('select data from chunk where key = ?'),
					dataVersion: database.prepare('pragma data_version'),
					version: -1,
					buckets: [],
				};
			} else {
				// Insertion order is the order of use.
				this.#open.delete(file.name);
			}
			const version = Number(open.dataVersion.get()?.['data_version'] ?? 0);
			if (version !== open.version) {
				open.buckets = open.database
					.prepare('select bucket from bucket order by bucket')
					.all()
					.map((row) => Number(row['bucket']));
				open.version = version;
			}
			this.#open.set(file.name, open);
			return open;
		} catch (error) {
			(open?.database ?? database)?.close();
			this.#open.delete(file.name);
			this.#report(file.name, error);
			return null;
		}
	}

	#closeSurplus(): void {
		for (const [name, open] of this.#open) {
			if (this.#open.size <= OPEN_FILES) return;
			if (this.#files.includes(open)) continue;
			open.database.close();
			this.#open.delete(name);
		}
	}

	#report(name: string, error: unknown): void {
		// A file that is being created has no tables for a moment; its data is still in memory then.
		if (errorText(error).includes('no such table') || this.#reported.has(name)) return;
		this.#reported.add(name);
		this.#log.error(
			{ file: join(this.#folder, name), error: errorText(error) },
			'a block file is damaged; what cannot be read of it is missing from answers',
		);
	}
}
