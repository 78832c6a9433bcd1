import { mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { systemErrorCode } from './errors.ts';

/**
 * Makes a folder and its parents. Node's own recursive way never returns on file systems that answer ENOENT to a mkdir
 * (`/proc` does, so do some FUSE mounts); here each level is tried once. Throws the system's error.
 */
export function makeFolder(path: string, mode: number): void {
	const missing: string[] = [];
	for (let at = resolve(path); ; at = dirname(at)) {
		try {
			if (statSync(at).isDirectory()) break;
			mkdirSync(at);
		} catch (error) {
			if (systemErrorCode(error) !== 'ENOENT' || at === dirname(at)) throw error;
			missing.push(at);
		}
	}
	for (const folder of missing.reverse()) {
		try {
			mkdirSync(folder, { mode });
		} catch (error) {
			// Somebody else may have made it in between.
			if (systemErrorCode(error) !== 'EEXIST') throw error;
		}
	}
}
