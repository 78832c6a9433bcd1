import { Counter, Gauge, Registry } from 'prom-client';
import type { MetricType } from '../protocol/metric-type.ts';
import { FamilySet, type MetricFamily } from './inputs/input.ts';

/** What the agent says of itself, on `/metrics` and in every push. Listed in `docs/metrics/agent.md`. */
export interface AgentMetrics {
	readonly registry: Registry;
	readonly pushedSamples: Counter;
	readonly droppedSamples: Counter<'reason'>;
	readonly pushes: Counter<'result'>;
	readonly lastPush: Gauge;
	readonly clockOffset: Gauge;
	readonly held: Gauge<'reason'>;
	readonly spoolBytes: Gauge;
	readonly spoolPendingBytes: Gauge;
	readonly spoolMaxBytes: Gauge;
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
	const build = new Gauge({
		name: 'fournines_agent_build_info',
		help: 'Version of the agent and of its runtime; the value is 1.',
		labelNames: ['version', 'node'],
		registers,
	});
	build.set({ version, node: process.version }, 1);
	const lastPush = new Gauge({
		name: 'fournines_agent_last_push_timestamp_seconds',
		help: 'When the collector last acknowledged a request; absent before the first time.',
		registers,
	});
	const clockOffset = new Gauge({
		name: 'fournines_agent_clock_offset_seconds',
		help: 'Clock of this host minus clock of the collector, from the Date of its answers; precise to a second.',
		registers,
	});
	// prom-client begins with 0, which would say that a push happened in 1970 and that the clocks agree.
	lastPush.remove();
	clockOffset.remove();
	return {
		registry,
		pushedSamples: new Counter({
			name: 'fournines_agent_pushed_samples_total',
			help: 'Samples that the collector has acknowledged.',
			registers,
		}),
		droppedSamples: new Counter({
			name: 'fournines_agent_dropped_samples_total',
			help: 'Samples that were given up, by reason.',
			labelNames: ['reason'],
			registers,
		}),
		pushes: new Counter({
			name: 'fournines_agent_pushes_total',
			help: 'Requests to the collector, by result.',
			labelNames: ['result'],
			registers,
		}),
		lastPush,
		clockOffset,
		held: new Gauge({
			name: 'fournines_agent_uplink_held',
			help: '1 while sending is held back for a reason that somebody must remove.',
			labelNames: ['reason'],
			registers,
		}),
		spoolBytes: new Gauge({ name: 'fournines_agent_spool_bytes', help: 'Size of the spool on disk.', registers }),
		spoolPendingBytes: new Gauge({
			name: 'fournines_agent_spool_pending_bytes',
			help: 'Bytes in the spool that wait for acknowledgement.',
			registers,
		}),
		spoolMaxBytes: new Gauge({ name: 'fournines_agent_spool_max_bytes', help: 'Configured cap of the spool.', registers }),
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
