import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { errorText } from '../../../core/errors.ts';
import { ChunkDamaged, ChunkDecoder, ChunkEncoder } from '../codec/chunk-codec.ts';
import { SampleRuns, sampleBudget } from '../sample-runs.ts';
import { BUCKET_MS } from '../shared-head.ts';
import { BlockDeletion } from './block-deletion.ts';
import { BLOCK_SCHEMA, type BlockFile, blockFile, blockVersion, chunkKey, longName, parseBlockFile } from './block-files.ts';
import type { BlockTask, ChunkTask, TaskResult } from './block-messages.ts';
import { checkedChunk, withChecksum } from './checked-chunk.ts';
import { clipSpan, deletedName } from './deleted-ranges.ts';
import { FileCompaction } from './file-compaction.ts';
import { fileProblem } from './file-problem.ts';
import { INDEX_FILE, isDamage } from './index-file.ts';
import { IndexWriter } from './index-writer.ts';
import { BUSY_TIMEOUT_MS, inTransaction } from './transaction.ts';

interface OpenBlock {
	readonly file: BlockFile;
	readonly database: DatabaseSync;
	readonly version: number;
	readonly select: StatementSync;
	readonly upsert: StatementSync;
	readonly addBucket: StatementSync;
	readonly hasBucket: StatementSync;
	readonly hasSeries: StatementSync;
	readonly addSeries: StatementSync;
}

/**
 * The only writer of block files and of the index. Everything it does can be done again: a crash at any moment
 * leaves transactions whole, and the log still has what no checkpoint covers.
 */
export class BlockWriter {
	readonly #folder: string;
	readonly #report: (file: string, message: string) => void;
	readonly #index: IndexWriter;
	readonly #open = new Map<string, OpenBlock>();
	readonly #decoder = new ChunkDecoder();
	readonly #encoder = new ChunkEncoder();
	readonly #runs = new SampleRuns(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, sampleBudget(undefined));
	#offsets = new Uint32Array(512);
	#compaction: { readonly name: string; readonly work: FileCompaction } | null = null;
	/** First and last time written per series since the last checkpoint. */
	readonly #lifetimes = new Map<number, [number, number]>();

	constructor(folder: string, report: (file: string, message: string) => void) {
		this.#folder = folder;
		this.#report = report;
		this.#index = new IndexWriter(folder, report);
	}

	/** Returns how many chunks were written and how many samples gave way to later values. SQLite's errors pass through. */
	run(task: BlockTask): TaskResult {
		switch (task.kind) {
			case 'series':
				this.#index.series(task);
				break;
			case 'metadata':
				this.#index.metadata(task.rows);
				break;
			case 'chunks':
				// An unfinished compaction would not have these, and would delete them.
				this.#abandonCompaction();
				return { ...this.#chunksSparingDamage(task), complete: true };
			case 'compact':
				return { chunks: 0, replaced: 0, complete: this.#compact(task.name, task.everyMs) };
			case 'checkpoint':
				this.#checkpoint(task);
				break;
			case 'gone':
				this.#index.gone(task.ids);
				break;
			case 'delete':
				this.#abandonCompaction();
				this.#delete(task);
				break;
			case 'forget':
				this.#index.forget(task.samplesBeforeMs, task.checksBeforeMs);
				break;
			case 'verify':
				this.#verify(task.name);
				break;
			case 'drop':
				this.#drop(task.names);
				break;
			case 'stop':
				this.close();
				break;
		}
		return { chunks: 0, replaced: 0, complete: true };
	}

	close(): void {
		this.#abandonCompaction();
		for (const open of this.#open.values()) open.database.close();
		this.#open.clear();
		this.#index.close();
	}

	#chunksSparingDamage(task: ChunkTask): { readonly chunks: number; readonly replaced: number } {
		const file = blockFile(task.family, task.bucket);
		try {
			return this.#chunks(file, task);
		} catch (error) {
			if (!isDamage(error)) throw error;
			this.#putAside(file, error);
			return this.#chunks(file, task);
		}
	}

	#chunks(file: BlockFile, task: ChunkTask): { readonly chunks: number; readonly replaced: number } {
		const open = this.#openBlock(file);
		let replaced = 0;
		inTransaction(open.database, () => {
			const merge = open.hasBucket.get(task.bucket) !== undefined;
			if (!merge) open.addBucket.run(task.bucket);
			let chunk = 0;
			let at = 0;
			for (let i = 0; i < task.ids.length; i++) {
				const id = task.ids[i] as number;
				const key = chunkKey(task.bucket, id);
				const existing = merge ? open.select.get(key)?.['data'] : undefined;
				this.#runs.reset();
				if (existing !== undefined) this.#addExisting(file, () => checkedChunk(existing, key, open.version));
				for (let k = task.counts[i] as number; k > 0; k--) {
					const end = at + (task.lengths[chunk++] as number);
					const count = this.#decoder.decode(task.bytes, at, end);
					this.#runs.add(0, this.#decoder.offsets, 0, this.#decoder.words, 0, count);
					at = end;
				}
				const encoded = this.#encode(id, task.bucket);
				open.upsert.run(key, open.version < 2 ? encoded : withChecksum(encoded, key));
				if (existing === undefined) this.#nameSeries(open, id);
				replaced += this.#runs.replaced;
				this.#runs.replaced = 0;
			}
		});
		return { chunks: task.ids.length, replaced };
	}

	/** A block file names its series, so that it can be read without the index. */
	#nameSeries(open: OpenBlock, id: number): void {
		if (open.hasSeries.get(id) !== undefined) return;
		const labels = this.#index.labelsOf(id);
		if (labels !== null) open.addSeries.run(id, labels);
	}

