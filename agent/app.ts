import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../core/clock.ts';
import { configOrThrow } from '../core/config-file.ts';
import { parseDuration } from '../core/duration.ts';
import { CleanupStack } from '../core/lifecycle.ts';
import type { Logger } from '../core/log.ts';
import { resolveSecret } from '../core/secret.ts';
import { writeExposition } from '../protocol/exposition/write.ts';
import { caReader } from './ca-file.ts';
import { combineConfig } from './central/combine.ts';
import { Enroller } from './central/enroller.ts';
import { CentralSync, loadLastGood } from './central/sync.ts';
import { Collection } from './collection.ts';
import type { AgentConfig } from './config.ts';
import type { HostFacts } from './inputs/host/inventory.ts';
import { JobDesk } from './inputs/jobs/job-desk.ts';
import { LastResort } from './last-resort/last-resort.ts';
import { startMetricsServer } from './metrics-server.ts';
import { provideOutboxKey } from './outbox/key.ts';
import { Outbox } from './outbox/outbox.ts';
import { OutboxWriter } from './outbox/writer.ts';
import { startRelay } from './relay/relay.ts';
import { restartKeys } from './restart-keys.ts';
import { createAgentMetrics } from './self-metrics.ts';
import { LogClient } from './tails/log-client.ts';
import { endpoint, openUplink, secretReader } from './uplink/destinations.ts';

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
	/** `host:port` that this agent relays a zone on, `''` when it does not. */
	readonly relayAddress: string;
	/**
	 * Goes on with another file of the host's own: what is measured can change, and certificates are read again. Keys that need a restart are
	 * logged. Throws when it cannot be used, and the one before stays.
	 */
	reload(config: AgentConfig): Promise<void>;
	/** Measures nothing more, sends what the spool holds within a few seconds, and closes. What remains is sent at the next start. */
	stop(): Promise<void>;
}

/** Name of this host in the inventory. */
export function agentHostName(config: AgentConfig): string {
	return config.host.name === '' ? hostname() : config.host.name;
}

/** Starts measuring and sending. Throws an `AppError` when the data folder, the address or a secret cannot be used; then nothing is left running. */
export async function startAgent(options: AgentOptions): Promise<RunningAgent> {
	const cleanup = new CleanupStack(options.log);
	try {
		return await compose(options, cleanup);
	} catch (error) {
		await cleanup.close();
		throw error;
	}
}

async function compose(options: AgentOptions, cleanup: CleanupStack): Promise<RunningAgent> {
	const { config, log, clock } = options;
	const { collector } = config;
	const dataDir = options.dataDir ?? config.data;
	const metrics = createAgentMetrics(options.version);
	const client = collector === undefined ? null : collectorClient(options, collector);
	const enroller = collector === undefined || client === null ? null : openEnroller(options, collector, dataDir);
	const connection = client === null ? null : { ...client, token: () => enroller?.identity?.key ?? client.token() };
	const flushMs = options.flushMs ?? 5000;
	const userAgent = client?.userAgent ?? agentName(options);
	const outbox = config.outbox === undefined ? null : openOutbox(options, config.outbox, dataDir);
	metrics.expectedDelay.set(config.outbox === undefined ? 0 : parseDuration(config.outbox.delay) / 1000);
	const lastResort = config.last_resort === undefined ? null : openLastResort(options, config.last_resort, dataDir);
	const onReached = () => lastResort?.reached();
	const uplink = openUplink(
		{ config, outbox, onReached, collector: connection, dataDir, metrics, userAgent, env: options.env, clock, log, flushMs },
		cleanup,
	);
	const toCollector = collector === undefined ? null : endpoint(collector.url, '/api/fournines/v1/logs');
	const logs = connection !== null && toCollector !== null ? new LogClient({ ...connection, url: toCollector }) : (outbox?.logs ?? null);
	// Closed before the senders, which wait for it.
	if (outbox !== null) cleanup.add('outbox', () => outbox.stop());

	let local = config;
	let central = enroller?.identity != null && config.central.enabled ? loadLastGood(dataDir) : null;
	const effective = (): AgentConfig => {
		const labels = central?.labels ?? enroller?.identity ?? null;
		const own =
			labels === null
				? local
				: { ...local, host: { ...local.host, system: labels.system || local.host.system, zone: labels.zone || local.host.zone } };
		return central === null ? own : configOrThrow(combineConfig(own, central.version, central.config));
	};
	let first = config;
	try {
		first = effective();
	} catch (error) {
		log.error({ error: String(error) }, 'the central configuration that was in force cannot be used; the own file is');
		central = null;
	}
	const hostName = agentHostName(config);
	const jobDesk = new JobDesk({ folder: dataDir, clock, log });
	const collection = new Collection({ ...environment(options), jobDesk, hostName, dataDir, userAgent, metrics, uplink, logs }, first);
	cleanup.add('collection', () => collection.stop());

	let changing: Promise<void> = Promise.resolve();
	/** One change after the other; when one fails, what it changed is taken back. */
	const change = (act: () => void, undo: () => void): Promise<void> => {
		const turn = changing.then(async () => {
			act();
			try {
				await collection.apply(effective());
			} catch (error) {
				undo();
				throw error;
			}
		});
		changing = turn.catch(() => {});
		return turn;
	};
	cleanup.add('changes', () => changing);

	const beginSending = () => {
		outbox?.start();
		uplink.start();
		metrics.enrolled.set(enroller?.identity == null ? 0 : 1);
		if (connection === null || collector === undefined || enroller?.identity == null || !config.central.enabled) return;
		const sync = new CentralSync(
			{
				...connection,
				url: endpoint(collector.url, '/api/fournines/v1/agent/sync'),
				agentVersion: options.version,
				intervalMs: parseDuration(config.central.interval),
				dataDir,
				enrolledLabels: enroller.identity,
				clock,
				log,
				apply: async (document) => {
					const before = central;
					await change(
						() => {
							central = document;
						},
						() => {
							central = before;
						},
					);
				},
				onState: (failing) => metrics.centralFailing.set(failing ? 1 : 0),
			},
			central,
		);
		sync.start();
		cleanup.add('central configuration', () => sync.stop());
	};

	let ready = false;
	let address = '';
	if (config.listen !== '') {
		const server = await startMetricsServer({
			listen: config.listen,
			metrics: async () => writeExposition(collection.current()),
			ready: () => ready,
			blindState: lastResort === null ? null : () => lastResort.state(),
			jobDesk,
		});
		cleanup.add('metrics server', () => server.close());
		address = server.address;
	}
	collection.start();
	if (enroller === null || enroller.identity !== null) beginSending();
	else {
		// Measured from now on, sent as soon as the collector knows this agent.
		enroller.start(() => {
			beginSending();
			void change(
				() => {},
				() => {},
			).catch((error: unknown) => log.error({ error: String(error) }, 'the labels of the inventory could not be put in force'));
		});
		cleanup.add('enrolment', () => enroller.stop());
	}
	if (lastResort !== null) {
		lastResort.start();
		cleanup.add('last resort', () => lastResort.stop());
	}
	const relay = await startRelay({ options, dataDir, connection, metrics, cleanup });
	ready = true;
	return {
		address,
		relayAddress: relay.address,
		reload: async (next) => {
			// Can be refused, and so comes before anything is in force.
			const renewTls = relay.prepareTls();
			const before = local;
			await change(
				() => {
					local = next;
				},
				() => {
					local = before;
				},
			);
			renewTls();
			const keys = restartKeys(config, next);
			if (keys.length > 0) log.warn({ keys }, 'these keys were changed and are read at a start only: restart the agent');
		},
		stop: () => cleanup.close(),
	};
}

