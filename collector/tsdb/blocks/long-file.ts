import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { ChunkDamaged } from '../codec/chunk-codec.ts';
import { decodeWeights, type Weights } from '../codec/weights.ts';
import type { ChunkPlace } from './chunk-cache.ts';

/** What a compacted file holds; docs/formats/block.md has the bytes of a group. */
export const LONG_SCHEMA = `
create table bucket (bucket integer primary key not null);
create table long_series (id integer primary key not null, grp integer not null);
create table long_group (grp integer primary key not null, data blob not null);
`;
export const LONG_VERSION = 1;
/** What a down-sampled file has besides: docs/adr/0005-downsampling.md. */
export const REDUCED_SCHEMA = `
create table reduction (every_ms integer not null);
create table reduced_hours (mark integer not null);
create table weight_group (grp integer primary key not null, data blob not null);
`;

/** Series that are compressed together: fewer and zstd learns less, more and a reader of one series unpacks more than it needs. */
export const GROUP_SERIES = 32;
const HEADER_BYTES = 12;
const BUSY_TIMEOUT_MS = 5000;
const MAX_GROUP_BYTES = 1 << 30;

export interface LongSeries {
	readonly id: number;
	readonly labels: Uint8Array;
	/** A chunk whose offsets count from the start of the file's span. */
	readonly chunk: Uint8Array;
}

export function packGroup(series: readonly LongSeries[]): Uint8Array {
	let size = 4 + series.length * HEADER_BYTES;
	for (const { labels, chunk } of series) size += labels.length + chunk.length;
	const bytes = Buffer.alloc(size);
	bytes.writeUInt32LE(series.length, 0);
	let at = 4 + series.length * HEADER_BYTES;
	series.forEach(({ id, labels }, i) => {
		bytes.writeUInt32LE(id, 4 + i * HEADER_BYTES);
		bytes.writeUInt32LE(labels.length, 8 + i * HEADER_BYTES);
		bytes.set(labels, at);
		at += labels.length;
	});
	series.forEach(({ chunk }, i) => {
		bytes.writeUInt32LE(chunk.length, 12 + i * HEADER_BYTES);
		bytes.set(chunk, at);
		at += chunk.length;
	});
	return zstdCompressSync(bytes, {
		params: { [constants.ZSTD_c_compressionLevel]: 12, [constants.ZSTD_c_checksumFlag]: 1 },
	});
}

/** An unpacked group: where the parts of each series lie. Throws `ChunkDamaged`. */
export class LongGroup {
	readonly bytes: Buffer;
	readonly count: number;
	readonly #byId = new Map<number, number>();
	readonly #labelEnds: number[] = [];
	readonly #chunkEnds: number[] = [];
	readonly #ids: number[] = [];

	constructor(packed: Uint8Array) {
		try {
			this.bytes = zstdDecompressSync(packed, { maxOutputLength: MAX_GROUP_BYTES });
		} catch (error) {
			throw new ChunkDamaged('a group cannot be unpacked', { cause: error });
		}
		const bytes = this.bytes;
		this.count = bytes.length < 4 ? 0 : bytes.readUInt32LE(0);
		let at = 4 + this.count * HEADER_BYTES;
		if (bytes.length < 4 || at > bytes.length) throw new ChunkDamaged('a group is too short');
		for (let i = 0; i < this.count; i++) {
			const id = bytes.readUInt32LE(4 + i * HEADER_BYTES);
			this.#byId.set(id, i);
			this.#ids.push(id);
			at += bytes.readUInt32LE(8 + i * HEADER_BYTES);
			this.#labelEnds.push(at);
		}
		for (let i = 0; i < this.count; i++) {
			at += bytes.readUInt32LE(12 + i * HEADER_BYTES);
			this.#chunkEnds.push(at);
		}
		if (at !== bytes.length) throw new ChunkDamaged('the lengths in a group do not fit');
	}

	static empty(): LongGroup {
		return new LongGroup(packGroup([]));
	}

	idAt(index: number): number {
		return this.#ids[index] as number;
	}

