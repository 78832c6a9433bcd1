import type { Labels } from '../protocol/labels.ts';

/** One series of the benchmark: its labels and how it moves. */
export interface BenchSeries {
	readonly labels: Labels;
	readonly shape: 'counter' | 'gauge' | 'flag' | 'constant';
}

function series(shape: BenchSeries['shape'], labels: Readonly<Record<string, string>>): BenchSeries {
	const names = Object.keys(labels).sort((a, b) => (a < b ? -1 : 1));
	return { shape, labels: names.flatMap((name) => [name, labels[name] ?? '']) };
}

const LATENCY_BOUNDS = ['0.005', '0.01', '0.025', '0.05', '0.1', '0.25', '0.5', '1', '2.5', '+Inf'];

/** What one host shows on its boards, some sixty series: processors, memory, disks, network, a service with latencies, a check. */
export function hostSeries(host: number): readonly BenchSeries[] {
	const name = `app-${String(host).padStart(4, '0')}`;
	const own = { instance: name, host: name, system: `system-${host % 5}`, zone: `zone-${host % 2}` };
	const node = { ...own, job: 'node' };
	const list: BenchSeries[] = [];
	for (const cpu of ['0', '1']) {
		for (const mode of ['idle', 'iowait', 'irq', 'nice', 'softirq', 'steal', 'system', 'user']) {
			list.push(series('counter', { __name__: 'node_cpu_seconds_total', cpu, mode, ...node }));
		}
	}
	for (const metric of ['MemAvailable', 'MemFree', 'Cached', 'Buffers']) {
		list.push(series('gauge', { __name__: `node_memory_${metric}_bytes`, ...node }));
	}
	list.push(series('constant', { __name__: 'node_memory_MemTotal_bytes', ...node }));
	for (const metric of ['node_load1', 'node_load5', 'node_load15', 'node_procs_running'])
		list.push(series('gauge', { __name__: metric, ...node }));
	for (const mountpoint of ['/', '/data']) {
		list.push(series('gauge', { __name__: 'node_filesystem_avail_bytes', mountpoint, fstype: 'ext4', ...node }));
		list.push(series('constant', { __name__: 'node_filesystem_size_bytes', mountpoint, fstype: 'ext4', ...node }));
	}
	for (const device of ['vda', 'vdb']) {
		for (const metric of ['read_bytes', 'written_bytes', 'io_time_seconds']) {
			list.push(series('counter', { __name__: `node_disk_${metric}_total`, device, ...node }));
		}
	}
	for (const metric of ['receive_bytes', 'transmit_bytes', 'receive_errs', 'transmit_errs']) {
		for (const device of ['eth0', 'eth1']) list.push(series('counter', { __name__: `node_network_${metric}_total`, device, ...node }));
	}
	const web = { ...own, job: 'nginx', service: 'portal' };
	for (const code of ['200', '404', '500']) list.push(series('counter', { __name__: 'nginx_http_requests_total', code, ...web }));
	for (const le of LATENCY_BOUNDS) list.push(series('counter', { __name__: 'nginx_http_request_seconds_bucket', le, ...web }));
	list.push(series('flag', { __name__: 'up', ...node }));
	list.push(series('flag', { __name__: 'probe_success', check: `portal-${host}`, vantage: name, ...own, job: 'probe' }));
	list.push(series('gauge', { __name__: 'probe_duration_seconds', check: `portal-${host}`, vantage: name, ...own, job: 'probe' }));
	return list;
}

/** Counters of one metric for the query over very many series. */
export function wideSeries(count: number): readonly BenchSeries[] {
	return Array.from({ length: count }, (_, i) =>
		series('counter', {
			__name__: 'bench_operations_total',
			job: 'bench',
			instance: `node-${String(Math.floor(i / 20)).padStart(4, '0')}`,
			operation: `operation-${i % 20}`,
			group: `group-${i % 50}`,
		}),
	);
}

/** Counters grow unevenly, gauges have two decimals; the same everywhere and in every run. */
export function sampleValue(shape: BenchSeries['shape'], index: number, step: number): number {
	const noise = ((index * 7919 + step * 104_729) % 1000) / 1000;
	switch (shape) {
		case 'counter':
			return 1e6 + index + step * (100 + (index % 50)) + Math.floor(noise * 40);
		case 'gauge':
			return Math.round(40_000 + noise * 10_000) / 100;
		case 'flag':
			return (index + step) % 977 === 0 ? 0 : 1;
		case 'constant':
			return 8_589_934_592;
	}
}

/** Very many series that only their labels tell apart: a hundred metrics of ten thousand hosts make a million. */
export function lookupSeries(count: number): readonly BenchSeries[] {
	return Array.from({ length: count }, (_, i) => {
		const host = Math.floor(i / 100);
		return series('counter', {
			__name__: `bench_lookup_${i % 100}_total`,
			job: 'bench',
			instance: `node-${String(host).padStart(5, '0')}`,
			group: `group-${host % 50}`,
			zone: `zone-${host % 2}`,
		});
	});
}
