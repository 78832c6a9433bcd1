import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { AGENT_ENVIRONMENT, AGENT_NODE_FLAGS } from '../agent/node-flags.ts';
import { AppError } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import { ROOT_DIR } from './version.ts';

/** The one file that the agent always runs as. */
export const AGENT_BUNDLE = join(ROOT_DIR, 'dist', 'agent', 'fournines-agent.cjs');

/** Environment of the agent's process, with the settings that keep it small. */
export function agentEnvironment(): NodeJS.ProcessEnv {
	return { ...process.env, ...AGENT_ENVIRONMENT };
}

export function agentCommand(args: readonly string[]): readonly [string, readonly string[]] {
	if (!existsSync(AGENT_BUNDLE))
		throw new AppError('FN_CLI_NO_AGENT', `the agent's bundle ${AGENT_BUNDLE} is missing; build it with "npm run build:agent"`);
	return [process.execPath, [...AGENT_NODE_FLAGS, AGENT_BUNDLE, ...args]];
}

export interface AgentProcess {
	/** Ends the agent in order; SIGKILL after a grace period. */
	stop(): Promise<void>;
}

const STOP_GRACE_MS = 15_000;
const FIRST_RESTART_MS = 1000;
const LONGEST_RESTART_MS = 60_000;

/** Runs the agent beside the collector and starts it again when it ends by itself, each time a little later. */
export function keepAgentRunning(args: readonly string[], log: Logger): AgentProcess {
	const [command, commandArgs] = agentCommand([...args, '--exit-with-parent']);
	let child: ChildProcess | null = null;
	let stopped = false;
	let delayMs = FIRST_RESTART_MS;
	let timer: NodeJS.Timeout | null = null;
	const start = () => {
		const startedMs = Date.now();
		const current = spawn(command, commandArgs, { stdio: ['pipe', 'inherit', 'inherit'], env: agentEnvironment() });
		child = current;
		current.on('error', (error) => log.error({ error: error.message }, 'the agent could not be started'));
		current.on('exit', (code, signal) => {
			if (child === current) child = null;
			if (stopped) return;
			if (Date.now() - startedMs > LONGEST_RESTART_MS) delayMs = FIRST_RESTART_MS;
			log.error({ code, signal, againInMs: delayMs }, 'the agent ended by itself and is started again');
			timer = setTimeout(start, delayMs);
			delayMs = Math.min(delayMs * 2, LONGEST_RESTART_MS);
		});
	};
	start();
	return {
		stop: async () => {
			stopped = true;
			if (timer !== null) clearTimeout(timer);
			const current = child;
			if (current === null || current.exitCode !== null) return;
			const ended = new Promise<void>((resolve) => current.once('exit', () => resolve()));
			current.kill('SIGTERM');
			const force = setTimeout(() => current.kill('SIGKILL'), STOP_GRACE_MS);
			await ended;
			clearTimeout(force);
		},
	};
}
