import { promises as files } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../core/clock.ts';
import { AppError, errorText, systemErrorCode } from '../../core/errors.ts';
import { httpExchange } from '../../core/http-client.ts';
import type { Logger } from '../../core/log.ts';
import { Repetition } from '../../core/repetition.ts';
import type { Secret } from '../../core/secret.ts';
import { TransferFolder } from '../../core/transfer-folder.ts';

export interface RelayInboxOptions {
	readonly folder: string;
	readonly everyMs: number;
	readonly delayMs: number;
	readonly target: RelayTarget;
	readonly onPassed: (result: string) => void;
	readonly clock: Clock;
	readonly log: Logger;
}

/** Where transfer files go on to. */
export type RelayTarget =
	| {
			readonly kind: 'collector';
			/** `/api/fournines/v1/transfer`. */
			readonly url: string;
			readonly token: () => Secret | null;
			readonly ca?: () => string;
			readonly timeoutMs: number;
			readonly userAgent: string;
	  }
	| { readonly kind: 'outbox'; readonly folder: string };

/** Refusals with 403 that are about the file, and not about who brings it. */
const ABOUT_FILE = ['FN_TRANSFER_SENDER', 'FN_TRANSFER_SIGNATURE'];

type Verdict = 'gone' | 'wait' | { readonly rejected: string };

/** Carries transfer files from an inbox on, unopened: their signature is the sender's, and only the collector judges it. */
export class RelayInbox {
	readonly #options: RelayInboxOptions;
	readonly #looking: Repetition;
	readonly #folder: TransferFolder;

	/** Throws `FN_AGENT_RELAY_INBOX` when the folder cannot be used. */
	constructor(options: RelayInboxOptions) {
		const { clock, everyMs, log, folder } = options;
		this.#options = options;
		this.#looking = new Repetition({
			clock,
			everyMs: () => everyMs,
			run: (signal) => this.#folder.look(({ name }) => this.#pass(name, signal), signal),
			onFailure: (error) => log.warn({ folder, error: errorText(error) }, 'transfer files cannot be passed on now; they stay'),
		});
		try {
			this.#folder = new TransferFolder(options.folder);
		} catch (error) {
			throw new AppError(
				'FN_AGENT_RELAY_INBOX',
				`the inbox ${options.folder} cannot be used (${systemErrorCode(error)}); check relay.inbox`,
				{
					cause: error,
				},
			);
		}
	}

	start(): void {
		this.#looking.start();
	}

	stop(): Promise<void> {
		return this.#looking.stop();
	}

	/** Whether the next file of the sender can go. */
	async #pass(name: string, signal: AbortSignal): Promise<boolean> {
		const { folder, onPassed, log } = this.#options;
		const verdict = await this.#deliver(name, signal);
		if (verdict === 'wait') return false;
		if (verdict === 'gone') {
			onPassed('passed');
			await files.rm(join(folder, name), { force: true });
			return true;
		}
		onPassed('rejected');
		log.error({ file: name, reason: verdict.rejected }, 'the collector refuses a transfer file; it was set aside');
		await this.#folder.setAside(name, verdict.rejected);
		return true;
	}

	async #deliver(name: string, signal: AbortSignal): Promise<Verdict> {
		const { folder, target, clock, delayMs } = this.#options;
		const path = join(folder, name);
		if (target.kind === 'outbox') {
			// Whole under its name or not there: the next gap device may be looking.
			const unfinished = join(target.folder, `${name}.unfinished`);
			await files.copyFile(path, unfinished);
			await files.rename(unfinished, join(target.folder, name));
			return 'gone';
		}
		const declare = this.#folder.hasWaited(name, clock.now(), delayMs);
		const key = target.token();
		const response = await httpExchange(`${target.url}?path=relay${declare ? '&declare_gap=true' : ''}`, {
			method: 'POST',
			headers: {
				'content-type': 'application/octet-stream',
				'user-agent': target.userAgent,
				...(key === null ? {} : { authorization: `Bearer ${key.reveal()}` }),
			},
			body: await files.readFile(path),
			timeoutMs: target.timeoutMs,
			maxBodyBytes: 64 * 1024,
			signal,
			...(target.ca === undefined ? {} : { ca: target.ca() }),
		});
		if (response.status === 200) return 'gone';
		const text = response.body.toString('utf8', 0, 500);
		if (response.status === 409) {
			this.#folder.waits(name, clock.now());
			return 'wait';
		}
		// A wrong token or a busy collector says nothing about the file.
		const aboutFile =
			response.status === 400 || response.status === 413 || (response.status === 403 && ABOUT_FILE.some((code) => text.includes(code)));
		if (aboutFile) return { rejected: text };
		throw new Error(`the collector answered ${response.status}: ${text}`);
	}
}
