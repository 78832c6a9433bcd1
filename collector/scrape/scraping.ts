import { hostname } from 'node:os';
import type { Registry } from 'prom-client';
import type { Clock } from '../../core/clock.ts';
import { labelsToObject } from '../../core/labels.ts';
import type { Logger } from '../../core/log.ts';
import type { Secret, SecretRef } from '../../core/secret.ts';
import { ExpositionParser } from '../../protocol/exposition/parse.ts';
import type { ColumnIngest } from '../storage/column-ingest.ts';
import type { ScrapeConfig } from './config.ts';
import type { HttpExchange } from './fetch-target.ts';
import { SampleBatch } from './sample-batch.ts';
import { createScrapeMetrics } from './scrape-metrics.ts';
import { ScrapePool, type ScrapePoolServices } from './scrape-pool.ts';
import type { TargetLoop } from './target-loop.ts';

export interface ScrapeManagerOptions {
	readonly config: ScrapeConfig;
	readonly store: ColumnIngest;
	readonly http: HttpExchange;
	readonly secrets: (ref: SecretRef) => Secret;
	readonly clock: Clock;
	readonly log: Logger;
	readonly metrics: Registry;
	/** Where relative paths of `file_sd_configs` start: the configuration file's folder. */
	readonly folder: string;
}

export interface ScrapeManager {
	start(): Promise<void>;
	/** Ends scraping. Series are left as they are, as Prometheus does: the collector is gone, not the targets. */
	stop(): Promise<void>;
	/**
	 * Throws when the configuration names something that cannot be read; otherwise it is in force when what is returned was called. Jobs
	 * that did not change go on undisturbed.
	 */
	prepare(config: ScrapeConfig): () => Promise<void>;
	/** What `/api/v1/targets` answers. */
	targets(): TargetsAnswer;
}

/** https://prometheus.io/docs/prometheus/latest/querying/api/#targets */
export interface TargetsAnswer {
	readonly activeTargets: readonly ActiveTarget[];
	readonly droppedTargets: readonly { readonly discoveredLabels: Readonly<Record<string, string>> }[];
	/** By job, also those that are too many to be listed. */
	readonly droppedTargetCounts: Readonly<Record<string, number>>;
}

export interface ActiveTarget {
	readonly discoveredLabels: Readonly<Record<string, string>>;
	readonly labels: Readonly<Record<string, string>>;
	readonly scrapePool: string;
	readonly scrapeUrl: string;
	readonly globalUrl: string;
	readonly lastError: string;
	readonly lastScrape: string;
	readonly lastScrapeDuration: number;
	readonly health: 'up' | 'down' | 'unknown';
	readonly scrapeInterval: string;
	readonly scrapeTimeout: string;
}

/** Prometheus prints Go's zero time for a target that was never scraped. */
const NEVER = '0001-01-01T00:00:00Z';

/** Pulls from exporters as Prometheus' scrape manager does. Throws when the configuration names something that cannot be read. */
export function createScrapeManager(options: ScrapeManagerOptions): ScrapeManager {
	const services: ScrapePoolServices = {
		store: options.store,
		http: options.http,
		secrets: options.secrets,
		clock: options.clock,
		log: options.log,
		folder: options.folder,
		parser: new ExpositionParser(),
		batch: new SampleBatch(),
		metrics: createScrapeMetrics(options.metrics),
	};
	let config = options.config;
	let pools = createPools(config, new Map(), config, services);
	let running = false;
	/** Start, reload and stop one after the other. */
	let turn: Promise<void> = Promise.resolve();
	const inTurn = (work: () => Promise<void>): Promise<void> => {
		const result = turn.then(work);
		turn = result.catch(() => {});
		return result;
	};

	const use = async (next: ScrapeConfig, after: ReadonlyMap<string, ScrapePool>): Promise<void> => {
		const before = pools;
		config = next;
		pools = after;
		if (!running) return;
		for (const [name, pool] of before) if (!after.has(name)) await pool.stop({ stale: true });
		for (const [name, pool] of after) {
			const old = before.get(name);
			if (old === pool) continue;
			await pool.start(old === undefined ? new Map() : await old.stop({ stale: false }));
		}
	};

	return {
		start: () =>
			inTurn(async () => {
				if (running) return;
				running = true;
				await Promise.all([...pools.values()].map((pool) => pool.start()));
			}),
		stop: () =>
			inTurn(async () => {
				if (!running) return;
				running = false;
				await Promise.all([...pools.values()].map((pool) => pool.stop({ stale: false })));
			}),
		prepare: (next) => {
			const after = createPools(next, pools, config, services);
			return () => inTurn(() => use(next, after));
		},
		targets: () => targetsAnswer(pools),
	};
}

/** Pools of unchanged jobs are kept. */
function createPools(
	config: ScrapeConfig,
	before: ReadonlyMap<string, ScrapePool>,
	configBefore: ScrapeConfig,
	services: ScrapePoolServices,
): ReadonlyMap<string, ScrapePool> {
	const pools = new Map<string, ScrapePool>();
	const sameGlobal = config.scrape_interval === configBefore.scrape_interval && config.scrape_timeout === configBefore.scrape_timeout;
	for (const job of config.scrape_configs) {
		const old = before.get(job.job_name);
		const same = old !== undefined && sameGlobal && JSON.stringify(old.job) === JSON.stringify(job);
		pools.set(job.job_name, same ? old : new ScrapePool(job, config, services));
	}
	return pools;
}

function targetsAnswer(pools: ReadonlyMap<string, ScrapePool>): TargetsAnswer {
	const activeTargets: ActiveTarget[] = [];
	const droppedTargets: { discoveredLabels: Readonly<Record<string, string>> }[] = [];
	const droppedTargetCounts: Record<string, number> = {};
	for (const [name, pool] of pools) {
		for (const loop of pool.loops) activeTargets.push(activeTarget(name, loop));
		for (const labels of pool.dropped.shown) droppedTargets.push({ discoveredLabels: labelsToObject(labels) });
		droppedTargetCounts[name] = pool.dropped.count;
	}
	return { activeTargets, droppedTargets, droppedTargetCounts };
}

function activeTarget(pool: string, { target, state }: TargetLoop): ActiveTarget {
	return {
		discoveredLabels: labelsToObject(target.discoveredLabels),
		labels: labelsToObject(target.labels),
		scrapePool: pool,
		scrapeUrl: target.url,
		globalUrl: globalUrl(target.url),
		lastError: state.lastError,
		lastScrape: state.lastScrapeMs === null ? NEVER : new Date(state.lastScrapeMs).toISOString(),
		lastScrapeDuration: state.lastDurationSeconds,
		health: state.health,
		scrapeInterval: target.interval,
		scrapeTimeout: target.timeout,
	};
}

/** A loopback address means nothing to whoever reads it elsewhere. */
function globalUrl(url: string): string {
	return url.replace(/^(https?:\/\/)(?:localhost|127\.0\.0\.1|\[::1\])(?=[:/?]|$)/, (_, scheme: string) => scheme + hostname());
}
