import type { Clock } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import type { AlertsMetrics } from '../metrics.ts';
import type { Notifier } from '../notify/notifier.ts';
import type { OutboxEntry, OutboxStore } from '../ports.ts';
import { ChannelWorker } from './channel-worker.ts';
import { RateLimit } from './rate-limit.ts';

export interface DeliveryOptions {
	readonly outbox: OutboxStore;
	readonly clock: Clock;
	readonly log: Logger;
	readonly metrics: AlertsMetrics;
}

const STOP_GRACE_MS = 5000;

/** The outbox's consumers, one worker per channel; channels never wait for each other. */
export class Delivery {
	readonly #options: DeliveryOptions;
	/** Survives a reload, because the robot's quota does. */
	readonly #limits = new Map<string, { readonly perMinute: number; readonly limit: RateLimit }>();
	#workers = new Map<string, ChannelWorker>();
	#pending = 0;

	constructor(options: DeliveryOptions) {
		this.#options = options;
	}

	/** Entries that are not final yet. */
	get pending(): number {
		return this.#pending;
	}

	/** Takes over the notifiers and everything that waits in the outbox, what a killed process was sending included. */
	async start(notifiers: Iterable<Notifier>, giveUpAfterMs: number): Promise<void> {
		const { outbox, clock, log, metrics } = this.#options;
		const waiting = await outbox.pending();
		this.#pending = 0;
		this.#workers = new Map();
		for (const notifier of notifiers) {
			const worker = new ChannelWorker({
				notifier,
				outbox,
				clock,
				log,
				metrics,
				giveUpAfterMs,
				limit: this.#limitOf(notifier),
				onFinal: () => {
					this.#pending--;
				},
			});
			this.#workers.set(notifier.channel, worker);
		}
		const orphans: OutboxEntry[] = [];
		for (const entry of waiting) {
			const interrupted = entry.state === 'sending';
			const resumed: OutboxEntry = interrupted ? { ...entry, state: 'queued', possiblySent: true } : entry;
			if (this.#workers.has(entry.channel)) this.enqueue([resumed]);
			else orphans.push(resumed);
		}
		if (orphans.length > 0) {
			const reason = 'the channel is no longer in the configuration';
			await outbox.giveUp(orphans, { atMs: clock.now(), code: 'channel-gone', reason });
			log.error(
				{ channels: [...new Set(orphans.map((entry) => entry.channel))], count: orphans.length },
				`notifications were given up: ${reason}`,
			);
		}
		for (const worker of this.#workers.values()) worker.start();
	}

	/** Hands over entries that are already in the outbox. */
	enqueue(entries: readonly OutboxEntry[]): void {
		for (const entry of entries) {
			const worker = this.#workers.get(entry.channel);
			if (worker === undefined) continue;
			this.#pending++;
			worker.add([entry]);
		}
	}

	async stop(graceMs = STOP_GRACE_MS): Promise<void> {
		await Promise.all([...this.#workers.values()].map((worker) => worker.stop(graceMs)));
	}

	#limitOf(notifier: Notifier): RateLimit | null {
		if (notifier.ratePerMinute === null) return null;
		const known = this.#limits.get(notifier.rateKey);
		// Two receivers may name different rates for one robot; the first one counts until the process ends or the rate changes for all.
		if (known !== undefined && known.perMinute === notifier.ratePerMinute) return known.limit;
		const limit = new RateLimit(notifier.ratePerMinute);
		this.#limits.set(notifier.rateKey, { perMinute: notifier.ratePerMinute, limit });
		return limit;
	}
}
