import { promises as files } from 'node:fs';
import { join } from 'node:path';
import { AppError, systemErrorCode } from '../../../core/errors.ts';
import { makeFolder } from '../../../core/folder.ts';
import type { RelayedRequest } from '../../../core/relay-wire.ts';

/** A request as it is kept; its age is counted when it is handed on. */
export interface KeptRequest extends Omit<RelayedRequest, 'ageMs'> {
	readonly receivedAtMs: number;
}

const UNFINISHED = '.unfinished';
const NAME = /^([0-9a-f-]{36})\.json$/;

/** One file for each request, whole under its name or not there. Readable for the agent only: what providers send carries telephone numbers. */
export class RequestFolder {
	readonly #folder: string;

	/** Throws `FN_AGENT_RELAY_FOLDER` when the folder cannot be used. */
	constructor(folder: string) {
		this.#folder = folder;
		try {
			makeFolder(folder, 0o700);
		} catch (error) {
			throw new AppError('FN_AGENT_RELAY_FOLDER', `the folder ${folder} cannot be used (${systemErrorCode(error)}); check data`, {
				cause: error,
			});
		}
	}

	/** What an earlier process has kept, oldest first. What it left unfinished was never answered with success and goes; what cannot be read is set aside. */
	async load(): Promise<readonly { readonly request: KeptRequest; readonly bytes: number }[]> {
		const found: { request: KeptRequest; bytes: number }[] = [];
		for (const name of (await files.readdir(this.#folder)).sort()) {
			const path = join(this.#folder, name);
			if (name.endsWith(UNFINISHED)) await files.rm(path, { force: true });
			const id = NAME.exec(name)?.[1];
			if (id === undefined) continue;
			const text = await files.readFile(path, 'utf8');
			const request = parsed(text);
			if (request === null || request.id !== id) await files.rename(path, `${path}.damaged`);
			else found.push({ request, bytes: Buffer.byteLength(text) });
		}
		return found;
	}

	/** On the disk, also through a power cut, when it resolves. */
	async write(request: KeptRequest, text: string): Promise<void> {
		const path = join(this.#folder, `${request.id}.json`);
		const unfinished = `${path}${UNFINISHED}`;
		const file = await files.open(unfinished, 'w', 0o600);
		try {
			await file.writeFile(text);
			await file.sync();
		} finally {
			await file.close();
		}
		await files.rename(unfinished, path);
		const folder = await files.open(this.#folder, 'r');
		try {
			await folder.sync();
		} finally {
			await folder.close();
		}
	}

	async remove(id: string): Promise<void> {
		await files.rm(join(this.#folder, `${id}.json`), { force: true });
	}
}

function parsed(text: string): KeptRequest | null {
	try {
		// Written by this class under a name that only a finished file gets.
		return JSON.parse(text) as KeptRequest;
	} catch {
		return null;
	}
}
