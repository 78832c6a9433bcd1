import type { Clock } from '../../core/clock.ts';
import { errorText } from '../../core/errors.ts';
import { uuidv7 } from '../../core/ids.ts';
import type { Logger } from '../../core/log.ts';
import type { AlertsMetrics } from '../metrics.ts';
import { mergeNotifications } from '../notify/notification.ts';
import type { Notifier, SendResult } from '../notify/notifier.ts';
import type { OutboxEntry, OutboxStore } from '../ports.ts';
import { backoffMs } from './backoff.ts';
import { pickNext } from './pick.ts';
import type { RateLimit } from './rate-limit.ts';

export interface ChannelWorkerOptions {
	readonly notifier: Notifier;
	readonly outbox: OutboxStore;
	readonly limit: RateLimit | null;
	readonly clock: Clock;
	readonly log: Logger;
	readonly metrics: AlertsMetrics;
	readonly giveUpAfterMs: number;
	/** Called when an entry needs no further attempt. */
	readonly onFinal: (entry: OutboxEntry) => void;
}

/** Longest sleep without a reason, so that a clock that was set back cannot stop a channel. */
const LONGEST_SLEEP_MS = 60_000;
const DATABASE_RETRY_MS = 1000;

/** Sends one channel's part of the outbox, one exchange at a time. Every step is durable before the next begins. */
export class ChannelWorker {
	readonly #options: ChannelWorkerOptions;
	readonly #entries = new Map<string, OutboxEntry>();
	#stop = new AbortController();
	#wake = new AbortController();
	#running: Promise<void> | null = null;
	/** Failed attempts in a row, of whatever entry: a channel that is down is asked once per back-off, not once per entry. */
	#failures = 0;
	#pausedUntilMs = 0;

	constructor(options: ChannelWorkerOptions) {
		this.#options = options;
	}