export interface SnapshotResult {
	/** Exposition text of everything that was collected. */
	readonly text: string;
	/** Whether every input succeeded. */
	readonly ok: boolean;
}

/** Collects one round of all inputs and sends nothing. */
export async function collectOnce(options: AgentOptions): Promise<SnapshotResult> {
	const { config } = options;
	const collection = new Collection(
		{
			...environment(options),
			jobDesk: null,
			hostName: agentHostName(config),
			dataDir: options.dataDir ?? config.data,
			userAgent: agentName(options),
			metrics: createAgentMetrics(options.version),
			uplink: null,
			logs: null,
		},
		config,
	);
	try {
		const ok = await collection.once();
		return { text: writeExposition(collection.current()), ok };
	} finally {
		await collection.stop();
	}
}

type CollectorConfig = NonNullable<AgentConfig['collector']>;

/** What every client of the collector needs. */
function collectorClient(options: AgentOptions, collector: CollectorConfig) {
	return {
		token: secretReader(collector.token, options.env),
		...(collector.ca_file === undefined ? {} : { ca: caReader(collector.ca_file) }),
		timeoutMs: parseDuration(collector.timeout),
		userAgent: agentName(options),
		now: () => options.clock.now(),
	};
}

/** `null` where the agent has a token that was given to it by hand. */
function openEnroller(options: AgentOptions, collector: CollectorConfig, dataDir: string): Enroller | null {
	const ref = collector.enrol_token;
	if (ref === undefined) return null;
	return new Enroller({
		url: endpoint(collector.url, '/api/fournines/v1/enrol'),
		token: () => resolveSecret(ref, options.env),
		host: agentHostName(options.config),
		agentVersion: options.version,
		...(collector.ca_file === undefined ? {} : { ca: caReader(collector.ca_file) }),
		timeoutMs: parseDuration(collector.timeout),
		userAgent: agentName(options),
		dataDir,
		clock: options.clock,
		log: options.log,
	});
}

function openOutbox(options: AgentOptions, config: NonNullable<AgentConfig['outbox']>, dataDir: string): Outbox {
	const writer = new OutboxWriter({
		folder: config.folder,
		stateFile: join(dataDir, 'outbox.seq'),
		sender: agentHostName(options.config),
		key: provideOutboxKey(dataDir),
		maxBytes: config.max_bytes,
		now: () => options.clock.now(),
	});
	return new Outbox({ writer, intervalMs: parseDuration(config.interval), clock: options.clock });
}

function openLastResort(options: AgentOptions, config: NonNullable<AgentConfig['last_resort']>, dataDir: string): LastResort {
	resolveSecret(config.url, options.env);
	return new LastResort({
		afterMs: parseDuration(config.after),
		channel: config.channel,
		url: () => resolveSecret(config.url, options.env),
		...(config.ca_file === undefined ? {} : { ca: caReader(config.ca_file) }),
		agents: config.agents,
		self: config.self,
		host: agentHostName(options.config),
		dataDir,
		clock: options.clock,
		log: options.log,
	});
}

function environment({ clock, log, env, readFacts }: AgentOptions) {
	return { clock, log, env, readFacts: readFacts ?? null };
}

function agentName(options: AgentOptions): string {
	return `fournines-agent/${options.version}`;
}