	/** A view of the labels of member `index`. */
	labelsAt(index: number): Uint8Array {
		const start = index === 0 ? 4 + this.count * HEADER_BYTES : (this.#labelEnds[index - 1] as number);
		return this.bytes.subarray(start, this.#labelEnds[index]);
	}

	/** Where the chunk of series `id` lies in `bytes`, or `null`. */
	chunk(id: number): { readonly start: number; readonly end: number } | null {
		const index = this.#byId.get(id);
		if (index === undefined) return null;
		const start = index === 0 ? (this.#labelEnds[this.count - 1] as number) : (this.#chunkEnds[index - 1] as number);
		return { start, end: this.#chunkEnds[index] as number };
	}
}

/** Of a series in a file whose place is remembered: the place and its entry of the map. */
const PLACE_BYTES = 120;

/**
 * Groups that stay unpacked, and where each series lies in them: the series of one query mostly lie together. One per thread, over
 * all files. When it is full it is emptied.
 */
export class GroupCache {
	readonly #files = new Map<LongFile, { readonly groups: Map<number, LongGroup>; readonly places: Map<number, ChunkPlace | null> }>();
	readonly #capacityBytes: number;
	#bytes = 0;

	constructor(capacityBytes: number) {
		this.#capacityBytes = capacityBytes;
	}

	group(file: LongFile, grp: number, unpack: () => LongGroup): LongGroup {
		const known = this.#of(file).groups.get(grp);
		if (known !== undefined) return known;
		const group = unpack();
		this.#account(group.bytes.length);
		this.#of(file).groups.set(grp, group);
		return group;
	}

	/** The chunk of a series; `find` looks it up in the file, `null` when there is none. */
	place(file: LongFile, id: number, find: () => ChunkPlace | null): ChunkPlace | null {
		const known = this.#of(file).places.get(id);
		if (known !== undefined) return known;
		const place = find();
		this.#account(PLACE_BYTES);
		this.#of(file).places.set(id, place);
		return place;
	}

	forget(file: LongFile): void {
		const known = this.#files.get(file);
		if (known === undefined) return;
		for (const group of known.groups.values()) this.#bytes -= group.bytes.length;
		this.#bytes -= known.places.size * PLACE_BYTES;
		this.#files.delete(file);
	}

	#of(file: LongFile) {
		let known = this.#files.get(file);
		if (known === undefined) {
			known = { groups: new Map(), places: new Map() };
			this.#files.set(file, known);
		}
		return known;
	}

	#account(bytes: number): void {
		this.#bytes += bytes;
		if (this.#bytes <= this.#capacityBytes) return;
		this.#files.clear();
		this.#bytes = bytes;
	}
}

/** Reads a compacted file. It never changes; a newer one takes its name. */
export class LongFile {
	readonly #database: DatabaseSync;
	readonly #groupOf: StatementSync;
	readonly #data: StatementSync;
	readonly buckets: readonly number[];
	readonly #cache: GroupCache;
	/** Tells this file from the one that the next compaction puts in its place. */
	readonly mark: number;
	/** Of a down-sampled file the time that a bucket spans; `null` when it has all samples. */
	readonly everyMs: number | null;
	/** Marks of the files of hours whose samples are in it: such a file is what a crash has left. */
	readonly reducedHours: ReadonlySet<number>;

	constructor(file: string, cache: GroupCache) {
		this.#cache = cache;
		const database = new DatabaseSync(file, { readOnly: true, timeout: BUSY_TIMEOUT_MS });
		try {
			this.#groupOf = database.prepare('select grp from long_series where id = ?');
			this.#data = database.prepare('select data from long_group where grp = ?');
			this.buckets = database
				.prepare('select bucket from bucket order by bucket')
				.all()
				.map((row) => Number(row['bucket']));
			this.mark = Number(database.prepare('pragma application_id').get()?.['application_id'] ?? 0);
			const isReduced = database.prepare("select 1 from sqlite_master where name = 'reduction'").get() !== undefined;
			this.everyMs = isReduced ? Number(database.prepare('select every_ms from reduction').get()?.['every_ms']) : null;
			const hours = isReduced ? database.prepare('select mark from reduced_hours').all() : [];
			this.reducedHours = new Set(hours.map((row) => Number(row['mark'])));
			this.#database = database;
		} catch (error) {
			database.close();
			throw error;
		}
	}

	/** The chunk of series `id`, or `null`. Throws `ChunkDamaged` and SQLite's errors. */
	chunkOf(id: number): ChunkPlace | null {
		return this.#cache.place(this, id, () => {
			const group = this.groupOf(id);
			const place = group?.chunk(id) ?? null;
			return group === null || place === null ? null : { bytes: group.bytes, ...place };
		});
	}

	/** The group that has series `id`, or `null`. Throws `ChunkDamaged` and SQLite's errors. */
	groupOf(id: number): LongGroup | null {
		const grp = this.#groupOf.get(id)?.['grp'];
		return typeof grp === 'number' ? this.#group(grp) : null;
	}

	/** What the samples of series `id` stand for, where others were taken away; `null` when they are all that there were. Throws `ChunkDamaged`. */
	weightsOf(id: number): Weights | null {
		const grp = this.#groupOf.get(id)?.['grp'];
		if (this.everyMs === null || typeof grp !== 'number') return null;
		// Groups of chunks have numbers from 0 on.
		const group = this.#cache.group(this, -1 - grp, () => {
			const data = this.#database.prepare('select data from weight_group where grp = ?').get(grp)?.['data'];
			return data instanceof Uint8Array ? new LongGroup(data) : LongGroup.empty();
		});
		const place = group.chunk(id);
		return place === null ? null : decodeWeights(group.bytes.subarray(place.start, place.end));
	}

	has(id: number): boolean {
		return this.#groupOf.get(id) !== undefined;
	}

	/** Every series of the file. */
	*series(): Iterable<{ readonly id: number; readonly labels: Uint8Array }> {
		for (const row of this.#database.prepare('select data from long_group order by grp').iterate()) {
			const data = row['data'];
			if (!(data instanceof Uint8Array)) throw new ChunkDamaged('a group is not a blob');
			const group = new LongGroup(data);
			for (let i = 0; i < group.count; i++) yield { id: group.idAt(i), labels: new Uint8Array(group.labelsAt(i)) };
		}
	}

	close(): void {
		this.#cache.forget(this);
		this.#database.close();
	}

	#group(grp: number): LongGroup {
		return this.#cache.group(this, grp, () => {
			const data = this.#data.get(grp)?.['data'];
			if (!(data instanceof Uint8Array)) throw new ChunkDamaged('a group is not a blob');
			return new LongGroup(data);
		});
	}
}
