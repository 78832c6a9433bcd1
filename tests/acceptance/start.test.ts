import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { httpExchange } from '../../core/http-client.ts';
import { freePort, type RunningProcess, startProcess, type TemporaryFolder, temporaryFolder, waitFor } from '../harness/process.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const BOOTSTRAP = join(ROOT, 'scripts/bootstrap.mjs');

let folder: TemporaryFolder;
const started: RunningProcess[] = [];

beforeEach(() => {
	folder = temporaryFolder('start');
});
afterEach(async () => {
	for (const child of started.splice(0)) await child.stop(90_000);
	folder.remove();
});

interface Started {
	readonly child: RunningProcess;
	readonly url: string;
	/** Collector and agent, as the kernel sees them. */
	readonly pids: readonly number[];
}

/** What `npm start` runs; `through` puts another process between, as npm does. */
async function start(through: 'direct' | 'parent' = 'direct'): Promise<Started> {
	const port = await freePort();
	const args = [BOOTSTRAP, 'start', '--data', join(folder.path, 'data'), '--listen', `127.0.0.1:${port}`];
	const parent = `const child = require('node:child_process').spawn(process.execPath, ${JSON.stringify(args)}, { stdio: 'inherit' }); child.on('exit', (code) => process.exit(code ?? 1));`;
	const child = startProcess(process.execPath, through === 'direct' ? args : ['-e', parent], { cwd: ROOT });
	started.push(child);
	const url = `http://127.0.0.1:${port}`;
	await waitFor('the greeting', () => child.output().includes(`running at ${url}`));
	const pids = await waitFor('collector and agent', () => {
		const found = processesWith(folder.path).filter((pid) => pid !== child.pid);
		return found.length >= 2 ? found : null;
	});
	return { child, url, pids };
}

/** Processes whose command line names this test's folder. */
function processesWith(text: string): readonly number[] {
	return readdirSync('/proc')
		.filter((name) => /^\d+$/.test(name))
		.map(Number)
		.filter((pid) => {
			try {
				return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(text);
			} catch {
				return false;
			}
		});
}

const allGone = (pids: readonly number[]) => waitFor('every process to end', () => pids.every((pid) => !existsSync(`/proc/${pid}`)));

test('starts, shows live data to whoever asks from here, and stops in order', async () => {
	const { child, url, pids } = await start();
	expect(child.output()).toMatch(/One-time code: \S{12}/);
	const value = await waitFor('a sample of this machine', async () => {
		const response = await httpExchange(`${url}/api/v1/query?query=node_load1`, { timeoutMs: 30_000 });
		const { data } = JSON.parse(response.body.toString('utf8')) as { data: { result: readonly { value: readonly [number, string] }[] } };
		return data.result[0]?.value[1];
	});
	expect(Number(value)).toBeGreaterThanOrEqual(0);
	expect(await child.stop(90_000)).toBe(0);
	expect(child.output()).toContain('nothing that was acknowledged is lost');
	await allGone(pids);
});

test('a second start does no work that was done before, and finds what the first had', async () => {
	const first = await start();
	await first.child.stop(90_000);
	const second = await start();
	expect(second.child.output()).not.toMatch(/installing|building|fetching/);
	await waitFor('what the first stored', async () => {
		const path = '/api/v1/query?query=count_over_time(fournines_collector_up[5m])';
		return (await httpExchange(second.url + path, { timeoutMs: 30_000 })).body.toString('utf8').includes('"result":[{');
	});
});

test.each([
	{ name: 'the parent dies without a word', how: 'parent' as const },
	{ name: 'the bootstrap itself is killed', how: 'direct' as const },
])('when $name, agent and collector still stop', async ({ how }) => {
	const { child, pids } = await start(how);
	child.kill('SIGKILL');
	await allGone(pids);
	await waitFor('nothing of it to be left', () => processesWith(folder.path).length === 0);
});

test('a port in use is explained, with the way out', async () => {
	const server = createServer();
	const port = await new Promise<number>((done) => {
		server.listen(0, '127.0.0.1', () => {
			const address = server.address();
			done(typeof address === 'object' && address !== null ? address.port : 0);
		});
	});
	const child = startProcess(process.execPath, [BOOTSTRAP, 'start', '--data', join(folder.path, 'data'), '--listen', `127.0.0.1:${port}`], {
		cwd: ROOT,
	});
	started.push(child);
	expect(await child.exited).toBe(1);
	expect(child.output()).toContain(`port ${port} is in use`);
	expect(child.output()).toContain('--listen');
	expect(child.output()).not.toContain('    at ');
	server.close();
});

test('a folder that cannot be written is explained', async () => {
	const child = startProcess(process.execPath, [BOOTSTRAP, 'start', '--data', '/proc/fournines'], { cwd: ROOT });
	started.push(child);
	expect(await child.exited).toBe(1);
	expect(child.output()).toContain('/proc/fournines cannot be written');
	expect(child.output()).toContain('--data');
});

test('two collectors cannot share a folder', async () => {
	const { child } = await start();
	const second = startProcess(
		process.execPath,
		[BOOTSTRAP, 'start', '--data', join(folder.path, 'data'), '--listen', `127.0.0.1:${await freePort()}`],
		{ cwd: ROOT },
	);
	started.push(second);
	expect(await second.exited).toBe(1);
	expect(second.output()).toMatch(/another|locked|in use/i);
	expect(child.output()).toContain('running at');
});

test('an npm that is too old is refused before anything is touched', async () => {
	const npm = join(folder.path, 'npm');
	mkdirSync(join(npm, 'bin'), { recursive: true });
	writeFileSync(join(npm, 'package.json'), '{"name":"npm","version":"6.14.18"}');
	writeFileSync(join(npm, 'bin/npm-cli.js'), 'throw new Error("must not be called")');
	const child = startProcess(process.execPath, [BOOTSTRAP, 'start'], { cwd: ROOT, env: { npm_execpath: join(npm, 'bin/npm-cli.js') } });
	started.push(child);
	expect(await child.exited).toBe(1);
	expect(child.output()).toContain('npm 6.14.18 is too old');
	expect(child.output()).toContain('npm install -g npm');
});
