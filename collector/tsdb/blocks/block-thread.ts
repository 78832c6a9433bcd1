import { Worker } from 'node:worker_threads';
import { AppError } from '../../../core/errors.ts';
import type { Logger } from '../../../core/log.ts';
import type { BlockAnswer, BlockTask, TaskResult } from './block-messages.ts';

interface Pending {
	readonly resolve: (result: TaskResult) => void;
	readonly reject: (error: AppError) => void;
}

/** A thread with what it was given and has not answered. Its own: when it has died, the next one may be at work before it is told. */
interface RunningThread {
	readonly worker: Worker;
	readonly pending: Pending[];
}

/** How long a task may take. The largest waits for a slow disk to take an hour of samples. */
const TASK_TIMEOUT_MS = 300_000;

/** The thread that writes blocks, started when it is first needed and again when it has died. */
export class BlockThread {
	readonly #folder: string;
	readonly #log: Logger;
	#running: RunningThread | null = null;

	constructor(folder: string, log: Logger) {
		this.#folder = folder;
		this.#log = log;
	}

	/** Sends a task; typed arrays in `transfer` are handed over. Rejects with `FN_STORE_BLOCK_WRITE`. */
	run(task: BlockTask, transfer: readonly ArrayBuffer[] = []): Promise<TaskResult> {
		const { worker, pending } = this.#start();
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
			pending.push({
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
		const running = this.#running;
		if (running === null) return;
		try {
			await this.run({ kind: 'stop' });
		} finally {
			this.#running = null;
			await running.worker.terminate();
		}
	}

	#start(): RunningThread {
		if (this.#running !== null) return this.#running;
		const pending: Pending[] = [];
		const worker = new Worker(new URL('./block-worker.ts', import.meta.url), { workerData: { folder: this.#folder } });
		worker.on('message', (answer: BlockAnswer) => {
			if (answer.kind === 'report') {
				this.#log.error({ file: answer.file }, answer.message);
				return;
			}
			const first = pending.shift();
			if (answer.kind === 'done') first?.resolve(answer);
			else first?.reject(blockError(answer.message, answer.full));
		});
		const lost = (reason: string) => {
			if (this.#running?.worker === worker) this.#running = null;
			for (const entry of pending.splice(0)) entry.reject(blockError(reason, false));
		};
		worker.on('error', (error) => lost(error.message));
		worker.on('exit', (code) => lost(`the writing thread ended with ${code}`));
		worker.unref();
		this.#running = { worker, pending };
		return this.#running;
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
