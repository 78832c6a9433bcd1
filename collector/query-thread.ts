import { type MessagePort, Worker } from 'node:worker_threads';
import type { Registry } from 'prom-client';
import { Counter, Gauge, Histogram } from 'prom-client';
import { AppError } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import { type ExecuteOptions, errorOf, type QueryAnswer, type QueryRequest, type QueryService } from './promql/query-service.ts';
import type { QueryWorkerAnswer, QueryWorkerData, QueryWorkerRequest } from './query-worker.ts';

export interface QueryThreadOptions {
	/** Gives a new port to the store; called for every start of the thread. */
	readonly storePort: () => MessagePort;
	readonly log: Logger;
	readonly metrics: Registry;
	/** Queries that may be under way; the next ones wait. Default 4: they share one core. */
	readonly concurrency?: number;
	/** Queries that may wait; further ones are refused with 503. Default 100. */
	readonly queue?: number;
	/** A query that has not ended by then is cancelled, and the thread is replaced if it does not even notice. Default 120 s. */
	readonly deadlineMs?: number;
}

interface Job {
	readonly id: number;
	readonly request: QueryRequest;
	readonly caller: string;
	readonly cancel: SharedArrayBuffer;
	readonly resolve: (answer: QueryAnswer) => void;
	readonly reject: (error: unknown) => void;
	startedMs: number;
	timer: NodeJS.Timeout | null;
}

/** How long a cancelled query may take to notice before the thread is replaced. */
const GRACE_MS = 5000;
const RESTART_DELAY_MS = 500;

/**
 * The query service in a thread of its own. A thread that dies is replaced, and what it was working on fails with
 * `FN_QUERY_THREAD` (503, retryable); a caller that goes away cancels its query.
 */
export class QueryThread implements QueryService {
	readonly #options: QueryThreadOptions;
	readonly #running = new Map<number, Job>();
	readonly #waiting: Job[] = [];
	readonly #restarts: Counter;
	readonly #duration: Histogram;
	#worker: Worker | null = null;
	#ready = false;
	#nextId = 1;
	#stopped = false;

