import { join } from 'node:path';
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { AppError } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import type { Queryable } from '../storage/storage.ts';
import { BlockReader } from './blocks/block-reader.ts';
import { GoneSeriesReader } from './blocks/gone-series.ts';
import { HeadReader } from './head-reader.ts';
import { StoreQueries } from './select.ts';
import { SeriesIndex } from './series-index.ts';
import type { HeadLayout, ReaderMessage } from './shared-head.ts';

export interface StoreReader extends Queryable {
	/** Closes the block files. The port is the caller's. */
	close(): void;
}

/**
 * Reads a store of another thread: the head through shared memory, blocks through connections of its own. `port` is the other
 * end of one that was given to `Store.attachReader`, whose first message is waiting in it or comes within `timeoutMs`
 * (default 10 s). Messages are taken from the port when a read begins, so it must have no other listener. `cacheBytes`
 * bounds each of the two caches of block files (default 32 MiB).
 */
export async function openStoreReader(
	port: MessagePort,
	options: { readonly log: Logger; readonly timeoutMs?: number; readonly cacheBytes?: number },
): Promise<StoreReader> {
	const deadline = performance.now() + (options.timeoutMs ?? 10_000);
	let opened = receive(port);
	while (opened === null) {
		if (performance.now() > deadline) {
			throw new AppError('FN_STORE_READER_LOST', 'the store has not opened itself to this reader; attach the port to the store first', {
				retryable: true,
				status: 503,
			});
		}
		await new Promise((resolve) => setTimeout(resolve, 5));
		opened = receive(port);
	}
	if (opened.kind !== 'open') throw new AppError('FN_STORE_READER_LOST', 'the first message from the store was not the one that opens it');
	const head = new HeadReader(opened.layout, () => newestLayout(port));
	const blocks = new BlockReader(join(opened.folder, 'blocks'), options.log, options.cacheBytes);
	const queries = new StoreQueries(head, new SeriesIndex(head), blocks, new GoneSeriesReader(opened.folder));
	return {
		select: (matchers, minMs, maxMs, selectOptions) => queries.select(matchers, minMs, maxMs, selectOptions),
		series: (matchers, minMs, maxMs, selectOptions) => queries.series(matchers, minMs, maxMs, selectOptions),
		labelNames: (matchers, minMs, maxMs, selectOptions) => queries.labelNames(matchers, minMs, maxMs, selectOptions),
		labelValues: (name, matchers, minMs, maxMs, selectOptions) => queries.labelValues(name, matchers, minMs, maxMs, selectOptions),
		close: () => queries.close(),
	};
}

function receive(port: MessagePort): ReaderMessage | null {
	const received = receiveMessageOnPort(port);
	return received === undefined ? null : (received.message as ReaderMessage);
}

function newestLayout(port: MessagePort): HeadLayout | null {
	let newest: HeadLayout | null = null;
	for (let message = receive(port); message !== null; message = receive(port)) newest = message.layout;
	return newest;
}
