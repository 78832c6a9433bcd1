import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../core/clock.ts';
import { parseDuration } from '../core/duration.ts';
import { CleanupStack } from '../core/lifecycle.ts';
import type { Logger } from '../core/log.ts';
import { writeExposition } from '../protocol/exposition/write.ts';
import { readCaFile } from './ca-file.ts';
import type { AgentConfig } from './config.ts';
import type { HostFacts } from './inputs/host/inventory.ts';
import type { Input } from './inputs/input.ts';
import { createInputs } from './inputs/registry.ts';
import { startMetricsServer } from './metrics-server.ts';
import { Rounds } from './rounds/rounds.ts';
import { type AgentMetrics, createAgentMetrics, selfFamilies } from './self-metrics.ts';
import { LogClient } from './tails/log-client.ts';
import { LogShipper } from './tails/log-shipper.ts';
import { PositionStore } from './tails/position-store.ts';
import { endpoint, openUplink, secretReader, type Uplink } from './uplink/destinations.ts';

export interface AgentOptions {
	readonly config: AgentConfig;
	readonly log: Logger;
	readonly clock: Clock;
	/** Where `{ env: … }` secrets are looked up. */
	readonly env: Readonly<Record<string, string | undefined>>;
	/** Instead of `config.data`. */
	readonly dataDir?: string;
	readonly version: string;
	/** How the facts about the machine are read. Default: none, because the library that reads them starts child processes. */
	readonly readFacts?: () => Promise<HostFacts>;
	/** How long `stop` may try to send what is in the spool. Default 5 s. */
	readonly flushMs?: number;
}

export interface RunningAgent {
	/** `host:port` of `/metrics`, `''` when it is switched off. */
	readonly address: string;
	/** Measures nothing more, sends what the spool holds within a few seconds, and closes. What remains is sent at the next start. */
	stop(): Promise<void>;
}

/** Name of this host in the inventory. */
export function agentHostName(config: AgentConfig): string {
	return config.host.name === '' ? hostname() : config.host.name;
}

/** Starts measuring and sending. Throws an `AppError` when the data folder, the address or a secret cannot be used; then nothing is left running. */
export async function startAgent(options: AgentOptions): Promise<RunningAgent> {
	const { config, log } = options;
	const cleanup = new CleanupStack(log);
	try {
		const metrics = createAgentMetrics(options.version);
		const uplink = openUplink(
			{
				config,
				collector: config.collector === undefined ? null : endpointOptions(options, config.collector),
				dataDir: options.dataDir ?? config.data,
				metrics,
				userAgent: userAgent(options),
				env: options.env,
				clock: options.clock,
				log,
				flushMs: options.flushMs ?? 5000,
			},
			cleanup,
		);
		const shippers = config.collector === undefined ? [] : openTails(options, config.collector, metrics, cleanup);
		const { rounds, current } = openRounds(options, metrics, uplink, cleanup);
		const startAll = () => {
			rounds.start();
			uplink.start();
			for (const shipper of shippers) shipper.start();
		};
		let ready = false;
		if (config.listen !== '') {
			const server = await startMetricsServer({
				listen: config.listen,
				metrics: async () => writeExposition(current()),
				ready: () => ready,
			});
			cleanup.add('metrics server', () => server.close());
			startAll();
			ready = true;
			return { address: server.address, stop: () => cleanup.close() };
		}
		startAll();
		return { address: '', stop: () => cleanup.close() };
	} catch (error) {
		await cleanup.close();
		throw error;
	}
}

export interface SnapshotResult {
	/** Exposition text of everything that was collected. */
	readonly text: string;
	/** Whether every input succeeded. */
	readonly ok: boolean;
}

/** Collects one round of all inputs and sends nothing. */
export async function collectOnce(options: AgentOptions): Promise<SnapshotResult> {
	const cleanup = new CleanupStack(options.log);
	try {
		const { rounds, current } = openRounds(options, createAgentMetrics(options.version), null, cleanup);
		const ok = await rounds.once();
		return { text: writeExposition(current()), ok };
	} finally {
		await cleanup.close();
	}
}

function openRounds(options: AgentOptions, metrics: AgentMetrics, uplink: Uplink | null, cleanup: CleanupStack) {
	const { config, clock, log } = options;
	const hostName = agentHostName(config);
	const agentTarget = { job: 'agent', host: hostName, system: config.host.system, zone: config.host.zone };
	const self: Input = {
		name: 'agent',
		target: { ...agentTarget, instance: hostName },
		intervalMs: parseDuration(config.interval),
		timeoutMs: 5000,
		onFailure: [],
		async collect() {
			uplink?.measure();
			return selfFamilies(metrics);
		},
		async close() {},
	};
	const inputs = createInputs(config, {
		hostName,
		clock,
		log,
		env: options.env,
		userAgent: userAgent(options),
		readFacts: options.readFacts ?? null,
	});
	const rounds = new Rounds({
		inputs: [...inputs, self],
		agentTarget,
		sink: (batch, nowMs) => uplink?.append(batch, nowMs),
		onMissed: (input) => metrics.missedRounds.inc({ input }),
		clock,
		log,
	});
	cleanup.add('inputs', () => rounds.stop());
	return { rounds, current: () => rounds.current() };
}

function openTails(
	options: AgentOptions,
	collector: NonNullable<AgentConfig['collector']>,
	metrics: AgentMetrics,
	cleanup: CleanupStack,
): readonly LogShipper[] {
	const { config, clock, log } = options;
	if (config.inputs.logs.length === 0) return [];
	const positions = new PositionStore(join(options.dataDir ?? config.data, 'tails'));
	const client = new LogClient({ ...endpointOptions(options, collector), url: endpoint(collector.url, '/api/fournines/v1/logs') });
	return config.inputs.logs.map((entry) => {
		const shipper = new LogShipper({
			config: entry,
			host: agentHostName(config),
			system: config.host.system,
			...{ client, positions, clock, log, metrics },
		});
		cleanup.add(`log ${entry.path}`, () => shipper.stop());
		return shipper;
	});
}

/** What every client of the collector needs. */
function endpointOptions(options: AgentOptions, collector: NonNullable<AgentConfig['collector']>) {
	return {
		token: secretReader(collector.token, options.env),
		...(collector.ca_file === undefined ? {} : { ca: readCaFile(collector.ca_file) }),
		timeoutMs: parseDuration(collector.timeout),
		userAgent: userAgent(options),
		now: () => options.clock.now(),
	};
}

function userAgent(options: AgentOptions): string {
	return `fournines-agent/${options.version}`;
}
