import type { Clock } from '../../core/clock.ts';
import { errorText } from '../../core/errors.ts';
import { uuidv7, uuidv7Ms } from '../../core/ids.ts';
import type { Logger } from '../../core/log.ts';
import type { AlertsMetrics } from '../metrics.ts';
import type { Receipt, RecentMessage } from '../notify/notifier.ts';
import type { AwaitedReceipt, OutboxEntry, ReceiptRecord, ReceiptState, ReceiptStore } from '../ports.ts';
import { SerialQueue } from '../serial-queue.ts';
import { TurnLoop } from '../turn-loop.ts';

export interface ReceiptsOptions {
	readonly store: ReceiptStore;
	readonly clock: Clock;
	readonly log: Logger;
	readonly metrics: AlertsMetrics;
	/** The message to the next address of a person whom an entry did not reach. */
	readonly next: (entry: OutboxEntry) => OutboxEntry | null;
	/** After it is durable: the new word on entries, and the messages that follow from it. */
	readonly onChange: (change: ReceiptChange) => void;
}

export interface ReceiptChange {
	readonly record: ReceiptRecord;
	readonly entries: readonly OutboxEntry[];
	readonly added: readonly OutboxEntry[];
	/** Entries whose person has no further address. */
	readonly exhausted: readonly OutboxEntry[];
}

const MAX_WAITING = 1000;
const DUE_AT_ONCE = 100;
const RECENT_MS = 3_600_000;
const MOST_RECENT = 1000;
const RETRY_MS = 1000;

/**
 * Receipts as they come: late, twice, out of order, and before the message that they speak of was recorded. A word that it
 * did not arrive, or no word in time, sends the person's next message in the same transaction.
 */
export class Receipts {
	readonly #options: ReceiptsOptions;
	readonly #serial = new SerialQueue(MAX_WAITING);
	readonly #missing: TurnLoop;

