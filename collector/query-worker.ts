import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '../core/clock.ts';
import { createLogger } from '../core/log.ts';
import { createEngine } from './promql/engine.ts';
import { failureOf, localQueryService, type QueryAnswer, type QueryFailure, type QueryRequest } from './promql/query-service.ts';
import { openStoreReader } from './tsdb/store-reader.ts';

/** What the query thread is started with. */
export interface QueryWorkerData {
	/** To the store on the main thread. */
	readonly store: MessagePort;
}

export type QueryWorkerRequest = { readonly id: number; readonly request: QueryRequest; readonly cancel: SharedArrayBuffer };
export type QueryWorkerAnswer =
	| { readonly kind: 'ready' }
	| { readonly kind: 'answer'; readonly id: number; readonly answer: QueryAnswer }
	| { readonly kind: 'failure'; readonly id: number; readonly failure: QueryFailure };

/** Of one query, at 16 bytes each some 320 MB: the reference machine has a few gigabytes, and four queries run at once. */
const SAMPLE_LIMIT = 20_000_000;

/** Of compressed samples, twice: a day of a thousand hosts' boards, or a week of a hundred's. */
const CACHE_BYTES = 160 * 1024 * 1024;

/** The store may have a long log to read before it opens. */
const OPENING_MS = 3_600_000;

/** Entry of the query thread: PromQL for the API, so that nobody's dashboard makes ingest or alerts wait. */
async function main(): Promise<void> {
	if (parentPort === null) throw new Error('query-worker.ts is the entry of a worker thread');
	const port = parentPort;
	const { store } = workerData as QueryWorkerData;
	const reader = await openStoreReader(store, { log: createLogger('query'), timeoutMs: OPENING_MS, cacheBytes: CACHE_BYTES });
	const service = localQueryService(createEngine({ queryable: reader, clock: systemClock, sampleLimit: SAMPLE_LIMIT }), reader);
	const post = (message: QueryWorkerAnswer, transfer: readonly ArrayBuffer[] = []) => port.postMessage(message, transfer);
	port.on('message', ({ id, request, cancel }: QueryWorkerRequest) => {
		service.execute(request, { cancelFlag: new Int32Array(cancel) }).then(
			(answer) => post({ kind: 'answer', id, answer }, [answer.json.buffer]),
			(error: unknown) => post({ kind: 'failure', id, failure: failureOf(error) }),
		);
	});
	post({ kind: 'ready' });
}

await main();
