import type { Clock } from '../../core/clock.ts';
import { errorText } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import type { AgentMetrics } from '../self-metrics.ts';
import { BackOff } from '../uplink/back-off.ts';
import type { LogConfig } from './config.ts';
import type { LogAnswer, LogSink } from './log-client.ts';
import { type LineContext, logRecord } from './log-line.ts';
import { hostTimeZone } from './log-time.ts';
import { LOG_FORMATS } from './parsers/registry.ts';
import type { PositionStore, StreamState } from './position-store.ts';
import { streamSuffix } from './stream-name.ts';
import { type TailedEvent, TailFile, type TailPosition } from './tail-file.ts';

const BATCH_RECORDS = 500;
const HISTORY_LENGTH = 64;
const HOLD_MS = 60_000;

export interface LogShipperOptions {
	readonly config: LogConfig;
	readonly host: string;
	readonly system: string;
	readonly client: LogSink;
	readonly positions: PositionStore;
	readonly clock: Clock;
	readonly log: Logger;
	readonly metrics: AgentMetrics;
	/** How often a file without news is looked at. Default 1 s. */
	readonly pollMs?: number;
	readonly backOff?: BackOff;
}

/**
 * Carries one file to the collector's archive, record by record, without gaps in `seq`. The position in the file moves
 * only after the collector's answer; after a lost answer the same records go again under the same numbers, which the
 * archive knows and skips.
 */
export class LogShipper {
	readonly #options: LogShipperOptions;
	readonly #name: string;
	readonly #stream: string;
	readonly #context: LineContext;
	readonly #tail: TailFile;
	readonly #backOff: BackOff;
	readonly #stopping = new AbortController();
	#running: Promise<void> | null = null;
	/** `null` until the collector was asked where the stream goes on. */
	#nextSeq: number | null;
	#history: StreamState['history'];
	#batchRecords = BATCH_RECORDS;
	#unshipped: readonly TailedEvent[] | null = null;

