import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { AGENT_ENVIRONMENT, AGENT_NODE_FLAGS } from '../../agent/node-flags.ts';
import { COLLECTOR_NODE_FLAGS } from '../../collector/node-flags.ts';
import { httpExchange } from '../../core/http-client.ts';
import { type RunningProcess, startProcess, waitFor } from './process.ts';

const ROOT = resolve(import.meta.dirname, '../..');

export interface CollectorProcess {
	readonly url: string;
	readonly dataDir: string;
	/** Token file that an agent can be pointed at. */
	readonly pushTokenFile: string;
	/** The one-time code that was printed, `''` when accounts exist. */
	setupCode(): string;
	output(): string;
	pid(): number;
	/** SIGKILL, and waits until it is gone. */
	kill(): Promise<void>;
	/** SIGTERM; its exit code or signal. */
	stop(): Promise<number | string>;
	/** Starts it again with the same port and data. */
	start(): Promise<void>;
	/** GET with the read token; the body as text. Throws for anything but 2xx. */
	get(path: string): Promise<string>;
	/** `data.result` of an instant query. */
	query(expression: string): Promise<readonly QueryRow[]>;
}

export interface QueryRow {
	readonly metric: Readonly<Record<string, string>>;
	readonly value: readonly [number, string];
	/** Of a range selector, in the place of `value`. */
	readonly values?: readonly (readonly [number, string])[];
}

/** The longest time between two samples of a series that a range selector answered with, seconds. */
export function longestGapSeconds(row: QueryRow | undefined): number {
	const times = row?.values?.map(([time]) => time) ?? [];
	return Math.max(...times.slice(1).map((time, i) => time - (times[i] ?? 0)));
}

/** A collector as a process of its own, as an operator runs it. */
export async function startCollectorProcess(options: {
	readonly dataDir: string;
	readonly port: number;
	readonly configFile?: string;
	readonly env?: Readonly<Record<string, string>>;
}): Promise<CollectorProcess> {
	const { dataDir, port } = options;
	const url = `http://127.0.0.1:${port}`;
	let running: RunningProcess | null = null;
	let earlier = '';
	const start = async () => {
		const config = options.configFile === undefined ? [] : ['--config', options.configFile];
		const child = startProcess(
			process.execPath,
			[...COLLECTOR_NODE_FLAGS, join(ROOT, 'cli/main.ts'), 'collector', '--data', dataDir, '--listen', `127.0.0.1:${port}`, ...config],
			{
				cwd: ROOT,
				...(options.env === undefined ? {} : { env: options.env }),
			},
		);
		running = child;
		let ended: number | string | null = null;
		void child.exited.then((code) => {
			ended = code;
		});
		await waitFor('the collector to be ready', async () => {
			if (ended !== null) throw new Error(`it ended with ${ended}:\n${child.output()}`);
			return (await httpExchange(`${url}/-/ready`, { timeoutMs: 5000 })).status === 200;
		});
	};
	const end = async (how: 'kill' | 'stop') => {
		const child = running;
		running = null;
		if (child === null) return 0;
		earlier += child.output();
		if (how === 'kill') {
			child.kill('SIGKILL');
			return child.exited;
		}
		return child.stop();
	};
	await start();
	const get = async (path: string) => {
		const token = readFileSync(join(dataDir, 'keys/local-read.token'), 'utf8').trim();
		const response = await httpExchange(url + path, {
			timeoutMs: 60_000,
			maxBodyBytes: 64 * 1024 * 1024,
			headers: { authorization: `Bearer ${token}` },
		});
		if (response.status >= 300) throw new Error(`${path} answered ${response.status}: ${response.body.toString('utf8').slice(0, 500)}`);
		return response.body.toString('utf8');
	};
	return {
		url,
		dataDir,
		pushTokenFile: join(dataDir, 'keys/local-agent.token'),
		setupCode: () => /one-time code (\S+)/.exec(earlier + (running?.output() ?? ''))?.[1] ?? '',
		output: () => earlier + (running?.output() ?? ''),
		pid: () => running?.pid ?? -1,
		kill: async () => {
			await end('kill');
		},
		stop: () => end('stop'),
		start,
		get,
		query: async (expression) =>
			(JSON.parse(await get(`/api/v1/query?query=${encodeURIComponent(expression)}`)) as { data: { result: readonly QueryRow[] } }).data
				.result,
	};
}

export const AGENT_BUNDLE_FILE = join(ROOT, 'dist/agent/fournines-agent.cjs');

/** The agent as its bundle, as it runs on every machine. */
export function startAgentProcess(options: {
	readonly configFile: string;
	readonly dataDir: string;
	readonly env?: Readonly<Record<string, string>>;
	/** Turns the command line into another one that runs it somewhere else. */
	readonly on?: (command: readonly string[]) => readonly string[];
}): RunningProcess {
	if (!existsSync(AGENT_BUNDLE_FILE)) throw new Error('the agent was not built: npm run build:agent');
	const own = [process.execPath, ...AGENT_NODE_FLAGS, AGENT_BUNDLE_FILE, '--config', options.configFile, '--data', options.dataDir];
	const [command = '', ...args] = options.on?.(own) ?? own;
	return startProcess(command, args, { env: { ...AGENT_ENVIRONMENT, ...options.env } });
}
