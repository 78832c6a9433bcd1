import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { httpExchange } from '../../core/http-client.ts';
import type { Secret } from '../../core/secret.ts';
import type { LogBatch } from '../../protocol/log-record.ts';
import { retryAfter } from '../uplink/remote-write-client.ts';

const compress = promisify(gzip);

export interface LogAnswer {
	readonly status: number;
	/** The `seq` that the archive expects next; `null` when the answer does not say. */
	readonly nextSeq: number | null;
	readonly retryAfterMs: number | null;
	readonly reason: string;
}

/** Anything that takes batches of log records and answers as a collector does. */
export interface LogSink {
	send(batch: LogBatch, signal: AbortSignal): Promise<LogAnswer>;
}

export interface LogClientOptions {
	readonly url: string;
	readonly token: () => Secret | null;
	readonly ca?: () => string;
	readonly timeoutMs: number;
	readonly userAgent: string;
	readonly now: () => number;
}

/** Sends batches of log records. */
export class LogClient implements LogSink {
	readonly #options: LogClientOptions;

	constructor(options: LogClientOptions) {
		this.#options = options;
	}

	/** Rejects with `FN_HTTP_FAILED` or `FN_HTTP_TIMEOUT` when no answer arrives; every status is an answer. */
	async send(batch: LogBatch, signal: AbortSignal): Promise<LogAnswer> {
		const token = this.#options.token();
		const response = await httpExchange(this.#options.url, {
			method: 'POST',
			headers: {
				'content-type': 'application/json',
				'content-encoding': 'gzip',
				'user-agent': this.#options.userAgent,
				...(token === null ? {} : { authorization: `Bearer ${token.reveal()}` }),
			},
			body: await compress(JSON.stringify(batch)),
			timeoutMs: this.#options.timeoutMs,
			maxBodyBytes: 64 * 1024,
			signal,
			...(this.#options.ca === undefined ? {} : { ca: this.#options.ca() }),
		});
		const text = response.body.toString('utf8');
		return {
			status: response.status,
			nextSeq: nextSeqOf(text),
			retryAfterMs: retryAfter(response.headers['retry-after'], this.#options.now()),
			reason: text.slice(0, 300),
		};
	}
}

function nextSeqOf(text: string): number | null {
	let value: unknown;
	try {
		value = JSON.parse(text);
	} catch {
		return null;
	}
	if (typeof value !== 'object' || value === null || !('nextSeq' in value)) return null;
	return Number.isSafeInteger(value.nextSeq) ? (value.nextSeq as number) : null;
}
