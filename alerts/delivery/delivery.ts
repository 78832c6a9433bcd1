import type { Clock } from '../../core/clock.ts';
import { AppError, errorText } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import type { AlertsMetrics } from '../metrics.ts';
import { type Channels, PERSONAL_SEPARATOR } from '../notify/channels.ts';
import type { Inbound, Notifier } from '../notify/notifier.ts';
import type { OutboxEntry, OutboxStore, ReceiptStore } from '../ports.ts';
import { ChannelWorker, type EndedAttempt } from './channel-worker.ts';
import { addressEntry, nextAddress } from './next-address.ts';
import type { DeliveryEvent, DeliveryEventKind, PersonalDelivery, PersonalRequest, ReplyPort } from './personal.ts';
import { RateLimit } from './rate-limit.ts';
import { type ReceiptChange, Receipts } from './receipts.ts';

export interface DeliveryOptions {
	readonly outbox: OutboxStore;
	readonly receipts: ReceiptStore;
	/** Highest notification number ever given. */
	readonly lastNumber: number;
	readonly clock: Clock;
	readonly log: Logger;
	readonly metrics: AlertsMetrics;
}

/** What a configuration says of delivery. */
export interface DeliveryRules {
	readonly giveUpAfterMs: number;
	readonly nextAfterMs: number;
}

const STOP_GRACE_MS = 5000;
/** Replies whose repetition is recognised. */
const REPLIES_REMEMBERED = 10_000;

/** The outbox's consumers, one worker per place; places never wait for each other. */
export class Delivery implements PersonalDelivery {
	readonly #options: DeliveryOptions;
	readonly #receipts: Receipts;
	/** By what the service counts by. They survive a reload, because its quota does. */
	readonly #limits = new Map<string, RateLimit>();
	/** The lowest of what the places of one configuration ask for. */
	#rates = new Map<string, number>();
	readonly #replies = new Set<string>();
	#channels: Channels | null = null;
	#rules: DeliveryRules = { giveUpAfterMs: 0, nextAfterMs: 0 };
	#workers = new Map<string, ChannelWorker>();
	#pending = 0;
	#number: number;
	#listener: (event: DeliveryEvent) => void | Promise<void> = () => {};
	#replyPort: ReplyPort | null = null;

