import { readdirSync, statSync } from 'node:fs';
import { type BlockFile, parseBlockFile } from './block-files.ts';

/** Within a tick of the kernel's clock a folder can change twice and show one time; its ticks are 10 ms at most. */
const TICK_MS = 100;

/**
 * The block files of a folder. Whatever comes, goes or takes another's name changes the time of the folder, so it is read again only then: every
 * query looks, and reading the folder cost a small one a tenth of its time.
 */
export class BlockListing {
	readonly #folder: string;
	#files: readonly BlockFile[] = [];
	#names: ReadonlySet<string> = new Set();
	/** Time of the folder before it was read; `null` when it may have changed since without another time. */
	#changedMs: number | null = null;

	constructor(folder: string) {
		this.#folder = folder;
	}

	/** Files of hours before compacted ones. */
	get files(): readonly BlockFile[] {
		return this.#files;
	}

	has(name: string): boolean {
		return this.#names.has(name);
	}

	/** Whether the folder was read again; otherwise every file is the one that it was. Throws what reading a folder throws; there are no files then. */
	refresh(): boolean {
		const changedMs = statSync(this.#folder, { throwIfNoEntry: false })?.mtimeMs ?? null;
		if (changedMs !== null && changedMs === this.#changedMs) return false;
		this.#files = [];
		this.#names = new Set();
		this.#changedMs = null;
		const isSettled = changedMs !== null && changedMs < Date.now() - TICK_MS;
		const names = readdirSync(this.#folder);
		this.#names = new Set(names);
		// When hours go while they are opened, the compacted file that is opened after them has their samples.
		this.#files = names
			.map(parseBlockFile)
			.filter((file) => file !== null)
			.sort((a, b) => Number(a.isLong) - Number(b.isLong));
		if (isSettled) this.#changedMs = changedMs;
		return true;
	}
}
