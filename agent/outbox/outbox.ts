import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { compress } from 'snappyjs';
import type { Clock } from '../../core/clock.ts';
import { AppError, errorText, systemErrorCode } from '../../core/errors.ts';
import type { LogBatch } from '../../protocol/log-record.ts';
import { encodeRemoteWriteV2 } from '../../protocol/remote-write/encode-v2.ts';
import type { WriteSeries } from '../../protocol/remote-write/write-series.ts';
import type { LogAnswer, LogSink } from '../tails/log-client.ts';
import type { SampleSink, WriteAnswer } from '../uplink/remote-write-client.ts';
import type { OutboxEntry, OutboxWriter } from './writer.ts';

const zip = promisify(gzip);
/** A file of this size is written at once: somebody has a backlog. */
const FULL_BYTES = 128 * 1024;

interface Waiting {
	readonly entry: OutboxEntry;
	readonly done: (error: unknown) => void;
}

/**
 * Gathers what is to be sent for a while and writes it as one file. It answers its senders as a collector would, and no sooner than the
 * file is on the disk: from there on the way is somebody else's, and a missing number tells that something got lost on it.
 */
export class Outbox implements SampleSink {
	readonly #writer: OutboxWriter;
	readonly #intervalMs: number;
	readonly #clock: Clock;
	readonly #stopping = new AbortController();
	#waiting: Waiting[] = [];
	#bytes = 0;
	#full = new AbortController();
	#running: Promise<void> | null = null;

	constructor(options: { readonly writer: OutboxWriter; readonly intervalMs: number; readonly clock: Clock }) {
		this.#writer = options.writer;
		this.#intervalMs = options.intervalMs;
		this.#clock = options.clock;
	}

	send(seriesList: readonly WriteSeries[]): Promise<WriteAnswer> {
		return this.sendBlock(compress(encodeRemoteWriteV2(seriesList)));
	}

	async sendBlock(body: Uint8Array): Promise<WriteAnswer> {
		const failure = await this.#put({ kind: 'samples', body });
		return { status: failure === null ? 204 : 507, receiverTimeMs: null, retryAfterMs: null, reason: failure ?? '' };
	}

	/** The same for log records. */
	readonly logs: LogSink = {
		send: async (batch: LogBatch): Promise<LogAnswer> => {
			const failure = await this.#put({ kind: 'logs', body: await zip(JSON.stringify(batch)) });
			if (failure !== null) return { status: 507, nextSeq: null, retryAfterMs: null, reason: failure };
			return { status: 200, nextSeq: batch.firstSeq + batch.records.length, retryAfterMs: null, reason: '' };
		},
	};

	start(): void {
		this.#running ??= this.#run();
	}

	/** Writes what waits at once, and whatever is still put in afterwards. */
	async stop(): Promise<void> {
		this.#stopping.abort();
		this.#full.abort();
		await this.#running;
		this.#flush();
	}

	/** Resolves once the entry is on the disk with `null`, or with the reason why it is not. */
	#put(entry: OutboxEntry): Promise<string | null> {
		return new Promise((resolve) => {
			this.#waiting.push({
				entry,
				done: (error) =>
					resolve(error === null ? null : error instanceof AppError ? error.message : systemErrorCode(error) || errorText(error)),
			});
			this.#bytes += entry.body.length;
			if (this.#stopping.signal.aborted) this.#flush();
			else if (this.#bytes >= FULL_BYTES) this.#full.abort();
		});
	}

	async #run(): Promise<void> {
		while (!this.#stopping.signal.aborted) {
			await this.#clock.sleep(this.#intervalMs, this.#full.signal);
			this.#flush();
		}
	}

	#flush(): void {
		const waiting = this.#waiting;
		if (!this.#stopping.signal.aborted) this.#full = new AbortController();
		if (waiting.length === 0) return;
		this.#waiting = [];
		this.#bytes = 0;
		let failure: unknown = null;
		try {
			this.#writer.write(waiting.map(({ entry }) => entry));
		} catch (error) {
			failure = error;
		}
		for (const { done } of waiting) done(failure);
	}
}
