import { join } from 'node:path';
import type { Clock } from '../core/clock.ts';
import { parseDuration } from '../core/duration.ts';
import { CleanupStack } from '../core/lifecycle.ts';
import type { Logger } from '../core/log.ts';
import type { ExpositionFamily } from '../protocol/exposition/write.ts';
import type { AgentConfig } from './config.ts';
import type { HostFacts } from './inputs/host/inventory.ts';
import type { Input } from './inputs/input.ts';
import { configuredTasks } from './inputs/jobs/config.ts';
import type { JobDesk } from './inputs/jobs/job-desk.ts';
import { createInputs } from './inputs/registry.ts';
import { Rounds, type RoundsRemains } from './rounds/rounds.ts';
import { type AgentMetrics, selfFamilies } from './self-metrics.ts';
import type { LogSink } from './tails/log-client.ts';
import { LogShipper } from './tails/log-shipper.ts';
import { PositionStore } from './tails/position-store.ts';
import type { Uplink } from './uplink/destinations.ts';

export interface CollectionOptions {
	readonly clock: Clock;
	readonly log: Logger;
	/** Where `{ env: … }` secrets are looked up. */
	readonly env: Readonly<Record<string, string | undefined>>;
	/** How the facts about the machine are read; `null`: not at all. */
	readonly readFacts: (() => Promise<HostFacts>) | null;
	/** Where reports of scheduled tasks arrive; `null` takes none. */
	readonly jobDesk: JobDesk | null;
	readonly hostName: string;
	readonly dataDir: string;
	readonly userAgent: string;
	readonly metrics: AgentMetrics;
	/** `null`: nothing is kept and nothing is sent. */
	readonly uplink: Uplink | null;
	/** Where log records go; `null` without a collector. */
	readonly logs: LogSink | null;
}

interface Running {
	readonly rounds: Rounds;
	readonly shippers: readonly LogShipper[];
	readonly cleanup: CleanupStack;
}

/** Everything that is measured and followed by one configuration, which can be exchanged for another while the agent runs. */
export class Collection {
	readonly #options: CollectionOptions;
	#config: AgentConfig;
	#running: Running;
	#started = false;

	/** Throws an `AppError` when a file that the configuration names cannot be used. */
	constructor(options: CollectionOptions, config: AgentConfig) {
		this.#options = options;
		this.#config = config;
		this.#running = this.#open(config);
	}

	start(): void {
		this.#started = true;
		this.#running.rounds.start();
		for (const shipper of this.#running.shippers) shipper.start();
	}

	/** One round of every input. Whether all of them succeeded. */
	once(): Promise<boolean> {
		return this.#running.rounds.once();
	}

	/** The newest values of all inputs. */
	current(): readonly ExpositionFamily[] {
		return this.#running.rounds.current();
	}

	/** Goes on with another configuration. When that one cannot be used it throws, and the one before stays. */
	async apply(config: AgentConfig): Promise<void> {
		// Tried before anything is stopped; the inputs open nothing before they are first read.
		await this.#inputs(config).reduce((before, input) => before.then(() => input.close()), Promise.resolve());
		const before = this.#running;
		await before.cleanup.close();
		const remains = before.rounds.remains();
		try {
			this.#running = this.#open(config, remains);
			this.#config = config;
		} catch (error) {
			this.#running = this.#open(this.#config, remains);
			throw error;
		} finally {
			if (this.#started) this.start();
		}
	}

	async stop(): Promise<void> {
		await this.#running.cleanup.close();
	}

	#open(config: AgentConfig, remains?: RoundsRemains): Running {
		const { clock, log, metrics, uplink } = this.#options;
		const cleanup = new CleanupStack(log);
		const rounds = new Rounds({
			inputs: this.#inputs(config),
			agentTarget: this.#target(config),
			sink: (batch, nowMs) => uplink?.append(batch, nowMs),
			onMissed: (input) => metrics.missedRounds.inc({ input }),
			clock,
			log,
			...(remains === undefined ? {} : { remains }),
		});
		cleanup.add('inputs', () => rounds.stop());
		const { logs, jobDesk } = this.#options;
		const shippers = logs === null || config.inputs.logs.length === 0 ? [] : this.#shippers(config, logs, cleanup);
		// Last, when nothing can be refused any more: what is not in force must not change what is waited for.
		jobDesk?.configure(configuredTasks(config.inputs.jobs));
		return { rounds, shippers, cleanup };
	}

	#shippers(config: AgentConfig, client: LogSink, cleanup: CleanupStack): readonly LogShipper[] {
		const { clock, log, metrics, hostName, dataDir } = this.#options;
		const positions = new PositionStore(join(dataDir, 'tails'));
		return config.inputs.logs.map((entry) => {
			const { system } = config.host;
			const shipper = new LogShipper({ config: entry, host: hostName, system, client, positions, clock, log, metrics });
			cleanup.add(`log ${entry.path}`, () => shipper.stop());
			return shipper;
		});
	}

	#target(config: AgentConfig) {
		return { job: 'agent', host: this.#options.hostName, system: config.host.system, zone: config.host.zone };
	}

	#inputs(config: AgentConfig): readonly Input[] {
		const { metrics, uplink, hostName, clock, log, env, userAgent, readFacts, jobDesk } = this.#options;
		const self: Input = {
			name: 'agent',
			target: { ...this.#target(config), instance: hostName },
			intervalMs: parseDuration(config.interval),
			timeoutMs: 5000,
			onFailure: [],
			async collect() {
				uplink?.measure();
				return selfFamilies(metrics);
			},
			async close() {},
		};
		const inputs = createInputs(config, { hostName, clock, log, env, userAgent, readFacts, jobDesk });
		return [...inputs, self];
	}
}
