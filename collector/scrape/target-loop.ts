import { createHash } from 'node:crypto';
import type { Clock } from '../../core/clock.ts';
import { type AppError, errorText } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import type { ColumnIngest } from '../storage/column-ingest.ts';
import type { ScrapedText, TargetFetcher } from './fetch-target.ts';
import type { SampleBatch } from './sample-batch.ts';
import type { ScrapeMetrics } from './scrape-metrics.ts';
import type { Target } from './target.ts';
import type { TargetSeries } from './target-series.ts';

export interface TargetLoopOptions {
	readonly job: string;
	readonly fetcher: TargetFetcher;
	readonly series: TargetSeries;
	readonly batch: SampleBatch;
	readonly store: ColumnIngest;
	readonly clock: Clock;
	readonly log: Logger;
	readonly metrics: ScrapeMetrics;
}

export interface TargetState {
	readonly health: 'up' | 'down' | 'unknown';
	readonly lastError: string;
	/** `null` before the first scrape. */
	readonly lastScrapeMs: number | null;
	readonly lastDurationSeconds: number;
}

/** A scrape this close to its slot is stamped with the slot, so that times are evenly spaced and compress well; at most 1 % of the interval. */
const TOLERANCE_MS = 10;
/** Timers of Node cannot wait longer than 24 days. */
const LONGEST_SLEEP_MS = 86_400_000;

/** Scrapes one target in its slots, one scrape at a time, until it is stopped. */
export class TargetLoop {
	readonly target: Target;
	readonly series: TargetSeries;
	state: TargetState = { health: 'unknown', lastError: '', lastScrapeMs: null, lastDurationSeconds: 0 };
	/** Set while the job has more targets than it may: every scrape fails with it at once. */
	forcedError: AppError | null = null;
	readonly #options: TargetLoopOptions;
	readonly #offsetMs: number;
	readonly #abort = new AbortController();
	#running: Promise<void> = Promise.resolve();
	#lastMs = 0;
	#writeFailed = false;

	constructor(target: Target, options: TargetLoopOptions) {
		this.target = target;
		this.series = options.series;
		this.#options = options;
		this.#offsetMs = slotOffset(target.key, target.intervalMs);
	}

	start(): void {
		this.#running = this.#run();
	}

	/** Breaks off a scrape that is under way. With `stale` the target's series end now. */
	async stop(options: { readonly stale: boolean }): Promise<void> {
		this.#abort.abort();
		await this.#running;
		if (!options.stale) return;
		const { batch, clock } = this.#options;
		const atMs = Math.max(clock.now(), this.#lastMs + 1);
		batch.clear();
		this.series.markAllStale(atMs);
		this.series.markReportStale(atMs);
		await this.#write();
	}

	async #run(): Promise<void> {
		const { clock, metrics, job } = this.#options;
		const { signal } = this.#abort;
		const { intervalMs } = this.target;
		let last = Number.NaN;
		while (!signal.aborted) {
			let slot = slotAfter(clock.now(), intervalMs, this.#offsetMs);
			// A timer may ring a moment early, and then the slot that was just served would come again.
			if (slot === last) slot += intervalMs;
			const missed = Math.round((slot - last) / intervalMs) - 1;
			if (missed > 0) metrics.missed.inc({ scrape_job: job }, missed);
			for (let waitMs = slot - clock.now(); waitMs > 0 && !signal.aborted; waitMs = slot - clock.now()) {
				// A wall clock that was set back must not make the target wait for the time to come round again.
				if (waitMs > 2 * intervalMs) break;
				await clock.sleep(Math.min(waitMs, LONGEST_SLEEP_MS), signal);
			}
			if (signal.aborted) return;
			last = slot;
			await this.#scrape(slot);
		}
	}

	async #scrape(slotMs: number): Promise<void> {
		const { clock, fetcher, log, job } = this.#options;
		const now = clock.now();
		const tolerance = Math.min(TOLERANCE_MS, this.target.intervalMs / 100);
		const atMs = Math.abs(now - slotMs) <= tolerance ? slotMs : now;
		const started = clock.monotonic();
		let text: ScrapedText | null = null;
		let error: unknown = this.forcedError;
		if (error === null) {
			try {
				text = await fetcher.fetch(this.target.url, this.target.timeoutMs, this.#abort.signal);
			} catch (failure) {
				error = failure;
			}
		}
		// What a stop broke off says nothing of the target.
		if (this.#abort.signal.aborted) return;
		const durationSeconds = (clock.monotonic() - started) / 1000;
		const written = this.#take(text, error, { atMs, durationSeconds });
		if (this.state.health === 'down') log.debug({ job, instance: this.target.url, error: this.state.lastError }, 'a scrape failed');
		await written;
	}

	/** Everything between the answer and the store, without yielding: the batch is shared with the other targets. */
	#take(text: ScrapedText | null, fetchError: unknown, when: { readonly atMs: number; readonly durationSeconds: number }): Promise<void> {
		const { batch, metrics, clock, job } = this.#options;
		const { atMs, durationSeconds } = when;
		const { series } = this;
		const started = clock.monotonic();
		let error = fetchError;
		batch.clear();
		if (text !== null) {
			try {
				series.collect(text.body, text.format, atMs);
			} catch (failure) {
				error = failure;
			}
		}
		const counts = text === null ? NOTHING : { scraped: series.scraped, kept: series.kept, added: error === null ? series.added : 0 };
		if (error !== null) series.markAllStale(atMs);
		try {
			series.report({ up: error === null ? 1 : 0, durationSeconds, ...counts }, atMs);
		} catch (failure) {
			error ??= failure;
		}
		this.#lastMs = atMs;
		this.state = {
			health: error === null ? 'up' : 'down',
			lastError: error === null ? '' : errorText(error),
			lastScrapeMs: atMs,
			lastDurationSeconds: durationSeconds,
		};
		metrics.scrapes.inc({ scrape_job: job, outcome: error === null ? 'success' : 'failure' });
		metrics.seconds.observe((clock.monotonic() - started) / 1000);
		return this.#write();
	}

	/** A full disk is reported once, not at every scrape. */
	async #write(): Promise<void> {
		const { batch, store, metrics, log, job } = this.#options;
		const { count } = batch;
		if (count === 0) return;
		try {
			await store.write(batch, count);
			metrics.samples.inc(count);
			this.#writeFailed = false;
		} catch (error) {
			metrics.writeFailures.inc();
			if (!this.#writeFailed) {
				log.warn({ job, instance: this.target.url, error: errorText(error) }, 'the store does not take the samples of a target');
			}
			this.#writeFailed = true;
		}
	}
}

const NOTHING = { scraped: 0, kept: 0, added: 0 };

/** Where in its interval a target is scraped: by its labels and address, so that targets spread and a restart does not move them. */
export function slotOffset(key: string, intervalMs: number): number {
	const digest = createHash('sha256').update(key).digest();
	return Number(digest.readBigUInt64BE(0) % BigInt(intervalMs));
}

/** The first slot after `nowMs`. */
export function slotAfter(nowMs: number, intervalMs: number, offsetMs: number): number {
	return (Math.floor((nowMs - offsetMs) / intervalMs) + 1) * intervalMs + offsetMs;
}
