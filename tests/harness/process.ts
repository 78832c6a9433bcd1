import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { accessSync, constants, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The path of a command, also where Debian hides servers from ordinary users; `null` when it is not installed. */
export function findCommand(name: string): string | null {
	if (name.includes('/')) return executable(name) ? name : null;
	for (const folder of [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/usr/local/sbin', '/sbin']) {
		if (folder !== '' && executable(join(folder, name))) return join(folder, name);
	}
	return null;
}

function executable(file: string): boolean {
	try {
		accessSync(file, constants.X_OK);
		return true;
	} catch {
		return false;
	}
}

const FIRST_PORT = 15_000;
/** Test files that run at once look for ports in different parts. */
const PORT_PARTS = 64;
let nextPort = Math.floor(Math.random() * 1000);

/**
 * A free port on 127.0.0.1 for programs that cannot be told to take any. It lies below the ports that the kernel gives out, so that no
 * connection and no server at port 0 can take it before its user does, or where nothing is meant to listen.
 */
export async function freePort(): Promise<number> {
	const size = Math.floor((firstPortOfKernel() - FIRST_PORT) / PORT_PARTS);
	if (size < 1) return tryPort(0);
	const first = FIRST_PORT + (Number(process.env['VITEST_POOL_ID'] ?? 0) % PORT_PARTS) * size;
	for (let tries = 1; ; tries++) {
		try {
			return await tryPort(first + (nextPort++ % size));
		} catch (error) {
			if (tries === size) throw error;
		}
	}
}

function firstPortOfKernel(): number {
	try {
		return Number.parseInt(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8'), 10);
	} catch {
		return 0;
	}
}

/** The port, after a server listened on it and was closed. */
function tryPort(wanted: number): Promise<number> {
	return new Promise((resolve, reject) => {
		const server = createServer();
		server.on('error', reject);
		server.listen(wanted, '127.0.0.1', () => {
			const address = server.address();
			const port = typeof address === 'object' && address !== null ? address.port : 0;
			server.close(() => resolve(port));
		});
	});
}

export interface TemporaryFolder {
	readonly path: string;
	remove(): void;
}

export function temporaryFolder(name: string): TemporaryFolder {
	const path = mkdtempSync(join(tmpdir(), `fournines-${name}-`));
	return { path, remove: () => rmSync(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }) };
}

export interface RunningProcess {
	readonly pid: number;
	readonly child: ChildProcess;
	/** Everything it has printed on both streams so far (the last 200,000 characters). */
	output(): string;
	/** Exit code or signal name once it has ended. */
	readonly exited: Promise<number | string>;
	/** SIGTERM, and SIGKILL after `graceMs` (30 s unless given); resolves when it is gone. Also right for one that ended by itself. */
	stop(graceMs?: number): Promise<number | string>;
	kill(signal: NodeJS.Signals): void;
}

const OUTPUT_LIMIT = 200_000;

/** Starts a program whose end is the caller's duty: keep the handle and `stop()` it in a `finally` or an `after` hook. */
export function startProcess(
	command: string,
	args: readonly string[],
	options: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>>; readonly uid?: number; readonly gid?: number } = {},
): RunningProcess {
	const child = spawn(command, args, {
		cwd: options.cwd,
		env: { ...process.env, ...options.env },
		stdio: ['ignore', 'pipe', 'pipe'],
		...(options.uid === undefined ? {} : { uid: options.uid }),
		...(options.gid === undefined ? {} : { gid: options.gid }),
	});
	let output = '';
	const collect = (chunk: Buffer) => {
		output = (output + chunk.toString('utf8')).slice(-OUTPUT_LIMIT);
	};
	child.stdout.on('data', collect);
	child.stderr.on('data', collect);
	let ended = false;
	const exited = new Promise<number | string>((resolve) => {
		child.on('error', (error) => {
			ended = true;
			output += `\n${error.message}`;
			resolve('spawn failed');
		});
		child.on('close', (code, signal) => {
			ended = true;
			resolve(code ?? signal ?? 'unknown');
		});
	});
	return {
		pid: child.pid ?? -1,
		child,
		output: () => output,
		exited,
		kill: (signal) => {
			if (!ended) child.kill(signal);
		},
		stop: async (graceMs = 30_000) => {
			if (ended) return exited;
			child.kill('SIGTERM');
			const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
			const result = await exited;
			clearTimeout(timer);
			return result;
		},
	};
}

/** Runs a command to its end; throws with its output when it fails. */
export function runCommand(
	command: string,
	args: readonly string[],
	options: { readonly input?: string; readonly timeoutMs?: number } = {},
): string {
	const result = spawnSync(command, args, {
		encoding: 'utf8',
		timeout: options.timeoutMs ?? 120_000,
		maxBuffer: 64 * 1024 * 1024,
		...(options.input === undefined ? {} : { input: options.input }),
	});
	if (result.error !== undefined) throw result.error;
	if (result.status !== 0) throw new Error(`${command} ended with ${result.status ?? result.signal}:\n${result.stdout}\n${result.stderr}`);
	return result.stdout;
}

/** Generous, because it is only ever used up by what fails: a machine may be slow, and busy with others. */
const WAIT_MS = 90_000;

/** Polls until `probe` gives something other than `undefined`, `null` or `false`; after `timeoutMs` (90 s unless given) throws with `what` and the last error. */
export async function waitFor<T>(
	what: string,
	probe: () => Promise<T | undefined | null | false> | T | undefined | null | false,
	options: { readonly timeoutMs?: number; readonly intervalMs?: number } = {},
): Promise<T> {
	const timeoutMs = options.timeoutMs ?? WAIT_MS;
	const deadline = performance.now() + timeoutMs;
	let last = '';
	for (;;) {
		try {
			const result = await probe();
			if (result !== undefined && result !== null && result !== false) return result;
		} catch (error) {
			last = error instanceof Error ? error.message : String(error);
		}
		if (performance.now() > deadline) throw new Error(`waited ${timeoutMs} ms in vain for ${what}${last === '' ? '' : `; last: ${last}`}`);
		await new Promise((resolve) => setTimeout(resolve, options.intervalMs ?? 50));
	}
}

/** A server after its start; what does not start leaves nothing behind. */
export async function started<S extends { start(): Promise<unknown>; remove(): Promise<unknown> }>(server: S): Promise<S> {
	try {
		await server.start();
	} catch (error) {
		await server.remove();
		throw error;
	}
	return server;
}
