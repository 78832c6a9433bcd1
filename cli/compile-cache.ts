import { existsSync } from 'node:fs';
import { enableCompileCache, flushCompileCache } from 'node:module';
import { join, resolve } from 'node:path';
import { makeFolder } from '../core/folder.ts';
import { ROOT_DIR } from './version.ts';

/**
 * Lets Node load code that was compiled before, which makes a start a third shorter, its threads included. Only for commands that own a
 * data folder. What was compiled ahead at the installation is used where it is this user's (Node keeps users apart); elsewhere the first
 * start compiles into the data folder, for the next. Where neither can be used Node goes on without. Called before their modules are
 * loaded, so it looks at the arguments itself.
 */
export function loadCompiledCode(command: string, args: readonly string[]): void {
	if (command !== 'collector' && command !== 'up') return;
	const ahead = join(ROOT_DIR, 'dist', 'compiled', String(process.getuid?.() ?? 0));
	const directory = existsSync(ahead) ? ahead : inDataFolder(args);
	if (directory === null || enableCompileCache({ directory, portable: true }).directory === undefined) return;
	// Threads do not inherit the setting, only the environment.
	process.env['NODE_COMPILE_CACHE'] = directory;
	process.env['NODE_COMPILE_CACHE_PORTABLE'] = '1';
}

/** Writes what was compiled, for a process that is killed writes nothing. Later, because it holds this thread up at the first start. */
export function saveCompiledCode(): void {
	setTimeout(flushCompileCache, SAVE_AFTER_MS).unref();
}

const SAVE_AFTER_MS = 5000;

/** Below the data folder; not part of a backup. */
const COMPILE_CACHE = join('cache', 'compiled');

function inDataFolder(args: readonly string[]): string | null {
	const at = args.indexOf('--data');
	const data = at >= 0 ? args[at + 1] : args.find((arg) => arg.startsWith('--data='))?.slice('--data='.length);
	const folder = resolve(data ?? 'data');
	// Whether a folder can be used is for the command to say; this must not be the first to make it.
	if (!existsSync(folder)) return null;
	const cache = join(folder, COMPILE_CACHE);
	try {
		makeFolder(cache, 0o700);
		return cache;
	} catch {
		// Not writable: everything is compiled at each start, as ever.
		return null;
	}
}
