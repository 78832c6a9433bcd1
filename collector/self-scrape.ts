import type { Registry } from 'prom-client';
import type { Clock } from '../core/clock.ts';
import { errorText } from '../core/errors.ts';
import { labelsFromObject } from '../core/labels.ts';
import type { Logger } from '../core/log.ts';
import { COLLECTOR_BEAT_METRIC, COLLECTOR_BEAT_MS } from './availability/silence-facts.ts';
import type { Appendable } from './storage/storage.ts';

const SCRAPE_MS = 15_000;

/**
 * Writes the collector's own life into its store: a beat every five seconds, so that its outages are seen afterwards, and
 * what `/metrics` shows every fifteen, so that it can be charted and alerted on like everything else.
 */
export class SelfScrape {
	readonly #options: {
		readonly store: Appendable;
		readonly metrics: Registry;
		readonly clock: Clock;
		readonly log: Logger;
		readonly instance: string;
	};
	readonly #timers: NodeJS.Timeout[] = [];
	#failing = false;

	constructor(options: {
		readonly store: Appendable;
		readonly metrics: Registry;
		readonly clock: Clock;
		readonly log: Logger;
		readonly instance: string;
	}) {
		this.#options = options;
	}

	start(): void {
		this.#timers.push(
			setInterval(() => void this.#write(() => this.#beat()), COLLECTOR_BEAT_MS),
			setInterval(() => void this.#write(() => this.#scrape()), SCRAPE_MS),
		);
		void this.#write(() => this.#beat());
	}

	stop(): void {
		for (const timer of this.#timers) clearInterval(timer);
	}

	/** A full disk is reported once, not every five seconds. */
	async #write(work: () => Promise<void>): Promise<void> {
		try {
			await work();
			this.#failing = false;
		} catch (error) {
			if (!this.#failing) this.#options.log.warn({ error: errorText(error) }, 'the collector cannot write its own metrics');
			this.#failing = true;
		}
	}

	async #beat(): Promise<void> {
		const { store, clock, instance } = this.#options;
		const appender = store.appender();
		appender.append(labelsFromObject({ __name__: COLLECTOR_BEAT_METRIC, job: 'fournines', instance }), clock.now(), 1);
		await appender.commit();
	}

	async #scrape(): Promise<void> {
		const { store, metrics, clock, instance } = this.#options;
		const now = clock.now();
		const appender = store.appender();
		for (const metric of await metrics.getMetricsAsJSON()) {
			for (const value of metric.values) {
				const name = 'metricName' in value && typeof value.metricName === 'string' ? value.metricName : metric.name;
				const labels: Record<string, string> = { __name__: name, job: 'fournines', instance };
				for (const [key, label] of Object.entries(value.labels)) labels[key] = String(label);
				appender.append(labelsFromObject(labels), now, value.value);
			}
		}
		await appender.commit();
	}
}
