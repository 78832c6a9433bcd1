import { mkdirSync } from 'node:fs';
import { endianness } from 'node:os';
import { join } from 'node:path';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { AppError } from '../../core/errors.ts';
import type { Labels } from '../../protocol/labels.ts';
import type { ColumnIngest, SampleColumns } from '../storage/column-ingest.ts';
import type {
	Appendable,
	Appender,
	Matcher,
	MetadataSource,
	MetricMetadata,
	Queryable,
	SelectOptions,
	SeriesSamples,
} from '../storage/storage.ts';
import { BlockCutter } from './block-cutter.ts';
import { FAMILY_CHECKS, familyOfLabels } from './blocks/block-files.ts';
import { BlockReader } from './blocks/block-reader.ts';
import { GoneSeriesReader } from './blocks/gone-series.ts';
import { Head } from './head.ts';
import { HeadReader } from './head-reader.ts';
import { isHeartbeat } from './heartbeats.ts';
import { HostSeries } from './host-series.ts';
import { LogWriter } from './log/log-writer.ts';
import { LogEntries } from './log-entries.ts';
import { OldChecks } from './old-checks.ts';
import { ReaderPorts } from './reader-ports.ts';
import { type RecoveryReport, recover } from './recovery.ts';
import { StoreQueries } from './select.ts';
import { SeriesDeletion } from './series-deletion.ts';
import { SeriesIndex } from './series-index.ts';
import { layoutBytes, SLOT_FAMILY, SLOT_WORDS } from './shared-head.ts';
import { StoreAppender } from './store-appender.ts';
import { lockStore, type StoreLock } from './store-lock.ts';
import { createStoreMetrics } from './store-metrics.ts';
import { DEFAULT_FUTURE_MS, DEFAULT_MAX_SERIES, type StoreOptions } from './store-options.ts';
import { type StoreStats, storeStats } from './store-stats.ts';

const INDEX_SLICE = 4000;
/** Errors of a batch that is good but cannot be kept. */
const DISK_ERRORS: ReadonlySet<string> = new Set(['FN_STORE_FULL', 'FN_STORE_READ_ONLY', 'FN_STORE_LOG_WRITE']);
/** A check that is older than this when it comes has missed the time in which its ledger is still expected to change. */
const OLD_CHECK_MS = 600_000;

/**
 * Opens (or creates) the embedded store: reads the index, replays the log and reports what it had to repair. Throws
 * `FN_STORE_LOCKED`, `FN_STORE_OPEN`.
 */
export async function openStore(options: StoreOptions): Promise<Store> {
	if (endianness() !== 'LE') throw new AppError('FN_STORE_OPEN', 'the store needs a little-endian processor');
	const folder = join(options.dataDir, 'store');
	let lock: StoreLock | null = null;
	try {
		mkdirSync(join(folder, 'log'), { recursive: true, mode: 0o700 });
		mkdirSync(join(folder, 'blocks'), { recursive: true, mode: 0o700 });
		lock = lockStore(folder);
		const hosts = options.maxSeriesPerHost === undefined ? null : new HostSeries();
		const head = new Head(0, hosts);
		const recovered = recover(folder, head, options.log);
		return new Store(options, folder, { lock, head, hosts, recovered });
	} catch (error) {
		lock?.release();
		if (error instanceof AppError) throw error;
		throw new AppError('FN_STORE_OPEN', `the store in ${folder} cannot be opened; check that the folder is writable and the disk works`, {
			cause: error,
		});
	}
}

interface StoreParts {
	readonly lock: StoreLock;
	readonly head: Head;
	readonly hosts: HostSeries | null;
	readonly recovered: ReturnType<typeof recover>;
}

export class Store implements Queryable, Appendable, MetadataSource, ColumnIngest {
	/** What the start found and repaired. */
	readonly recovery: RecoveryReport;
	readonly #options: StoreOptions;
	readonly #lock: StoreLock;
	readonly #head: Head;
	readonly #hosts: HostSeries | null;
	readonly #log: LogWriter;
	readonly #entries: LogEntries;
	readonly #cutter: BlockCutter;
	readonly #reader: HeadReader;
	readonly #index: SeriesIndex;
	readonly #queries: StoreQueries;
	readonly #deletion: SeriesDeletion;
	readonly #metadata: Map<string, MetricMetadata>;
	readonly #changedMetadata = new Set<string>();
	readonly #readers: ReaderPorts;
	/** Slots of series that are not in the index. */
	readonly #unpersistedSeries: number[];
	#indexTimer: NodeJS.Immediate | null = null;
	readonly #oldChecks: OldChecks | null;
	#stopped = false;

