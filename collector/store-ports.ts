import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { Store } from './tsdb/store.ts';

/** Gives ports to a store that may not be open yet, so that a thread can load its modules while the log is read. */
export class StorePorts {
	#store: Store | null = null;
	readonly #waiting: MessagePort[] = [];

	/** The thread's end. */
	take(): MessagePort {
		if (this.#store !== null) return this.#store.readerPort();
		const { port1, port2 } = new MessageChannel();
		this.#waiting.push(port1);
		return port2;
	}

	/** Who took a port before can read from now on. */
	opened(store: Store): void {
		this.#store = store;
		for (const port of this.#waiting.splice(0)) store.attachReader(port);
	}
}