	constructor(options: DeliveryOptions) {
		this.#options = options;
		this.#number = options.lastNumber;
		const { receipts: store, clock, log, metrics } = options;
		this.#receipts = new Receipts({
			store,
			clock,
			log,
			metrics,
			next: (entry) => this.#next(entry),
			onChange: (change) => this.#onReceipt(change),
		});
	}

	/** Entries that are not final yet. */
	get pending(): number {
		return this.#pending;
	}

	/** The next number that people can say on the telephone. */
	readonly nextNumber = (): number => ++this.#number;

	/** Takes over the channels and everything that waits in the outbox, what a killed process was sending included. */
	async start(channels: Channels, rules: DeliveryRules): Promise<void> {
		const { outbox, clock, log } = this.#options;
		this.#channels = channels;
		this.#rules = rules;
		const waiting = await outbox.pending();
		this.#pending = 0;
		this.#workers = new Map();
		this.#rates = new Map();
		for (const notifier of [...channels.receivers.values()].flat()) this.#addWorker(notifier);
		const orphans: OutboxEntry[] = [];
		for (const entry of waiting) {
			const interrupted = entry.state === 'sending';
			const resumed: OutboxEntry = interrupted ? { ...entry, state: 'queued', possiblySent: true } : entry;
			if (this.#workerOf(entry.channel) !== null) this.enqueue([resumed]);
			else orphans.push(resumed);
		}
		if (orphans.length > 0) {
			const reason = 'the channel is no longer in the configuration';
			const next = orphans.flatMap((entry) => this.#next(entry) ?? []);
			const added = await outbox.giveUp(orphans, { atMs: clock.now(), code: 'channel-gone', reason, next });
			log.error(
				{ channels: [...new Set(orphans.map((entry) => entry.channel))], count: orphans.length },
				`notifications were given up: ${reason}`,
			);
			this.enqueue(added);
		}
		channels.start();
		for (const worker of this.#workers.values()) worker.start();
		this.#receipts.start();
	}

	/** Hands over entries that are already in the outbox. */
	enqueue(entries: readonly OutboxEntry[]): void {
		for (const entry of entries) {
			const worker = this.#workerOf(entry.channel);
			if (worker === null) continue;
			this.#pending++;
			worker.add([entry]);
		}
	}

	async stop(graceMs = STOP_GRACE_MS): Promise<void> {
		await this.#receipts.stop();
		await Promise.all([...this.#workers.values()].map((worker) => worker.stop(graceMs)));
		await this.#channels?.close();
	}

	async notify(request: PersonalRequest): Promise<void> {
		const { outbox, clock } = this.#options;
		const { id, person, addresses, message, incident } = request;
		const nowMs = clock.now();
		const route = { requestId: id, personId: person.id, name: person.name, addresses, step: 0 };
		const notification = { ...message, receiver: person.name, merged: 1, ...(incident === null ? {} : { incident }) };
		const entry = addressEntry(notification, route, this.#nextContext(nowMs));
		if (entry === null) {
			const named = addresses.map(({ channel }) => channel).join(', ');
			throw new AppError(
				'FN_ALERTS_CHANNEL_UNKNOWN',
				`${person.name} cannot be reached: none of "${named}" is a name in alerts.channels; add one, or correct the person's addresses`,
				{ status: 400 },
			);
		}
		const added = await outbox.addEntries([entry], nowMs);
		this.enqueue(added);
		this.#tell('queued', added, { code: '', atMs: nowMs });
	}

	onEvent(listener: (event: DeliveryEvent) => void | Promise<void>): void {
		this.#listener = listener;
	}

	onReply(port: ReplyPort): void {
		this.#replyPort = port;
	}

	channels(): readonly string[] {
		return this.#channels?.names ?? [];
	}

	/** Where channels hand over what comes back. */
	readonly inbound: Inbound = {
		receipts: (line, receipts) => this.#receipts.take(line, receipts),
		recent: (line) => this.#receipts.recent(line),
		reply: async (reply) => {
			if (this.#replyPort === null) {
				throw new AppError('FN_ALERTS_NOBODY_LISTENS', 'replies are not taken at the moment; send it again later', {
					status: 503,
					retryable: true,
				});
			}
			const known = `${reply.from.channel}\n${reply.id}`;
			if (this.#replies.has(known)) return '';
			const { text } = await this.#replyPort(reply);
			this.#options.metrics.replies.inc({ channel: reply.way });
			this.#replies.add(known);
			if (this.#replies.size > REPLIES_REMEMBERED) for (const oldest of this.#replies) return this.#forget(oldest, text);
			return text;
		},
	};

	#forget(reply: string, text: string): string {
		this.#replies.delete(reply);
		return text;
	}

	#next(entry: OutboxEntry): OutboxEntry | null {
		return nextAddress(entry, this.#nextContext(this.#options.clock.now()));
	}

	#nextContext(nowMs: number) {
		return { nowMs, nextNumber: this.nextNumber, known: (channel: string) => this.#channels?.names.includes(channel) === true };
	}

	/** A person's places come to be when somebody is to be told there. */
	#workerOf(channel: string): ChannelWorker | null {
		const known = this.#workers.get(channel);
		if (known !== undefined) return known;
		const at = channel.indexOf(PERSONAL_SEPARATOR);
		const notifier =
			at === -1 ? null : (this.#channels?.personal(channel.slice(0, at), channel.slice(at + PERSONAL_SEPARATOR.length)) ?? null);
		if (notifier === null) return null;
		const worker = this.#addWorker(notifier);
		worker.start();
		return worker;
	}

	#addWorker(notifier: Notifier): ChannelWorker {
		const { outbox, clock, log, metrics } = this.#options;
		const worker = new ChannelWorker({
			notifier,
			outbox,
			clock,
			log,
			metrics,
			...this.#rules,
			limit: this.#limitOf(notifier),
			next: (entry) => this.#next(entry),
			onFinal: () => {
				this.#pending--;
			},
			onRecorded: (ended) => this.#onRecorded(ended),
		});
		this.#workers.set(notifier.channel, worker);
		return worker;
	}

	#onRecorded({ kind, code, atMs, entries, awaited, added, exhausted }: EndedAttempt): void {
		if (awaited.length > 0) {
			this.#receipts.settle(awaited).catch((error: unknown) => {
				this.#options.log.error({ error: errorText(error) }, 'receipts that came early could not be applied; they stay on record');
			});
		}
		if (kind !== 'retry') this.#tell(kind, entries, { code, atMs });
		this.#goOn(added, exhausted, atMs);
	}

	#onReceipt({ record, entries, added, exhausted }: ReceiptChange): void {
		if (record.state !== 'awaited') this.#tell(record.state, entries, record);
		this.#goOn(added, exhausted, record.atMs);
	}

	#goOn(added: readonly OutboxEntry[], exhausted: readonly OutboxEntry[], atMs: number): void {
		const { log, metrics } = this.#options;
		this.enqueue(added);
		this.#tell('next', added, { code: '', atMs });
		metrics.nextChannel.inc(added.length);
		if (exhausted.length === 0) return;
		metrics.exhausted.inc(exhausted.length);
		log.error({ numbers: exhausted.map(({ notification }) => notification.number) }, 'a person was not reached on any channel');
		this.#tell('exhausted', exhausted, { code: '', atMs });
	}

	#tell(kind: DeliveryEventKind, entries: readonly OutboxEntry[], { code, atMs }: { readonly code: string; readonly atMs: number }): void {
		for (const { notification } of entries) {
			const { personal, incident, number } = notification;
			const address = personal?.addresses[personal.step];
			if (personal === undefined || address === undefined) continue;
			const { requestId, personId } = personal;
			const event = { kind, atMs, requestId, personId, incidentId: incident?.id ?? null, address, number, code };
			Promise.resolve(event)
				.then((told) => this.#listener(told))
				.catch((error: unknown) => this.#options.log.error({ error: errorText(error), kind }, 'the listener for deliveries failed'));
		}
	}

	#limitOf(notifier: Notifier): RateLimit | null {
		const { rateKey, ratePerMinute } = notifier;
		if (ratePerMinute === null) return null;
		const rate = Math.min(ratePerMinute, this.#rates.get(rateKey) ?? ratePerMinute);
		this.#rates.set(rateKey, rate);
		const limit = this.#limits.get(rateKey) ?? new RateLimit(rate);
		limit.allow(rate);
		this.#limits.set(rateKey, limit);
		return limit;
	}
}