	constructor(options: StoreOptions, folder: string, parts: StoreParts) {
		this.#options = options;
		this.#oldChecks = options.onOldChecks === undefined ? null : new OldChecks(options.onOldChecks);
		this.#lock = parts.lock;
		this.#head = parts.head;
		this.#hosts = parts.hosts;
		this.recovery = parts.recovered.report;
		this.#metadata = parts.recovered.metadata;
		this.#unpersistedSeries = parts.recovered.unpersistedSeries;
		const metrics = createStoreMetrics(options.metrics, () => ({
			series: this.#head.seriesCount,
			...this.#head.counters,
			chunkBytes: this.#head.chunkBytes,
			memoryBytes: layoutBytes(this.#head.layout()),
			logBytes: this.#log.sizeBytes,
			readOnly: this.#log.isReadOnly ? 1 : 0,
		}));
		this.#log = new LogWriter({
			folder: join(folder, 'log'),
			firstSegment: parts.recovered.nextSegment,
			fsync: options.fsync,
			log: options.log,
			onSyncFailure: () => metrics.logSyncFailures.inc(),
			...(options.fsyncIntervalMs === undefined ? {} : { fsyncIntervalMs: options.fsyncIntervalMs }),
			...(options.logSegmentBytes === undefined ? {} : { segmentBytes: options.logSegmentBytes }),
		});
		this.#log.adopt(parts.recovered.segments);
		this.#entries = new LogEntries(this.#log, this.#head, this.#metadata);
		this.#readers = new ReaderPorts(folder, this.#head);
		this.#reader = new HeadReader(this.#readers.layout, () => {
			this.#readers.publish();
			return this.#readers.layout;
		});
		this.#index = new SeriesIndex(this.#reader);
		const gone = new GoneSeriesReader(folder);
		this.#queries = new StoreQueries(this.#reader, this.#index, new BlockReader(join(folder, 'blocks'), options.log), gone);
		this.#cutter = new BlockCutter({
			folder,
			head: this.#head,
			logWriter: this.#log,
			checkpoint: parts.recovered.checkpoint,
			pendingDeletions: parts.recovered.pendingDeletions,
			unpersistedSeries: this.#unpersistedSeries,
			blockSpans: parts.recovered.blockSpans,
			changedMetadata: this.#changedMetadata,
			metadataJson: (metric) => metadataJson(metric, this.#metadata),
			publish: () => this.#readers.publish(),
			clock: options.clock,
			log: options.log,
			metrics,
			compactAfterMs: options.compactAfterMs ?? 6 * 3_600_000,
			quietMs: options.quietMs ?? 3 * 3_600_000,
			downsample: options.downsample ?? null,
			retentionMs: options.retentionMs,
			checkRetentionMs: options.checkRetentionMs,
			retentionBytes: options.retentionBytes ?? Number.POSITIVE_INFINITY,
			lateLogBytes: options.lateLogBytes ?? 64 * 1024 * 1024,
			maxHeadBytes: options.maxHeadBytes ?? 512 * 1024 * 1024,
			intervalMs: options.cutIntervalMs ?? 5000,
		});
		this.#deletion = new SeriesDeletion({
			head: this.#head,
			reader: this.#reader,
			index: this.#index,
			gone,
			logWriter: this.#log,
			cutter: this.#cutter,
			publish: () => this.#readers.publish(),
			lastNumber: parts.recovered.lastDeletion,
		});
		this.#scheduleIndexing();
	}

	findSeries(bytes: Uint8Array, view: DataView, start: number, end: number, hint: number): number {
		return this.#head.registry.find(bytes, view, start, end, hint);
	}

	createSeries(canonical: Uint8Array): number {
		const known = this.#head.seriesCount;
		const limit = this.#options.maxSeries ?? DEFAULT_MAX_SERIES;
		if (known >= limit) {
			throw new AppError(
				'FN_STORE_SERIES_LIMIT',
				`the store has ${known} series, the most that store.max_series allows; new series are refused`,
				{
					status: 429,
				},
			);
		}
		const labels = canonical.slice();
		this.#refuseWildHost(labels);
		const id = this.#head.nextId;
		const slot = this.#head.addSeries(id, labels, familyOfLabels(labels));
		this.#options.arrivals?.renew(slot);
		this.#entries.define({ id, labels });
		this.#unpersistedSeries.push(slot);
		return slot;
	}

	#refuseWildHost(labels: Uint8Array): void {
		const limit = this.#options.maxSeriesPerHost;
		if (this.#hosts === null || limit === undefined) return;
		const host = this.#hosts.hostName(labels);
		if (this.#hosts.count(host) < limit) return;
		const whose = host === '' ? 'series without the labels host and instance' : `"${host.slice(0, 200)}"`;
		throw new AppError(
			'FN_STORE_HOST_SERIES_LIMIT',
			`${whose} has ${limit} series, the most that store.max_series_per_host allows; its new series are refused, all others go on`,
			{ status: 429 },
		);
	}

	addAlias(bytes: Uint8Array, start: number, end: number, id: number): void {
		this.#head.registry.addAlias(bytes, start, end, id);
	}

	departures(): number {
		return this.#head.departures;
	}

	identity(id: number): number {
		// Who left is still written in the place until another one comes.
		return this.#head.registry.segmentOf(id) < 0 ? -1 : this.#head.idOf(id);
	}

	bounds(): { readonly minMs: number; readonly maxMs: number; readonly futureMs: number } {
		const now = this.#options.clock.now();
		const futureMs = this.#options.futureMs ?? DEFAULT_FUTURE_MS;
		return { minMs: now - this.#options.retentionMs, maxMs: now + futureMs, futureMs };
	}

	write(samples: SampleColumns, count: number): Promise<void> {
		try {
			this.#assertOpen();
			if (this.#entries.write(samples, count)) this.#scheduleIndexing();
		} catch (error) {
			// They are refused, and the sender brings them again; until then rules must see the present all the same.
			if (error instanceof AppError && DISK_ERRORS.has(error.code)) this.#take(samples, count);
			return Promise.reject(error);
		}
		this.#take(samples, count);
		return this.#log.synced();
	}

	#take(samples: SampleColumns, count: number): void {
		const head = this.#head;
		const { ids, timestamps, valueWords } = samples;
		const nowMs = this.#options.clock.now();
		const oldBeforeMs = this.#oldChecks === null ? Number.NEGATIVE_INFINITY : nowMs - OLD_CHECK_MS;
		for (let i = 0; i < count; i++) {
			const id = ids[i] as number;
			const timeMs = timestamps[i] as number;
			head.append(id, timeMs, valueWords[i * 2] as number, valueWords[i * 2 + 1] as number);
			const family = head.slots[id * SLOT_WORDS + SLOT_FAMILY] as number;
			if (timeMs < oldBeforeMs && (family === FAMILY_CHECKS || isHeartbeat(head.registry.labelBytes(id)))) this.#oldChecks?.add(timeMs);
		}
		this.#readers.publish();
		this.#options.arrivals?.note(samples, count, { nowMs, labelsOf: this.#labelsOf });
	}

	readonly #labelsOf = (slot: number): Uint8Array => this.#head.registry.labelBytes(slot);

	describe(metric: string, metadata: MetricMetadata): void {
		const known = this.#metadata.get(metric);
		if (known !== undefined && known.type === metadata.type && known.help === metadata.help && known.unit === metadata.unit) return;
		if (known === undefined && this.#metadata.size >= MAX_METADATA) return;
		this.#metadata.set(metric, { type: metadata.type, help: metadata.help, unit: metadata.unit });
		this.#changedMetadata.add(metric);
		this.#entries.describe(metric);
	}

	/** Whether the disk could not be written when that was last tried: samples are refused, queries and rules go on. */
	get isReadOnly(): boolean {
		return this.#log.isReadOnly;
	}

	appender(): Appender {
		return new StoreAppender(this);
	}

	metadata(metric?: string): ReadonlyMap<string, MetricMetadata> {
		if (metric === undefined) return this.#metadata;
		const found = this.#metadata.get(metric);
		return new Map(found === undefined ? [] : [[metric, found]]);
	}

	select(matchers: readonly Matcher[], minMs: number, maxMs: number, options?: SelectOptions): Promise<readonly SeriesSamples[]> {
		return this.#queries.select(matchers, minMs, maxMs, options);
	}

	series(matchers: readonly Matcher[], minMs: number, maxMs: number, options?: SelectOptions): Promise<readonly Labels[]> {
		return this.#queries.series(matchers, minMs, maxMs, options);
	}

	labelNames(matchers: readonly Matcher[], minMs: number, maxMs: number, options?: SelectOptions): Promise<readonly string[]> {
		return this.#queries.labelNames(matchers, minMs, maxMs, options);
	}

	labelValues(
		name: string,
		matchers: readonly Matcher[],
		minMs: number,
		maxMs: number,
		options?: SelectOptions,
	): Promise<readonly string[]> {
		return this.#queries.labelValues(name, matchers, minMs, maxMs, options);
	}

	/**
	 * Lets another thread read: it is told where the shared memory is, now and at every change. The thread calls `openStoreReader` with the
	 * other end of the channel. The port is unreferenced and closed by `stop`.
	 */
	attachReader(port: MessagePort): void {
		this.#readers.attach(port);
	}

	/** A port for a worker's `workerData` and `transferList`, already attached. */
	readerPort(): MessagePort {
		const { port1, port2 } = new MessageChannel();
		this.#readers.attach(port1);
		return port2;
	}

	stats(): StoreStats {
		this.#reader.refresh();
		this.#index.sync();
		return storeStats(this.#head, this.#index, this.#log.sizeBytes);
	}

	/** Writes what memory holds of the hours that begin before `beforeMs` (default: all) into blocks now, instead of when they are over. */
	cutBlocks(beforeMs = Number.POSITIVE_INFINITY): Promise<void> {
		return this.#cutter.cutNow(beforeMs);
	}

	/** Compacts every block file whose span ends before `beforeMs` now, instead of some hours later. */
	compactBlocks(beforeMs = Number.POSITIVE_INFINITY): Promise<void> {
		return this.#cutter.compactNow(beforeMs);
	}

	/**
	 * Deletes the samples that matching series have between the two times, both inclusive, in memory and in blocks; samples that come later are
	 * new, whatever their time. Resolves with the number of series when no reader sees them any more and a crash cannot bring them back.
	 * Throws `FN_STORE_DELETE_CHECKS` when series of checks match and `includeChecks` is not set, and then deletes nothing.
	 */
	deleteSeries(
		matchers: readonly Matcher[],
		minMs: number,
		maxMs: number,
		options: { readonly includeChecks?: boolean } = {},
	): Promise<number> {
		return this.#deletion.run(matchers, minMs, maxMs, options.includeChecks === true);
	}

	/** Looks whether index and files are whole, as the start does in the background; what is not is reported in the log. */
	verifyBlocks(): Promise<void> {
		return this.#cutter.verify();
	}

	/** Writes compacted files anew from which something was deleted, so that the bytes are gone as well. */
	cleanDeletions(): Promise<void> {
		return this.#cutter.cleanDeletions();
	}

	/** Finishes a block that is being written and syncs the log. Samples in memory stay in the log for the next start. */
	async stop(): Promise<void> {
		if (this.#stopped) return;
		this.#stopped = true;
		if (this.#indexTimer !== null) clearImmediate(this.#indexTimer);
		this.#oldChecks?.stop();
		try {
			await this.#cutter.stop();
			await this.#log.close();
		} finally {
			this.#readers.close();
			this.#queries.close();
			this.#lock.release();
		}
	}

	#assertOpen(): void {
		if (this.#stopped) throw new AppError('FN_STORE_STOPPED', 'the store has been stopped', { retryable: true, status: 503 });
		if (this.#cutter.overloaded) {
			throw new AppError('FN_STORE_OVERLOADED', 'blocks cannot be written as fast as samples arrive; samples are refused for a while', {
				retryable: true,
				status: 429,
			});
		}
	}

	/** New series are indexed in slices between requests, so that the next query does not find all of them waiting. */
	#scheduleIndexing(): void {
		if (this.#indexTimer !== null || this.#stopped) return;
		this.#indexTimer = setImmediate(() => {
			this.#indexTimer = null;
			this.#reader.refresh();
			this.#index.sync(INDEX_SLICE);
			if (this.#index.behind > 0) this.#scheduleIndexing();
		});
		this.#indexTimer.unref();
	}
}

/** Metrics whose metadata is remembered; a sender of random names must not fill the memory. */
const MAX_METADATA = 100_000;

function metadataJson(metric: string, metadata: ReadonlyMap<string, MetricMetadata>): string {
	return JSON.stringify({ metric, ...metadata.get(metric) });
}
