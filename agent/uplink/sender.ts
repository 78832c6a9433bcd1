import type { Clock } from '../../core/clock.ts';
import { AppError, errorText } from '../../core/errors.ts';
import { formatLabels } from '../../core/labels.ts';
import type { Logger } from '../../core/log.ts';
import type { WriteSeries } from '../../protocol/remote-write/write-series.ts';
import { BackOff } from './back-off.ts';
import { halve, mergeBatches } from './merge-batches.ts';
import { countSamples, decodeBatch, type EncodedBatch } from './record-codec.ts';
import type { SampleSink, WriteAnswer } from './remote-write-client.ts';
import type { Spool, SpoolOrder } from './spool.ts';
import type { UplinkMetrics } from './uplink-metrics.ts';

/** Samples per request; at some 25 bytes each on the wire this stays far below receivers' limits. */
const MAX_SAMPLES = 10_000;
/** A record with so many goes out as it lies in the spool; smaller ones are worth joining into one request. */
const ALONE_SAMPLES = 200;
const READ_LIMITS = { samples: MAX_SAMPLES, alone: ALONE_SAMPLES };
/** A receiver refuses what is 5 min ahead of it; from here on a refusal is a matter of clocks and not of data. */
const AHEAD_MS = 4.5 * 60_000;
/** A refused batch is searched for its bad series with at most this many requests; what is left then is given up as a whole. */
const SEARCH_REQUESTS = 200;
/** Waiting for a person (wrong token, clock ahead): asking once a minute is enough. */
const HOLD_MS = 60_000;

/** After the first batch of a round: the inputs that are read at the same time finish within it, and share one request. */
const LINGER_MS = 100;
/** `Date` is cut to the second, so on average it is half a second behind. */
const DATE_BIAS_MS = 500;

export type HoldReason = 'unauthorized' | 'clock' | 'rejected';
const HOLD_REASONS: readonly HoldReason[] = ['unauthorized', 'clock', 'rejected'];

export interface SenderOptions {
	readonly spool: Spool;
	readonly client: SampleSink;
	readonly clock: Clock;
	readonly log: Logger;
	readonly metrics: UplinkMetrics;
	/** Called at every answer, whatever it says. */
	readonly onReached?: () => void;
	/** What is sent first after an outage. Default `oldest_first`. */
	readonly order?: SpoolOrder;
	/** First and longest delay between attempts. Default 1 s and 1 min. */
	readonly backOff?: BackOff;
	/** A batch whose newest sample is further ahead than this is dropped and not held. Default 7 days. */
	readonly maxAheadMs?: number;
}

type Step =
	| { readonly kind: 'done' }
	| { readonly kind: 'retry'; readonly afterMs: number }
	| { readonly kind: 'hold'; readonly reason: HoldReason; readonly message: string };

/** Empties the spool into a receiver, one request at a time: in order, or with `newest_first` fresh data before what an outage has left. */
export class Sender {
	readonly #options: SenderOptions;
	readonly #backOff: BackOff;
	/** Ends waiting. */
	readonly #stopping = new AbortController();
	/** Ends a request. Later than `#stopping`, because an answer that is on its way should still count. */
	readonly #cancel = new AbortController();
	#running: Promise<void> | null = null;
	#searchLeft = 0;
	/** `undefined` before the first answer. */
	#held: HoldReason | null | undefined;
	/** Nothing has arrived since the start or the last failure, so there may be a backlog. */
	#away = true;

	constructor(options: SenderOptions) {
		this.#options = options;
		this.#backOff = options.backOff ?? new BackOff({ firstMs: 1000, maxMs: 60_000 });
	}

	start(): void {
		this.#running ??= this.#run(this.#stopping.signal);
	}

	/** Ends the loop, then tries to send what is left once, for at most `deadlineMs`. What does not go out stays in the spool. */
	async stop(deadlineMs: number): Promise<void> {
		this.#stopping.abort();
		const timer = setTimeout(() => this.#cancel.abort(), deadlineMs);
		try {
			await this.#running;
			while (!this.#cancel.signal.aborted) {
				const step = await this.#sendNext(this.#cancel.signal);
				if (step === null || step.kind !== 'done') break;
			}
		} finally {
			clearTimeout(timer);
		}
	}

	async #run(signal: AbortSignal): Promise<void> {
		const { spool, clock } = this.#options;
		while (!signal.aborted) {
			let step: Step | null;
			try {
				step = await this.#sendNext(this.#cancel.signal);
			} catch (error) {
				this.#options.log.error({ error: errorText(error) }, 'sending failed unexpectedly; it is tried again');
				step = { kind: 'retry', afterMs: this.#backOff.next() };
			}
			if (signal.aborted) break;
			if (step === null) {
				await spool.waitForAppend(signal);
				await clock.sleep(LINGER_MS, signal);
			} else if (step.kind === 'retry') await clock.sleep(step.afterMs, signal);
			else if (step.kind === 'hold') {
				this.#hold(step.reason, step.message);
				await clock.sleep(HOLD_MS, signal);
			}
		}
	}

	/** One batch. `null`: the spool is empty. */
	async #sendNext(signal: AbortSignal): Promise<Step | null> {
		const { spool, clock } = this.#options;
		const batch = spool.read(READ_LIMITS, clock.now(), this.#options.order);
		if (batch === null) return null;
		this.#searchLeft = SEARCH_REQUESTS;
		const [only] = batch.records;
		const direct = batch.records.length === 1 && only !== undefined ? await this.#deliverBlock(only, signal) : null;
		const step = direct ?? (await this.#deliver(mergeBatches(this.#decoded(batch.records)), signal));
		if (step.kind === 'done') {
			spool.acknowledge(batch);
			this.#backOff.reset();
			this.#hold(null, '');
			if (this.#away && this.#options.order === 'newest_first') spool.beginFresh();
			this.#away = false;
		} else this.#away = true;
		return step;
	}

	/** Sends a record as it lies in the spool. `null`: it must be taken apart, for a receiver of version 1 or because something in it is refused. */
	async #deliverBlock({ block, samples }: EncodedBatch, signal: AbortSignal): Promise<Step | null> {
		let answer: WriteAnswer | null;
		try {
			answer = await this.#options.client.sendBlock(block, signal);
		} catch (error) {
			return this.#unanswered(error, signal);
		}
		if (answer === null) return null;
		this.#noteAnswer(answer, samples);
		return answer.status === 400 || answer.status === 413 ? null : this.#settled(answer);
	}

	#decoded(records: readonly EncodedBatch[]): readonly (readonly WriteSeries[])[] {
		return records.map(({ block, samples }) => {
			try {
				return decodeBatch(block);
			} catch (error) {
				this.#options.metrics.dropped('corrupt', samples);
				this.#options.log.error({ samples, error: errorText(error) }, 'a spool record cannot be decoded');
				return [];
			}
		});
	}

	/** Sends a part, in halves where the receiver asks for less or refuses something in it. A part that was done before a retry is sent again: receivers ignore a sample they have. */
	async #deliver(seriesList: readonly WriteSeries[], signal: AbortSignal): Promise<Step> {
		if (seriesList.length === 0) return { kind: 'done' };
		let answer: WriteAnswer;
		try {
			answer = await this.#options.client.send(seriesList, signal);
		} catch (error) {
			return this.#unanswered(error, signal);
		}
		this.#noteAnswer(answer, countSamples(seriesList));
		if (answer.status === 400) return this.#refused(seriesList, answer, signal);
		if (answer.status === 413) return this.#halves(seriesList, answer, signal);
		return this.#settled(answer);
	}

