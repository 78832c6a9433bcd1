import { Counter, type Registry } from 'prom-client';
import type { Clock } from '../core/clock.ts';
import { AppError } from '../core/errors.ts';
import { createEngine } from './promql/engine.ts';
import { type ExecuteOptions, localQueryService, type QueryAnswer, type QueryRequest, type QueryService } from './promql/query-service.ts';
import type { Queryable } from './storage/storage.ts';

export interface CheapQueriesOptions {
	/** The query thread. */
	readonly thread: QueryService;
	/** In this thread; it must refuse by itself what has become dear. */
	readonly here: QueryService;
	readonly clock: Clock;
	/** Rises with each query that is answered here. */
	readonly answered?: Counter;
}

/** A query that took longer than this is left to the thread: ingest and rules wait for whoever runs here. */
const CHEAP_MS = 1;
/** Ends a query here that was cheap and is no longer; the thread answers it. */
const CHEAP_TIMEOUT_MS = 5;
const CHEAP_SAMPLES = 500_000;
/** Of this thread's time, and for how long in one go. */
const SHARE = 0.2;
const BURST_MS = 5;
const HOUR_MS = 3_600_000;
const REMEMBERED = 2000;
/** Longer queries are not remembered, so that the memory of all is bounded. */
const MAX_KEY_CHARACTERS = 2000;

/**
 * Answers on the main thread what the query thread has just found cheap, for half of what such a query costs is the way to the other thread and
 * back. Boards ask the same all day, moved by some seconds. What was asked of the same hour a moment ago lies in the page cache, so nothing here
 * waits for a disk. A query that is new, dear, or has limits of its own goes to the thread, and so does everything while this thread has no time to give.
 */
export class CheapQueries implements QueryService {
	readonly #options: CheapQueriesOptions;
	/** What each query took when it was last answered, in milliseconds; the oldest first. */
	readonly #took = new Map<string, number>();
	/** Milliseconds that may be spent here. */
	#credit = BURST_MS;
	#creditAt: number;

	constructor(options: CheapQueriesOptions) {
		this.#options = options;
		this.#creditAt = options.clock.monotonic();
	}

	async execute(request: QueryRequest, options: ExecuteOptions = {}): Promise<QueryAnswer> {
		const { here, thread, clock, answered } = this.#options;
		const key = keyOf(request);
		if (key === null) return thread.execute(request, options);
		const took = this.#took.get(key);
		if (took !== undefined && took <= CHEAP_MS && this.#mayRun(took)) {
			const begun = clock.monotonic();
			try {
				const answer = await here.execute(request, options);
				answered?.inc();
				return answer;
			} catch (error) {
				if (!isLimit(error)) throw error;
			} finally {
				const spent = clock.monotonic() - begun;
				this.#credit -= spent;
				this.#remember(key, spent);
			}
		}
		const answer = await thread.execute(request, options);
		if (answer.spentMs !== undefined) this.#remember(key, answer.spentMs);
		return answer;
	}

	/** Whether this thread has the time, which comes back with the time that passes. */
	#mayRun(ms: number): boolean {
		const now = this.#options.clock.monotonic();
		this.#credit = Math.min(BURST_MS, this.#credit + (now - this.#creditAt) * SHARE);
		this.#creditAt = now;
		return this.#credit >= ms;
	}

	#remember(key: string, ms: number): void {
		this.#took.delete(key);
		if (this.#took.size >= REMEMBERED) this.#took.delete(this.#took.keys().next().value ?? '');
		this.#took.set(key, ms);
	}
}

/** With a store that this thread reads as well. */
export function cheapQueries(
	thread: QueryService,
	options: { readonly store: Queryable; readonly clock: Clock; readonly metrics: Registry },
): CheapQueries {
	const { store, clock, metrics } = options;
	const answered = new Counter({
		name: 'fournines_query_main_thread_total',
		help: 'Requests that were answered on the main thread, because they were known to be cheap.',
		registers: [metrics],
	});
	const engine = createEngine({ queryable: store, clock, sampleLimit: CHEAP_SAMPLES, timeoutMs: CHEAP_TIMEOUT_MS });
	return new CheapQueries({ thread, here: localQueryService(engine, store), clock, answered });
}

/** The same for queries that do the same work on the same hour's data; `null` for those that are always left to the thread. */
function keyOf(request: QueryRequest): string | null {
	const key = partsOf(request)?.join('\n') ?? null;
	return key === null || key.length > MAX_KEY_CHARACTERS ? null : key;
}

function partsOf(request: QueryRequest): readonly (string | number)[] | null {
	switch (request.kind) {
		case 'instant':
			if (request.stats !== undefined || request.timeoutMs !== undefined) return null;
			return ['instant', Math.floor(request.timeMs / HOUR_MS), request.lookbackMs ?? '', request.limit ?? 0, request.query];
		case 'range': {
			if (request.stats !== undefined || request.timeoutMs !== undefined) return null;
			const { startMs, endMs, stepMs, lookbackMs = '', limit = 0, query } = request;
			return ['range', Math.floor(endMs / HOUR_MS), endMs - startMs, stepMs, lookbackMs, limit, query];
		}
		case 'series':
		case 'labels':
		case 'labelValues': {
			const { kind, startMs, endMs, limit = 0, selectors } = request;
			return [kind, Math.floor(endMs / HOUR_MS), endMs - startMs, limit, kind === 'labelValues' ? request.name : '', ...selectors];
		}
		default:
			return null;
	}
}

function isLimit(error: unknown): boolean {
	return error instanceof AppError && (error.code === 'FN_QUERY_SAMPLE_LIMIT' || error.code === 'FN_QUERY_TIMEOUT');
}
