import type { Clock } from '../../../core/clock.ts';
import { AppError } from '../../../core/errors.ts';
import { type Answer, type AnswerConditions, type AnswerExpectation, compileConditions } from './answer-conditions.ts';
import { Deadline } from './deadline.ts';
import { type FailureReason, ProbeFailure } from './failure.ts';
import { emptyMeasurement, type HttpProbeRequest, httpProbe } from './http-probe.ts';

export interface HttpReadOptions {
	readonly url: string;
	readonly request: () => HttpProbeRequest;
	readonly expect: AnswerExpectation;
	readonly timeoutMs: number;
	readonly clock: Clock;
}

const CONTENT_REASONS: readonly FailureReason[] = ['config', 'header', 'text', 'json', 'size', 'redirect', 'protocol'];

/** An answer that is read for what it says, by an input that is not a check. Throws `FN_AGENT_SOURCE_CONNECT`, `FN_AGENT_SOURCE_STATUS` or `FN_AGENT_SOURCE_FORMAT`. */
export class HttpReader {
	readonly #options: HttpReadOptions;
	#conditions: AnswerConditions | null = null;

	constructor(options: HttpReadOptions) {
		this.#options = options;
	}

	async read(signal: AbortSignal): Promise<Answer> {
		const { url, request, expect, timeoutMs, clock } = this.#options;
		const deadline = new Deadline(timeoutMs, signal);
		try {
			this.#conditions ??= await compileConditions(expect);
			const answer = await httpProbe(url, request(), emptyMeasurement(), { deadline, monotonic: () => clock.monotonic() });
			this.#conditions.check(answer);
			return answer;
		} catch (error) {
			if (!(error instanceof ProbeFailure)) throw error;
			if (error.reason === 'status') throw new AppError('FN_AGENT_SOURCE_STATUS', error.message, { cause: error, retryable: true });
			if (CONTENT_REASONS.includes(error.reason))
				throw new AppError('FN_AGENT_SOURCE_FORMAT', error.message, { cause: error, retryable: true });
			throw new AppError('FN_AGENT_SOURCE_CONNECT', `no answer of ${new URL(url).host}: ${error.message}`, {
				cause: error,
				retryable: true,
			});
		} finally {
			deadline.end();
		}
	}
}