	#unanswered(error: unknown, signal: AbortSignal): Step {
		const { metrics, log } = this.#options;
		metrics.push('no_answer');
		if (error instanceof AppError && !error.retryable) return { kind: 'hold', reason: 'rejected', message: errorText(error) };
		const afterMs = this.#backOff.next();
		if (!signal.aborted) log.warn({ error: errorText(error), retryInMs: afterMs }, 'the collector cannot be reached');
		return { kind: 'retry', afterMs };
	}

	#noteAnswer(answer: WriteAnswer, samples: number): void {
		const { metrics, clock } = this.#options;
		this.#options.onReached?.();
		if (answer.receiverTimeMs !== null) metrics.clockOffset((clock.now() - answer.receiverTimeMs - DATE_BIAS_MS) / 1000);
		metrics.push(String(answer.status));
		if (answer.status >= 300) return;
		metrics.pushed(samples);
		metrics.lastPush(clock.now() / 1000);
	}

	/** What follows from an answer that is not about the samples themselves. */
	#settled(answer: WriteAnswer): Step {
		if (answer.status < 300) return { kind: 'done' };
		if (answer.status === 429 || answer.status >= 500) {
			const afterMs = this.#backOff.next(answer.retryAfterMs);
			this.#options.log.warn({ status: answer.status, reason: answer.reason, retryInMs: afterMs }, 'the collector is busy or failing');
			return { kind: 'retry', afterMs };
		}
		if (answer.status === 401 || answer.status === 403) {
			return { kind: 'hold', reason: 'unauthorized', message: `the collector refuses the token (${answer.status}); check collector.token` };
		}
		return {
			kind: 'hold',
			reason: 'rejected',
			message: `the collector answered ${answer.status} (${answer.reason}); check collector.url`,
		};
	}

	async #refused(seriesList: readonly WriteSeries[], answer: WriteAnswer, signal: AbortSignal): Promise<Step> {
		const aheadMs = newestMs(seriesList) - (answer.receiverTimeMs ?? this.#options.clock.now());
		if (aheadMs > AHEAD_MS && aheadMs <= (this.#options.maxAheadMs ?? 7 * 86_400_000)) {
			return {
				kind: 'hold',
				reason: 'clock',
				message: `the newest sample is ${Math.round(aheadMs / 1000)} s ahead of the collector's clock; set the clock of this host, the samples are kept until then`,
			};
		}
		return this.#halves(seriesList, answer, signal);
	}

	async #halves(seriesList: readonly WriteSeries[], answer: WriteAnswer, signal: AbortSignal): Promise<Step> {
		const parts = this.#searchLeft > 0 ? halve(seriesList) : null;
		if (parts === null) {
			const samples = countSamples(seriesList);
			this.#options.metrics.dropped('refused', samples);
			this.#options.log.error(
				{ status: answer.status, reason: answer.reason, samples, series: formatLabels(seriesList[0]?.labels ?? []) },
				'the collector refuses samples; they were dropped',
			);
			return { kind: 'done' };
		}
		this.#searchLeft -= 2;
		for (const part of parts) {
			const step = await this.#deliver(part, signal);
			if (step.kind !== 'done') return step;
		}
		return { kind: 'done' };
	}

	#hold(reason: HoldReason | null, message: string): void {
		if (reason === this.#held) return;
		if (reason !== null) this.#options.log.error({ reason }, message);
		else if (this.#held !== undefined) this.#options.log.info({ reason: this.#held }, 'sending goes on');
		this.#held = reason;
		for (const known of HOLD_REASONS) this.#options.metrics.held(known, known === reason);
	}
}

function newestMs(seriesList: readonly WriteSeries[]): number {
	let newest = 0;
	for (const series of seriesList) for (const sample of series.samples) newest = Math.max(newest, sample.timestampMs);
	return newest;
}
