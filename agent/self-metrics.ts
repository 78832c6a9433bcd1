import { Counter, Gauge, Registry } from 'prom-client';
import type { MetricType } from '../protocol/metric-type.ts';
import { FamilySet, type MetricFamily } from './inputs/input.ts';
import { anonymousBytes } from './memory-guard.ts';
import { collectorUplinkMetrics, destinationMetrics, type UplinkMetrics } from './uplink/uplink-metrics.ts';

/** What the agent says of itself, on `/metrics` and in every push. Listed in `docs/metrics/agent.md`. */
export interface AgentMetrics {
	readonly registry: Registry;
	/** Of the collector. */
	readonly uplink: UplinkMetrics;
	/** Of a further destination. */
	readonly destination: (name: string) => UplinkMetrics;
	readonly enrolled: Gauge;
	readonly relayed: Counter<'what' | 'result'>;
	readonly expectedDelay: Gauge;
	readonly centralFailing: Gauge;
	readonly missedRounds: Counter<'input'>;
	readonly logRecords: Counter<'stream'>;
	readonly logGaps: Counter<'stream'>;
	readonly logBatches: Counter<'result'>;
	readonly logPendingBytes: Gauge<'stream'>;
}

export function createAgentMetrics(version: string): AgentMetrics {
	const registry = new Registry();
	const registers = [registry];
	const processStart = Date.now() / 1000 - process.uptime();
	new Gauge({
		name: 'process_start_time_seconds',
		help: 'Start of the process as a Unix time.',
		registers,
		collect() {
			this.set(processStart);
		},
	});
	new Gauge({
		name: 'process_resident_memory_bytes',
		help: 'Resident memory of the process.',
		registers,
		collect() {
			this.set(process.memoryUsage.rss());
		},
	});
	new Counter({
		name: 'process_cpu_seconds_total',
		help: 'User and system CPU time of the process.',
		registers,
		collect() {
			const { user, system } = process.cpuUsage();
			this.reset();
			this.inc((user + system) / 1e6);
		},
	});
	let seen = { atMs: performance.now(), cpu: process.cpuUsage() };
	new Gauge({
		name: 'fournines_agent_cpu_share',
		help: 'Share of one core that the process has used since the value was last read.',
		registers,
		collect() {
			const now = { atMs: performance.now(), cpu: process.cpuUsage() };
			const used = (now.cpu.user + now.cpu.system - seen.cpu.user - seen.cpu.system) / 1000;
			const passed = now.atMs - seen.atMs;
			if (passed > 0) this.set(used / passed);
			seen = now;
		},
	});
	new Gauge({
		name: 'fournines_agent_memory_anonymous_bytes',
		help: 'Memory that only this process has; the limit max_memory_bytes is held against it.',
		registers,
		collect() {
			this.set(anonymousBytes());
		},
	});
	const build = new Gauge({
		name: 'fournines_agent_build_info',
		help: 'Version of the agent and of its runtime; the value is 1.',
		labelNames: ['version', 'node'],
		registers,
	});
	build.set({ version, node: process.version }, 1);
	return {
		registry,
		uplink: collectorUplinkMetrics(registry),
		destination: destinationMetrics(registry),
		enrolled: new Gauge({
			name: 'fournines_agent_enrolled',
			help: '1 when this agent has a key of its own.',
			registers,
		}),
		relayed: new Counter({
			name: 'fournines_agent_relayed_total',
			help: 'Requests and transfer files of a zone that were passed on, by result.',
			labelNames: ['what', 'result'],
			registers,
		}),
		expectedDelay: new Gauge({
			name: 'fournines_agent_expected_delay_seconds',
			help: 'How long samples of this host usually travel: 0 unless they pass a gap device as files.',
			registers,
		}),
		centralFailing: new Gauge({
			name: 'fournines_agent_central_config_failing',
			help: '1 while the central configuration cannot be used and the one before stays in force.',
			registers,
		}),
		missedRounds: new Counter({
			name: 'fournines_agent_missed_rounds_total',
			help: 'Collections that were skipped because the one before was still running.',
			labelNames: ['input'],
			registers,
		}),
		logRecords: new Counter({
			name: 'fournines_agent_log_records_total',
			help: 'Log records that the collector has acknowledged.',
			labelNames: ['stream'],
			registers,
		}),
		logGaps: new Counter({
			name: 'fournines_agent_log_gaps_total',
			help: 'Times the collector expected a record that this host no longer has.',
			labelNames: ['stream'],
			registers,
		}),
		logBatches: new Counter({
			name: 'fournines_agent_log_batches_total',
			help: 'Batches of log records sent, by result.',
			labelNames: ['result'],
			registers,
		}),
		logPendingBytes: new Gauge({
			name: 'fournines_agent_log_pending_bytes',
			help: 'Bytes of the followed file that were not yet acknowledged.',
			labelNames: ['stream'],
			registers,
		}),
	};
}

/** The registry's values as families, so that they are pushed and shown like everything else. */
export async function selfFamilies(metrics: AgentMetrics): Promise<readonly MetricFamily[]> {
	const families = new FamilySet();
	for (const metric of await metrics.registry.getMetricsAsJSON()) {
		for (const value of metric.values) {
			const labels: string[] = [];
			for (const [name, text] of Object.entries(value.labels)) labels.push(name, String(text));
			families.add(metric.name, typeOf(metric.type), metric.help, value.value, labels);
		}
	}
	return families.list();
}

/** prom-client's declaration says enum, the values at run time are these words. */
function typeOf(type: unknown): MetricType {
	return type === 'counter' || type === 'gauge' || type === 'histogram' || type === 'summary' ? type : 'unknown';
}