	get waiting(): readonly OutboxEntry[] {
		return [...this.#entries.values()];
	}

	add(entries: readonly OutboxEntry[]): void {
		for (const entry of entries) this.#entries.set(entry.notification.id, entry);
		this.#wake.abort();
	}

	start(): void {
		this.#running ??= this.#run();
	}

	/** Lets an exchange in flight finish for `graceMs`, then breaks it off; its entries stay in `sending` and count as possibly sent. */
	async stop(graceMs: number): Promise<void> {
		this.#stopping = true;
		this.#wake.abort();
		const timer = setTimeout(() => this.#stop.abort(), graceMs);
		await this.#running;
		clearTimeout(timer);
	}

	#stopping = false;

	async #run(): Promise<void> {
		const { clock, log, notifier } = this.#options;
		while (!this.#stopping) {
			this.#wake = new AbortController();
			let untilMs: number | null;
			try {
				untilMs = await this.#step();
			} catch (error) {
				log.error({ channel: notifier.channel, error: errorText(error) }, 'the outbox cannot be read or written; trying again');
				this.#options.metrics.storeErrors.inc();
				untilMs = clock.now() + DATABASE_RETRY_MS;
			}
			if (this.#stopping) break;
			const sleepMs = untilMs === null ? LONGEST_SLEEP_MS : Math.min(LONGEST_SLEEP_MS, untilMs - clock.now());
			if (sleepMs > 0) await clock.sleep(sleepMs, this.#wake.signal);
		}
	}

	/** One decision; answers when the next one is worth taking. */
	async #step(): Promise<number | null> {
		const { clock, notifier, limit } = this.#options;
		const nowMs = clock.now();
		if (this.#entries.size === 0) return null;
		await this.#giveUpOld(nowMs);
		if (nowMs < this.#pausedUntilMs) return this.#pausedUntilMs;
		const { free, freeAtMs, reserved } = limit?.state(nowMs) ?? { free: Number.POSITIVE_INFINITY, freeAtMs: nowMs, reserved: 0 };
		const next = pickNext([...this.#entries.values()], { nowMs, free, freeAtMs, reserved, digests: notifier.digests });
		if (next.kind === 'wait') return next.untilMs;
		await this.#attempt(next.entries, nowMs);
		return clock.now();
	}

	async #attempt(entries: readonly OutboxEntry[], nowMs: number): Promise<void> {
		const { clock, notifier, outbox, limit, metrics, log } = this.#options;
		const possibleDuplicate = entries.some((entry) => entry.possiblySent);
		const notification = mergeNotifications(entries.map((entry) => entry.notification));
		const message = notifier.compose(notification, { possibleDuplicate });
		const id = uuidv7(nowMs);
		const notificationIds = entries.map((entry) => entry.notification.id);
		await outbox.beginAttempt({
			id,
			channel: notifier.channel,
			startedAtMs: nowMs,
			text: message.text,
			possibleDuplicate,
			notificationIds,
		});
		limit?.take(nowMs);
		let result: SendResult;
		try {
			result = await message.send(this.#stop.signal);
		} catch (error) {
			// A notifier answers with a result; an exception is a defect of ours, and the message may be out.
			result = { kind: 'retry', code: 'exception', reason: errorText(error), possiblySent: true };
		}
		if (this.#stop.signal.aborted && result.kind === 'retry') return;
		const endedAtMs = clock.now();
		const after = this.#after(entries, result, endedAtMs);
		const reason = result.kind === 'sent' ? '' : result.reason;
		// In memory first: if the record fails, the channel must not send again what the service has taken.
		for (const entry of after) {
			if (entry.state === 'queued') this.#entries.set(entry.notification.id, entry);
			else this.#entries.delete(entry.notification.id);
		}
		for (const entry of after) if (entry.state !== 'queued') this.#options.onFinal(entry);
		metrics.attempts.inc({ channel: notifier.type, outcome: result.kind });
		if (result.kind === 'sent') metrics.delay.observe({ channel: notifier.type }, (endedAtMs - notification.createdAtMs) / 1000);
		const fields = { channel: notifier.channel, numbers: entries.map((entry) => entry.notification.number), code: result.code, reason };
		if (result.kind === 'refused') log.error(fields, 'a notification was refused for good');
		else if (result.kind === 'retry') log.warn(fields, 'a notification could not be delivered; trying again');
		else log.info(fields, 'notification delivered');
		await this.#recordEnd({ id, endedAtMs, outcome: result.kind, code: result.code, reason, entries: after });
	}

	/** The record of an attempt is repeated until it is kept: without it a restart would send the message again. */
	async #recordEnd(end: Parameters<OutboxStore['endAttempt']>[0]): Promise<void> {
		const { outbox, clock, log, notifier, metrics } = this.#options;
		for (;;) {
			try {
				await outbox.endAttempt(end);
				return;
			} catch (error) {
				metrics.storeErrors.inc();
				log.error({ channel: notifier.channel, error: errorText(error) }, 'the end of an attempt cannot be recorded; trying again');
				if (this.#stopping) return;
				await clock.sleep(DATABASE_RETRY_MS, this.#stop.signal);
			}
		}
	}

	#after(entries: readonly OutboxEntry[], result: SendResult, nowMs: number): OutboxEntry[] {
		if (result.kind !== 'retry') {
			this.#failures = 0;
			return entries.map((entry) => ({ ...entry, state: result.kind, attempts: entry.attempts + 1 }));
		}
		this.#failures++;
		// A digest may be what the service dislikes, and one bad entry must not hold up the others: the channel pauses for
		// its own failures, each entry for its attempts.
		const pauseMs = result.afterMs ?? backoffMs(this.#failures);
		this.#pausedUntilMs = nowMs + pauseMs;
		return entries.map((entry) => ({
			...entry,
			state: 'queued',
			possiblySent: entry.possiblySent || result.possiblySent,
			attempts: entry.attempts + 1,
			nextAttemptAtMs: nowMs + Math.max(pauseMs, result.afterMs === undefined ? backoffMs(entry.attempts + 1) : 0),
		}));
	}

	async #giveUpOld(nowMs: number): Promise<void> {
		const { outbox, giveUpAfterMs, log, notifier, metrics } = this.#options;
		const old = [...this.#entries.values()].filter((entry) => nowMs - entry.notification.createdAtMs >= giveUpAfterMs);
		if (old.length === 0) return;
		const reason = `not delivered within ${giveUpAfterMs / 1000} s`;
		await outbox.giveUp(old, { atMs: nowMs, code: 'expired', reason });
		for (const entry of old) {
			this.#entries.delete(entry.notification.id);
			this.#options.onFinal({ ...entry, state: 'expired' });
		}
		metrics.attempts.inc({ channel: notifier.type, outcome: 'expired' }, old.length);
		log.error({ channel: notifier.channel, numbers: old.map((entry) => entry.notification.number) }, 'notifications were given up');
	}
}
