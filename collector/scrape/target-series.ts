import { AppError } from '../../core/errors.ts';
import { withLabel } from '../../core/labels.ts';
import { MetadataGatherer } from '../../protocol/exposition/metadata.ts';
import type { ExpositionFormat, ExpositionParser, ExpositionSink, MetadataRange } from '../../protocol/exposition/parse.ts';
import type { SeriesRanges } from '../../protocol/exposition/series-ranges.ts';
import { METRIC_NAME } from '../../protocol/labels.ts';
import type { ColumnIngest } from '../storage/column-ingest.ts';
import { encodeLabelBytes } from '../storage/label-bytes.ts';
import type { LabelMap } from './relabel.ts';
import type { SampleBatch } from './sample-batch.ts';
import { type SampleLabelRules, sampleLabels } from './sample-labels.ts';
import { DROPPED, SeriesCache, UNRESOLVED } from './series-cache.ts';

export interface TargetSeriesOptions {
	readonly store: ColumnIngest;
	readonly parser: ExpositionParser;
	readonly rules: SampleLabelRules;
	readonly honorTimestamps: boolean;
	/** 0: no limit. */
	readonly sampleLimit: number;
	readonly onSkipped: (reason: 'duplicate' | 'out_of_bounds') => void;
}

/** What one scrape of a target came to, as its `scrape_*` series say it. */
export interface ScrapeReport {
	readonly up: 0 | 1;
	readonly durationSeconds: number;
	readonly scraped: number;
	readonly kept: number;
	readonly added: number;
}

const REPORT_METRICS = [
	'up',
	'scrape_duration_seconds',
	'scrape_samples_scraped',
	'scrape_samples_post_metric_relabeling',
	'scrape_series_added',
] as const;

/** Metadata is read again this often, and when series are new; otherwise it is only checked. */
const METADATA_EVERY = 40;
/** Entries that no scrape has had lately are thrown away once there are more of them than of the others. */
const SPARE_ENTRIES = 100;

/**
 * The series of one target: turns scraped text into samples of the store's series, and remembers which must be marked stale when
 * they go. Nothing here waits: a batch is filled, and whoever called writes it.
 */
export class TargetSeries implements ExpositionSink {
	/** Counts of the last `collect`, also when it threw. */
	scraped = 0;
	kept = 0;
	added = 0;
	readonly #options: TargetSeriesOptions;
	#cache = new SeriesCache();
	readonly #metadata = new MetadataGatherer();
	#reportIds: readonly number[] = [];
	#reportIdentities: readonly number[] = [];
	#departures = 0;
	/** Series of a predecessor with the same target, which are stale unless this one has them, too. */
	#inherited: readonly number[] = [];
	#scrape = 0;
	#lastGood = -1;
	#metadataDue = 0;
	#readMetadata = false;
	#format: ExpositionFormat = 'text';
	#batch: SampleBatch;
	#nowMs = 0;
	#minMs = 0;
	#maxMs = 0;

	/** The batch is the one that every call is given. */
	constructor(options: TargetSeriesOptions, batch: SampleBatch) {
		this.#options = options;
		this.#batch = batch;
		this.#departures = options.store.departures();
	}

	/** Takes over what an earlier configuration of the same target has left behind. */
	inherit(predecessor: TargetSeries): void {
		predecessor.#renew();
		this.#inherited = predecessor.activeIds();
	}

