import { spawn } from 'node:child_process';
import { agentCommand, agentEnvironment } from './agent-process.ts';
import type { Command } from './command.ts';

export const agentCommandEntry: Command = {
	help: `fournines agent [--config FILE] [--data DIR] [--once]

Runs the agent as its bundle, as it runs on every watched machine. --once collects one round from every source and
prints it in Prometheus' text format; the exit code is 1 when a source failed.

  fournines agent --once
  fournines agent --config agent.yml

Options
  --config FILE   agent.yml (default: the host's own metrics, sent nowhere)
  --data DIR      spool and positions (default: data in the file, ./data/agent)
  --once          one round, then end`,
	run: (args) =>
		new Promise((resolve, reject) => {
			const [command, commandArgs] = agentCommand(args);
			const child = spawn(command, commandArgs, { stdio: 'inherit', env: agentEnvironment() });
			const forward = (signal: NodeJS.Signals) => child.kill(signal);
			process.on('SIGINT', forward);
			process.on('SIGTERM', forward);
			child.on('error', reject);
			child.on('exit', (code) => resolve(code ?? 1));
		}),
};
