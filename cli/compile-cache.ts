import { existsSync } from 'node:fs';
import { enableCompileCache, flushCompileCache } from 'node:module';
import { join, resolve } from 'node:path';
import { makeFolder } from '../core/folder.ts';

/**
 * Lets Node keep what it has compiled in the data folder, which makes the next start a third shorter. Only for commands that own a data
 * folder; where it cannot be written Node goes on without. Called before their modules are loaded, so it looks at the arguments itself.
 */
export function keepCompiledCode(command: string, args: readonly string[]): void {
	if (command !== 'collector' && command !== 'up') return;
	const at = args.indexOf('--data');
	const data = at >= 0 ? args[at + 1] : args.find((arg) => arg.startsWith('--data='))?.slice('--data='.length);
	const folder = resolve(data ?? 'data');
	// Whether a folder can be used is for the command to say; this must not be the first to make it.
	if (!existsSync(folder)) return;
	try {
		makeFolder(join(folder, COMPILE_CACHE), 0o700);
		enableCompileCache(join(folder, COMPILE_CACHE));
	} catch {
		// Not writable: everything is compiled at each start, as ever.
	}
}

/** Writes what was compiled, for a process that is killed writes nothing. Later, because it holds this thread up at the first start. */
export function saveCompiledCode(): void {
	setTimeout(flushCompileCache, SAVE_AFTER_MS).unref();
}

const SAVE_AFTER_MS = 5000;

/** Below the data folder; not part of a backup. */
const COMPILE_CACHE = join('cache', 'compiled');
