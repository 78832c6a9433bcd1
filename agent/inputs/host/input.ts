import type { Clock } from '../../../core/clock.ts';
import { AppError, errorText } from '../../../core/errors.ts';
import type { Logger } from '../../../core/log.ts';
import { FamilySet, type Input, type MetricFamily } from '../input.ts';
import type { HostSelection } from './config.ts';
import { containerReader } from './containers.ts';
import { cpuReader, loadReader, pressureReader, statReader } from './cpu.ts';
import { diskReader } from './disk.ts';
import { filesystemReader } from './filesystem.ts';
import type { HostReader, HostRoots } from './host-reader.ts';
import { type HostFacts, hostInfoFamilies } from './inventory.ts';
import { conntrackReader, fileDescriptorReader, memoryReader, vmstatReader } from './memory.ts';
import { netstatReader, networkClassReader, networkDeviceReader, sockstatReader } from './network.ts';
import { readPortableHost } from './portable.ts';
import { portReader } from './ports.ts';
import { processReader } from './processes.ts';
import { timeReader, unameReader } from './uname.ts';
import { unitReader } from './units.ts';

const FACTS_EVERY_MS = 86_400_000;

export interface HostInputOptions extends HostSelection {
	readonly target: Readonly<Record<string, string>>;
	readonly intervalMs: number;
	readonly timeoutMs: number;
	/** Called at the start and once a day, outside of the rounds. `null`: no facts. */
	readonly readFacts: (() => Promise<HostFacts>) | null;
	readonly clock: Clock;
	readonly log: Logger;
	/** Default the running system's. */
	readonly platform?: NodeJS.Platform;
	/** Default `/proc` and `/sys`. */
	readonly roots?: HostRoots;
}

/** The machine itself. On Linux from `/proc` and `/sys`, each group of files failing on its own; elsewhere the portable variant. */
export function createHostInput(options: HostInputOptions): Input {
	const { clock, log } = options;
	const platform = options.platform ?? process.platform;
	const roots = options.roots ?? { proc: '/proc', sys: '/sys' };
	const readers: readonly HostReader[] = [
		cpuReader(),
		statReader,
		loadReader,
		pressureReader,
		memoryReader,
		vmstatReader,
		fileDescriptorReader,
		conntrackReader,
		diskReader,
		filesystemReader({ exclude: options.mountsExclude, remote: options.remoteMounts ?? false }),
		networkDeviceReader,
		networkClassReader,
		netstatReader,
		sockstatReader,
		unameReader,
		timeReader,
		...(options.containers === false ? [] : [containerReader()]),
		...(options.units === undefined || options.units.length === 0 ? [] : [unitReader(options.units)]),
		...(options.processes === undefined || options.processes.length === 0 ? [] : [processReader(options.processes)]),
		...(options.ports == null ? [] : [portReader(options.ports)]),
	];
	let facts: readonly MetricFamily[] = [];
	let factsDueMs = 0;

	const refreshFacts = (nowMs: number) => {
		if (options.readFacts === null || nowMs < factsDueMs) return;
		factsDueMs = nowMs + FACTS_EVERY_MS;
		options.readFacts().then(
			(read) => {
				facts = hostInfoFamilies(read);
			},
			(error: unknown) => log.warn({ error: errorText(error) }, 'the facts about this machine could not be read'),
		);
	};

	return {
		name: 'host',
		target: options.target,
		intervalMs: options.intervalMs,
		timeoutMs: options.timeoutMs,
		onFailure: [],
		async collect(signal, nowMs) {
			refreshFacts(nowMs);
			if (platform !== 'linux') return [...(await readPortableHost(platform, { nowMs, services: options.units ?? [] })), ...facts];
			const families = new FamilySet();
			let succeeded = 0;
			let firstError: unknown = null;
			for (const reader of readers) {
				const started = clock.monotonic();
				let ok = 1;
				try {
					await reader.read({ roots, families, nowMs, signal });
					succeeded++;
				} catch (error) {
					ok = 0;
					firstError ??= error;
					log.debug({ collector: reader.name, error: errorText(error) }, 'a group of host metrics could not be read');
				}
				const labels = ['collector', reader.name];
				families.gauge('node_scrape_collector_duration_seconds', 'Duration of a collector.', (clock.monotonic() - started) / 1000, labels);
				families.gauge('node_scrape_collector_success', 'Whether a collector succeeded.', ok, labels);
			}
			if (succeeded === 0) throw new AppError('FN_AGENT_HOST_UNREADABLE', `nothing under ${roots.proc} can be read`, { cause: firstError });
			return [...families.list(), ...facts];
		},
		async close() {},
	};
}
