import { existsSync, mkdirSync, readdirSync, rmdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { AGENT_BUNDLE_FILE } from '../harness/collector.ts';
import { runCommand } from '../harness/process.ts';

const ROOT = resolve(import.meta.dirname, '../..');
/** On a machine that does much else. */
const BUILD_MS = 280_000;
const LOCK = join(ROOT, 'dist/.building');
/** Longer than any build: whoever made the lock is gone. */
const LOCK_MS = 300_000;

/** Builds the console when what the collector serves is missing or older than its sources, and the agent's bundle when it is missing. */
export function provideBuilds(): void {
	// Files of tests run side by side: a build that another one serves from must not be emptied under it.
	alone(() => {
		const page = join(ROOT, 'dist/console/index.html');
		const sources = Math.max(newestMs(join(ROOT, 'console')), newestMs(join(ROOT, 'protocol')));
		if (!existsSync(page) || statSync(page).mtimeMs < sources)
			runCommand(process.execPath, [join(ROOT, 'node_modules/vite/bin/vite.js'), 'build', join(ROOT, 'console'), '--logLevel', 'warn'], {
				timeoutMs: BUILD_MS,
			});
		if (!existsSync(AGENT_BUNDLE_FILE)) runCommand(process.execPath, [join(ROOT, 'scripts/build-agent.ts')]);
	});
}

function alone(work: () => void): void {
	mkdirSync(join(ROOT, 'dist'), { recursive: true });
	while (!locked()) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 250);
	try {
		work();
	} finally {
		rmdirSync(LOCK);
	}
}

function locked(): boolean {
	try {
		mkdirSync(LOCK);
		return true;
	} catch (error) {
		if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
		const made = statSync(LOCK, { throwIfNoEntry: false });
		if (made !== undefined && Date.now() - made.mtimeMs > LOCK_MS) rmdirSync(LOCK);
		return false;
	}
}
function newestMs(folder: string): number {
	let newest = 0;
	for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
		if (entry.isFile()) newest = Math.max(newest, statSync(join(entry.parentPath, entry.name)).mtimeMs);
	}
	return newest;
}
