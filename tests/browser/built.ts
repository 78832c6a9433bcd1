import { existsSync, readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { AGENT_BUNDLE_FILE } from '../harness/collector.ts';
import { runCommand } from '../harness/process.ts';

const ROOT = resolve(import.meta.dirname, '../..');

/** Builds the console when what the collector serves is missing or older than its sources, and the agent's bundle when it is missing. */
export function provideBuilds(): void {
	const page = join(ROOT, 'dist/console/index.html');
	const sources = Math.max(newestMs(join(ROOT, 'console')), newestMs(join(ROOT, 'protocol')));
	if (!existsSync(page) || statSync(page).mtimeMs < sources)
		runCommand(process.execPath, [join(ROOT, 'node_modules/vite/bin/vite.js'), 'build', join(ROOT, 'console'), '--logLevel', 'warn']);
	if (!existsSync(AGENT_BUNDLE_FILE)) runCommand(process.execPath, [join(ROOT, 'scripts/build-agent.ts')]);
}

function newestMs(folder: string): number {
	let newest = 0;
	for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
		if (entry.isFile()) newest = Math.max(newest, statSync(join(entry.parentPath, entry.name)).mtimeMs);
	}
	return newest;
}
