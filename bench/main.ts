import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

interface Benchmark {
	readonly name: string;
	readonly what: string;
	/** Debian packages of the peers; what is missing is left out of the run and named. */
	readonly peers: string;
}

const BENCHMARKS: readonly Benchmark[] = [
	{ name: 'ingest', what: 'CPU per sample and memory of remote write, 100,000 series', peers: 'prometheus, victoria-metrics' },
	{ name: 'query', what: 'time of range queries: board queries for 25 hosts, and 10,000 series', peers: 'prometheus, victoria-metrics' },
	{ name: 'rules', what: 'CPU of 1,000 rules every 15 s over 100,000 series', peers: 'prometheus' },
	{ name: 'store-disk', what: 'bytes per sample on disk after compaction, recorded scrapes of node_exporter', peers: 'victoria-metrics' },
	{ name: 'store-restart', what: 'from SIGKILL with a day of samples to the first answer', peers: 'prometheus' },
	{
		name: 'isolation',
		what: 'latency of ingest and lateness of rules while ten 7-day queries run',
		peers: 'none: idle is what it is compared with',
	},
	{
		name: 'ledger',
		what: 'ledgers of 22 services from a year of stored checks: cold, from kept days, one late day; 30 days beside avg_over_time',
		peers: 'prometheus',
	},
	{
		name: 'agent-footprint',
		what: 'memory and CPU per round of the agent with all its sources, beside the exporters that it replaces',
		peers: 'prometheus-node-exporter, -mysqld-exporter, -redis-exporter, -nginx-exporter, -blackbox-exporter',
	},
	{
		name: 'alerts',
		what: 'from a sample and from a fault to a message; CPU and memory of 10,000 active alerts',
		peers: 'prometheus, prometheus-alertmanager, prometheus-blackbox-exporter',
	},
	{
		name: 'arrivals',
		what: 'CPU of 1,000 rules evaluated as 100 hosts push 100,000 series, with and without a share for it; how long deciding samples wait',
		peers: 'none: the same without evaluation on arrival',
	},
	{
		name: 'uplink',
		what: 'bytes on the wire and CPU per sample from a scrape to a receiver, through an outage',
		peers: 'victoria-metrics (vmagent), prometheus-node-exporter',
	},
];

/** `npm run bench -- NAME [arguments]`: each benchmark runs beside its peers and writes `bench/results/NAME.json`. */
function main(args: readonly string[]): number {
	const [name, ...rest] = args;
	const benchmark = BENCHMARKS.find((known) => known.name === name);
	if (benchmark === undefined) {
		const list = BENCHMARKS.map((known) => `  ${known.name.padEnd(14)} ${known.what} (peers: ${known.peers})`).join('\n');
		process.stderr.write(`npm run bench -- NAME\n\n${list}\n`);
		return name === undefined ? 0 : 2;
	}
	return spawnSync(process.execPath, [join(import.meta.dirname, `${benchmark.name}.ts`), ...rest], { stdio: 'inherit' }).status ?? 1;
}

process.exitCode = main(process.argv.slice(2));
