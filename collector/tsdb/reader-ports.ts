import type { MessagePort } from 'node:worker_threads';
import type { Head } from './head.ts';
import type { HeadLayout, ReaderMessage } from './shared-head.ts';

/** Tells other threads where the shared memory of the head is. */
export class ReaderPorts {
	readonly #folder: string;
	readonly #head: Head;
	readonly #ports = new Set<MessagePort>();
	#layout: HeadLayout;

	constructor(folder: string, head: Head) {
		this.#folder = folder;
		this.#head = head;
		this.#layout = head.takeLayout() ?? head.layout();
	}

	/** As it was published last. */
	get layout(): HeadLayout {
		return this.#layout;
	}

	/** Tells the thread at the other end, now and at every change. */
	attach(port: MessagePort): void {
		this.publish();
		const message: ReaderMessage = { kind: 'open', folder: this.#folder, layout: this.#layout };
		port.postMessage(message);
		port.on('close', () => this.#ports.delete(port));
		port.unref();
		this.#ports.add(port);
	}

	/** Must be called before a change of the layout is used. */
	publish(): void {
		const layout = this.#head.takeLayout();
		if (layout === null) return;
		this.#layout = layout;
		const message: ReaderMessage = { kind: 'layout', layout };
		for (const port of this.#ports) port.postMessage(message);
	}

	close(): void {
		for (const port of this.#ports) port.close();
	}
}
