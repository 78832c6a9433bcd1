import { Worker } from 'node:worker_threads';
import { AppError } from '../../../core/errors.ts';
import type { Logger } from '../../../core/log.ts';
import type { BlockAnswer, BlockTask, TaskResult } from './block-messages.ts';

interface Pending {
	readonly resolve: (result: TaskResult) => void;
	readonly reject: (error: AppError) => void;
}

/** How long a task may take. The largest waits for a slow disk to take an hour of samples. */
const TASK_TIMEOUT_MS = 300_000;

/** The thread that writes blocks, started when it is first needed and again when it has died. */
export class BlockThread {
	readonly #folder: string;
	readonly #log: Logger;
	#worker: Worker | null = null;
	#pending: Pending[] = [];

	constructor(folder: string, log: Logger) {
		this.#folder = folder;
		this.#log = log;
	}

	/** Sends a task; typed arrays in `transfer` are handed over. Rejects with `FN_STORE_BLOCK_WRITE`. */
	run(task: BlockTask, transfer: readonly ArrayBuffer[] = []): Promise<TaskResult> {
		const worker = this.#start();
		return new Promise((resolve, reject) => {
			const timer = setTimeout(() => {
				reject(
					new AppError('FN_STORE_BLOCK_WRITE', `writing blocks took longer than ${TASK_TIMEOUT_MS / 1000} s; it is tried again`, {
						retryable: true,
					}),
				);
				void worker.terminate();
			}, TASK_TIMEOUT_MS);
			const settle = () => clearTimeout(timer);
			this.#pending.push({
				resolve: (result) => {
					settle();
					resolve(result);
				},
				reject: (error) => {
					settle();
					reject(error);
				},
			});
			worker.postMessage(task, [...transfer]);
		});
	}

	async stop(): Promise<void> {
		const worker = this.#worker;
		if (worker === null) return;
		try {
			await this.run({ kind: 'stop' });
		} finally {
			this.#worker = null;
			await worker.terminate();
		}
	}

	#start(): Worker {
		if (this.#worker !== null) return this.#worker;
		const worker = new Worker(new URL('./block-worker.ts', import.meta.url), { workerData: { folder: this.#folder } });
		worker.on('message', (answer: BlockAnswer) => {
			if (answer.kind === 'report') {
				this.#log.error({ file: answer.file }, answer.message);
				return;
			}
			const pending = this.#pending.shift();
			if (answer.kind === 'done') pending?.resolve(answer);
			else pending?.reject(blockError(answer.message, answer.full));
		});
		const lost = (reason: string) => {
			if (this.#worker === worker) this.#worker = null;
			const pending = this.#pending;
			this.#pending = [];
			for (const entry of pending) entry.reject(blockError(reason, false));
		};
		worker.on('error', (error) => lost(error.message));
		worker.on('exit', (code) => lost(`the writing thread ended with ${code}`));
		worker.unref();
		this.#worker = worker;
		return worker;
	}
}

function blockError(reason: string, full: boolean): AppError {
	return new AppError(
		'FN_STORE_BLOCK_WRITE',
		full
			? 'blocks cannot be written because the disk is full; samples stay in memory and in the log, and it is tried again'
			: `blocks cannot be written (${reason}); samples stay in memory and in the log, and it is tried again`,
		{ retryable: true, status: 507 },
	);
}
