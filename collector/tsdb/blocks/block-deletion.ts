import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { errorText } from '../../../core/errors.ts';
import { ChunkDamaged, ChunkDecoder, ChunkEncoder } from '../codec/chunk-codec.ts';
import { SampleRuns, sampleBudget } from '../sample-runs.ts';
import { BUCKET_MS } from '../shared-head.ts';
import { type BlockFile, blockVersion, chunkKey, parseBlockFile } from './block-files.ts';
import { checkedChunk, withChecksum } from './checked-chunk.ts';
import { addUndeleted, type DeletedRange, readDeletionsSparing, writeDeletions } from './deleted-ranges.ts';
import { isDamage } from './index-file.ts';
import { GroupCache, LongFile } from './long-file.ts';

export interface BlockDeletionOptions {
	/** Where the block files are. */
	readonly folder: string;
	/** Opens a file of hours for writing. */
	readonly open: (file: BlockFile) => DatabaseSync;
	readonly report: (file: string, message: string) => void;
}

export interface DeletionRequest {
	readonly ids: Uint32Array;
	readonly minMs: number;
	readonly maxMs: number;
}

/**
 * Deletes samples from block files: files of hours are changed, a compacted file gets a list beside it. Doing it again changes nothing. When it
 * returns, all is on the disk. Damaged files are reported and passed over; what cannot be written throws.
 */
export class BlockDeletion {
	readonly #options: BlockDeletionOptions;
	readonly #decoder = new ChunkDecoder();
	readonly #encoder = new ChunkEncoder();
	readonly #runs = new SampleRuns(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, sampleBudget(undefined));
	#offsets = new Uint32Array(512);

	constructor(options: BlockDeletionOptions) {
		this.#options = options;
	}

	run(request: DeletionRequest): void {
		const { folder, report } = this.#options;
		for (const name of readdirSync(folder).sort()) {
			const file = parseBlockFile(name);
			if (file === null || file.endMs <= request.minMs || file.startMs > request.maxMs) continue;
			try {
				if (file.isLong) this.#listDeleted(file, request);
				else this.#deleteHours(file, request);
			} catch (error) {
				if (!isDamage(error)) throw error;
				report(name, `the file is damaged (${errorText(error)}); nothing could be deleted from it`);
			}
		}
	}

	#deleteHours(file: BlockFile, { ids, minMs, maxMs }: DeletionRequest): void {
		const database = this.#options.open(file);
		const select = database.prepare('select data from chunk where key = ?');
		const remove = database.prepare('delete from chunk where key = ?');
		const update = database.prepare('update chunk set data = ? where key = ?');
		const forget = database.prepare('delete from series where id = ?');
		const version = blockVersion(database);
		const buckets = database
			.prepare('select bucket from bucket order by bucket')
			.all()
			.map((row) => Number(row['bucket']));
		database.exec('begin immediate');
		try {
			for (const id of ids) {
				let left = false;
				for (const bucket of buckets) {
					const key = chunkKey(bucket, id);
					const row = select.get(key);
					if (row === undefined) continue;
					const data = this.#whole(row['data'], key, version);
					if (data === null) continue;
					const startMs = bucket * BUCKET_MS;
					const kept = startMs > maxMs || startMs + BUCKET_MS <= minMs ? data : this.#remaining(data, { id, minMs, maxMs }, startMs);
					if (kept === null) remove.run(key);
					else {
						left = true;
						if (kept !== data) update.run(version < 2 ? kept : withChecksum(kept, key), key);
					}
				}
				if (!left) forget.run(id);
			}
			database.exec('commit');
		} catch (error) {
			if (database.isTransaction) database.exec('rollback');
			throw error;
		}
		database.exec('pragma wal_checkpoint(truncate)');
	}

	/** `null` for a damaged chunk, which is left alone: it gives no samples. */
	#whole(data: unknown, key: number, version: number): Uint8Array | null {
		try {
			return checkedChunk(data, key, version);
		} catch (error) {
			if (!(error instanceof ChunkDamaged)) throw error;
			return null;
		}
	}

	/** The chunk without what is deleted; `null` when nothing is left. A damaged chunk is left alone: it gives no samples. */
	#remaining(data: Uint8Array, range: DeletedRange, startMs: number): Uint8Array | null {
		let count: number;
		try {
			count = this.#decoder.decode(data, 0, data.length);
		} catch (error) {
			if (!(error instanceof ChunkDamaged)) throw error;
			return data;
		}
		const runs = this.#runs;
		runs.reset();
		const { offsets, words } = this.#decoder;
		addUndeleted([{ ...range, minMs: range.minMs - startMs, maxMs: range.maxMs - startMs }], { baseMs: 0, offsets, words, count }, runs);
		if (runs.isEmpty) return null;
		const { timestamps, values } = runs.finish();
		if (timestamps.length === count) return data;
		if (timestamps.length > this.#offsets.length) this.#offsets = new Uint32Array(timestamps.length * 2);
		this.#offsets.set(timestamps);
		const length = this.#encoder.encode(this.#offsets, new Uint32Array(values.buffer), values, 0, timestamps.length);
		return this.#encoder.bytes.slice(0, length);
	}

	#listDeleted(file: BlockFile, { ids, minMs, maxMs }: DeletionRequest): void {
		const { folder, report } = this.#options;
		const long = new LongFile(join(folder, file.name), new GroupCache(0));
		try {
			const known = readDeletionsSparing({ folder, longName: file.name, mark: long.mark }, (message) => report(file.name, message));
			const added: DeletedRange[] = [];
			for (const id of ids) {
				if (!long.has(id) || known.covers(id, Math.max(minMs, file.startMs), Math.min(maxMs, file.endMs - 1))) continue;
				added.push({ id, minMs: Math.max(minMs, file.startMs), maxMs: Math.min(maxMs, file.endMs - 1) });
			}
			if (added.length > 0) writeDeletions(folder, file.name, long.mark, [...known.list, ...added]);
		} finally {
			long.close();
		}
	}
}
