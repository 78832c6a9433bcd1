import type { Clock } from '../../../core/clock.ts';
import { errorText } from '../../../core/errors.ts';
import { uuidv7 } from '../../../core/ids.ts';
import type { Logger } from '../../../core/log.ts';
import { RELAY_BATCH, type RelayAnswer, type RelayedRequest } from '../../../core/relay-wire.ts';
import type { KeptRequest, RequestFolder } from './request-folder.ts';

export type CallbackResult = 'taken' | 'answered' | 'unanswered' | 'full' | 'failed' | 'expired';

export interface CallbackDeskOptions {
	readonly folder: RequestFolder;
	readonly clock: Clock;
	readonly log: Logger;
	readonly holdMs: number;
	readonly maxPending: number;
	readonly maxBytes: number;
	readonly maxAgeMs: number;
	readonly count: (result: CallbackResult) => void;
}

export type Arrived = Omit<KeptRequest, 'id' | 'receivedAtMs'>;

/** `answered` is the collector's own; `late`: it has not answered in time, and has the request later if it is kept. */
export type Outcome =
	| { readonly kind: 'answered'; readonly answer: RelayAnswer }
	| { readonly kind: 'late' }
	| { readonly kind: 'full' }
	| { readonly kind: 'failed' };

interface Waiting {
	readonly request: KeptRequest;
	/** On the disk; 0 for what is worth nothing once nobody waits for it. */
	readonly bytes: number;
	/** Given out until then, by the monotonic clock. */
	lentUntilMs: number;
	answer: ((answer: RelayAnswer | null) => void) | null;
}

/** Connections that are held open for the collector's answer; beyond, what is kept is answered at once and what is not is refused. */
const MOST_HELD = 256;
/** A collector that fetched and died has its requests given out again after this. */
const LENT_MS = 15_000;

/** Requests from the internet between their arrival and the collector's word on them. */
export class CallbackDesk {
	readonly #options: CallbackDeskOptions;
	/** Oldest first. */
	readonly #waiting = new Map<string, Waiting>();
	readonly #perName = new Map<string, number>();
	#bytes = 0;
	#held = 0;
	#wake = new AbortController();
	#closing = false;

	constructor(options: CallbackDeskOptions) {
		this.#options = options;
	}

	get pending(): number {
		return this.#waiting.size;
	}

