import { spawn } from 'node:child_process';
import { agentCommand, agentEnvironment } from './agent-process.ts';
import { printEnrolmentToken } from './agent-token.ts';
import type { Command } from './command.ts';

export const agentCommandEntry: Command = {
	help: `fournines agent [doctor] [--config FILE] [--data DIR] [--once]
fournines agent token [--host HOST] [--valid DURATION] [--data DIR]

Runs the agent as its bundle, as it runs on every watched machine. --once collects one round from every source and
prints it in Prometheus' text format; the exit code is 1 when a source failed.

  fournines agent --once
  fournines agent --config agent.yml
  fournines agent doctor --config agent.yml

doctor reads every source once, explains each that fails and how to grant what is missing (the GRANT, ACL, location or
user lines to copy), and prints the firewall request (from, to, port, why). --lang en for English.

"token" prints a one-time token that lets one agent enrol: put it into a file on the host, readable by the agent alone,
and name that file as collector.enrol_token in its agent.yml.

  fournines agent token --host app-1 --valid 2h

Options
  --config FILE   agent.yml (default: the host's own metrics, sent nowhere)
  --data DIR      spool and positions (default: data in the file, ./data/agent)
  --once          one round, then end`,
	run: (args) => (args[0] === 'token' ? printEnrolmentToken(args.slice(1)) : runAgent(args)),
};

function runAgent(args: readonly string[]): Promise<number> {
	return new Promise((resolve, reject) => {
		const [command, commandArgs] = agentCommand(args[0] === 'doctor' ? ['--doctor', ...args.slice(1)] : args);
		const child = spawn(command, commandArgs, { stdio: 'inherit', env: agentEnvironment() });
		const forward = (signal: NodeJS.Signals) => child.kill(signal);
		process.on('SIGHUP', forward);
		process.on('SIGINT', forward);
		process.on('SIGTERM', forward);
		child.on('error', reject);
		child.on('exit', (code) => resolve(code ?? 1));
	});
}