	#addExisting(file: BlockFile, read: () => Uint8Array): void {
		try {
			const data = read();
			const count = this.#decoder.decode(data, 0, data.length);
			this.#runs.add(0, this.#decoder.offsets, 0, this.#decoder.words, 0, count);
		} catch (error) {
			if (!(error instanceof ChunkDamaged)) throw error;
			this.#report(file.name, `a chunk is damaged and was replaced: ${error.message}`);
		}
	}

	#encode(id: number, bucket: number): Uint8Array {
		const { timestamps, values } = this.#runs.finish();
		const count = timestamps.length;
		if (count > this.#offsets.length) this.#offsets = new Uint32Array(count * 2);
		for (let i = 0; i < count; i++) this.#offsets[i] = timestamps[i] as number;
		const words = new Uint32Array(values.buffer);
		const length = this.#encoder.encode(this.#offsets, words, values, 0, count);
		this.#widen(id, bucket * BUCKET_MS + (timestamps[0] as number), bucket * BUCKET_MS + (timestamps[count - 1] as number));
		return this.#encoder.bytes.subarray(0, length);
	}

	#widen(id: number, firstMs: number, lastMs: number): void {
		const known = this.#lifetimes.get(id);
		if (known === undefined) {
			this.#lifetimes.set(id, [firstMs, lastMs]);
			return;
		}
		if (firstMs < known[0]) known[0] = firstMs;
		if (lastMs > known[1]) known[1] = lastMs;
	}

	#checkpoint(task: Extract<BlockTask, { kind: 'checkpoint' }>): void {
		// Blocks must be on the disk before anything says that the log is not needed for them.
		for (const open of this.#open.values()) open.database.exec('pragma wal_checkpoint(truncate)');
		syncFolder(join(this.#folder, 'blocks'));
		this.#index.checkpoint(task.checkpoint, this.#lifetimes);
		this.#lifetimes.clear();
		// The next hour mostly writes one file; yesterday's need not stay open.
		for (const open of this.#open.values()) open.database.close();
		this.#open.clear();
	}

	#delete(task: Extract<BlockTask, { kind: 'delete' }>): void {
		const folder = join(this.#folder, 'blocks');
		const { ids, minMs, maxMs } = task;
		new BlockDeletion({ folder, open: (file) => this.#openBlock(file).database, report: this.#report }).run(task);
		syncFolder(folder);
		for (const id of ids) {
			const pending = this.#lifetimes.get(id);
			if (pending === undefined) continue;
			const { firstMs, lastMs } = clipSpan({ firstMs: pending[0], lastMs: pending[1] }, minMs, maxMs);
			if (firstMs === Number.POSITIVE_INFINITY) this.#lifetimes.delete(id);
			else this.#lifetimes.set(id, [firstMs, lastMs]);
		}
		this.#index.delete(task);
	}

	#abandonCompaction(): void {
		this.#compaction?.work.close();
		this.#compaction = null;
	}

	#compact(name: string, everyMs: number | null): boolean {
		const file = parseBlockFile(name);
		if (file === null || file.isLong) return true;
		if (this.#compaction?.name !== name) {
			this.#abandonCompaction();
			this.#open.get(name)?.database.close();
			this.#open.delete(name);
			if (!existsSync(join(this.#folder, 'blocks', name)) && !existsSync(join(this.#folder, 'blocks', longName(name)))) return true;
			try {
				this.#compaction = { name, work: new FileCompaction(join(this.#folder, 'blocks'), file, { everyMs, report: this.#report }) };
			} catch (error) {
				if (!isDamage(error)) throw error;
				this.#report(name, `the file is damaged and cannot be compacted: ${errorText(error)}`);
				return true;
			}
		}
		const { work } = this.#compaction;
		try {
			if (!work.isNeeded) {
				this.#abandonCompaction();
				return true;
			}
			if (!work.step()) return false;
			work.finish();
			this.#compaction = null;
			this.#index.pack();
			return true;
		} catch (error) {
			this.#abandonCompaction();
			throw error;
		}
	}

	#verify(name: string): void {
		const isIndex = name === INDEX_FILE;
		const problem = fileProblem(join(this.#folder, isIndex ? '' : 'blocks', name));
		if (problem === null) return;
		const what = isIndex
			? 'series may be missing from answers; stop the collector and delete it, the next start makes it anew'
			: 'samples may be missing from answers';
		this.#report(name, `the file is damaged (${problem}): ${what}`);
	}

	#drop(names: readonly string[]): void {
		// First the index, so that a crash in between does not make it miss them.
		this.#index.dropSpans(names);
		for (const name of names) {
			this.#open.get(name)?.database.close();
			this.#open.delete(name);
			for (const suffix of ['', '-wal', '-shm']) rmSync(join(this.#folder, 'blocks', name + suffix), { force: true });
			rmSync(join(this.#folder, 'blocks', deletedName(name)), { force: true });
		}
	}

	#openBlock(file: BlockFile): OpenBlock {
		const known = this.#open.get(file.name);
		if (known !== undefined) return known;
		const database = new DatabaseSync(join(this.#folder, 'blocks', file.name), { timeout: BUSY_TIMEOUT_MS });
		try {
			// The page size only takes effect while the file is empty. NORMAL loses at most what the log still has.
			database.exec('pragma page_size = 8192; pragma journal_mode = wal; pragma synchronous = normal; pragma wal_autocheckpoint = 20000;');
			const version = blockVersion(database);
			database.exec(`${BLOCK_SCHEMA} pragma user_version = ${version};`);
			const open: OpenBlock = {
				file,
				database,
				version,
				select: database.prepare('select data from chunk where key = ?'),
				upsert: database.prepare('insert into chunk (key, data) values (?, ?) on conflict (key) do update set data = excluded.data'),
				addBucket: database.prepare('insert into bucket (bucket) values (?)'),
				hasBucket: database.prepare('select 1 from bucket where bucket = ?'),
				hasSeries: database.prepare('select 1 from series where id = ?'),
				addSeries: database.prepare('insert into series (id, labels) values (?, ?)'),
			};
			this.#open.set(file.name, open);
			return open;
		} catch (error) {
			database.close();
			throw error;
		}
	}

	#putAside(file: BlockFile, cause: unknown): void {
		this.#open.get(file.name)?.database.close();
		this.#open.delete(file.name);
		const aside = `${file.name}.damaged-${Date.now()}`;
		for (const suffix of ['-wal', '-shm']) rmSync(join(this.#folder, 'blocks', file.name + suffix), { force: true });
		renameSync(join(this.#folder, 'blocks', file.name), join(this.#folder, 'blocks', aside));
		this.#report(
			file.name,
			`the file is damaged (${errorText(cause)}) and was put aside as ${aside}; what it held is missing from answers`,
		);
	}
}

function syncFolder(folder: string): void {
	const fd = openSync(folder, 'r');
	try {
		fsyncSync(fd);
	} finally {
		closeSync(fd);
	}
}
