import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { COLLECTOR_NODE_FLAGS } from '../collector/node-flags.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const DEADLINE_MS = 120_000;

/**
 * Starts a collector once, asks it one question and ends it, so that Node keeps what it compiled in `dist/compiled/<user>`: the functions
 * that a start calls are compiled by then, which is more than loading them would give.
 */
async function compileAhead(): Promise<void> {
	const compiled = join(root, 'dist', 'compiled', String(process.getuid?.() ?? 0));
	rmSync(compiled, { recursive: true, force: true });
	mkdirSync(compiled, { recursive: true });
	const data = mkdtempSync(join(tmpdir(), 'fournines-compile-'));
	// V8 takes compiled code only from a process with the same flags.
	const args = [...COLLECTOR_NODE_FLAGS, join(root, 'cli', 'main.ts'), 'collector', '--data', data, '--listen', '127.0.0.1:0'];
	const collector = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
	const ended = once(collector, 'exit');
	const timer = setTimeout(() => collector.kill('SIGKILL'), DEADLINE_MS);
	try {
		const address = await firstAddress(collector);
		const token = readFileSync(join(data, 'keys', 'local-read.token'), 'utf8').trim();
		const answer = await fetch(`${address}/api/v1/query?query=count_over_time(up[1h])`, { headers: { authorization: `Bearer ${token}` } });
		if (!answer.ok) throw new Error(`the collector answered ${answer.status}: ${await answer.text()}`);
		collector.kill('SIGTERM');
		const [code] = (await ended) as [number | null];
		if (code !== 0) throw new Error(`the collector ended with ${code}`);
	} finally {
		clearTimeout(timer);
		collector.kill('SIGKILL');
		rmSync(data, { recursive: true, force: true });
	}
}

/** From the line that says that it is ready. */
function firstAddress(collector: ReturnType<typeof spawn>): Promise<string> {
	return new Promise((resolve, reject) => {
		let output = '';
		const read = (chunk: Buffer) => {
			output += chunk.toString('utf8');
			const found = /"address":"([^"]+)"/.exec(output)?.[1];
			if (found !== undefined) resolve(found);
		};
		collector.stdout?.on('data', read);
		collector.stderr?.on('data', read);
		collector.on('exit', (code) => reject(new Error(`the collector did not start (${code}):\n${output}`)));
	});
}

await compileAhead();
