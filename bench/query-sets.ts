import { shippedBoardQueries } from './board-queries.ts';
import { type BenchSeries, hostSeries, lookupSeries, wideSeries } from './query-data.ts';

/** Something that is asked for over HTTP: `path` begins with `/api/v1/`. */
export interface Task {
	readonly group: string;
	readonly name: string;
	readonly path: string;
	/** Unmeasured rounds before the measured ones, for caches and compilers: a board is asked for all day. */
	readonly warmRuns: number;
	/** Left out when we answer nothing: the data of the benchmark have no such metric. */
	readonly optional?: boolean;
}

/** Series, the time that they cover, and what is asked of them. Each set has servers and folders of its own. */
export interface DataSet {
	readonly name: string;
	readonly hours: number;
	readonly stepMs: number;
	/** Milliseconds that one request carries, of `seriesPerRequest` series: as an agent that catches up does. */
	readonly sliceMs: number;
	readonly seriesPerRequest: number;
	series(): readonly BenchSeries[];
	tasks(endMs: number): readonly Task[];
}

export interface SetSizes {
	/** Hosts with samples every 15 s over seven days. */
	readonly hosts: number;
	/** Hours of these. */
	readonly hours: number;
	/** Hosts with samples every 60 s over a day. */
	readonly fleet: number;
	/** Series of one metric, every 60 s over a day. */
	readonly wide: number;
	/** Series that are only looked up. */
	readonly lookups: number;
}

const HOUR_MS = 3_600_000;
/** Short requests are asked more often before they are measured: a server that has run for a day has long been compiled. */
const LOOKUP_WARM_RUNS = 300;
const BOARD_WARM_RUNS = 30;
const SHIPPED_WARM_RUNS = 5;
const LONG_WARM_RUNS = 5;

/** What boards of a fleet ask. */
export const BOARD_QUERIES: Readonly<Record<string, string>> = {
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
const LOOKUPS: Readonly<Record<string, string>> = {
	'values of a label': 'label/instance/values?',
	'metric names': 'label/__name__/values?',
	'values of a label in one metric': 'label/instance/values?match[]=bench_lookup_7_total',
	'values of a label on one host': 'label/__name__/values?match[]={instance="node-00042"}',
	'label names': 'labels?',
	'label names of one metric': 'labels?match[]=bench_lookup_7_total',
	'series of one host': 'series?match[]={instance="node-00042"}',
	'series of one metric in one group': 'series?match[]=bench_lookup_7_total{group="group-7"}',
	'series by regular expression': 'series?match[]=bench_lookup_7_total{instance=~"node-0004.*"}',
};

interface Span {
	readonly label: string;
	readonly ms: number;
	readonly stepMs: number;
}

/** The steps that a panel of some 720 to 1,000 points has, never below the time between two samples. */
const SPANS: readonly Span[] = [
	{ label: '1 h', ms: HOUR_MS, stepMs: 15_000 },
	{ label: '24 h', ms: 24 * HOUR_MS, stepMs: 120_000 },
	{ label: '7 d', ms: 168 * HOUR_MS, stepMs: 600_000 },
];

export function dataSets(sizes: SetSizes): readonly DataSet[] {
	const { hosts, hours, fleet, wide, lookups } = sizes;
	const sets: DataSet[] = [];
	if (hosts > 0) {
		sets.push({
			name: 'hosts',
			hours,
			stepMs: 15_000,
			sliceMs: 600_000,
			seriesPerRequest: 500,
			series: () => Array.from({ length: hosts }, (_, host) => hostSeries(host)).flat(),
			tasks: (endMs) =>
				SPANS.filter((span) => span.ms <= hours * HOUR_MS).flatMap((span) => [
					...rangeTasks(BOARD_QUERIES, { group: `${hosts} hosts, ${span.label}`, endMs, span, warmRuns: BOARD_WARM_RUNS }),
					...rangeTasks(Object.fromEntries(shippedBoardQueries('app-0003')), {
						group: `shipped boards, ${hosts} hosts, ${span.label}`,
						endMs,
						span,
						warmRuns: SHIPPED_WARM_RUNS,
					}).map((task) => ({ ...task, optional: true })),
				]),
		});
	}
	if (fleet > 0) {
		sets.push({
			name: 'fleet',
			hours: 24,
			stepMs: 60_000,
			sliceMs: 1_800_000,
			seriesPerRequest: 1000,
			series: () => Array.from({ length: fleet }, (_, host) => hostSeries(host)).flat(),
			tasks: (endMs) =>
				SPANS.slice(0, 2).flatMap((span) =>
					rangeTasks(BOARD_QUERIES, {
						group: `${fleet} hosts, ${span.label}`,
						endMs,
						span: { ...span, stepMs: Math.max(span.stepMs, 60_000) },
						warmRuns: LONG_WARM_RUNS,
					}),
				),
		});
	}
	if (wide > 0) {
		sets.push({
			name: 'wide',
			hours: 24,
			stepMs: 60_000,
			sliceMs: 1_800_000,
			seriesPerRequest: 1000,
			series: () => wideSeries(wide),
			tasks: (endMs) =>
				rangeTasks(WIDE_QUERIES, {
					group: `${wide} series, 24 h at 60 s`,
					endMs,
					span: { label: '24 h', ms: 24 * HOUR_MS, stepMs: 60_000 },
					warmRuns: LONG_WARM_RUNS,
				}),
		});
	}
	if (lookups > 0) {
		sets.push({
			name: 'lookups',
			hours: 1 / 20,
			stepMs: 60_000,
			sliceMs: 180_000,
			seriesPerRequest: 2000,
			series: () => lookupSeries(lookups),
			tasks: (endMs) =>
				Object.entries(LOOKUPS).map(([name, path]) => {
					const [route = '', match = ''] = path.split('?');
					const parameters = new URLSearchParams({ start: String((endMs - HOUR_MS) / 1000), end: String(endMs / 1000) });
					if (match !== '') parameters.append('match[]', match.slice(match.indexOf('=') + 1));
					return { group: `look-ups, ${lookups} series`, name, path: `/api/v1/${route}?${parameters}`, warmRuns: LOOKUP_WARM_RUNS };
				}),
		});
	}
	return sets;
}

function rangeTasks(
	queries: Readonly<Record<string, string>>,
	options: { readonly group: string; readonly endMs: number; readonly span: Span; readonly warmRuns: number },
): readonly Task[] {
	const { group, endMs, span, warmRuns } = options;
	return Object.entries(queries).map(([name, query]) => {
		const parameters = new URLSearchParams({
			query,
			start: String((endMs - span.ms) / 1000),
			end: String(endMs / 1000),
			step: String(span.stepMs / 1000),
		});
		return { group, name, path: `/api/v1/query_range?${parameters}`, warmRuns };
	});
}
