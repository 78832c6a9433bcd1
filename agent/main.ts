import { systemClock } from '../core/clock.ts';
import { configOrThrow } from '../core/config-file.ts';
import { AppError, errorText } from '../core/errors.ts';
import { createLogger } from '../core/log.ts';
import { agentHostName, collectOnce, startAgent } from './app.ts';
import { parseArgs } from './arguments.ts';
import { type AgentConfig, loadAgentConfig, parseAgentConfig } from './config.ts';
import { discoverServices } from './discovery/discover.ts';
import { diagnose, formatDiagnosis } from './doctor/doctor.ts';
import { readHostFacts, readHostFactsInChild } from './inputs/host/inventory.ts';
import { memoryExceeded } from './memory-guard.ts';
import { provideOutboxKey, publicKeyPem } from './outbox/key.ts';

/** Replaced by the bundler; a run from source is a development version. */
declare const FOURNINES_VERSION: string | undefined;
const version = typeof FOURNINES_VERSION === 'string' ? FOURNINES_VERSION : '0.0.0-dev';

const FACTS_TIMEOUT_MS = 60_000;
/** EX_TEMPFAIL: whoever supervises the agent starts it again. */
const OVER_LIMIT_EXIT = 75;

async function main(): Promise<number> {
	const parsed = parseArgs(process.argv.slice(2));
	if (parsed.kind === 'bad') {
		process.stderr.write(`${parsed.message}\n`);
		return 2;
	}
	if (parsed.kind === 'print') {
		process.stdout.write(`${parsed.text === 'version' ? version : parsed.text}\n`);
		return 0;
	}
	if (parsed.kind === 'discover') {
		for (const { kind, address, prerequisite, configLines } of discoverServices()) {
			process.stdout.write(`# ${kind} at ${address}; needs ${prerequisite}\n${configLines.join('\n')}\n\n`);
		}
		return 0;
	}
	if (parsed.kind === 'inventory') {
		process.stdout.write(JSON.stringify(await readHostFacts()));
		return 0;
	}
	const config: AgentConfig = configOrThrow(parsed.config === null ? parseAgentConfig('', 'defaults') : loadAgentConfig(parsed.config));
	if (parsed.kind === 'public-key') {
		process.stdout.write(publicKeyPem(provideOutboxKey(parsed.data ?? config.data)));
		return 0;
	}
	if (parsed.kind === 'doctor') {
		const diagnosis = await diagnose({
			config,
			env: process.env,
			clock: systemClock,
			log: createLogger('agent', { level: 'error' }),
			userAgent: `fournines-agent/${version}`,
			dataDir: parsed.data ?? config.data,
		});
		await new Promise<void>((resolve) => process.stdout.write(formatDiagnosis(diagnosis, parsed.language), () => resolve()));
		return diagnosis.ok ? 0 : 1;
	}
	const log = createLogger('agent', { level: parsed.logLevel ?? (parsed.once ? 'warn' : 'info') });
	const self = process.argv[1] ?? '';
	const options = {
		config,
		log,
		clock: systemClock,
		env: process.env,
		version,
		...(parsed.data === null ? {} : { dataDir: parsed.data }),
	};
	if (parsed.once) {
		const { text, ok } = await collectOnce(options);
		await new Promise<void>((resolve) => process.stdout.write(text, () => resolve()));
		return ok ? 0 : 1;
	}
	const ending = untilAskedToEnd(parsed.exitWithParent);
	const agent = await startAgent({
		...options,
		readFacts: () => readHostFactsInChild(process.execPath, [self, '--inventory'], FACTS_TIMEOUT_MS),
	});
	process.on('SIGHUP', () => {
		const file = parsed.config;
		if (file === null) return;
		Promise.resolve()
			.then(() => agent.reload(configOrThrow(loadAgentConfig(file))))
			.then(
				() => log.info({ file }, 'the configuration was read again'),
				(error: unknown) => log.error({ error: errorText(error) }, 'the configuration was not applied; the old one stays in force'),
			);
	});
	log.info({ address: agent.address, host: agentHostName(config), version, node: process.version }, 'the agent is running');
	const guard = new AbortController();
	const exceeded = memoryExceeded({ limitBytes: config.max_memory_bytes, clock: systemClock }, guard.signal);
	const tooMuch: Promise<string | number> = exceeded.then(async (bytes) => bytes ?? (await ending));
	const reason = await Promise.race([ending, tooMuch]);
	guard.abort();
	if (typeof reason === 'number') {
		log.error({ bytes: reason, limit: config.max_memory_bytes }, 'the agent uses too much memory; it ends in order, to be started again');
	} else log.info({ reason }, 'the agent stops');
	await agent.stop();
	return typeof reason === 'number' ? OVER_LIMIT_EXIT : 0;
}

/** Resolves with the reason once a signal arrives or, with `exitWithParent`, the parent has gone: its pipe to our standard input or its IPC channel closes. */
function untilAskedToEnd(exitWithParent: boolean): Promise<string> {
	return new Promise((resolve) => {
		process.on('SIGTERM', () => resolve('SIGTERM'));
		process.on('SIGINT', () => resolve('SIGINT'));
		if (!exitWithParent) return;
		process.on('disconnect', () => resolve('parent disconnected'));
		process.stdin.on('end', () => resolve('standard input closed'));
		process.stdin.on('close', () => resolve('standard input closed'));
		process.stdin.on('error', () => resolve('standard input closed'));
		process.stdin.resume();
	});
}

main().then(
	(code) => process.exit(code),
	(error: unknown) => {
		const code = error instanceof AppError ? `${error.code}: ` : '';
		process.stderr.write(`${code}${errorText(error)}\n`);
		process.exit(1);
	},
);
