import type { Clock } from '../../core/clock.ts';
import { AppError } from '../../core/errors.ts';
import { labelValue } from '../../core/labels.ts';
import type { Logger } from '../../core/log.ts';
import type { ExpositionParser } from '../../protocol/exposition/parse.ts';
import type { Labels } from '../../protocol/labels.ts';
import type { ColumnIngest } from '../storage/column-ingest.ts';
import type { ScrapeConfig, ScrapeJobConfig } from './config.ts';
import { FileDiscovery } from './discovery/file-discovery.ts';
import { discoveredTargets } from './discovery/static-discovery.ts';
import { type FetchServices, TargetFetcher } from './fetch-target.ts';
import { compileRelabelling, type RelabelStep } from './relabel.ts';
import type { SampleBatch } from './sample-batch.ts';
import type { ScrapeMetrics } from './scrape-metrics.ts';
import { buildTarget, type Target } from './target.ts';
import { TargetLoop } from './target-loop.ts';
import { TargetSeries } from './target-series.ts';

export interface ScrapePoolServices extends FetchServices {
	readonly store: ColumnIngest;
	readonly parser: ExpositionParser;
	readonly batch: SampleBatch;
	readonly clock: Clock;
	readonly log: Logger;
	readonly metrics: ScrapeMetrics;
	/** Where relative paths of `file_sd_configs` start. */
	readonly folder: string;
}

/** Dropped targets that are remembered to be shown. */
const SHOWN_DROPPED = 1000;

/** The targets of one job. */
export class ScrapePool {
	readonly job: ScrapeJobConfig;
	readonly #global: ScrapeConfig;
	readonly #services: ScrapePoolServices;
	readonly #fetcher: TargetFetcher;
	readonly #targetSteps: readonly RelabelStep[];
	readonly #metricSteps: readonly RelabelStep[];
	readonly #files: FileDiscovery;
	readonly #loops = new Map<string, TargetLoop>();
	/** Series of targets that an earlier configuration of the job scraped. */
	#inherited: ReadonlyMap<string, TargetLoop> = new Map();
	#fromFiles: readonly Record<string, string>[] = [];
	#dropped: readonly Labels[] = [];
	#droppedCount = 0;
	#complained = new Set<string>();
	/** Targets that are being stopped; whoever stops the pool waits for them. */
	#stopping: Promise<void> = Promise.resolve();

	/** Starts nothing. Throws when something that the job names cannot be read. */
	constructor(job: ScrapeJobConfig, global: ScrapeConfig, services: ScrapePoolServices) {
		this.job = job;
		this.#global = global;
		this.#services = services;
		this.#fetcher = new TargetFetcher(job, services);
		this.#targetSteps = compileRelabelling(job.relabel_configs);
		this.#metricSteps = compileRelabelling(job.metric_relabel_configs);
		this.#files = new FileDiscovery(job.file_sd_configs, {
			folder: services.folder,
			log: services.log.child({ job: job.job_name }),
			onFailure: () => services.metrics.discoveryFailures.inc({ scrape_job: job.job_name }),
			onChange: (targets) => {
				this.#fromFiles = targets;
				this.#sync();
			},
			now: () => services.clock.now(),
		});
	}

	get loops(): Iterable<TargetLoop> {
		return this.#loops.values();
	}

	get dropped(): { readonly shown: readonly Labels[]; readonly count: number } {
		return { shown: this.#dropped, count: this.#droppedCount };
	}

	/** Begins to scrape; `predecessors` are the stopped loops that an earlier configuration of this job has left. */
	async start(predecessors: ReadonlyMap<string, TargetLoop> = new Map()): Promise<void> {
		this.#inherited = predecessors;
		if (this.job.file_sd_configs.length > 0) await this.#files.start();
		this.#sync();
		this.#inherited = new Map();
		const gone = [...predecessors].filter(([key]) => !this.#loops.has(key)).map(([, loop]) => loop.stop({ stale: true }));
		await Promise.all(gone);
	}

	/** Ends all scrapes. With `stale` all series end now; without, the loops are handed to a successor. */
	async stop(options: { readonly stale: boolean }): Promise<ReadonlyMap<string, TargetLoop>> {
		await this.#files.stop();
		await Promise.all([...this.#loops.values()].map((loop) => loop.stop(options)));
		await this.#stopping;
		for (const state of ['active', 'dropped', 'invalid']) this.#services.metrics.targets.remove({ scrape_job: this.job.job_name, state });
		return this.#loops;
	}

	#sync(): void {
		const { log, metrics } = this.#services;
		const { job } = this;
		const wanted = new Map<string, Target>();
		const dropped: Labels[] = [];
		let droppedCount = 0;
		const complaints = new Set<string>();
		let invalid = 0;
		for (const discovered of [...discoveredTargets(job.static_configs), ...this.#fromFiles]) {
			const verdict = buildTarget(discovered, { job, global: this.#global, steps: this.#targetSteps });
			if (verdict.kind === 'target') wanted.set(verdict.target.key, verdict.target);
			else if (verdict.kind === 'dropped') {
				droppedCount++;
				if (dropped.length < SHOWN_DROPPED) dropped.push(verdict.discoveredLabels);
			} else {
				invalid++;
				const complaint = `${labelValue(verdict.discoveredLabels, '__address__')} ${verdict.reason}`;
				complaints.add(complaint);
				if (!this.#complained.has(complaint)) log.warn({ job: job.job_name, reason: verdict.reason }, 'a target cannot be scraped');
			}
		}
		this.#complained = complaints;
		this.#dropped = dropped;
		this.#droppedCount = droppedCount;
		for (const [key, loop] of this.#loops) {
			if (wanted.has(key)) continue;
			this.#loops.delete(key);
			this.#stopping = Promise.all([this.#stopping, loop.stop({ stale: true })]).then(() => {});
		}
		for (const [key, target] of wanted) if (!this.#loops.has(key)) this.#add(target);
		const tooMany =
			job.target_limit > 0 && wanted.size > job.target_limit
				? new AppError('FN_SCRAPE_TARGET_LIMIT', `job ${job.job_name} has ${wanted.size} targets; target_limit is ${job.target_limit}`)
				: null;
		for (const loop of this.#loops.values()) loop.forcedError = tooMany;
		metrics.targets.set({ scrape_job: job.job_name, state: 'active' }, wanted.size);
		metrics.targets.set({ scrape_job: job.job_name, state: 'dropped' }, droppedCount);
		metrics.targets.set({ scrape_job: job.job_name, state: 'invalid' }, invalid);
	}

	#add(target: Target): void {
		const { store, parser, batch, clock, log, metrics } = this.#services;
		const { job } = this;
		const series = new TargetSeries(
			{
				store,
				parser,
				rules: {
					targetLabels: target.labels,
					honorLabels: job.honor_labels,
					steps: this.#metricSteps,
					labelLimit: job.label_limit,
					nameLengthLimit: job.label_name_length_limit,
					valueLengthLimit: job.label_value_length_limit,
				},
				honorTimestamps: job.honor_timestamps,
				sampleLimit: job.sample_limit,
				onSkipped: (reason) => metrics.skipped.inc({ reason }),
			},
			batch,
		);
		const predecessor = this.#inherited.get(target.key);
		if (predecessor !== undefined) series.inherit(predecessor.series);
		const loop = new TargetLoop(target, { job: job.job_name, fetcher: this.#fetcher, series, batch, store, clock, log, metrics });
		this.#loops.set(target.key, loop);
		loop.start();
	}
}
