import { AppError } from '../core/errors.ts';

/** Posts that wait while another is made durable. */
export const MAX_WAITING_POSTS = 100;

/** Runs tasks one after the other, because a decision must not see half of another one's changes. */
export class SerialQueue {
	readonly #limit: number;
	#waiting = 0;
	#tail: Promise<unknown> = Promise.resolve();

	constructor(limit: number) {
		this.#limit = limit;
	}

	/** Throws `FN_ALERTS_BUSY` when too many wait already. */
	run<T>(task: () => Promise<T>): Promise<T> {
		if (this.#waiting >= this.#limit) {
			const message = `${this.#waiting} posts of alerts wait to be recorded; post again in a moment`;
			return Promise.reject(new AppError('FN_ALERTS_BUSY', message, { retryable: true, status: 503 }));
		}
		return this.runAlways(task);
	}

	/** For the pipeline's own tasks, of which there is never more than a handful. */
	runAlways<T>(task: () => Promise<T>): Promise<T> {
		this.#waiting++;
		const result = this.#tail.then(task).finally(() => {
			this.#waiting--;
		});
		this.#tail = result.catch(() => {});
		return result;
	}
}
