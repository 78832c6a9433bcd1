import { type KeyObject, sign } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readdirSync, readFileSync, renameSync, statSync, unlinkSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { AppError, systemErrorCode } from '../../core/errors.ts';
import { makeFolder } from '../../core/folder.ts';
import { encodeTransfer, parseTransferFileName, TRANSFER_SENDER, type TransferEntry, transferFileName } from '../../protocol/transfer.ts';

export interface OutboxWriterOptions {
	readonly folder: string;
	/** Where the number of the last file is kept. */
	readonly stateFile: string;
	readonly sender: string;
	readonly key: KeyObject;
	readonly maxBytes: number;
	readonly now: () => number;
}

export interface OutboxEntry {
	readonly kind: TransferEntry['kind'];
	readonly body: Uint8Array;
}

const UNFINISHED = '.unfinished';

/**
 * Writes numbered, signed transfer files. A number is never given to two files, whenever the process ends: the file is complete on the disk
 * before its number counts as used, and gets its name only after that.
 */
export class OutboxWriter {
	readonly #options: OutboxWriterOptions;
	#seq: number;

	/** Finishes what an unclean end has left. Throws `FN_AGENT_OUTBOX` when the folder cannot be used. */
	constructor(options: OutboxWriterOptions) {
		this.#options = options;
		// No collector would take the files, and nothing comes back to say so.
		if (!TRANSFER_SENDER.test(options.sender)) throw new AppError('FN_AGENT_OUTBOX', senderProblem(options.sender));
		try {
			makeFolder(options.folder, 0o755);
			this.#seq = readSeq(options.stateFile);
			for (const name of readdirSync(options.folder)) {
				const file = parseTransferFileName(name);
				if (file?.sender === options.sender) this.#seq = Math.max(this.#seq, file.seq);
			}
			for (const name of readdirSync(options.folder)) {
				if (!name.endsWith(UNFINISHED)) continue;
				const path = join(options.folder, name);
				const final = name.slice(0, -UNFINISHED.length);
				const file = parseTransferFileName(final);
				// Its number counts as used, so the file is whole; otherwise the number is still free, or it is half a copy that is made again.
				if (file?.sender === options.sender && file.seq === this.#seq) renameSync(path, join(options.folder, final));
				else unlinkSync(path);
			}
		} catch (error) {
			if (error instanceof AppError) throw error;
			throw new AppError(
				'FN_AGENT_OUTBOX',
				`the outbox ${options.folder} cannot be used (${systemErrorCode(error)}); give the agent's user write access or set "outbox.folder"`,
				{ cause: error },
			);
		}
	}

	/** Number of the last file. */
	get seq(): number {
		return this.#seq;
	}

	/** Throws `FN_AGENT_OUTBOX_FULL` (retryable) at the cap, and what the file system throws; then no number was used. */
	write(entries: readonly OutboxEntry[]): void {
		const { folder, sender, key, maxBytes, now, stateFile } = this.#options;
		const seq = this.#seq + 1;
		const bodies = entries.map(({ body }) => body);
		const header = {
			v: 1,
			sender,
			seq,
			createdMs: now(),
			entries: entries.map(({ kind, body }) => ({ kind, bytes: body.length })),
		} as const;
		const bytes = encodeTransfer(header, bodies);
		const waiting = this.#waitingBytes();
		if (waiting + bytes.length > maxBytes) {
			throw new AppError('FN_AGENT_OUTBOX_FULL', `${waiting} bytes wait in ${folder} and nobody takes them away; check the gap device`, {
				retryable: true,
			});
		}
		const final = join(folder, transferFileName(sender, seq));
		const fd = openSync(`${final}${UNFINISHED}`, 'w', 0o644);
		try {
			writeAll(fd, bytes);
			writeAll(fd, sign(null, bytes, key));
			fsyncSync(fd);
		} finally {
			closeSync(fd);
		}
		saveSeq(stateFile, seq);
		this.#seq = seq;
		renameSync(`${final}${UNFINISHED}`, final);
	}

	#waitingBytes(): number {
		let sum = 0;
		for (const name of readdirSync(this.#options.folder)) {
			try {
				sum += statSync(join(this.#options.folder, name)).size;
			} catch {
				// Taken away between the listing and the look.
			}
		}
		return sum;
	}
}

/** For people who have named a host so. */
export function senderProblem(sender: string): string {
	return `"${sender}" cannot name the sender of transfer files; set host.name to letters, digits, dots, dashes and underlines`;
}

function writeAll(fd: number, bytes: Uint8Array): void {
	for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
}

function readSeq(file: string): number {
	let text: string;
	try {
		text = readFileSync(file, 'utf8');
	} catch (error) {
		if (systemErrorCode(error) === 'ENOENT') return 0;
		throw error;
	}
	const seq = Number(text);
	if (!Number.isSafeInteger(seq) || seq < 0) {
		throw new AppError('FN_AGENT_OUTBOX', `${file} does not hold the number of the last file; write the highest that was sent into it`);
	}
	return seq;
}

/** On the disk before the file of this number can be taken away, also through a power cut. */
function saveSeq(file: string, seq: number): void {
	const next = `${file}.new`;
	const fd = openSync(next, 'w', 0o600);
	try {
		writeSync(fd, String(seq));
		fsyncSync(fd);
	} finally {
		closeSync(fd);
	}
	renameSync(next, file);
	const folder = openSync(dirname(file), 'r');
	try {
		fsyncSync(folder);
	} finally {
		closeSync(folder);
	}
}
