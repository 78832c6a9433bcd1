import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** What scraping says of itself; documented in docs/metrics/scrape.md. The job is `scrape_job`, because `job` is the collector's own. */
export interface ScrapeMetrics {
	readonly targets: Gauge<'scrape_job' | 'state'>;
	readonly scrapes: Counter<'scrape_job' | 'outcome'>;
	readonly seconds: Histogram;
	readonly samples: Counter;
	readonly skipped: Counter<'reason'>;
	readonly missed: Counter<'scrape_job'>;
	readonly writeFailures: Counter;
	readonly discoveryFailures: Counter<'scrape_job'>;
}

export function createScrapeMetrics(registry: Registry): ScrapeMetrics {
	const registers = [registry];
	return {
		targets: new Gauge({
			name: 'fournines_scrape_targets_count',
			help: 'Targets of a job: active, dropped by relabelling, or invalid.',
			labelNames: ['scrape_job', 'state'],
			registers,
		}),
		scrapes: new Counter({
			name: 'fournines_scrape_scrapes_total',
			help: 'Scrapes by outcome.',
			labelNames: ['scrape_job', 'outcome'],
			registers,
		}),
		seconds: new Histogram({
			name: 'fournines_scrape_processing_seconds',
			help: 'Time from the answer of a target to its samples being handed to the store.',
			buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1],
			registers,
		}),
		samples: new Counter({ name: 'fournines_scrape_samples_total', help: 'Samples that were handed to the store.', registers }),
		skipped: new Counter({
			name: 'fournines_scrape_samples_skipped_total',
			help: 'Samples that were left out of a good scrape.',
			labelNames: ['reason'],
			registers,
		}),
		missed: new Counter({
			name: 'fournines_scrape_slots_missed_total',
			help: 'Scrapes that were left out because the one before took too long.',
			labelNames: ['scrape_job'],
			registers,
		}),
		writeFailures: new Counter({
			name: 'fournines_scrape_write_failures_total',
			help: 'Scrapes whose samples the store did not take.',
			registers,
		}),
		discoveryFailures: new Counter({
			name: 'fournines_scrape_discovery_failures_total',
			help: 'Files of targets that could not be used.',
			labelNames: ['scrape_job'],
			registers,
		}),
	};
}
