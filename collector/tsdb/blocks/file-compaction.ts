import { randomInt } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { constants, zstdCompressSync } from 'node:zlib';
import { CHUNK_VARIANTS, ChunkDamaged, ChunkDecoder, ChunkEncoder } from '../codec/chunk-codec.ts';
import { type Weights, WeightsEncoder } from '../codec/weights.ts';
import { applyWeights, ownWeights, pick, reduceSamples, type WeightedSamples, weightsOf } from '../reduce-samples.ts';
import { SampleRuns, sampleBudget } from '../sample-runs.ts';
import { BUCKET_MS } from '../shared-head.ts';
import { type BlockFile, blockVersion, chunkKey, longName } from './block-files.ts';
import { checkedChunk } from './checked-chunk.ts';
import { addUndeleted, DeletedRanges, deletedName, readDeletionsSparing } from './deleted-ranges.ts';
import { GROUP_SERIES, GroupCache, LONG_SCHEMA, LONG_VERSION, LongFile, type LongSeries, packGroup, REDUCED_SCHEMA } from './long-file.ts';

const BUSY_TIMEOUT_MS = 10_000;
/** The old file is read in about the order in which it was written. */
const GROUP_CACHE_BYTES = 8 * 1024 * 1024;
/** Groups per step: some hundred milliseconds, after which the thread can take other tasks. */
const STEP_GROUPS = 16;
const NO_LABELS = new Uint8Array(0);

/**
 * Writes the hours of a complete file anew: one chunk per series for the whole span, similar series compressed together. The new
 * file is made beside, synced, and takes its name at once; only then the hours are deleted. A crash leaves the old or both, which
 * read the same; the half-made one is thrown away by the next attempt.
 */
export class FileCompaction {
	readonly #folder: string;
	readonly #file: BlockFile;
	readonly #report: (file: string, message: string) => void;
	/** `null` when the compacted file is only written anew, without what was deleted from it. */
	readonly #hours: DatabaseSync | null;
	readonly #chunk: StatementSync | null;
	readonly #hoursVersion: number;
	readonly #previous: LongFile | null;
	readonly #deleted: DeletedRanges;
	readonly #target: DatabaseSync;
	readonly #targetPath: string;
	readonly #order: readonly { readonly id: number; readonly labels: Uint8Array }[];
	readonly #buckets: readonly number[];
	readonly #decoder = new ChunkDecoder();
	readonly #encoder = new ChunkEncoder();
	readonly #runs = new SampleRuns(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, sampleBudget(undefined));
	/** Time of a bucket when the file is down-sampled, else `null`. */
	readonly #everyMs: number | null;
	#hoursMark = 0;
	readonly #weights = new WeightsEncoder();
	#offsets = new Uint32Array(8192);
	#next = 0;
	#group = 0;
	#closed = false;

