import { promises as files } from 'node:fs';
import { join } from 'node:path';
import { parseTransferFileName } from '../protocol/transfer.ts';
import { makeFolder } from './folder.ts';

/** A transfer file that lies in a folder. */
export interface WaitingTransfer {
	readonly name: string;
	readonly sender: string;
	readonly seq: number;
}

const REJECTED = 'rejected';

/** A folder into which carriers put transfer files, and what its reader must remember from look to look. */
export class TransferFolder {
	readonly path: string;
	/** Sizes at the last look: a file that still grows is not read. */
	#sizes = new Map<string, number>();
	/** Since when a file waits for those before it. */
	readonly #early = new Map<string, number>();

	/** Throws the system's error when the folder cannot be made. */
	constructor(path: string) {
		this.path = path;
		makeFolder(path, 0o755);
	}

	/** Transfer files at the last look, those that grow included. */
	get size(): number {
		return this.#sizes.size;
	}

	/**
	 * One look: hands each file that has stopped growing to `take`, by sender and number. When `take` says false, the files of this sender
	 * behind it are left for the next look.
	 */
	async look(take: (file: WaitingTransfer) => Promise<boolean>, signal: AbortSignal): Promise<void> {
		const sizes = new Map<string, number>();
		const ready: WaitingTransfer[] = [];
		for (const name of await files.readdir(this.path)) {
			const parsed = parseTransferFileName(name);
			if (parsed === null) continue;
			const { size } = await files.stat(join(this.path, name));
			sizes.set(name, size);
			if (this.#sizes.get(name) === size) ready.push({ name, ...parsed });
		}
		this.#sizes = sizes;
		for (const name of this.#early.keys()) if (!sizes.has(name)) this.#early.delete(name);
		ready.sort((a, b) => (a.sender < b.sender ? -1 : a.sender > b.sender ? 1 : a.seq - b.seq));
		const blocked = new Set<string>();
		for (const file of ready) {
			if (signal.aborted) return;
			if (!blocked.has(file.sender) && !(await take(file))) blocked.add(file.sender);
		}
	}

	/** Notes that the file waits for those before it. */
	waits(name: string, nowMs: number): void {
		if (!this.#early.has(name)) this.#early.set(name, nowMs);
	}

	/** Whether the file has waited for so long that those before it count as lost. */
	hasWaited(name: string, nowMs: number, delayMs: number): boolean {
		const since = this.#early.get(name);
		return since !== undefined && nowMs - since >= delayMs;
	}

	/** Moves a file that is not to be taken aside, with the reason beside it. */
	async setAside(name: string, reason: string): Promise<void> {
		const aside = join(this.path, REJECTED);
		await files.mkdir(aside, { recursive: true });
		await files.writeFile(join(aside, `${name}.why`), `${reason}\n`);
		await files.rename(join(this.path, name), join(aside, name));
	}
}