	constructor(options: ReceiptsOptions) {
		const { clock, log, metrics } = options;
		this.#options = options;
		this.#missing = new TurnLoop({
			clock,
			turn: () => this.#missDue(),
			onError: (error) => {
				metrics.storeErrors.inc();
				log.error({ error: errorText(error) }, 'receipts cannot be read or written; trying again');
			},
			retryMs: RETRY_MS,
		});
	}

	start(): void {
		this.#missing.start();
	}

	stop(): Promise<void> {
		return this.#missing.stop();
	}

	/** Resolves once they are recorded. Throws `FN_ALERTS_BUSY`; whoever sent them repeats. */
	take(line: string, receipts: readonly Receipt[]): Promise<void> {
		return this.#serial.run(async () => {
			const known = Map.groupBy(
				await this.#options.store.findReceipts(line, [...new Set(receipts.map(({ key }) => key))]),
				({ key }) => key,
			);
			for (const receipt of receipts) await this.#takeOne(line, receipt, known.get(receipt.key) ?? []);
		});
	}

	/** What a line sent in the last hour, what is awaited first, so that a storm does not hide it behind what has arrived. */
	async recent(line: string): Promise<readonly RecentMessage[]> {
		const { store, clock } = this.#options;
		const records = await store.recentMessages(line, clock.now() - RECENT_MS, MOST_RECENT);
		return records.map(({ id, key, to, state }) => ({
			key,
			to,
			sentAtMs: uuidv7Ms(id),
			awaited: state === 'awaited' || state === 'missing',
		}));
	}

	/** Applies what came before the message was recorded. */
	settle(awaited: readonly AwaitedReceipt[]): Promise<void> {
		if (awaited.some(({ dueAtMs }) => dueAtMs !== null)) this.#missing.wake();
		return this.#serial.runAlways(async () => {
			for (const { line, key } of awaited) {
				const records = await this.#options.store.findReceipts(line, [key]);
				const early = records.filter(({ attemptId }) => attemptId === '');
				for (const record of early) {
					if (record.state === 'awaited' || record.state === 'missing') continue;
					const receipt = { key, to: record.to, state: record.state, code: record.code, atMs: record.atMs };
					const target = matching(records, receipt);
					if (target !== undefined) await this.#change(target, record.state, { code: record.code, atMs: record.atMs, gone: [record.id] });
				}
			}
		});
	}

	async #takeOne(line: string, receipt: Receipt, records: readonly ReceiptRecord[]): Promise<void> {
		const { store, metrics, clock } = this.#options;
		const record = matching(records, receipt);
		if (record === undefined) {
			const repeated = records.some(({ attemptId, state, to }) => attemptId === '' && state === receipt.state && to === receipt.to);
			metrics.receipts.inc({ state: repeated ? 'repeated' : 'early' });
			if (repeated) return;
			const early = { id: uuidv7(clock.now()), attemptId: '', line, dueAtMs: null, ...receipt };
			await store.recordReceipts({ changed: [], early: [early], gone: [], next: [], atMs: clock.now() });
			return;
		}
		if (!overrides(record.state, receipt.state)) {
			metrics.receipts.inc({ state: 'repeated' });
			return;
		}
		await this.#change(record, receipt.state, { code: receipt.code, atMs: receipt.atMs, gone: [] });
	}

	async #change(
		before: ReceiptRecord,
		state: ReceiptState,
		how: { readonly code: string; readonly atMs: number; readonly gone: readonly string[] },
	): Promise<void> {
		const { store, metrics, clock, log } = this.#options;
		const record = { ...before, state, code: how.code, atMs: how.atMs };
		const entries = await store.entriesOfAttempt(before.attemptId);
		// What was missed has had its consequence already.
		const failed = before.state === 'awaited' && (state === 'undelivered' || state === 'missing');
		const personal = failed ? entries.filter(({ notification }) => notification.personal !== undefined) : [];
		const turns = personal.map((entry) => ({ entry, next: this.#options.next(entry) }));
		const next = turns.flatMap((turn) => turn.next ?? []);
		const added = await store.recordReceipts({ changed: [record], early: [], gone: how.gone, next, atMs: clock.now() });
		metrics.receipts.inc({ state });
		if (failed) log.warn({ channel: before.line, code: how.code, state }, 'a message did not reach its person');
		this.#options.onChange({ record, entries, added, exhausted: turns.filter((turn) => turn.next === null).map(({ entry }) => entry) });
	}

	/** Those whose time is over; answers when the next one's is. */
	async #missDue(): Promise<number> {
		const { store, clock } = this.#options;
		const nowMs = clock.now();
		await this.#serial.runAlways(async () => {
			for (const record of await store.dueReceipts(nowMs, DUE_AT_ONCE)) {
				await this.#change(record, 'missing', { code: 'no-receipt', atMs: nowMs, gone: [] });
			}
		});
		return (await store.nextDue()) ?? Number.POSITIVE_INFINITY;
	}
}

/** One message to many numbers has one record each; where the channel names no recipient, or there is only one, the message decides. */
function matching(records: readonly ReceiptRecord[], receipt: Pick<Receipt, 'to'>): ReceiptRecord | undefined {
	const ours = records.filter(({ attemptId }) => attemptId !== '');
	return ours.find(({ to }) => samePhone(to, receipt.to)) ?? (receipt.to === '' || ours.length === 1 ? ours[0] : undefined);
}

/** `+8613800000000` and `13800000000` are the same telephone. */
function samePhone(a: string, b: string): boolean {
	return a === b || plain(a) === plain(b);
}

function plain(phone: string): string {
	return phone.replace(/^(\+|00)?86(?=1\d{10}$)/, '');
}

/** Whether a later word changes the record: arrival beats its denial, reading beats arrival, and nothing takes back either. */
function overrides(before: ReceiptState, after: Receipt['state']): boolean {
	const rank: Readonly<Record<ReceiptState, number>> = { awaited: 0, missing: 1, undelivered: 2, delivered: 3, read: 4 };
	return rank[after] > rank[before];
}