	/** `everyMs`: down-samples to buckets of that time; `null` keeps every sample. A file that was down-sampled stays with its own buckets. */
	constructor(
		folder: string,
		file: BlockFile,
		{ everyMs, report }: { readonly everyMs: number | null; readonly report: (file: string, message: string) => void },
	) {
		this.#folder = folder;
		this.#file = file;
		this.#report = report;
		const long = join(folder, longName(file.name));
		this.#targetPath = `${long}.new`;
		this.#previous = existsSync(long) ? new LongFile(long, new GroupCache(GROUP_CACHE_BYTES)) : null;
		this.#everyMs = this.#previous?.everyMs ?? everyMs;
		this.#hours = this.#openHours(join(folder, file.name));
		this.#hoursVersion = this.#hours === null ? 0 : blockVersion(this.#hours);
		this.#chunk = this.#hours?.prepare('select data from chunk where key = ?') ?? null;
		this.#deleted =
			this.#previous === null
				? new DeletedRanges([])
				: readDeletionsSparing({ folder, longName: longName(file.name), mark: this.#previous.mark }, (message) =>
						report(file.name, message),
					);
		const labels = new Map<number, Uint8Array>();
		for (const { id, labels: bytes } of this.#previous?.series() ?? []) labels.set(id, bytes);
		for (const row of this.#hours?.prepare('select id, labels from series').iterate() ?? []) {
			if (row['labels'] instanceof Uint8Array) labels.set(Number(row['id']), row['labels']);
		}
		// Label bytes begin with the name of the metric: its series are alike, and mostly asked for together.
		this.#order = [...labels].map(([id, bytes]) => ({ id, labels: bytes })).sort((a, b) => Buffer.compare(a.labels, b.labels));
		const buckets = this.#hours?.prepare('select bucket from bucket order by bucket').all() ?? [];
		this.#buckets = buckets.map((row) => Number(row['bucket']));
		for (const suffix of ['', '-journal']) rmSync(this.#targetPath + suffix, { force: true });
		this.#target = new DatabaseSync(this.#targetPath);
		// Nobody looks at it before it is whole, so it needs no journal. Small pages: half a page is lost per group.
		this.#target.exec(`pragma page_size = 1024; pragma journal_mode = off; pragma synchronous = off; begin; ${LONG_SCHEMA}`);
		if (this.#everyMs !== null) this.#target.exec(REDUCED_SCHEMA);
	}

	/** Whether there is anything to do: a file that is as it should be already need not be written again. */
	get isNeeded(): boolean {
		if (existsSync(join(this.#folder, this.#file.name)) || this.#deleted.list.length > 0) return true;
		return this.#everyMs !== (this.#previous?.everyMs ?? null);
	}

	/** Writes the next groups. Returns whether all are written; `finish` then puts the file in place. */
	step(): boolean {
		const addGroup = this.#target.prepare('insert into long_group (grp, data) values (?, ?)');
		const addSeries = this.#target.prepare('insert into long_series (id, grp) values (?, ?)');
		const addWeights = this.#everyMs === null ? null : this.#target.prepare('insert into weight_group (grp, data) values (?, ?)');
		for (let n = 0; n < STEP_GROUPS && this.#next < this.#order.length; n++) {
			const series: LongSeries[] = [];
			const weights: LongSeries[] = [];
			for (; series.length < GROUP_SERIES && this.#next < this.#order.length; this.#next++) {
				const { id, labels } = this.#order[this.#next] as { id: number; labels: Uint8Array };
				const samples = this.#allSamples(id);
				if (samples === null) continue;
				series.push({ id, labels, chunk: this.#chunkOf(samples) });
				const own = this.#everyMs === null ? null : weightsOf(samples);
				if (own !== null) weights.push({ id, labels: NO_LABELS, chunk: this.#weights.encode(own) });
			}
			if (series.length === 0) continue;
			addGroup.run(this.#group, packGroup(series));
			for (const { id } of series) addSeries.run(id, this.#group);
			if (weights.length > 0) addWeights?.run(this.#group, packGroup(weights));
			this.#group++;
		}
		return this.#next >= this.#order.length;
	}

	finish(): void {
		const addBucket = this.#target.prepare('insert or ignore into bucket (bucket) values (?)');
		for (const bucket of [...(this.#previous?.buckets ?? []), ...this.#buckets]) addBucket.run(bucket);
		if (this.#everyMs !== null) {
			this.#target.prepare('insert into reduction (every_ms) values (?)').run(this.#everyMs);
			if (this.#hoursMark !== 0) this.#target.prepare('insert into reduced_hours (mark) values (?)').run(this.#hoursMark);
		}
		this.#target.exec(`commit; pragma user_version = ${LONG_VERSION}; pragma application_id = ${randomInt(1, 2 ** 31 - 1)};`);
		this.close();
		const long = join(this.#folder, longName(this.#file.name));
		if (this.#group === 0) for (const path of [this.#targetPath, long]) rmSync(path, { force: true });
		else {
			sync(this.#targetPath);
			renameSync(this.#targetPath, long);
		}
		sync(this.#folder);
		// It names the mark of the file that was there before, so that it means nothing any more.
		rmSync(join(this.#folder, deletedName(longName(this.#file.name))), { force: true });
		for (const suffix of ['', '-wal', '-shm']) rmSync(join(this.#folder, this.#file.name + suffix), { force: true });
	}

	/** Gives up what is open. */
	close(): void {
		if (this.#closed) return;
		this.#closed = true;
		this.#hours?.close();
		this.#previous?.close();
		this.#target.close();
	}

	/** The file of hours, `null` when there is none, or when what is down-sampled has its samples already. */
	#openHours(path: string): DatabaseSync | null {
		if (!existsSync(path)) return null;
		const database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
		if (this.#everyMs === null) return database;
		this.#hoursMark = Number(database.prepare('pragma application_id').get()?.['application_id'] ?? 0);
		if (this.#hoursMark === 0) {
			this.#hoursMark = randomInt(1, 2 ** 31 - 1);
			database.exec(`pragma application_id = ${this.#hoursMark}`);
		}
		if (!this.#previous?.reducedHours.has(this.#hoursMark)) return database;
		database.close();
		return null;
	}

	/** All samples of the series, those of the hours over those of the file before, down-sampled where that is to be; `null` when there are none. */
	#allSamples(id: number): WeightedSamples | null {
		const runs = this.#runs;
		runs.reset();
		let weights: Weights | null = null;
		let previousTimes = new Float64Array(0);
		let previousValues = new Float64Array(0);
		this.#sparingDamage(() => {
			const group = this.#previous?.groupOf(id) ?? null;
			const place = group?.chunk(id) ?? null;
			if (group === null || place === null) return;
			const count = this.#decoder.decode(group.bytes, place.start, place.end);
			const { offsets, words } = this.#decoder;
			const deleted = (this.#deleted.of(id) ?? []).map(({ minMs, maxMs }) => {
				return { id, minMs: minMs - this.#file.startMs, maxMs: maxMs - this.#file.startMs };
			});
			addUndeleted(deleted, { baseMs: 0, offsets, words, count }, runs);
			weights = this.#previous?.weightsOf(id) ?? null;
			if (weights === null) return;
			previousTimes = Float64Array.from(offsets.subarray(0, count));
			previousValues = new Float64Array(words.slice(0, count * 2).buffer);
		});
		for (const bucket of this.#hours === null ? [] : this.#buckets) {
			const key = chunkKey(bucket, id);
			const row = this.#chunk?.get(key);
			if (row === undefined) continue;
			this.#sparingDamage(() => {
				const chunk = checkedChunk(row['data'], key, this.#hoursVersion);
				this.#add(bucket * BUCKET_MS - this.#file.startMs, chunk, 0, chunk.length);
			});
		}
		if (runs.isEmpty) return null;
		const { timestamps, values } = runs.finish();
		const samples = ownWeights(timestamps, values);
		if (this.#everyMs === null) return samples;
		if (weights !== null) applyWeights(samples, { times: previousTimes, values: previousValues, weights });
		return pick(samples, reduceSamples(samples, this.#everyMs));
	}

	#chunkOf({ times, values }: WeightedSamples): Uint8Array {
		const count = times.length;
		if (count > this.#offsets.length) this.#offsets = new Uint32Array(count * 2);
		for (let i = 0; i < count; i++) this.#offsets[i] = times[i] as number;
		const words = new Uint32Array(values.buffer, values.byteOffset, count * 2);
		const length = this.#encoder.encode(this.#offsets, words, values, 0, count);
		return this.#shortest(this.#encoder.bytes.slice(0, length));
	}

	/** Which form of a chunk is the shortest shows only when it is compressed. */
	#shortest(packed: Uint8Array): Uint8Array {
		let best = packed;
		let bestSize = compressedSize(packed);
		for (const kind of CHUNK_VARIANTS) {
			const variant = this.#encoder.variant(kind);
			if (variant === null) return packed;
			const size = compressedSize(variant);
			if (size >= bestSize) continue;
			best = variant;
			bestSize = size;
		}
		return best;
	}

	#add(baseMs: number, bytes: Uint8Array, start: number, end: number): void {
		const count = this.#decoder.decode(bytes, start, end);
		this.#runs.add(baseMs, this.#decoder.offsets, 0, this.#decoder.words, 0, count);
	}

	#sparingDamage(work: () => void): void {
		try {
			work();
		} catch (error) {
			if (!(error instanceof ChunkDamaged)) throw error;
			this.#report(this.#file.name, `a chunk is damaged and was left out when the file was compacted: ${error.message}`);
		}
	}
}

function compressedSize(bytes: Uint8Array): number {
	return zstdCompressSync(bytes, { params: { [constants.ZSTD_c_compressionLevel]: 3 } }).length;
}

function sync(path: string): void {
	const fd = openSync(path, 'r');
	try {
		fsyncSync(fd);
	} finally {
		closeSync(fd);
	}
}
