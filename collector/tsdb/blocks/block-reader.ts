import { accessSync, constants, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { errorText, systemErrorCode } from '../../../core/errors.ts';
import type { Logger } from '../../../core/log.ts';
import { ChunkDamaged, ChunkDecoder } from '../codec/chunk-codec.ts';
import { applyWeights, ownWeights, type WeightedSamples } from '../reduce-samples.ts';
import type { SampleRuns } from '../sample-runs.ts';
import { BUCKET_MS } from '../shared-head.ts';
import { type BlockFile, blockVersion, chunkKey, type Family } from './block-files.ts';
import { BlockListing } from './block-listing.ts';
import { checkedChunk } from './checked-chunk.ts';
import { CachedChunks, ChunkCache } from './chunk-cache.ts';
import { addUndeleted, DeletedRanges, deletionsIdentity, readDeletionsSparing } from './deleted-ranges.ts';
import { GroupCache, LongFile } from './long-file.ts';

interface HourFile {
	readonly kind: 'hours';
	readonly file: BlockFile;
	readonly identity: string;
	readonly database: DatabaseSync;
	readonly select: StatementSync;
	readonly dataVersion: StatementSync;
	readonly cached: CachedChunks;
	/** Opened without its write-ahead log, on a disk on which nobody can write. */
	readonly isFrozen: boolean;
	/** `user_version`: what a row looks like. */
	readonly format: number;
	version: number;
	buckets: readonly number[];
}

interface CompactedFile {
	readonly kind: 'long';
	readonly file: BlockFile;
	readonly identity: string;
	readonly long: LongFile;
	deleted: DeletedRanges;
	deletedIdentity: string;
}

type OpenFile = HourFile | CompactedFile;

/** How long a reader waits for the writer's lock. WAL readers do not wait for writers; a file that is being created may be locked. */
const BUSY_TIMEOUT_MS = 1000;
/** Ten years of months and a quarter of days. */
const OPEN_FILES = 220;
/** What stays unpacked of compacted files, and as much again of chunks of hours. */
const CACHE_BYTES = 32 * 1024 * 1024;
/** Times the folder is listed when files go meanwhile: a compaction takes long, so that twice in a row is rare. */
const LISTINGS = 5;

/** Reads block files, each thread with connections of its own. A damaged file is reported once and read as far as it goes. */
export class BlockReader {
	readonly #folder: string;
	readonly #log: Logger;
	readonly #open = new Map<string, OpenFile>();
	readonly #reported = new Set<string>();
	readonly #decoder = new ChunkDecoder();
	readonly #groups: GroupCache;
	readonly #chunks: ChunkCache;
	readonly #listing: BlockListing;
	/** Open files that still have their names: they are not looked at again before the folder changes. */
	readonly #verified = new Set<string>();
	#files: OpenFile[] = [];
	#anyReduced = false;

	/** `cacheBytes`: of each of the two caches, unpacked groups and chunks. */
	constructor(folder: string, log: Logger, cacheBytes = CACHE_BYTES) {
		this.#folder = folder;
		this.#listing = new BlockListing(folder);
		this.#log = log;
		this.#groups = new GroupCache(cacheBytes);
		this.#chunks = new ChunkCache(cacheBytes);
	}

	/** Looks which files and buckets there are between the two times. Call before the first `collect` of a read. */
	begin(minMs: number, maxMs: number): void {
		// A compaction moves samples from a file of hours to one that may not have been there: look again when a file has gone.
		for (let attempt = 0; attempt < LISTINGS; attempt++) if (this.#list(minMs, maxMs)) break;
		// Within a span the hours are newer than what has been compacted, and overrule it.
		this.#files.sort((a, b) => a.file.startMs - b.file.startMs || Number(b.file.isLong) - Number(a.file.isLong));
		this.#dropReducedHours();
		this.#closeSurplus();
	}

	/** A crash may leave a file of hours whose samples are in a down-sampled file: they would count twice. */
	#dropReducedHours(): void {
		this.#anyReduced = this.#files.some((open) => open.kind === 'long' && open.long.everyMs !== null);
		if (!this.#anyReduced) return;
		const reduced = this.#files.flatMap((open) => (open.kind === 'long' && open.long.reducedHours.size > 0 ? [open] : []));
		if (reduced.length === 0) return;
		this.#files = this.#files.filter(
			(open) =>
				open.kind === 'long' ||
				!reduced.some(({ file, long }) => {
					return file.startMs === open.file.startMs && file.family === open.file.family && long.reducedHours.has(markOf(open.database));
				}),
		);
	}

	#list(minMs: number, maxMs: number): boolean {
		this.#files = [];
		let isNew = true;
		try {
			isNew = this.#listing.refresh();
		} catch (error) {
			if (systemErrorCode(error) !== 'ENOENT') this.#report(this.#folder, error);
		}
		if (isNew) {
			this.#verified.clear();
			for (const name of this.#open.keys()) if (!this.#listing.has(name)) this.#close(name);
		}
		const wanted = this.#listing.files.filter((file) => file.endMs > minMs && file.startMs <= maxMs);
		for (const file of wanted) {
			const open = this.#openFile(file);
			if (open === 'gone') return false;
			if (open !== null) this.#files.push(open);
		}
		return true;
	}

	/** Adds what blocks hold of the series between the two times to `runs`, ascending within a file. */
	collect(id: number, family: Family, minMs: number, maxMs: number, runs: SampleRuns): void {
		for (const open of this.#files) {
			if (open.file.family !== family) continue;
			try {
				if (open.kind === 'long') this.#collectLong(open, id, runs);
				else this.#collectHours(open, id, minMs, maxMs, runs);
			} catch (error) {
				if (!isReadDamage(error)) throw error;
				this.#report(open.file.name, error);
			}
		}
	}

	/**
	 * What the samples of a series stand for that were given by `collect`; `null` when each stands for itself. `timestamps` are milliseconds since
	 * the epoch.
	 */
	weights(id: number, family: Family, { timestamps, values }: { timestamps: Float64Array; values: Float64Array }): WeightedSamples | null {
		if (!this.#anyReduced) return null;
		let result: WeightedSamples | null = null;
		for (const open of this.#files) {
			if (open.file.family !== family || open.kind !== 'long' || open.long.everyMs === null) continue;
			try {
				const weights = open.long.weightsOf(id);
				const place = weights === null ? null : open.long.chunkOf(id);
				if (weights === null || place === null) continue;
				const count = this.#decoder.decode(place.bytes, place.start, place.end);
				const startMs = open.file.startMs;
				result ??= ownWeights(timestamps, values);
				applyWeights(result, {
					times: Float64Array.from(this.#decoder.offsets.subarray(0, count), (offset) => offset + startMs),
					values: new Float64Array(this.#decoder.words.slice(0, count * 2).buffer),
					weights: { ...weights, offsets: weights.offsets.map((offset) => offset + startMs) },
				});
			} catch (error) {
				if (!isReadDamage(error)) throw error;
				this.#report(open.file.name, error);
			}
		}
		return result;
	}

	close(): void {
		for (const name of [...this.#open.keys()]) this.#close(name);
		this.#files = [];
	}

	#collectLong(open: CompactedFile, id: number, runs: SampleRuns): void {
		const place = open.long.chunkOf(id);
		if (place === null) return;
		const deleted = open.deleted.of(id);
		if (deleted === undefined) {
			runs.addChunk(this.#decoder, place, open.file.startMs);
			return;
		}
		const count = this.#decoder.decode(place.bytes, place.start, place.end);
		const { offsets, words } = this.#decoder;
		addUndeleted(deleted, { baseMs: open.file.startMs, offsets, words, count }, runs);
	}

	#collectHours(open: HourFile, id: number, minMs: number, maxMs: number, runs: SampleRuns): void {
		for (const bucket of open.buckets) {
			const startMs = bucket * BUCKET_MS;
			if (startMs + BUCKET_MS <= minMs || startMs > maxMs) continue;
			try {
				const place = open.cached.get(id, bucket, () => readChunk(open, bucket, id));
				if (place !== null) runs.addChunk(this.#decoder, place, startMs);
			} catch (error) {
				if (!isReadDamage(error)) throw error;
				this.#report(open.file.name, error);
			}
		}
	}

	#openFile(file: BlockFile): OpenFile | 'gone' | null {
		const path = join(this.#folder, file.name);
		try {
			const open = this.#verified.has(file.name) ? this.#open.get(file.name) : this.#verify(path, file);
			if (open === undefined || open === 'gone') return 'gone';
			// Insertion order is the order of use.
			this.#open.delete(file.name);
			this.#open.set(file.name, open);
			if (open.kind === 'hours') refreshBuckets(open);
			else this.#refreshDeletions(open);
			return open;
		} catch (error) {
			this.#close(file.name);
			if (identityOf(path) === null) return 'gone';
			this.#report(file.name, error);
			return null;
		}
	}

	/** The file that has this name now, opened if it is not the one that is open. */
	#verify(path: string, file: BlockFile): OpenFile | 'gone' {
		const identity = identityOf(path);
		if (identity === null) return 'gone';
		let open = this.#open.get(file.name);
		// What was opened on a read-only disk does not see what is written once it is no longer one.
		const isStale = open !== undefined && (open.identity !== identity || (open.kind === 'hours' && open.isFrozen && isWritable(path)));
		if (isStale) {
			this.#close(file.name);
			open = undefined;
		}
		open ??= file.isLong ? this.#openLong(path, file, identity) : openHours(path, file, { identity, cache: this.#chunks });
		if (open.kind === 'long' || !open.isFrozen) this.#verified.add(file.name);
		return open;
	}

	#openLong(path: string, file: BlockFile, identity: string): CompactedFile {
		return {
			kind: 'long',
			file,
			identity,
			long: new LongFile(path, this.#groups),
			deleted: new DeletedRanges([]),
			deletedIdentity: '',
		};
	}

	#refreshDeletions(open: CompactedFile): void {
		const identity = deletionsIdentity(this.#folder, open.file.name);
		if (identity === open.deletedIdentity) return;
		const place = { folder: this.#folder, longName: open.file.name, mark: open.long.mark };
		open.deleted = readDeletionsSparing(place, (message) => this.#log.error({ file: open.file.name }, message));
		open.deletedIdentity = identity;
	}

	#close(name: string): void {
		const open = this.#open.get(name);
		this.#verified.delete(name);
		this.#open.delete(name);
		if (open?.kind === 'hours') open.database.close();
		else open?.long.close();
	}

	#closeSurplus(): void {
		for (const [name, open] of this.#open) {
			if (this.#open.size <= OPEN_FILES) return;
			if (this.#files.includes(open)) continue;
			this.#close(name);
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

/**
 * SQLite cannot read a file with a write-ahead log where it may not make one. On a read-only disk nobody changes the file, so it can be read without;
 * what only an old log has is in the append log as well.
 */
function openReadOnly(path: string): { readonly database: DatabaseSync; readonly isFrozen: boolean } {
	const database = new DatabaseSync(path, { readOnly: true, timeout: BUSY_TIMEOUT_MS });
	try {
		database.prepare('select 1 from bucket limit 1').get();
		return { database, isFrozen: false };
	} catch (error) {
		if (!isCannotOpen(error) || isWritable(path)) {
			if (errorText(error).includes('no such table')) return { database, isFrozen: false };
			database.close();
			throw error;
		}
		database.close();
		const url = `${pathToFileURL(path).href}?immutable=1`;
		return { database: new DatabaseSync(url, { readOnly: true, timeout: BUSY_TIMEOUT_MS }), isFrozen: true };
	}
}

const SQLITE_CANTOPEN = 14;

function isCannotOpen(error: unknown): boolean {
	return typeof error === 'object' && error !== null && 'errcode' in error && (Number(error.errcode) & 0xff) === SQLITE_CANTOPEN;
}

function isWritable(path: string): boolean {
	try {
		accessSync(path, constants.W_OK);
		return true;
	} catch {
		return false;
	}
}

function readChunk(open: HourFile, bucket: number, id: number): Uint8Array | null {
	const key = chunkKey(bucket, id);
	const row = open.select.get(key);
	return row === undefined ? null : checkedChunk(row['data'], key, open.format);
}

function openHours(
	path: string,
	file: BlockFile,
	{ identity, cache }: { readonly identity: string; readonly cache: ChunkCache },
): HourFile {
	const { database, isFrozen } = openReadOnly(path);
	try {
		const select = database.prepare('select data from chunk where key = ?');
		return {
			kind: 'hours',
			file,
			identity,
			database,
			select,
			dataVersion: database.prepare('pragma data_version'),
			cached: new CachedChunks(cache, Math.floor(file.startMs / BUCKET_MS)),
			isFrozen,
			format: blockVersion(database),
			version: -1,
			buckets: [],
		};
	} catch (error) {
		database.close();
		throw error;
	}
}

function refreshBuckets(open: HourFile): void {
	const version = Number(open.dataVersion.get()?.['data_version'] ?? 0);
	if (version === open.version) return;
	open.buckets = open.database
		.prepare('select bucket from bucket order by bucket')
		.all()
		.map((row) => Number(row['bucket']));
	// Any row may have been written again: late samples change the chunks of earlier hours.
	open.cached.forget();
	open.version = version;
}

function markOf(database: DatabaseSync): number {
	return Number(database.prepare('pragma application_id').get()?.['application_id'] ?? 0);
}

/** Which file has the name at this moment; `null` when none has. Inode numbers alone are given again at once. */
function identityOf(path: string): string | null {
	const stat = statSync(path, { throwIfNoEntry: false });
	return stat === undefined ? null : `${stat.ino} ${stat.birthtimeMs}`;
}

function isReadDamage(error: unknown): boolean {
	return error instanceof ChunkDamaged || systemErrorCode(error).startsWith('ERR_SQLITE');
}
