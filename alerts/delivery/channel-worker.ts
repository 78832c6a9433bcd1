import type { Clock } from '../../core/clock.ts';
import { errorText } from '../../core/errors.ts';
import { uuidv7 } from '../../core/ids.ts';
import type { Logger } from '../../core/log.ts';
import type { AlertsMetrics } from '../metrics.ts';
import { mergeNotifications } from '../notify/notification.ts';
import type { ComposedMessage, Notifier, SendResult } from '../notify/notifier.ts';
import type { AwaitedReceipt, OutboxEntry, OutboxStore } from '../ports.ts';
import { TurnLoop } from '../turn-loop.ts';
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
	/** How long a person's message may wait here as long as there is another address. */
	readonly nextAfterMs: number;
	/** The message to the next address of a person whom an entry did not reach. */
	readonly next: (entry: OutboxEntry) => OutboxEntry | null;
	/** Called when an entry needs no further attempt. */
	readonly onFinal: (entry: OutboxEntry) => void;
	/** After it is durable. */
	readonly onRecorded: (ended: EndedAttempt) => void;
}

/** What became of entries, and the messages that follow from it. */
export interface EndedAttempt {
	readonly kind: SendResult['kind'] | 'expired';
	readonly code: string;
	readonly atMs: number;
	readonly entries: readonly OutboxEntry[];
	readonly awaited: readonly AwaitedReceipt[];
	readonly added: readonly OutboxEntry[];
	/** Entries whose person has no further address. */
	readonly exhausted: readonly OutboxEntry[];
}

const DATABASE_RETRY_MS = 1000;

/** Sends one channel's part of the outbox, one exchange at a time. Every step is durable before the next begins. */
export class ChannelWorker {
	readonly #options: ChannelWorkerOptions;
	readonly #entries = new Map<string, OutboxEntry>();
	readonly #stop = new AbortController();
	readonly #steps: TurnLoop;
	/** Failed attempts in a row, of whatever entry: a channel that is down is asked once per back-off, not once per entry. */
	#failures = 0;
	#pausedUntilMs = 0;

