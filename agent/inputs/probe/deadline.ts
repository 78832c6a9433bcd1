import { ProbeFailure } from './failure.ts';

/** One time limit over all parts of a probe. Every wait of a probe is a `race`, so that nothing outlives it. */
export class Deadline {
	readonly signal: AbortSignal;
	readonly timeoutMs: number;
	readonly #abort = new AbortController();
	readonly #timer: NodeJS.Timeout;
	readonly #outer: AbortSignal;
	readonly #cancel: () => void;
	#phase = 'start';
	#cancelled = false;

	constructor(timeoutMs: number, outer: AbortSignal) {
		this.timeoutMs = timeoutMs;
		this.signal = this.#abort.signal;
		this.#outer = outer;
		this.#timer = setTimeout(() => this.#abort.abort(), timeoutMs);
		this.#cancel = () => {
			this.#cancelled = true;
			this.#abort.abort();
		};
		if (outer.aborted) this.#cancel();
		else outer.addEventListener('abort', this.#cancel, { once: true });
	}

	/** What the probe is doing now, for the message when time runs out. */
	phase(name: string): void {
		this.#phase = name;
	}

	failure(): ProbeFailure {
		return this.#cancelled
			? new ProbeFailure('other', 'cancelled')
			: new ProbeFailure('timeout', `not done within ${this.timeoutMs} ms; time ran out in: ${this.#phase}`);
	}

	/** `work(resolve, reject)` as a promise that the deadline rejects; `release` runs then, to close what `work` has opened. */
	race<T>(work: (resolve: (value: T) => void, reject: (error: unknown) => void) => void, release: () => void = () => {}): Promise<T> {
		return new Promise<T>((resolve, reject) => {
			if (this.signal.aborted) {
				release();
				reject(this.failure());
				return;
			}
			const onAbort = () => {
				release();
				reject(this.failure());
			};
			this.signal.addEventListener('abort', onAbort, { once: true });
			const done = () => this.signal.removeEventListener('abort', onAbort);
			work(
				(value) => {
					done();
					resolve(value);
				},
				(error) => {
					done();
					reject(error);
				},
			);
		});
	}

	end(): void {
		clearTimeout(this.#timer);
		this.#outer.removeEventListener('abort', this.#cancel);
	}
}
