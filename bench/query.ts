import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { compressSync } from 'snappy';
import { encodeRemoteWriteV1 } from '../protocol/remote-write/encode-v1.ts';
import { temporaryFolder } from '../tests/harness/process.ts';
import { median, type Peer, rssMegabytes, startPeers } from './peers.ts';
import { type BenchSeries, hostSeries, sampleValue, wideSeries } from './query-data.ts';

/**
 * Time of range queries over HTTP, beside the peers that are installed, on the same samples in the same run.
 * Usage: node bench/query.ts [--hosts 25] [--hours 24] [--step 15] [--wide 10000] [--runs 5]
 */
interface Settings {
	readonly hosts: number;
	readonly hours: number;
	/** Seconds between the samples of a host's series; those of the wide metric are 60 s apart. */
	readonly step: number;
	readonly wide: number;
	readonly runs: number;
}

const DEFAULTS: Settings = { hosts: 25, hours: 24, step: 15, wide: 10_000, runs: 5 };
const WIDE_STEP_MS = 60_000;
/** Rounds before the measured ones, for caches and compilers: a board is asked for all day. The long queries warm themselves up. */
const BOARD_WARM_RUNS = 10;
const WIDE_WARM_RUNS = 2;
/** One request carries this much time of a few hundred series, as an agent that catches up does. */
const SLICE_MS = 600_000;
const SERIES_PER_REQUEST = 500;
/** Blocks are written behind the last request; nobody is measured while he still does that. */
const SETTLE_MS = 20_000;

const BOARD_QUERIES: Readonly<Record<string, string>> = {
	'processor use by host': '100 * (1 - avg by (instance) (rate(node_cpu_seconds_total{job="node",mode="idle"}[5m])))',
	'memory use': '1 - node_memory_MemAvailable_bytes{job="node"} / node_memory_MemTotal_bytes{job="node"}',
	'fullest disk': 'max by (instance) (1 - node_filesystem_avail_bytes{fstype!~"tmpfs|overlay"} / node_filesystem_size_bytes)',
	'network in and out':
		'sum by (instance) (rate(node_network_receive_bytes_total{device!="lo"}[5m]) + rate(node_network_transmit_bytes_total[5m])) * 8',
	load: 'node_load5{system=~"system-[0-4]"}',
	'processor time by mode': 'sum by (mode) (rate(node_cpu_seconds_total{instance=~"app-00.*"}[5m]))',
	'busiest disks': 'topk(5, rate(node_disk_io_time_seconds_total[5m]))',
	'latency, 99 %': 'histogram_quantile(0.99, sum by (le, system) (rate(nginx_http_request_seconds_bucket[5m])))',
	'share of errors':
		'sum by (system) (rate(nginx_http_requests_total{code=~"5.."}[5m])) / sum by (system) (rate(nginx_http_requests_total[5m]))',
	availability: 'avg by (system) (avg_over_time(probe_success[1h]))',
	'hosts that answer': 'count(up == 1)',
};
const WIDE_QUERIES: Readonly<Record<string, string>> = {
	'rate over all series': 'sum(rate(bench_operations_total[5m]))',
	'rate over all series by group': 'sum by (group) (rate(bench_operations_total[5m]))',
};

interface Task {
	readonly group: string;
	readonly name: string;
	readonly query: string;
	readonly startMs: number;
	readonly endMs: number;
	readonly stepMs: number;
	readonly warmRuns: number;
}

interface Row {
	readonly group: string;
	readonly name: string;
	readonly query: string;
	/** Milliseconds by server, median over the runs. */
	readonly ms: Record<string, number>;
}

function settings(args: readonly string[]): Settings {
	const own: Record<string, number> = { ...DEFAULTS };
	for (let i = 0; i < args.length; i += 2) {
		const name = args[i]?.replace(/^--/, '') ?? '';
		const value = Number(args[i + 1]);
		if (!(name in DEFAULTS) || !(value >= 0))
			throw new Error(`--${name} ${args[i + 1]}: known are ${Object.keys(DEFAULTS).join(', ')}, with a number`);
		own[name] = value;
	}
	return { ...DEFAULTS, ...own };
}

interface DataSet {
	readonly series: readonly BenchSeries[];
	readonly startMs: number;
	readonly stepMs: number;
}

/** Slice after slice for all: Prometheus refuses what is more than an hour behind its newest sample. */
async function load(peers: readonly Peer[], sets: readonly DataSet[], endMs: number): Promise<void> {
	const firstMs = Math.min(...sets.map((set) => set.startMs));
	for (let sliceMs = firstMs; sliceMs < endMs; sliceMs += SLICE_MS) {
		for (const set of sets) {
			if (sliceMs >= set.startMs) await loadSlice(peers, set, { fromMs: sliceMs, untilMs: Math.min(sliceMs + SLICE_MS, endMs) });
		}
	}
}

async function loadSlice(
	peers: readonly Peer[],
	set: DataSet,
	{ fromMs, untilMs }: { readonly fromMs: number; readonly untilMs: number },
): Promise<void> {
	for (let from = 0; from < set.series.length; from += SERIES_PER_REQUEST) {
		const series = set.series.slice(from, from + SERIES_PER_REQUEST).map(({ labels, shape }, i) => {
			const samples = [];
			for (let timestampMs = fromMs; timestampMs < untilMs; timestampMs += set.stepMs) {
				samples.push({ timestampMs, value: sampleValue(shape, from + i, (timestampMs - set.startMs) / set.stepMs) });
			}
			return { labels, samples };
		});
		const body = compressSync(Buffer.from(encodeRemoteWriteV1(series)));
		await Promise.all(peers.map((peer) => peer.write(body)));
	}
}

