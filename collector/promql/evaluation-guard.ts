import { AppError } from '../../core/errors.ts';

export interface GuardOptions {
	readonly monotonic: () => number;
	/** On the same clock as `monotonic`. */
	readonly deadlineMs: number;
	readonly timeoutMs: number;
	readonly sampleLimit: number;
	readonly signal: AbortSignal | undefined;
	/** Element 0 becomes non-zero when the query is to end; it may sit on shared memory and be set by another thread. */
	readonly cancelFlag: Int32Array | undefined;
}

/** Ends an evaluation that is cancelled, late, or holds too much. The evaluator polls it once per series and operator. */
export class EvaluationGuard {
	readonly #options: GuardOptions;
	#polls = 0;
	#held = 0;
	#peak = 0;
	#read = 0;

	constructor(options: GuardOptions) {
		this.#options = options;
	}

	/** Samples and cells that are in memory now. */
	get held(): number {
		return this.#held;
	}

	get peak(): number {
		return this.#peak;
	}

	/** Samples that came from the store. */
	get read(): number {
		return this.#read;
	}

	get remaining(): number {
		return Math.max(0, this.#options.sampleLimit - this.#held);
	}

	check(): void {
		const { cancelFlag, signal, monotonic, deadlineMs, timeoutMs } = this.#options;
		if (cancelFlag !== undefined && Atomics.load(cancelFlag, 0) !== 0) throw cancelled();
		this.#polls += 1;
		if (this.#polls % 64 !== 1) return;
		if (signal?.aborted === true) throw cancelled();
		if (monotonic() > deadlineMs) throw timedOut(timeoutMs);
	}

	hold(samples: number): void {
		this.#held += samples;
		if (this.#held > this.#peak) this.#peak = this.#held;
		if (this.#held > this.#options.sampleLimit) {
			throw new AppError(
				'FN_QUERY_SAMPLE_LIMIT',
				`query processing would load too many samples into memory: more than ${this.#options.sampleLimit}; ask for fewer series, a shorter time or a larger step`,
				{ status: 422 },
			);
		}
	}

	/** Counts samples that the store gave. */
	holdRead(samples: number): void {
		this.#read += samples;
		this.hold(samples);
	}

	/** Back to an earlier `held` plus what is kept. */
	release(toHeld: number): void {
		this.#held = toHeld;
	}
}

export function cancelled(): AppError {
	return new AppError('FN_QUERY_CANCELLED', 'the query was cancelled', { status: 503 });
}

export function timedOut(timeoutMs: number): AppError {
	return new AppError(
		'FN_QUERY_TIMEOUT',
		`query timed out in expression evaluation after ${timeoutMs} ms; ask for less, or allow more time`,
		{
			status: 503,
			retryable: true,
		},
	);
}
