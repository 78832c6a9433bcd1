import { errorText } from './errors.ts';
import type { Logger } from './log.ts';

/**
 * Collects what must be closed and closes it last in, first out, each once, the next even when one fails.
 * A start that fails half-way calls `close()` and leaves nothing behind.
 */
export class CleanupStack {
	readonly #entries: { readonly name: string; readonly close: () => void | Promise<void> }[] = [];
	readonly #log: Logger;

	constructor(log: Logger) {
		this.#log = log;
	}

	add(name: string, close: () => void | Promise<void>): void {
		this.#entries.push({ name, close });
	}

	async close(): Promise<void> {
		for (let entry = this.#entries.pop(); entry !== undefined; entry = this.#entries.pop()) {
			try {
				await entry.close();
			} catch (error) {
				this.#log.error({ part: entry.name, error: errorText(error) }, 'closing failed');
			}
		}
	}
}
