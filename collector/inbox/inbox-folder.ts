import { readFile, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../core/clock.ts';
import { AppError, errorText, systemErrorCode } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import { Repetition } from '../../core/repetition.ts';
import { TransferFolder, type WaitingTransfer } from '../../core/transfer-folder.ts';
import type { InboxMetrics } from './metrics.ts';
import type { TransferIntake } from './transfer-intake.ts';

export interface InboxFolderOptions {
	/** Of the path, in metrics and messages. */
	readonly name: string;
	readonly folder: string;
	readonly delayMs: number;
	readonly everyMs: number;
	readonly intake: TransferIntake;
	readonly metrics: InboxMetrics;
	readonly clock: Clock;
	readonly log: Logger;
}

/** Larger than any agent writes; a stray file must not fill the memory. */
const MAX_FILE_BYTES = 256 * 1024 * 1024;

/** Reads one inbox: takes what is whole, waits for what is missing, and sets aside what is not to be trusted. */
export class InboxFolder {
	readonly #options: InboxFolderOptions;
	readonly #looking: Repetition;
	readonly #folder: TransferFolder;

	/** Throws `FN_INBOX_FOLDER` when the folder cannot be used. */
	constructor(options: InboxFolderOptions) {
		const { clock, everyMs, log, folder } = options;
		this.#options = options;
		this.#looking = new Repetition({
			clock,
			everyMs: () => everyMs,
			run: (signal) => this.look(signal),
			onFailure: (error, again) => {
				if (!again) log.error({ folder, error: errorText(error) }, 'the inbox cannot be read; it is tried again');
			},
		});
		try {
			this.#folder = new TransferFolder(options.folder);
		} catch (error) {
			throw new AppError('FN_INBOX_FOLDER', `the inbox ${options.folder} cannot be used (${systemErrorCode(error)}); check server.inbox`, {
				cause: error,
			});
		}
	}

	start(): void {
		this.#looking.start();
	}

	stop(): Promise<void> {
		return this.#looking.stop();
	}

	/** One look at the folder. Files that carriers write under their final name are read at the second look, when they have stopped growing. */
	async look(signal: AbortSignal = new AbortController().signal): Promise<void> {
		const { metrics, name } = this.#options;
		await this.#folder.look((file) => this.#take(file), signal);
		metrics.waiting.set({ path: name }, this.#folder.size);
	}

	/** Whether the next file of this sender can be looked at. */
	async #take(file: WaitingTransfer): Promise<boolean> {
		const { folder, intake, name, clock, delayMs, metrics, log } = this.#options;
		const path = join(folder, file.name);
		const declareGap = this.#folder.hasWaited(file.name, clock.now(), delayMs);
		try {
			if ((await stat(path)).size > MAX_FILE_BYTES) {
				throw new AppError('FN_TRANSFER_MALFORMED', `the file is larger than ${MAX_FILE_BYTES} bytes`, { status: 400 });
			}
			const result = await intake.take(await readFile(path), name, declareGap);
			if (result === 'early') {
				this.#folder.waits(file.name, clock.now());
				return false;
			}
			if (result === 'duplicate') metrics.files.inc({ path: name, result: 'duplicate' });
			await unlink(path);
			return true;
		} catch (error) {
			if (!(error instanceof AppError) || error.retryable || error.status >= 500) {
				log.warn({ path: name, file: file.name, error: errorText(error) }, 'a transfer file cannot be taken now; it stays');
				return false;
			}
			metrics.files.inc({ path: name, result: 'rejected' });
			log.error({ path: name, file: file.name, code: error.code, error: error.message }, 'a transfer file was set aside');
			await this.#folder.setAside(file.name, `${error.code}: ${error.message}`);
			return true;
		}
	}
}
