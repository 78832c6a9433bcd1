import type { FamilySet } from '../input.ts';
import { type CgroupTree, type CgroupUsage, findGroups, openCgroupTree, readGroup } from './cgroup-tree.ts';
import type { HostReader } from './host-reader.ts';
import { tryReadText } from './proc-text.ts';

/** Docker, podman, containerd and CRI-O, with the systemd and the cgroupfs driver. */
const SCOPE = /^(?:(docker|libpod|cri-containerd|crio|nerdctl)-)?([0-9a-f]{64})(?:\.scope)?$/;
/** Beyond it the rest is counted and not measured, so that a host with a thousand containers costs a bounded number of series. */
const MAX_CONTAINERS = 200;
/** The tree is walked this often; in between only known groups are read. */
const WALK_EVERY_MS = 30_000;

interface Container {
	readonly path: string;
	readonly labels: readonly string[];
}

/**
 * Containers from their control groups, in cAdvisor's names. The name comes from the runtime's own files where the agent
 * may read them (Docker: root only), otherwise it is the first twelve digits of the id. The runtime's socket is not asked:
 * access to it is access to the machine.
 */
export function containerReader(options: { readonly dockerRoot?: string } = {}): HostReader {
	const dockerRoot = options.dockerRoot ?? '/var/lib/docker';
	let tree: CgroupTree | null = null;
	let containers: readonly Container[] = [];
	let found = 0;
	let walkDueMs = 0;
	return {
		name: 'containers',
		read({ roots, families, nowMs }) {
			if (nowMs >= walkDueMs) {
				walkDueMs = nowMs + WALK_EVERY_MS;
				tree = openCgroupTree(roots.sys);
				const paths = tree === null ? [] : findGroups(tree, (name) => SCOPE.test(name));
				found = paths.length;
				const known = new Map(containers.map((container) => [container.path, container]));
				containers = paths.slice(0, MAX_CONTAINERS).map((path) => known.get(path) ?? describe(path, dockerRoot));
			}
			if (tree === null || found === 0) return;
			let measured = 0;
			for (const { path, labels } of containers) {
				const usage = readGroup(tree, path);
				if (usage === null) continue;
				measured++;
				containerFamilies(usage, labels, families);
			}
			families.gauge('fournines_host_containers', 'Containers whose control groups are measured.', measured);
			families.gauge(
				'fournines_host_containers_left_out',
				'Containers beyond the limit of those that are measured.',
				Math.max(0, found - MAX_CONTAINERS),
			);
		},
	};
}

function describe(path: string, dockerRoot: string): Container {
	const id = SCOPE.exec(path.slice(path.lastIndexOf('/') + 1))?.[2] ?? '';
	return { path, labels: ['id', path, 'name', dockerName(dockerRoot, id) ?? id.slice(0, 12)] };
}

function dockerName(dockerRoot: string, id: string): string | null {
	const text = tryReadText(`${dockerRoot}/containers/${id}/config.v2.json`);
	const match = text === null ? null : /"Name":"\/?([^"]+)"/.exec(text);
	return match?.[1] ?? null;
}

function containerFamilies(usage: CgroupUsage, labels: readonly string[], families: FamilySet): void {
	const counter = (name: string, help: string, value: number | null) => {
		if (value !== null) families.counter(name, help, value, labels);
	};
	const gauge = (name: string, help: string, value: number | null) => {
		if (value !== null) families.gauge(name, help, value, labels);
	};
	counter('container_cpu_usage_seconds_total', 'Cumulative cpu time consumed.', usage.cpuSeconds);
	counter('container_cpu_cfs_periods_total', 'Number of elapsed enforcement period intervals.', usage.periods);
	counter('container_cpu_cfs_throttled_periods_total', 'Number of throttled period intervals.', usage.throttledPeriods);
	counter('container_cpu_cfs_throttled_seconds_total', 'Total time duration the container has been throttled.', usage.throttledSeconds);
	gauge('container_spec_cpu_quota', 'CPU quota of the container.', usage.cpuQuotaUs);
	gauge('container_spec_cpu_period', 'CPU period of the container.', usage.cpuPeriodUs);
	gauge(
		'container_memory_usage_bytes',
		'Current memory usage, including all memory regardless of when it was accessed.',
		usage.memoryBytes,
	);
	gauge('container_memory_working_set_bytes', 'Current working set.', usage.workingSetBytes);
	gauge('container_spec_memory_limit_bytes', 'Memory limit for the container.', usage.memoryLimitBytes ?? 0);
	counter('container_oom_events_total', 'Count of out of memory events observed for the container.', usage.oomKills);
	gauge('container_processes', 'Number of processes running inside the container.', usage.processes);
}
