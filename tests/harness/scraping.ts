import { Registry } from 'prom-client';
import { checkScrapeConfig } from '../../collector/scrape/check-config.ts';
import { type ScrapeConfig, ScrapeConfigSchema } from '../../collector/scrape/config.ts';
import { createScrapeManager, type ScrapeManager } from '../../collector/scrape/scraping.ts';
import { isStaleAt, type Matcher } from '../../collector/storage/storage.ts';
import type { Store } from '../../collector/tsdb/store.ts';
import type { StoreOptions } from '../../collector/tsdb/store-options.ts';
import { systemClock } from '../../core/clock.ts';
import { configOrThrow, parseConfig } from '../../core/config-file.ts';
import { httpExchange } from '../../core/http-client.ts';
import { labelsToObject } from '../../core/labels.ts';
import { silentLogger } from '../../core/log.ts';
import { resolveSecret } from '../../core/secret.ts';
import { temporaryFolder } from './process.ts';
import { openTestStore } from './store/open-test-store.ts';

export interface StoredSeries {
	readonly name: string;
	readonly labels: Readonly<Record<string, string>>;
	readonly timestamps: readonly number[];
	/** `'stale'` in the place of a stale marker. */
	readonly values: readonly (number | 'stale')[];
}

export interface ScrapingBench {
	readonly store: Store;
	readonly scraping: ScrapeManager;
	readonly metrics: Registry;
	/** The folder where `file_sd_configs` look. */
	readonly folder: string;
	/** Everything stored of a metric, in the order of its labels. */
	series(metric: string): Promise<readonly StoredSeries[]>;
	/** The value of a metric that has one series with these labels, at its newest sample. */
	last(metric: string, labels?: Readonly<Record<string, string>>): Promise<number | 'stale' | undefined>;
	reload(yaml: string): Promise<void>;
	stop(): Promise<void>;
}

const PATIENCE_MS = 60_000;

export function scrapeConfig(yaml: string): ScrapeConfig {
	return configOrThrow(parseConfig(yaml, { file: 'scrape.yml', schema: ScrapeConfigSchema, check: checkScrapeConfig }));
}

/** Scrapes for real into a real store in a temporary folder; it is started already. `prepare` may put files into the folder first. */
export async function startScraping(
	yaml: string,
	options: {
		readonly env?: Readonly<Record<string, string>>;
		readonly store?: Partial<StoreOptions>;
		readonly prepare?: (folder: string) => void;
		/** URLs of targets that are meant to take too long. All others get a minute, whatever their interval: a busy machine is no slow target. */
		readonly timesOut?: RegExp;
	} = {},
): Promise<ScrapingBench> {
	const folder = temporaryFolder('scrape');
	options.prepare?.(folder.path);
	const store = await openTestStore(folder.path, options.store ?? {});
	const metrics = new Registry();
	const scraping = createScrapeManager({
		config: scrapeConfig(yaml),
		store,
		http: (url, request) =>
			httpExchange(url, options.timesOut?.test(url) ? request : { ...request, timeoutMs: Math.max(request.timeoutMs, PATIENCE_MS) }),
		secrets: (ref) => resolveSecret(ref, options.env ?? {}),
		clock: systemClock,
		log: silentLogger,
		metrics,
		folder: folder.path,
	});
	await scraping.start();
	const series = async (metric: string) => {
		const matcher: Matcher = { name: '__name__', kind: '=', value: metric, test: (value) => value === metric, literals: [metric] };
		return (await store.select([matcher], 0, Date.now() + 60_000)).map(({ labels, timestamps, values }) => {
			const { __name__: name = '', ...rest } = labelsToObject(labels);
			const shown = Array.from(values, (value, i) => (isStaleAt(values, i) ? ('stale' as const) : value));
			return { name, labels: rest, timestamps: [...timestamps], values: shown };
		});
	};
	return {
		store,
		scraping,
		metrics,
		folder: folder.path,
		series,
		last: async (metric, labels = {}) => {
			const found = (await series(metric)).filter((one) => Object.entries(labels).every(([name, value]) => one.labels[name] === value));
			if (found.length > 1) throw new Error(`${metric} has ${found.length} series`);
			return found[0]?.values.at(-1);
		},
		reload: async (next) => scraping.prepare(scrapeConfig(next))(),
		stop: async () => {
			await scraping.stop();
			await store.stop();
			folder.remove();
		},
	};
}
