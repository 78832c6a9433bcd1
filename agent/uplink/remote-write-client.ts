import { compress } from 'snappyjs';
import { type HttpResponse, httpExchange } from '../../core/http-client.ts';
import type { Secret } from '../../core/secret.ts';
import { encodeRemoteWriteV1, REMOTE_WRITE_V1_CONTENT_TYPE } from '../../protocol/remote-write/encode-v1.ts';
import { encodeRemoteWriteV2, REMOTE_WRITE_V2_CONTENT_TYPE } from '../../protocol/remote-write/encode-v2.ts';
import type { WriteSeries } from '../../protocol/remote-write/write-series.ts';

/** Answer of a receiver, reduced to what the sender decides by. */
export interface WriteAnswer {
	readonly status: number;
	/** The receiver's clock, `null` when it did not say. Precise to a second. */
	readonly receiverTimeMs: number | null;
	/** `Retry-After`, in milliseconds from now. */
	readonly retryAfterMs: number | null;
	/** First line of the body, for the log. */
	readonly reason: string;
}

/** Anything that takes batches of samples and answers as a receiver of remote write does. */
export interface SampleSink {
	send(seriesList: readonly WriteSeries[], signal: AbortSignal): Promise<WriteAnswer>;
	/** The same for a request that is encoded already; `null` when the receiver does not know remote write 2. */
	sendBlock(block: Uint8Array, signal: AbortSignal): Promise<WriteAnswer | null>;
}

export interface RemoteWriteClientOptions {
	/** Full address of the receiver's write endpoint. */
	readonly url: string;
	/** Read at every request, so that a token file can be replaced without a restart. */
	readonly token: () => Secret | null;
	/** HTTP Basic instead of a token, with `password`, which is read at every request too. */
	readonly username?: string;
	readonly password?: () => Secret | null;
	/** Added to every request; they do not replace those of the protocol. */
	readonly headers?: Readonly<Record<string, string>>;
	readonly ca?: () => string;
	readonly timeoutMs: number;
	readonly userAgent: string;
	readonly now: () => number;
}

/**
 * Sends batches by Remote Write 2.0, and by 1.0 to receivers that do not know 2.0: those that answer 415, and those that
 * answer 2xx without `X-Prometheus-Remote-Write-Samples-Written` and so have probably read nothing.
 */
export class RemoteWriteClient implements SampleSink {
	readonly #options: RemoteWriteClientOptions;
	#version: 1 | 2 = 2;

	constructor(options: RemoteWriteClientOptions) {
		this.#options = options;
	}

	/** Version of remote write in use. */
	get version(): 1 | 2 {
		return this.#version;
	}

	/** Rejects with `FN_HTTP_FAILED` or `FN_HTTP_TIMEOUT` when no answer arrives; every status is an answer. */
	async send(seriesList: readonly WriteSeries[], signal: AbortSignal): Promise<WriteAnswer> {
		const answer = this.#version === 2 ? await this.sendBlock(compress(encodeRemoteWriteV2(seriesList)), signal) : null;
		return answer ?? this.#answer(await this.#post(compress(encodeRemoteWriteV1(seriesList)), 1, signal));
	}

	async sendBlock(block: Uint8Array, signal: AbortSignal): Promise<WriteAnswer | null> {
		if (this.#version === 1) return null;
		const response = await this.#post(block, 2, signal);
		const understood =
			response.status < 300 ? response.headers['x-prometheus-remote-write-samples-written'] !== undefined : response.status !== 415;
		if (understood) return this.#answer(response);
		this.#version = 1;
		return null;
	}

	#post(body: Uint8Array, version: 1 | 2, signal: AbortSignal): Promise<HttpResponse> {
		return httpExchange(this.#options.url, {
			method: 'POST',
			headers: {
				...this.#options.headers,
				'content-type': version === 2 ? REMOTE_WRITE_V2_CONTENT_TYPE : REMOTE_WRITE_V1_CONTENT_TYPE,
				'content-encoding': 'snappy',
				'x-prometheus-remote-write-version': version === 2 ? '2.0.0' : '0.1.0',
				'user-agent': this.#options.userAgent,
				...this.#authorization(),
			},
			body,
			timeoutMs: this.#options.timeoutMs,
			maxBodyBytes: 64 * 1024,
			signal,
			...(this.#options.ca === undefined ? {} : { ca: this.#options.ca() }),
		});
	}

	#authorization(): Readonly<Record<string, string>> {
		const { token, username, password } = this.#options;
		if (username !== undefined) {
			return { authorization: `Basic ${Buffer.from(`${username}:${password?.()?.reveal() ?? ''}`).toString('base64')}` };
		}
		const bearer = token();
		return bearer === null ? {} : { authorization: `Bearer ${bearer.reveal()}` };
	}

	#answer(response: HttpResponse): WriteAnswer {
		return {
			status: response.status,
			receiverTimeMs: httpTime(response.headers['date']),
			retryAfterMs: retryAfter(response.headers['retry-after'], this.#options.now()),
			reason: response.body.toString('utf8', 0, 300).split('\n', 1)[0] ?? '',
		};
	}
}

/** Milliseconds since the epoch of an HTTP date, or `null`. */
export function httpTime(header: string | string[] | undefined): number | null {
	if (typeof header !== 'string') return null;
	const time = Date.parse(header);
	return Number.isNaN(time) ? null : time;
}

/** RFC 9110 §10.2.3: seconds or a date. */
export function retryAfter(header: string | string[] | undefined, nowMs: number): number | null {
	if (typeof header !== 'string') return null;
	if (/^[0-9]+$/.test(header)) return Number(header) * 1000;
	const time = httpTime(header);
	return time === null ? null : Math.max(0, time - nowMs);
}
