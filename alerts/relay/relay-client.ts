import type { Clock } from '../../core/clock.ts';
import { parseDuration } from '../../core/duration.ts';
import { AppError, errorText } from '../../core/errors.ts';
import type { httpExchange } from '../../core/http-client.ts';
import type { Logger } from '../../core/log.ts';
import {
	RELAY_BATCH,
	RELAY_POLL_PATH,
	RELAY_WAIT_MS,
	type RelayAnswer,
	type RelayedRequest,
	type RelayPoll,
	readRelayBatch,
} from '../../core/relay-wire.ts';
import { Repetition } from '../../core/repetition.ts';
import type { Secret, SecretRef } from '../../core/secret.ts';
import { DEFAULT_TIMEOUT } from '../notify/notifier.ts';
import { channelHttp } from '../notify/way-out.ts';
import type { RelayConfig } from './config.ts';
import type { RelayMetrics } from './metrics.ts';
import { handleRelayed, type RelayHandlers } from './relayed.ts';

export interface RelayClientOptions {
	readonly config: RelayConfig;
	readonly handlers: RelayHandlers;
	/** A request was not believed: a wrong signature, a channel that there is not. */
	readonly onRefused: (refusal: { readonly relay: string; readonly request: RelayedRequest; readonly code: string }) => Promise<void>;
	readonly secret: (ref: SecretRef) => Secret;
	readonly http: typeof httpExchange;
	readonly clock: Clock;
	readonly log: Logger;
	readonly metrics: RelayMetrics;
}

const RETRY_MS = 2000;

/**
 * Fetches from one relay over a connection that it opens itself, and answers with the next fetch. What it could not deal with
 * it does not answer: the relay gives it out again. A request that comes twice changes nothing the second time, because its handler knows it.
 */
export class RelayClient {
	readonly #options: RelayClientOptions;
	readonly #http: typeof httpExchange;
	readonly #polling: Repetition;
	/** Made and not yet taken by the relay. */
	#answers: readonly RelayAnswer[] = [];
	#pauseMs = 0;

	/** Throws `FN_SECRET_UNREADABLE` and `FN_ALERTS_CA_UNREADABLE`. */
	constructor(options: RelayClientOptions) {
		const { config, clock, log, metrics } = options;
		this.#options = options;
		options.secret(config.token);
		this.#http = channelHttp(options.http, config.http_config, options);
		this.#polling = new Repetition({
			clock,
			everyMs: () => this.#pauseMs,
			run: (signal) => this.#poll(signal),
			onFailure: (error, again) => {
				this.#pauseMs = RETRY_MS;
				metrics.polls.inc({ relay: config.name, result: 'failed' });
				if (!again) log.warn({ relay: config.name, error: errorText(error) }, 'a relay cannot be asked; it keeps what it has');
			},
			onRecovery: () => log.info({ relay: config.name }, 'the relay answers again'),
		});
	}

	start(): void {
		this.#polling.start();
	}

	/** What was fetched is dealt with first. */
	stop(): Promise<void> {
		return this.#polling.stop();
	}

	async #poll(signal: AbortSignal): Promise<void> {
		const { config, secret, clock, metrics } = this.#options;
		const poll: RelayPoll = { answers: [...this.#answers], waitMs: RELAY_WAIT_MS };
		const response = await this.#http(`${config.url.replace(/\/+$/, '')}${RELAY_POLL_PATH}`, {
			method: 'POST',
			headers: { 'content-type': 'application/json', authorization: `Bearer ${secret(config.token).reveal()}` },
			body: JSON.stringify(poll),
			timeoutMs: RELAY_WAIT_MS + parseDuration(DEFAULT_TIMEOUT),
			maxBodyBytes: 2 * RELAY_BATCH.bodyBytes,
			signal,
		});
		const text = response.body.toString('utf8');
		const batch = response.status === 200 ? readRelayBatch(text) : null;
		if (batch === null) {
			throw new AppError('FN_ALERTS_RELAY_ANSWER', `the relay "${config.name}" answered ${response.status}: ${text.slice(0, 200)}`, {
				retryable: true,
			});
		}
		metrics.polls.inc({ relay: config.name, result: 'answered' });
		metrics.lastPoll.set({ relay: config.name }, clock.now() / 1000);
		const answers: RelayAnswer[] = [];
		// In their order: an answer and the receipt before it belong together.
		for (const request of batch.requests) answers.push(...(await this.#handle(request)));
		this.#answers = answers;
		this.#pauseMs = 0;
	}

	/** Nothing where another try can help. */
	async #handle(request: RelayedRequest): Promise<readonly RelayAnswer[]> {
		const { config, handlers, onRefused, clock, log, metrics } = this.#options;
		const counted = (result: 'handled' | 'refused' | 'failed') => metrics.requests.inc({ relay: config.name, result });
		const { id } = request;
		try {
			const { status, type, body } = await handleRelayed(request, handlers, clock.now());
			counted('handled');
			return [{ id, status, type, body }];
		} catch (error) {
			if (error instanceof AppError && !error.retryable && error.status >= 400 && error.status < 500) {
				counted('refused');
				await onRefused({ relay: config.name, request, code: error.code });
				return [{ id, status: error.status, type: 'text/plain', body: `${error.code}\n` }];
			}
			counted('failed');
			log.error({ relay: config.name, error: errorText(error) }, 'a request from a relay could not be dealt with; it comes again');
			return [];
		}
	}
}
