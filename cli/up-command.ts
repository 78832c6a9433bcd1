import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { stringify } from 'yaml';
import { checkCentralDocument } from '../agent/central/combine.ts';
import { discoverServices } from '../agent/discovery/discover.ts';
import { startCollector } from '../collector/app.ts';
import { systemClock } from '../core/clock.ts';
import { createLogger } from '../core/log.ts';
import { keepAgentRunning } from './agent-process.ts';
import type { Command } from './command.ts';
import { saveCompiledCode } from './compile-cache.ts';
import { foundServices } from './found-services.ts';
import { untilTold } from './until-told.ts';
import { productVersion, ROOT_DIR } from './version.ts';

export const upCommand: Command = {
	help: `fournines up [--data DIR] [--listen HOST:PORT] [--config FILE] [--agent-config FILE]

Runs everything on this machine: the collector with its store and console, and an agent that watches the machine.
Prints the address, the one-time code of the first log-in, and what it found running here, with the lines of
configuration that would watch it. Loopback only; the Prometheus API can then be read without a token.

  npm start
  npm start -- --listen 127.0.0.1:8080

Options
  --data DIR            everything that is kept (default ./data)
  --listen HOST:PORT    default 127.0.0.1:9999, or server.listen of the configuration
  --config FILE         collector.yml (default: ./collector.yml when it exists)
  --agent-config FILE   agent.yml (default: ./agent.yml when it exists; else one is written to DIR/agent/agent.yml)`,
	run: async (args) => {
		const { values } = parseArgs({
			args: [...args],
			options: {
				data: { type: 'string', default: 'data' },
				listen: { type: 'string' },
				config: { type: 'string' },
				'agent-config': { type: 'string' },
			},
		});
		const dataDir = resolve(values.data);
		const configFile = values.config ?? (existsSync('collector.yml') ? 'collector.yml' : null);
		const agentFile = values['agent-config'] ?? (existsSync('agent.yml') ? 'agent.yml' : null);
		const log = createLogger('up', { level: 'warn' });
		const told = untilTold(process.env);
		const collector = await startCollector({
			configFile: configFile === null ? null : resolve(configFile),
			defaultConfig: DEFAULT_CONFIG,
			dataDir,
			...(values.listen === undefined ? {} : { listen: values.listen }),
			rootDir: ROOT_DIR,
			openReads: true,
			env: process.env,
			log,
			clock: systemClock,
			version: productVersion(),
			checkAgentDocument: checkCentralDocument,
		});
		const agentConfig = agentFile ?? (await writeAgentConfig(dataDir, { url: collector.address, tokenFile: collector.agentTokenFile }));
		const agent = keepAgentRunning(['--config', resolve(agentConfig), '--data', join(dataDir, 'agent'), '--log-level', 'warn'], log);
		process.stdout.write(
			await greeting(collector.address, await collector.accounts.setupCode(), { agentConfig, generated: agentFile === null, configFile }),
		);
		saveCompiledCode();
		const reason = await told;
		process.stdout.write(`stopping (${reason}) …\n`);
		await agent.stop();
		await collector.stop();
		process.stdout.write('stopped; nothing that was acknowledged is lost\n');
		return 0;
	},
};

/** Without a configuration there is still one honest service to look at: the product itself, probed from outside by the agent. */
const DEFAULT_CONFIG = `
inventory:
  checks:
    - id: fournines
      interval: 5s
  services:
    - id: fournines
      name: 四个九（本机监控）
      checks: [fournines]
`;

const AGENT_LISTEN_PORT = 9998;
const AUTH_LOGS = ['/var/log/auth.log', '/var/log/secure'];

/** The agent's file, written anew at every start unless the person has changed it: the address may be another one today. */
async function writeAgentConfig(dataDir: string, collector: { readonly url: string; readonly tokenFile: string }): Promise<string> {
	const folder = join(dataDir, 'agent');
	const file = join(folder, 'agent.yml');
	const header = '# Written by "fournines up" at every start. To keep changes, copy it to ./agent.yml and edit that.\n';
	const authLog = AUTH_LOGS.find((path) => existsSync(path));
	const config = {
		host: { name: hostname() },
		listen: (await isFree(AGENT_LISTEN_PORT)) ? `127.0.0.1:${AGENT_LISTEN_PORT}` : '127.0.0.1:0',
		collector: { url: collector.url, token: { file: collector.tokenFile } },
		inputs: {
			probes: [{ id: 'fournines', kind: 'http', target: `${collector.url}/-/healthy`, interval: '5s', timeout: '3s' }],
			...(authLog === undefined ? {} : { logs: [{ path: authLog, kind: 'sshd' }] }),
		},
	};
	mkdirSync(folder, { recursive: true, mode: 0o700 });
	const text = header + stringify(config);
	if (!existsSync(file) || readFileSync(file, 'utf8') !== text) writeFileSync(file, text, { mode: 0o600 });
	return file;
}

function isFree(port: number): Promise<boolean> {
	return new Promise((done) => {
		const server = createServer();
		server.on('error', () => done(false));
		server.listen(port, '127.0.0.1', () => server.close(() => done(true)));
	});
}

async function greeting(
	address: string,
	setupCode: string | null,
	files: { readonly agentConfig: string; readonly generated: boolean; readonly configFile: string | null },
): Promise<string> {
	const lines = ['', `  Fournines 四个九 is running at ${address}`, ''];
	if (setupCode !== null) lines.push(`  First log-in: ${address}/setup`, `  One-time code: ${setupCode}`, '');
	lines.push(`  Grafana or promtool: Prometheus data source ${address} (no token needed from this machine)`);
	lines.push(
		`  Agent:     ${files.agentConfig}`,
		`  Collector: ${files.configFile ?? 'built-in configuration; write ./collector.yml to change it'}`,
		'',
	);
	for (const line of foundServices(discoverServices(), files.generated)) lines.push(line === '' ? '' : `  ${line}`);
	lines.push('');
	lines.push('  Ctrl-C stops everything.', '', '');
	return lines.join('\n');
}
