import { type CgroupTree, openCgroupTree, readGroup } from './cgroup-tree.ts';
import type { HostReader } from './host-reader.ts';
import { tryReadText } from './proc-text.ts';
import { startSeconds } from './process-table.ts';

/**
 * systemd units by name, from their control groups: no child process and no connection to D-Bus. A unit is up while
 * processes are in its group. What this cannot see: whether a unit that is down has failed or was stopped, and units
 * without processes (mounts, timers, one-shot services that have ended).
 */
export function unitReader(units: readonly string[]): HostReader {
	const labelsOf = new Map(units.map((unit) => [unit, ['unit', unit.slice(unit.lastIndexOf('/') + 1)] as const]));
	return {
		name: 'units',
		read({ roots, families }) {
			const tree = openCgroupTree(roots.sys);
			for (const unit of units) {
				const labels = labelsOf.get(unit) ?? [];
				const place = tree === null ? null : locate(tree, unit);
				const pids = place === null ? [] : place.pids;
				families.gauge(
					'fournines_host_unit_up',
					'Whether processes run in the control group of the systemd unit.',
					pids.length > 0 ? 1 : 0,
					labels,
				);
				families.gauge('fournines_host_unit_processes', 'Processes in the control group of the systemd unit.', pids.length, labels);
				if (tree === null || place === null || pids.length === 0) continue;
				const started = pids.map((pid) => startSeconds(roots.proc, pid)).filter((value) => value !== null);
				if (started.length > 0) {
					families.gauge(
						'fournines_host_unit_start_time_seconds',
						'Start of the oldest process of the systemd unit, as a Unix time.',
						Math.min(...started),
						labels,
					);
				}
				const usage = readGroup(tree, place.path);
				if (usage === null) continue;
				if (usage.cpuSeconds !== null)
					families.counter('fournines_host_unit_cpu_seconds_total', 'CPU time of the systemd unit.', usage.cpuSeconds, labels);
				if (usage.memoryBytes !== null)
					families.gauge('fournines_host_unit_memory_bytes', 'Memory charged to the systemd unit.', usage.memoryBytes, labels);
				if (usage.oomKills !== null)
					families.counter(
						'fournines_host_unit_oom_kills_total',
						'Processes of the systemd unit that the kernel killed for memory.',
						usage.oomKills,
						labels,
					);
			}
		},
	};
}

/** The unit's folder and the processes in it and below it; `null` when it has no group, which is so while it does not run. */
function locate(tree: CgroupTree, unit: string): { readonly path: string; readonly pids: readonly number[] } | null {
	// On a machine of version 1 systemd keeps its units in a hierarchy of its own, and in those of the controllers it was told to use.
	const folder = tree.version === 2 ? tree.root : (tree.folder('systemd') ?? tree.root);
	for (const path of candidates(unit)) {
		const text = tryReadText(`${folder}${path}/cgroup.procs`);
		if (text === null) continue;
		const pids = numbers(text);
		// With delegation (a container engine, a session) the processes are one level down.
		const below =
			pids.length > 0
				? ''
				: ['/payload', '/supervisor', '/init.scope'].map((name) => tryReadText(`${folder}${path}${name}/cgroup.procs`) ?? '').join('\n');
		return { path, pids: [...pids, ...numbers(below)] };
	}
	return null;
}

/** `a@1.service` lives in `system-a.slice`; a name with a slash is a path from the root. */
function candidates(unit: string): readonly string[] {
	if (unit.includes('/')) return [`/${unit.replace(/^\/+/, '')}`];
	const at = unit.indexOf('@');
	const direct = `/system.slice/${unit}`;
	if (at < 0) return [direct];
	return [`/system.slice/system-${unit.slice(0, at).replace(/-/g, '\\x2d')}.slice/${unit}`, direct];
}

function numbers(text: string): readonly number[] {
	return text
		.split('\n')
		.filter((line) => line !== '')
		.map(Number);
}