	constructor(options: ChannelWorkerOptions) {
		const { clock, log, metrics, notifier } = options;
		this.#options = options;
		this.#steps = new TurnLoop({
			clock,
			turn: () => this.#step(),
			onError: (error) => {
				log.error({ channel: notifier.channel, error: errorText(error) }, 'the outbox cannot be read or written; trying again');
				metrics.storeErrors.inc();
			},
			retryMs: DATABASE_RETRY_MS,
		});
	}

	get waiting(): readonly OutboxEntry[] {
		return [...this.#entries.values()];
	}

	add(entries: readonly OutboxEntry[]): void {
		for (const entry of entries) this.#entries.set(entry.notification.id, entry);
		this.#steps.wake();
	}

	start(): void {
		this.#steps.start();
	}

	/** Lets an exchange in flight finish for `graceMs`, then breaks it off; its entries stay in `sending` and count as possibly sent. */
	async stop(graceMs: number): Promise<void> {
		const timer = setTimeout(() => this.#stop.abort(), graceMs);
		await this.#steps.stop();
		clearTimeout(timer);
	}

	/** One decision; answers when the next one is worth taking. */
	async #step(): Promise<number> {
		const { clock, notifier, limit } = this.#options;
		const nowMs = clock.now();
		if (this.#entries.size === 0) return Number.POSITIVE_INFINITY;
		await this.#giveUpOld(nowMs);
		const patienceMs = this.#patienceEndsMs(nowMs);
		if (nowMs < this.#pausedUntilMs) return Math.min(this.#pausedUntilMs, patienceMs);
		const { free, freeAtMs, reserved } = limit?.state(nowMs) ?? { free: Number.POSITIVE_INFINITY, freeAtMs: nowMs, reserved: 0 };
		const next = pickNext([...this.#entries.values()], { nowMs, free, freeAtMs, reserved, digests: notifier.digests });
		if (next.kind === 'wait') return Math.min(next.untilMs ?? Number.POSITIVE_INFINITY, patienceMs);
		// At once: other places may share the limit, and ask while this one composes.
		limit?.take(nowMs);
		await this.#attempt(next.entries, nowMs);
		return clock.now();
	}

	async #attempt(entries: readonly OutboxEntry[], nowMs: number): Promise<void> {
		const { clock, notifier, outbox, metrics, log } = this.#options;
		const possibleDuplicate = entries.some((entry) => entry.possiblySent);
		const notification = mergeNotifications(entries.map((entry) => entry.notification));
		const message: ComposedMessage = await notifier.compose(notification, { possibleDuplicate });
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
		const turns = result.kind === 'refused' ? this.#turnsOf(after) : [];
		const awaited = result.kind === 'sent' ? this.#awaited(id, result, endedAtMs) : [];
		const next = turns.flatMap((turn) => turn.next ?? []);
		const end = { id, endedAtMs, outcome: result.kind, code: result.code, reason, entries: after, awaited, next };
		const added = await this.#recordEnd(end);
		if (added === null) return;
		this.#options.onRecorded({
			kind: result.kind,
			code: result.code,
			atMs: endedAtMs,
			entries: after,
			awaited,
			added,
			exhausted: exhausted(turns),
		});
	}

	/** For the entries that are a person's: who is next. */
	#turnsOf(entries: readonly OutboxEntry[]): readonly PersonalTurn[] {
		return entries
			.filter(({ notification }) => notification.personal !== undefined)
			.map((entry) => ({ entry, next: this.#options.next(entry) }));
	}

	#awaited(attemptId: string, result: Extract<SendResult, { kind: 'sent' }>, nowMs: number): AwaitedReceipt[] {
		const { notifier } = this.#options;
		const dueAtMs = notifier.receiptTimeoutMs === null ? null : nowMs + notifier.receiptTimeoutMs;
		return (result.receipts ?? []).map(({ key, to }) => ({ id: uuidv7(nowMs), attemptId, line: notifier.line, key, to, dueAtMs }));
	}

	/** The record of an attempt is repeated until it is kept: without it a restart would send the message again. */
	async #recordEnd(end: Parameters<OutboxStore['endAttempt']>[0]): Promise<readonly OutboxEntry[] | null> {
		const { outbox, clock, log, notifier, metrics } = this.#options;
		for (;;) {
			try {
				return await outbox.endAttempt(end);
			} catch (error) {
				metrics.storeErrors.inc();
				log.error({ channel: notifier.channel, error: errorText(error) }, 'the end of an attempt cannot be recorded; trying again');
				if (this.#steps.stopping) return null;
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

	/** When the next person's message has waited here for as long as it may. */
	#patienceEndsMs(nowMs: number): number {
		let endsMs = Number.POSITIVE_INFINITY;
		for (const { notification } of this.#entries.values()) {
			const atMs = notification.createdAtMs + this.#options.nextAfterMs;
			if (notification.personal !== undefined && atMs > nowMs) endsMs = Math.min(endsMs, atMs);
		}
		return endsMs;
	}

	async #giveUpOld(nowMs: number): Promise<void> {
		const { outbox, giveUpAfterMs, nextAfterMs, log, notifier, metrics } = this.#options;
		const ageOf = (entry: OutboxEntry) => nowMs - entry.notification.createdAtMs;
		// A limit of the day is no reason to let the person wait for it.
		const farOff = (entry: OutboxEntry) => Math.max(entry.nextAttemptAtMs, this.#pausedUntilMs) - nowMs > nextAfterMs;
		const impatient = this.#turnsOf(
			[...this.#entries.values()].filter((entry) => ageOf(entry) >= Math.min(nextAfterMs, giveUpAfterMs) || farOff(entry)),
		);
		const turns = impatient.filter(({ entry, next }) => next !== null || ageOf(entry) >= giveUpAfterMs);
		const turned = new Set(turns.map(({ entry }) => entry.notification.id));
		const old = [...this.#entries.values()].filter((entry) => turned.has(entry.notification.id) || ageOf(entry) >= giveUpAfterMs);
		if (old.length === 0) return;
		const reason =
			turned.size > 0 ? 'not delivered in time; the next channel has its turn' : `not delivered within ${giveUpAfterMs / 1000} s`;
		const next = turns.flatMap((turn) => turn.next ?? []);
		const added = await outbox.giveUp(old, { atMs: nowMs, code: 'expired', reason, next });
		for (const entry of old) {
			this.#entries.delete(entry.notification.id);
			this.#options.onFinal({ ...entry, state: 'expired' });
		}
		// Who is told by another channel has not lost the message.
		metrics.attempts.inc({ channel: notifier.type, outcome: 'next' }, next.length);
		metrics.attempts.inc({ channel: notifier.type, outcome: 'expired' }, old.length - next.length);
		log.error({ channel: notifier.channel, numbers: old.map((entry) => entry.notification.number) }, 'notifications were given up');
		this.#options.onRecorded({
			kind: 'expired',
			code: 'expired',
			atMs: nowMs,
			entries: old,
			awaited: [],
			added,
			exhausted: exhausted(turns),
		});
	}
}

interface PersonalTurn {
	readonly entry: OutboxEntry;
	readonly next: OutboxEntry | null;
}

function exhausted(turns: readonly PersonalTurn[]): readonly OutboxEntry[] {
	return turns.filter((turn) => turn.next === null).map(({ entry }) => entry);
}