	/** Takes up what an earlier process has kept. */
	async load(): Promise<void> {
		for (const { request, bytes } of await this.#options.folder.load()) this.#add({ request, bytes, lentUntilMs: 0, answer: null });
	}

	/** `keep`: it is on the disk before this resolves, and the collector gets it however long that takes. */
	async take(arrived: Arrived, keep: boolean): Promise<Outcome> {
		const { clock, folder, count, log, maxPending, maxBytes } = this.#options;
		const receivedAtMs = clock.now();
		const request: KeptRequest = { ...arrived, id: uuidv7(receivedAtMs), receivedAtMs };
		const text = keep ? JSON.stringify(request) : '';
		const bytes = Buffer.byteLength(text);
		const busy = this.#held >= MOST_HELD;
		const full = keep ? this.#countOf(request) >= maxPending || this.#bytes + bytes > maxBytes : busy;
		if (full) {
			count('full');
			return { kind: 'full' };
		}
		// Counted before it is written: many that arrive at once must not pass the bound together.
		const waiting: Waiting = { request, bytes, lentUntilMs: Number.POSITIVE_INFINITY, answer: null };
		this.#add(waiting);
		if (keep) {
			try {
				await folder.write(request, text);
			} catch (error) {
				this.#drop(waiting);
				count('failed');
				log.error({ error: errorText(error) }, 'a request from the internet cannot be kept; it was answered with an error');
				return { kind: 'failed' };
			}
			count('taken');
		}
		const answer = busy ? null : await this.#answerTo(waiting);
		if (answer !== null) {
			count('answered');
			return { kind: 'answered', answer };
		}
		if (!keep) {
			this.#drop(waiting);
			count('unanswered');
		}
		if (busy) this.#offer(waiting);
		return { kind: 'late' };
	}

	/** Oldest first; waits for one to come when there is none. */
	async lend(waitMs: number, signal: AbortSignal): Promise<readonly RelayedRequest[]> {
		const { clock } = this.#options;
		const untilMs = clock.monotonic() + waitMs;
		for (;;) {
			const lent = this.#lendNow();
			const restMs = untilMs - clock.monotonic();
			if (lent.length > 0 || restMs <= 0 || signal.aborted || this.#closing) return lent;
			const wake = this.#wake.signal;
			const ended = () => this.#wakeAll();
			signal.addEventListener('abort', ended, { once: true });
			await clock.sleep(Math.min(restMs, LENT_MS), wake);
			signal.removeEventListener('abort', ended);
		}
	}

	/** The collector has dealt with these. */
	async settle(answers: readonly RelayAnswer[]): Promise<void> {
		for (const answer of answers) {
			const waiting = this.#waiting.get(answer.id);
			if (waiting === undefined) continue;
			waiting.answer?.(answer);
			this.#drop(waiting);
			await this.#forget(waiting);
		}
	}

	/** Nobody waits any longer: polls end, and what is held open is answered as if the collector were late. */
	close(): void {
		this.#closing = true;
		for (const { answer } of this.#waiting.values()) answer?.(null);
		this.#wakeAll();
	}

	/** Gives up what nobody fetched in time. */
	async expire(): Promise<void> {
		const { clock, maxAgeMs, count, log } = this.#options;
		const beforeMs = clock.now() - maxAgeMs;
		let expired = 0;
		for (const waiting of [...this.#waiting.values()]) {
			if (waiting.request.receivedAtMs >= beforeMs) continue;
			this.#drop(waiting);
			count('expired');
			expired++;
			await this.#forget(waiting);
		}
		if (expired > 0) log.error({ expired }, 'requests from the internet were given up: the collector has not fetched them in time');
	}

	#answerTo(waiting: Waiting): Promise<RelayAnswer | null> {
		this.#held++;
		return new Promise((resolve) => {
			const done = (answer: RelayAnswer | null) => {
				clearTimeout(timer);
				this.#held--;
				waiting.answer = null;
				resolve(answer);
			};
			const timer = setTimeout(() => done(null), this.#options.holdMs);
			waiting.answer = done;
			this.#offer(waiting);
		});
	}

	#offer(waiting: Waiting): void {
		waiting.lentUntilMs = 0;
		this.#wakeAll();
	}

	#wakeAll(): void {
		this.#wake.abort();
		this.#wake = new AbortController();
	}

	/** Where somebody waits for the answer first, then the oldest. */
	#lendNow(): readonly RelayedRequest[] {
		const { clock } = this.#options;
		const nowMs = clock.monotonic();
		const free = [...this.#waiting.values()].filter(({ lentUntilMs }) => lentUntilMs <= nowMs);
		const ordered = [...free.filter(({ answer }) => answer !== null), ...free.filter(({ answer }) => answer === null)];
		const lent: RelayedRequest[] = [];
		let bodyBytes = 0;
		for (const waiting of ordered) {
			const { receivedAtMs, ...request } = waiting.request;
			bodyBytes += request.body.length;
			if (lent.length === RELAY_BATCH.requests || (lent.length > 0 && bodyBytes > RELAY_BATCH.bodyBytes)) break;
			waiting.lentUntilMs = nowMs + LENT_MS;
			lent.push({ ...request, ageMs: Math.max(0, clock.now() - receivedAtMs) });
		}
		return lent;
	}

	#add(waiting: Waiting): void {
		this.#waiting.set(waiting.request.id, waiting);
		this.#bytes += waiting.bytes;
		if (waiting.bytes > 0) this.#perName.set(nameOf(waiting.request), this.#countOf(waiting.request) + 1);
	}

	#drop(waiting: Waiting): void {
		if (!this.#waiting.delete(waiting.request.id)) return;
		this.#bytes -= waiting.bytes;
		if (waiting.bytes > 0) this.#perName.set(nameOf(waiting.request), this.#countOf(waiting.request) - 1);
	}

	#countOf(request: Pick<KeptRequest, 'kind' | 'name'>): number {
		return this.#perName.get(nameOf(request)) ?? 0;
	}

	async #forget({ request, bytes }: Waiting): Promise<void> {
		if (bytes === 0) return;
		try {
			await this.#options.folder.remove(request.id);
		} catch (error) {
			// Given out again after a restart; the collector knows what it has dealt with.
			this.#options.log.warn({ error: errorText(error) }, 'a request that was dealt with cannot be removed');
		}
	}
}

/** Each channel has its own bound, so that a flood for one leaves room for the others; the links of messages share one. */
function nameOf({ kind, name }: Pick<KeptRequest, 'kind' | 'name'>): string {
	return kind === 'ack' ? '/ack' : name;
}