function tasksOf({ hosts, hours, wide }: Settings, endMs: number): readonly Task[] {
	const tasks: Task[] = [];
	const spans = [
		{ label: '1 h', ms: 3_600_000, stepMs: 15_000 },
		{ label: '24 h', ms: 86_400_000, stepMs: 120_000 },
		{ label: '7 d', ms: 604_800_000, stepMs: 600_000 },
	];
	for (const span of spans) {
		if (hosts === 0 || span.ms > hours * 3_600_000) continue;
		for (const [name, query] of Object.entries(BOARD_QUERIES)) {
			tasks.push({
				group: `${hosts} hosts, ${span.label}`,
				name,
				query,
				startMs: endMs - span.ms,
				endMs,
				stepMs: span.stepMs,
				warmRuns: BOARD_WARM_RUNS,
			});
		}
	}
	if (wide > 0) {
		const ms = Math.min(hours, 24) * 3_600_000;
		for (const [name, query] of Object.entries(WIDE_QUERIES)) {
			tasks.push({
				group: `${wide} series, ${ms / 3_600_000} h at 60 s`,
				name,
				query,
				startMs: endMs - ms,
				endMs,
				stepMs: 60_000,
				warmRuns: WIDE_WARM_RUNS,
			});
		}
	}
	return tasks;
}

async function measure(peers: readonly Peer[], task: Task, runs: number): Promise<Row> {
	const parameters = new URLSearchParams({
		query: task.query,
		start: String(task.startMs / 1000),
		end: String(task.endMs / 1000),
		step: String(task.stepMs / 1000),
	});
	const path = `/api/v1/query_range?${parameters}`;
	const taken = new Map<string, number[]>(peers.map((peer) => [peer.name, []]));
	const sizes = new Map<string, number>();
	for (let run = 0; run < task.warmRuns + runs; run++) {
		for (const peer of peers) {
			const begun = performance.now();
			const body = await peer.get(path);
			if (run >= task.warmRuns) taken.get(peer.name)?.push(performance.now() - begun);
			sizes.set(peer.name, (JSON.parse(body.toString('utf8')) as { data: { result: unknown[] } }).data.result.length);
		}
	}
	if (new Set(sizes.values()).size !== 1) throw new Error(`the answers to ${task.query} differ: ${JSON.stringify([...sizes])} series`);
	return {
		group: task.group,
		name: task.name,
		query: task.query,
		ms: Object.fromEntries([...taken].map(([name, values]) => [name, Number(median(values).toFixed(2))])),
	};
}

/** Median over the queries of a group of the ratio to a peer. */
function ratios(rows: readonly Row[], peer: string): Readonly<Record<string, number>> {
	const groups = new Map<string, number[]>();
	for (const { group, ms } of rows)
		groups.set(group, [...(groups.get(group) ?? []), (ms['fournines'] ?? Number.NaN) / (ms[peer] ?? Number.NaN)]);
	return Object.fromEntries([...groups].map(([group, values]) => [group, Number(median(values).toFixed(2))]));
}

async function main(): Promise<void> {
	const own = settings(process.argv.slice(2));
	const folder = temporaryFolder('bench-query');
	const peers = await startPeers({ folder: folder.path });
	try {
		const endMs = Math.floor(Date.now() / 60_000) * 60_000;
		const startMs = endMs - own.hours * 3_600_000;
		const hosts = Array.from({ length: own.hosts }, (_, host) => hostSeries(host)).flat();
		const begun = performance.now();
		await load(
			peers,
			[
				{ series: hosts, startMs, stepMs: own.step * 1000 },
				{ series: wideSeries(own.wide), startMs: Math.max(startMs, endMs - 86_400_000), stepMs: WIDE_STEP_MS },
			],
			endMs,
		);
		process.stderr.write(`loaded in ${((performance.now() - begun) / 1000).toFixed(0)} s\n`);
		await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
		const rows: Row[] = [];
		for (const task of tasksOf(own, endMs - 60_000)) {
			const row = await measure(peers, task, own.runs);
			rows.push(row);
			process.stderr.write(`${row.group}, ${row.name}: ${JSON.stringify(row.ms)}\n`);
		}
		const results = peers.map(({ name, version, pid }) => ({
			server: name,
			version,
			rssMegabytes: Math.round(rssMegabytes(pid)),
			...(name === 'fournines' ? {} : { oursToTheirs: ratios(rows, name) }),
		}));
		const output = join(import.meta.dirname, 'results');
		mkdirSync(output, { recursive: true });
		const machine = `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}`;
		writeFileSync(
			join(output, 'query.json'),
			`${JSON.stringify({ date: new Date().toISOString().slice(0, 10), machine, settings: own, results, rows }, null, '\t')}\n`,
		);
		console.log(`| span | query | ${peers.map((peer) => `${peer.name}, ms`).join(' | ')} |\n|---|---|${peers.map(() => '---').join('|')}|`);
		for (const row of rows) console.log(`| ${row.group} | ${row.name} | ${peers.map((peer) => row.ms[peer.name]).join(' | ')} |`);
		for (const result of results) if ('oursToTheirs' in result) console.log(`${result.server}: ${JSON.stringify(result.oursToTheirs)}`);
	} finally {
		for (const peer of peers) await peer.stop();
		folder.remove();
	}
}

await main();
