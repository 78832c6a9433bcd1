import type { Clock } from '../../core/clock.ts';
import type { SendResult } from './notifier.ts';

export type TokenAnswer =
	| { readonly kind: 'token'; readonly token: string; readonly lifeMs: number }
	| Exclude<SendResult, { kind: 'sent' }>;

/** Renewed this long before its end, so that no message meets the end under way. */
const EARLY_MS = 300_000;

/**
 * A token that a service gives out for a time and may take back early. One request for it at a time: these services end the
 * older token when another one is asked for, and count the asking.
 */
export class AccessToken {
	readonly #fetch: (signal: AbortSignal) => Promise<TokenAnswer>;
	readonly #clock: Clock;
	#token = '';
	#untilMs = 0;
	#asking: Promise<TokenAnswer> | null = null;

	constructor(fetch: (signal: AbortSignal) => Promise<TokenAnswer>, clock: Clock) {
		this.#fetch = fetch;
		this.#clock = clock;
	}

	/** The token, or why there is none. */
	async get(signal: AbortSignal): Promise<TokenAnswer> {
		if (this.#token !== '' && this.#clock.now() < this.#untilMs) return { kind: 'token', token: this.#token, lifeMs: this.#untilMs };
		this.#asking ??= this.#ask(signal);
		return this.#asking;
	}

	/** The service does not know it any more. A newer one stays. */
	drop(token: string): void {
		if (this.#token === token) this.#token = '';
	}

	/** Runs an exchange with the token, and once more with a new one when the service says that this one has ended. */
	async use(signal: AbortSignal, exchange: (token: string) => Promise<SendResult>, ended: readonly string[]): Promise<SendResult> {
		for (let round = 0; ; round++) {
			const answer = await this.get(signal);
			if (answer.kind !== 'token') return answer;
			const result = await exchange(answer.token);
			if (result.kind === 'sent' || !ended.includes(result.code)) return result;
			this.drop(answer.token);
			if (round > 0) return result;
		}
	}

	async #ask(signal: AbortSignal): Promise<TokenAnswer> {
		try {
			const answer = await this.#fetch(signal);
			if (answer.kind === 'token') {
				this.#token = answer.token;
				this.#untilMs = this.#clock.now() + Math.max(answer.lifeMs / 2, answer.lifeMs - EARLY_MS);
			}
			return answer;
		} finally {
			this.#asking = null;
		}
	}
}