	/**
	 * Forgets ids that mean other series by now: those of a target that was away for hours, or whose samples were too old to be
	 * taken. To be called at the beginning of a turn, before any id is used.
	 */
	#renew(): void {
		const { store } = this.#options;
		const departures = store.departures();
		if (departures === this.#departures) return;
		this.#departures = departures;
		// Nobody can tell of these whose they were; the lookback ends the series instead of a marker.
		this.#inherited = [];
		if (this.#reportIds.some((id, i) => store.identity(id) !== this.#reportIdentities[i])) this.#reportIds = [];
		const { ids, identities, active, count } = this.#cache;
		const own = (entry: number) => (ids[entry] as number) < 0 || store.identity(ids[entry] as number) === identities[entry];
		let lost = false;
		for (let entry = 0; entry < count && !lost; entry++) lost = !own(entry);
		if (!lost) return;
		const still: number[] = [];
		for (let entry = 0; entry < count; entry++) if (active[entry] === 1 && own(entry)) still.push(ids[entry] as number);
		this.#inherited = still;
		this.#cache = new SeriesCache();
	}

	/** Series that would have to be marked stale now. */
	activeIds(): readonly number[] {
		const { active, ids, count } = this.#cache;
		const found: number[] = [...this.#inherited];
		for (let entry = 0; entry < count; entry++) if (active[entry] === 1) found.push(ids[entry] as number);
		return found;
	}

	/**
	 * Fills the batch with the samples of `body` and stale markers for what has gone since the last time. Throws when the text or its
	 * series are not acceptable; the batch is then as before, and `markAllStale` is due.
	 */
	collect(body: Uint8Array, format: ExpositionFormat, atMs: number): void {
		this.#renew();
		const cache = this.#cache;
		const batch = this.#batch;
		const before = cache.count;
		const firstSample = batch.count;
		this.scraped = 0;
		this.kept = 0;
		this.added = 0;
		this.#scrape++;
		this.#format = format;
		this.#nowMs = atMs;
		({ minMs: this.#minMs, maxMs: this.#maxMs } = this.#options.store.bounds());
		this.#readMetadata = --this.#metadataDue < 0;
		if (this.#readMetadata) this.#metadata.clear();
		cache.rewind();
		try {
			this.#options.parser.parse(body, format, this);
			const { sampleLimit } = this.#options;
			if (sampleLimit > 0 && this.kept > sampleLimit) {
				throw new AppError(
					'FN_SCRAPE_SAMPLE_LIMIT',
					`the target has ${this.kept} samples after relabelling; sample_limit is ${sampleLimit}`,
				);
			}
			this.#resolve(firstSample);
		} catch (error) {
			batch.count = firstSample;
			cache.truncate(before);
			throw error;
		}
		this.#finish(before);
	}

	findSeries(bytes: Uint8Array, start: number, end: number): number {
		return this.#cache.find(bytes, start, end);
	}

	addSeries(series: SeriesRanges, start: number, end: number): number {
		const labels = sampleLabels(exposedLabels(series), this.#options.rules);
		const entry = this.#cache.add(series.bytes, start, end);
		if (labels === null) this.#cache.ids[entry] = DROPPED;
		else this.#cache.unresolved.set(entry, encodeLabelBytes(labels));
		return entry;
	}

	sample(entry: number, value: number, timestampMs: number): void {
		const cache = this.#cache;
		this.scraped++;
		const seenBefore = cache.seen[entry] as number;
		cache.seen[entry] = this.#scrape;
		if (cache.ids[entry] === DROPPED) return;
		this.kept++;
		const timed = timestampMs === timestampMs && this.#options.honorTimestamps;
		const time = timed ? timestampMs : this.#nowMs;
		if (seenBefore === this.#scrape && cache.lastTime[entry] === time) {
			this.#options.onSkipped('duplicate');
			return;
		}
		cache.lastTime[entry] = time;
		if (time < this.#minMs || time > this.#maxMs) {
			this.#options.onSkipped('out_of_bounds');
			return;
		}
		if (seenBefore < this.#lastGood || seenBefore < 0) this.added++;
		this.#batch.add(entry, time, value);
	}

	metadata(line: MetadataRange): void {
		if (this.#readMetadata) this.#metadata.add(line, this.#format);
	}

	/** Marks every series stale: the scrape failed, or the target is gone. */
	markAllStale(atMs: number): void {
		this.#renew();
		for (const id of new Set(this.activeIds())) this.#batch.addStale(id, atMs);
		this.#inherited = [];
		this.#cache.active.fill(0);
	}

	/** Adds `up` and the `scrape_*` series. Throws `FN_STORE_SERIES_LIMIT` when the store does not take them for the first time. */
	report(report: ScrapeReport, atMs: number): void {
		this.#renew();
		if (this.#reportIds.length === 0) {
			this.#reportIds = this.#createReportSeries();
			this.#reportIdentities = this.#reportIds.map((id) => this.#options.store.identity(id));
		}
		const values = [report.up, report.durationSeconds, report.scraped, report.kept, report.added];
		for (const [i, id] of this.#reportIds.entries()) this.#batch.add(id, atMs, values[i] as number);
	}

	markReportStale(atMs: number): void {
		this.#renew();
		for (const id of this.#reportIds) this.#batch.addStale(id, atMs);
	}

	/** Replaces entries by ids in the batch, from `first` on; series that the store does not have are created now, when the text is known to be good. */
	#resolve(first: number): void {
		const cache = this.#cache;
		const { ids, count } = this.#batch;
		for (let i = first; i < count; i++) {
			const entry = ids[i] as number;
			if (cache.ids[entry] === UNRESOLVED) {
				cache.ids[entry] = seriesId(this.#options.store, cache.unresolved.get(entry) ?? EMPTY);
				cache.identities[entry] = this.#options.store.identity(cache.ids[entry] as number);
				cache.unresolved.delete(entry);
			}
			ids[i] = cache.ids[entry] as number;
		}
	}

	#finish(before: number): void {
		const cache = this.#cache;
		const { seen, active, ids, lastTime } = cache;
		let vanished: Set<number> | null = this.#inherited.length > 0 ? new Set(this.#inherited) : null;
		let unseen = 0;
		for (let entry = 0; entry < cache.count; entry++) {
			if (seen[entry] === this.#scrape) {
				// A sample with a time of its own may be old; a marker at the time of a scrape would hide it for nothing.
				active[entry] = lastTime[entry] === this.#nowMs ? 1 : 0;
				continue;
			}
			unseen++;
			if (active[entry] !== 1) continue;
			active[entry] = 0;
			vanished ??= new Set();
			vanished.add(ids[entry] as number);
		}
		this.#inherited = [];
		if (vanished !== null) {
			// Another spelling of the same series may still be there.
			for (let entry = 0; entry < cache.count; entry++) if (seen[entry] === this.#scrape) vanished.delete(ids[entry] as number);
			for (const id of vanished) this.#batch.addStale(id, this.#nowMs);
		}
		this.#lastGood = this.#scrape;
		if (this.#readMetadata) {
			this.#metadata.forEach(this.#format, (metric, metadata) => this.#options.store.describe(metric, metadata));
			this.#metadata.clear();
			this.#metadataDue = METADATA_EVERY;
		} else if (cache.count > before) this.#metadataDue = 0;
		if (unseen > SPARE_ENTRIES && unseen * 2 > cache.count) cache.keepSeen(this.#scrape);
	}

	#createReportSeries(): readonly number[] {
		const { store, rules } = this.#options;
		return REPORT_METRICS.map((metric) => seriesId(store, encodeLabelBytes(withLabel(rules.targetLabels, METRIC_NAME, metric))));
	}
}

const EMPTY = new Uint8Array(0);

function seriesId(store: ColumnIngest, labels: Uint8Array): number {
	const known = store.findSeries(labels, new DataView(labels.buffer, labels.byteOffset, labels.byteLength), 0, labels.length, -1);
	return known >= 0 ? known : store.createSeries(labels);
}

function exposedLabels(series: SeriesRanges): LabelMap {
	const labels: LabelMap = new Map([[METRIC_NAME, series.metricName()]]);
	for (let i = 0; i < series.count; i++) {
		const name = series.labelName(i);
		let value: string;
		try {
			value = series.labelValue(i);
		} catch (error) {
			throw new AppError('FN_SCRAPE_LABELS_INVALID', `the label ${name} of ${series.metricName()} has a value that is not UTF-8`, {
				cause: error,
			});
		}
		labels.set(name, value);
	}
	return labels;
}
