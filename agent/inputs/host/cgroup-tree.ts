import { existsSync, readdirSync } from 'node:fs';
import { keyedNumbers, tolerant, tryReadNumber, tryReadText } from './proc-text.ts';

/** Where the files of one control group lie: one folder in version 2, one per controller in version 1. */
export interface CgroupTree {
	readonly version: 1 | 2;
	/** Folder of the tree whose folders are walked. */
	readonly root: string;
	/** Folder of a controller; `null` when it is not mounted. */
	folder(controller: 'cpu' | 'cpuacct' | 'memory' | 'pids' | 'systemd'): string | null;
}

/** What one group uses. `null`: the kernel does not say. */
export interface CgroupUsage {
	readonly cpuSeconds: number | null;
	readonly periods: number | null;
	readonly throttledPeriods: number | null;
	readonly throttledSeconds: number | null;
	/** Share of time per period, in microseconds; `null` without a limit. */
	readonly cpuQuotaUs: number | null;
	readonly cpuPeriodUs: number | null;
	readonly memoryBytes: number | null;
	/** Without file pages that the kernel can drop at once. */
	readonly workingSetBytes: number | null;
	/** `null` without a limit. */
	readonly memoryLimitBytes: number | null;
	readonly oomKills: number | null;
	readonly processes: number | null;
}

/** Version 1 writes "no limit" as the largest multiple of a page. */
const NO_LIMIT_V1 = 2 ** 62;
/** Folders looked at per walk, so that a host with thousands of groups costs a bounded time. */
const MAX_FOLDERS = 5000;
const MAX_DEPTH = 6;

/** The tree under `/sys/fs/cgroup`; `null` where there is none. A hybrid machine (version 2 below `unified`, without controllers) counts as version 1. */
export function openCgroupTree(sys: string): CgroupTree | null {
	const base = `${sys}/fs/cgroup`;
	if (existsSync(`${base}/cgroup.controllers`)) return { version: 2, root: base, folder: () => base };
	const mounted = new Map<string, string>();
	for (const controller of ['cpu', 'cpuacct', 'memory', 'pids', 'systemd']) {
		const folder = [`${base}/${controller}`, `${base}/cpu,cpuacct`].find(
			(path) => existsSync(path) && (path.endsWith(controller) || controller.startsWith('cpu')),
		);
		if (folder !== undefined) mounted.set(controller, folder);
	}
	const root = mounted.get('memory') ?? mounted.get('systemd');
	if (root === undefined) return null;
	return { version: 1, root, folder: (controller) => mounted.get(controller) ?? null };
}

/** Paths, relative to the tree's root, of the folders that `accept` takes; those are not entered. */
export function findGroups(tree: CgroupTree, accept: (name: string, path: string) => boolean): readonly string[] {
	const found: string[] = [];
	let looked = 0;
	const walk = (path: string, depth: number): void => {
		const entries = tolerant(() => readdirSync(`${tree.root}${path}`, { withFileTypes: true }), []);
		for (const entry of entries) {
			if (!entry.isDirectory()) continue;
			if (++looked > MAX_FOLDERS) return;
			const child = `${path}/${entry.name}`;
			if (accept(entry.name, child)) found.push(child);
			else if (depth < MAX_DEPTH) walk(child, depth + 1);
		}
	};
	walk('', 1);
	return found;
}

/** `null` when the group has gone. */
export function readGroup(tree: CgroupTree, path: string): CgroupUsage | null {
	return tree.version === 2 ? readVersion2(`${tree.root}${path}`) : readVersion1(tree, path);
}

function readVersion2(folder: string): CgroupUsage | null {
	const cpuText = tryReadText(`${folder}/cpu.stat`);
	const memoryBytes = tryReadNumber(`${folder}/memory.current`);
	if (cpuText === null && memoryBytes === null) return null;
	const cpu = keyedNumbers(cpuText ?? '');
	const events = keyedNumbers(tryReadText(`${folder}/memory.events`) ?? '');
	const inactive = keyedNumbers(tryReadText(`${folder}/memory.stat`) ?? '').get('inactive_file') ?? 0;
	const [quota, period] = (tryReadText(`${folder}/cpu.max`) ?? '').trim().split(' ');
	return {
		cpuSeconds: scaled(cpu.get('usage_usec'), 1e-6),
		periods: cpu.get('nr_periods') ?? null,
		throttledPeriods: cpu.get('nr_throttled') ?? null,
		throttledSeconds: scaled(cpu.get('throttled_usec'), 1e-6),
		cpuQuotaUs: quota === undefined || quota === '' || quota === 'max' ? null : Number(quota),
		cpuPeriodUs: period === undefined ? null : Number(period),
		memoryBytes,
		workingSetBytes: memoryBytes === null ? null : Math.max(0, memoryBytes - inactive),
		memoryLimitBytes: tryReadNumber(`${folder}/memory.max`),
		oomKills: events.get('oom_kill') ?? null,
		processes: tryReadNumber(`${folder}/pids.current`),
	};
}

function readVersion1(tree: CgroupTree, path: string): CgroupUsage | null {
	const file = (controller: 'cpu' | 'cpuacct' | 'memory' | 'pids', name: string): string => {
		const folder = tree.folder(controller);
		return folder === null ? '' : `${folder}${path}/${name}`;
	};
	const memoryBytes = tryReadNumber(file('memory', 'memory.usage_in_bytes'));
	const cpuNanoseconds = tryReadNumber(file('cpuacct', 'cpuacct.usage'));
	if (memoryBytes === null && cpuNanoseconds === null) return null;
	const cpu = keyedNumbers(tryReadText(file('cpu', 'cpu.stat')) ?? '');
	const inactive = keyedNumbers(tryReadText(file('memory', 'memory.stat')) ?? '').get('total_inactive_file') ?? 0;
	const limit = tryReadNumber(file('memory', 'memory.limit_in_bytes'));
	const quota = tryReadNumber(file('cpu', 'cpu.cfs_quota_us'));
	return {
		cpuSeconds: scaled(cpuNanoseconds ?? undefined, 1e-9),
		periods: cpu.get('nr_periods') ?? null,
		throttledPeriods: cpu.get('nr_throttled') ?? null,
		throttledSeconds: scaled(cpu.get('throttled_time'), 1e-9),
		cpuQuotaUs: quota === null || quota < 0 ? null : quota,
		cpuPeriodUs: tryReadNumber(file('cpu', 'cpu.cfs_period_us')),
		memoryBytes,
		workingSetBytes: memoryBytes === null ? null : Math.max(0, memoryBytes - inactive),
		memoryLimitBytes: limit === null || limit >= NO_LIMIT_V1 ? null : limit,
		oomKills: keyedNumbers(tryReadText(file('memory', 'memory.oom_control')) ?? '').get('oom_kill') ?? null,
		processes: tryReadNumber(file('pids', 'pids.current')),
	};
}

function scaled(value: number | undefined, factor: number): number | null {
	return value === undefined ? null : value * factor;
}