	constructor(options: LogShipperOptions) {
		const { config, positions, log, metrics } = options;
		this.#options = options;
		this.#name = streamSuffix(config);
		this.#stream = `${options.host}/${this.#name}`;
		const format = LOG_FORMATS[config.kind];
		this.#context = {
			...{ host: options.host, system: options.system, stream: this.#stream, encoding: config.encoding, parse: format.parse },
			timeZone: config.time_zone ?? hostTimeZone(),
		};
		this.#backOff = options.backOff ?? new BackOff({ firstMs: 1000, maxMs: 60_000 });
		const saved = positions.load(this.#name);
		// The host was renamed: its records belong to a new stream, and the archive decides where that one begins.
		const own = saved !== null && saved.stream === this.#stream;
		this.#nextSeq = own ? saved.nextSeq : null;
		this.#history = own ? saved.history : [];
		this.#tail = new TailFile({
			path: config.path,
			position: saved?.position ?? null,
			begin: config.begin,
			startsEvent: format.startsEvent,
			onLost: (reason) => {
				metrics.logGaps.inc({ stream: this.#stream });
				log.warn({ path: config.path, reason }, 'a log file was replaced before its end was read; lines may be missing');
			},
		});
	}

	start(): void {
		this.#running ??= this.#run(this.#stopping.signal);
	}

	/** Ends following. A batch under way is finished or given up; it goes again at the next start. */
	async stop(): Promise<void> {
		this.#stopping.abort();
		await this.#running;
		await this.#tail.close();
	}

	async #run(signal: AbortSignal): Promise<void> {
		const { clock, log, metrics, config } = this.#options;
		let unreadable = false;
		while (!signal.aborted) {
			try {
				// What was read and could not be shipped comes first: the tail stands behind it already.
				const events = this.#unshipped ?? (await this.#tail.read(this.#batchRecords));
				unreadable = false;
				metrics.logPendingBytes.set({ stream: this.#stream }, this.#tail.behindBytes);
				if (events.length === 0) {
					await clock.sleep(this.#options.pollMs ?? 1000, signal);
					continue;
				}
				this.#unshipped = events;
				await this.#ship(events, signal);
				this.#unshipped = null;
			} catch (error) {
				if (!unreadable) log.warn({ path: config.path, error: errorText(error) }, 'a log file cannot be followed; it is tried again');
				unreadable = true;
				await clock.sleep(this.#backOff.next(), signal);
			}
		}
	}

	/** Sends one batch until the collector has taken it. On return the tail stands behind it, or where the collector wants to go on. */
	async #ship(events: readonly TailedEvent[], signal: AbortSignal): Promise<void> {
		const { clock } = this.#options;
		const nowMs = clock.now();
		while (!signal.aborted) {
			const firstSeq = this.#nextSeq;
			const records = firstSeq === null ? [] : events.map((event, i) => logRecord(event.bytes, this.#context, firstSeq + i, nowMs));
			const answer = await this.#send({ stream: this.#stream, firstSeq: firstSeq ?? 0, records }, signal);
			if (answer === null) continue;
			if (answer.status < 300) {
				this.#backOff.reset();
				if (firstSeq === null) {
					this.#nextSeq = answer.nextSeq ?? 0;
					continue;
				}
				this.#accepted(events, firstSeq);
				return;
			}
			if (answer.status === 409) {
				if (await this.#goBack(answer)) return;
				continue;
			}
			if (answer.status === 413 || answer.status === 400) {
				if (firstSeq === null) {
					// A receiver that does not take an empty batch cannot be asked; it deduplicates by number then.
					this.#nextSeq = 0;
					continue;
				}
				await this.#smaller(events, answer);
				return;
			}
			await this.#wait(answer, signal);
		}
		// Stopped before the answer: the next start begins at the saved position.
	}

	async #send(batch: Parameters<LogSink['send']>[0], signal: AbortSignal): Promise<LogAnswer | null> {
		const { client, metrics, log, clock } = this.#options;
		try {
			const answer = await client.send(batch, signal);
			metrics.logBatches.inc({ result: String(answer.status) });
			return answer;
		} catch (error) {
			metrics.logBatches.inc({ result: 'no_answer' });
			const retryInMs = this.#backOff.next();
			if (!signal.aborted) log.warn({ stream: this.#stream, error: errorText(error), retryInMs }, 'log records cannot be sent');
			await clock.sleep(retryInMs, signal);
			return null;
		}
	}

	#accepted(events: readonly TailedEvent[], firstSeq: number): void {
		const first = events[0];
		const last = events[events.length - 1];
		if (first === undefined || last === undefined) return;
		this.#options.metrics.logRecords.inc({ stream: this.#stream }, events.length);
		const seq = firstSeq + events.length;
		this.#nextSeq = seq;
		this.#batchRecords = Math.min(BATCH_RECORDS, this.#batchRecords * 2);
		this.#history = [...this.#history, { seq: firstSeq, position: first.start }].slice(-HISTORY_LENGTH);
		this.#save(last.next);
	}

	#save(position: TailPosition): void {
		this.#options.positions.save(this.#name, { stream: this.#stream, nextSeq: this.#nextSeq ?? 0, position, history: this.#history });
	}

	/** The archive expects an earlier record, because it was restored from a backup. `true`: the tail was moved there. `false`: the place is gone, and numbering goes on as the archive wants. */
	async #goBack(answer: LogAnswer): Promise<boolean> {
		const { log, metrics } = this.#options;
		const wanted = answer.nextSeq;
		if (wanted === null) {
			this.#nextSeq = null;
			return false;
		}
		const place = [...this.#history].reverse().find((entry) => entry.seq <= wanted);
		if (place !== undefined && (await this.#tail.rewind(place.position))) {
			log.warn({ stream: this.#stream, seq: place.seq }, 'the collector misses records; they are sent again');
			this.#nextSeq = place.seq;
			this.#history = this.#history.filter((entry) => entry.seq < place.seq);
			return true;
		}
		metrics.logGaps.inc({ stream: this.#stream });
		log.error(
			{ stream: this.#stream, expected: wanted, had: this.#nextSeq },
			'the collector misses records that this host no longer has; numbering goes on where it expects',
		);
		this.#nextSeq = wanted;
		return false;
	}

	/** The batch is too large, or something in it is refused: it is read again in smaller parts, and a single record that is refused is left out and counted. */
	async #smaller(events: readonly TailedEvent[], answer: LogAnswer): Promise<void> {
		const { log, metrics } = this.#options;
		const last = events[events.length - 1];
		if (events.length === 1 && last !== undefined) {
			metrics.logGaps.inc({ stream: this.#stream });
			log.error(
				{ stream: this.#stream, status: answer.status, reason: answer.reason },
				'the collector refuses a log record; it is left out',
			);
			this.#save(last.next);
			return;
		}
		this.#batchRecords = Math.max(1, events.length >> 1);
		const first = events[0];
		if (first !== undefined && !(await this.#tail.rewind(first.start))) metrics.logGaps.inc({ stream: this.#stream });
	}

	async #wait(answer: LogAnswer, signal: AbortSignal): Promise<void> {
		const { log, clock } = this.#options;
		const refused = answer.status < 500 && answer.status !== 429;
		const retryInMs = refused ? HOLD_MS : this.#backOff.next(answer.retryAfterMs);
		log.warn({ stream: this.#stream, status: answer.status, reason: answer.reason, retryInMs }, 'the collector does not take log records');
		await clock.sleep(retryInMs, signal);
	}
}