	constructor(options: QueryThreadOptions) {
		this.#options = options;
		this.#restarts = new Counter({
			name: 'fournines_query_thread_restarts_total',
			help: 'Times that the query thread died or was replaced.',
			registers: [options.metrics],
		});
		this.#duration = new Histogram({
			name: 'fournines_query_duration_seconds',
			help: 'Time that a request to the query thread took, waiting not included.',
			buckets: [0.001, 0.01, 0.1, 1, 10, 60],
			registers: [options.metrics],
		});
		const waiting = this.#waiting;
		new Gauge({
			name: 'fournines_query_waiting',
			help: 'Requests that wait for the query thread.',
			registers: [options.metrics],
			collect() {
				this.set(waiting.length);
			},
		});
		this.#start();
	}

	execute(request: QueryRequest, options: ExecuteOptions = {}): Promise<QueryAnswer> {
		return new Promise((resolve, reject) => {
			if (this.#stopped) {
				reject(new AppError('FN_QUERY_THREAD', 'the collector is stopping', { status: 503, retryable: true }));
				return;
			}
			if (this.#waiting.length >= (this.#options.queue ?? 100)) {
				reject(
					new AppError('FN_QUERY_BUSY', `${this.#waiting.length} queries wait already; try again, or ask for less at once`, {
						status: 503,
						retryable: true,
					}),
				);
				return;
			}
			const job: Job = {
				id: this.#nextId++,
				request,
				caller: options.caller ?? '',
				cancel: new SharedArrayBuffer(4),
				resolve,
				reject,
				startedMs: 0,
				timer: null,
			};
			options.signal?.addEventListener('abort', () => this.#cancel(job), { once: true });
			this.#waiting.push(job);
			this.#pump();
		});
	}

	async stop(): Promise<void> {
		this.#stopped = true;
		const worker = this.#worker;
		this.#failAll('the collector is stopping');
		for (const job of this.#waiting.splice(0))
			job.reject(new AppError('FN_QUERY_THREAD', 'the collector is stopping', { status: 503, retryable: true }));
		await worker?.terminate();
	}

	#start(): void {
		const store = this.#options.storePort();
		const data: QueryWorkerData = { store };
		const worker = new Worker(new URL('./query-worker.ts', import.meta.url), { workerData: data, transferList: [store] });
		this.#worker = worker;
		this.#ready = false;
		worker.on('message', (message: QueryWorkerAnswer) => this.#receive(message));
		worker.on('error', (error) => this.#options.log.error({ error: error.message }, 'the query thread failed'));
		worker.on('exit', (code) => {
			if (this.#worker !== worker) return;
			this.#worker = null;
			this.#ready = false;
			if (this.#stopped) return;
			this.#restarts.inc();
			this.#options.log.error({ code }, 'the query thread ended and is started again');
			this.#failAll('the query thread ended while it was working on this query; it may have needed too much memory');
			setTimeout(() => {
				if (!this.#stopped) this.#start();
			}, RESTART_DELAY_MS).unref();
		});
	}

	#receive(message: QueryWorkerAnswer): void {
		if (message.kind === 'ready') {
			this.#ready = true;
			this.#pump();
			return;
		}
		const job = this.#running.get(message.id);
		if (job === undefined) return;
		this.#finish(job);
		if (message.kind === 'answer') job.resolve(message.answer);
		else job.reject(errorOf(message.failure));
		this.#pump();
	}

	#pump(): void {
		while (this.#ready && this.#running.size < (this.#options.concurrency ?? 4)) {
			const job = this.#takeNext();
			if (job === undefined) return;
			job.startedMs = performance.now();
			this.#running.set(job.id, job);
			job.timer = setTimeout(() => this.#cancel(job), this.#options.deadlineMs ?? 120_000);
			const message: QueryWorkerRequest = { id: job.id, request: job.request, cancel: job.cancel };
			this.#worker?.postMessage(message);
		}
	}

	/** The oldest query of whoever has the fewest under way, so that one board with many panels does not keep everybody waiting. */
	#takeNext(): Job | undefined {
		const underWay = new Map<string, number>();
		for (const { caller } of this.#running.values()) underWay.set(caller, (underWay.get(caller) ?? 0) + 1);
		let best = -1;
		let fewest = Number.POSITIVE_INFINITY;
		this.#waiting.forEach(({ caller }, index) => {
			const count = underWay.get(caller) ?? 0;
			if (count < fewest) {
				fewest = count;
				best = index;
			}
		});
		return best < 0 ? undefined : this.#waiting.splice(best, 1)[0];
	}

	/** Asks the query to end; a thread that does not react is replaced, so that one query cannot hold all others up. */
	#cancel(job: Job): void {
		const index = this.#waiting.indexOf(job);
		if (index >= 0) {
			this.#waiting.splice(index, 1);
			job.reject(new AppError('FN_QUERY_CANCELLED', 'the query was cancelled', { status: 503 }));
			return;
		}
		if (!this.#running.has(job.id)) return;
		Atomics.store(new Int32Array(job.cancel), 0, 1);
		if (job.timer !== null) clearTimeout(job.timer);
		job.timer = setTimeout(() => {
			void this.#worker?.terminate();
		}, GRACE_MS);
	}

	#finish(job: Job): void {
		this.#running.delete(job.id);
		if (job.timer !== null) clearTimeout(job.timer);
		this.#duration.observe((performance.now() - job.startedMs) / 1000);
	}

	#failAll(reason: string): void {
		for (const job of [...this.#running.values()]) {
			this.#finish(job);
			job.reject(new AppError('FN_QUERY_THREAD', reason, { status: 503, retryable: true }));
		}
	}
}
