import { mkdirSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, stat, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../core/clock.ts';
import { AppError, errorText, systemErrorCode } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import { parseTransferFileName } from '../../protocol/transfer.ts';
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

interface WaitingFile {
	readonly name: string;
	readonly sender: string;
	readonly seq: number;
}

/** Larger than any agent writes; a stray file must not fill the memory. */
const MAX_FILE_BYTES = 256 * 1024 * 1024;
const REJECTED = 'rejected';

/** Reads one inbox: takes what is whole, waits for what is missing, and sets aside what is not to be trusted. */
export class InboxFolder {
	readonly #options: InboxFolderOptions;
	readonly #stopping = new AbortController();
	#running: Promise<void> | null = null;
	/** Sizes at the last look: a file that still grows is not read. */
	#sizes = new Map<string, number>();
	/** Since when a file waits for those before it. */
	readonly #early = new Map<string, number>();
	#unreadable = false;

	/** Throws `FN_INBOX_FOLDER` when the folder cannot be used. */
	constructor(options: InboxFolderOptions) {
		this.#options = options;
		try {
			mkdirSync(options.folder, { recursive: true });
		} catch (error) {
			throw new AppError('FN_INBOX_FOLDER', `the inbox ${options.folder} cannot be used (${systemErrorCode(error)}); check server.inbox`, {
				cause: error,
			});
		}
	}

	start(): void {
		this.#running ??= this.#run(this.#stopping.signal);
	}

	async stop(): Promise<void> {
		this.#stopping.abort();
		await this.#running;
	}

	async #run(signal: AbortSignal): Promise<void> {
		const { clock, everyMs, log, folder } = this.#options;
		while (!signal.aborted) {
			try {
				await this.look();
				this.#unreadable = false;
			} catch (error) {
				if (!this.#unreadable) log.error({ folder, error: errorText(error) }, 'the inbox cannot be read; it is tried again');
				this.#unreadable = true;
			}
			await clock.sleep(everyMs, signal);
		}
	}

	/** One look at the folder. Files that carriers write under their final name are read at the second look, when they have stopped growing. */
	async look(): Promise<void> {
		const { folder, metrics, name } = this.#options;
		const sizes = new Map<string, number>();
		const files: WaitingFile[] = [];
		for (const file of await readdir(folder)) {
			const parsed = parseTransferFileName(file);
			if (parsed === null) continue;
			const { size } = await stat(join(folder, file));
			sizes.set(file, size);
			if (this.#sizes.get(file) === size) files.push({ name: file, ...parsed });
		}
		this.#sizes = sizes;
		metrics.waiting.set({ path: name }, sizes.size);
		for (const file of this.#early.keys()) if (!sizes.has(file)) this.#early.delete(file);
		files.sort((a, b) => (a.sender < b.sender ? -1 : a.sender > b.sender ? 1 : a.seq - b.seq));
		const blocked = new Set<string>();
		for (const file of files) {
			if (this.#stopping.signal.aborted) break;
			if (!blocked.has(file.sender) && !(await this.#take(file))) blocked.add(file.sender);
		}
	}

	/** Whether the next file of this sender can be looked at. */
	async #take(file: WaitingFile): Promise<boolean> {
		const { folder, intake, name, clock, delayMs, metrics, log } = this.#options;
		const path = join(folder, file.name);
		const since = this.#early.get(file.name);
		const declareGap = since !== undefined && clock.now() - since >= delayMs;
		try {
			if ((await stat(path)).size > MAX_FILE_BYTES) {
				throw new AppError('FN_TRANSFER_MALFORMED', `the file is larger than ${MAX_FILE_BYTES} bytes`, { status: 400 });
			}
			const result = await intake.take(await readFile(path), name, declareGap);
			if (result === 'early') {
				if (since === undefined) this.#early.set(file.name, clock.now());
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
			await mkdir(join(folder, REJECTED), { recursive: true });
			await writeFile(join(folder, REJECTED, `${file.name}.why`), `${error.code}: ${error.message}\n`);
			await rename(path, join(folder, REJECTED, file.name));
			return true;
		}
	}
}
