import type { HostReader } from './host-reader.ts';
import { bootSeconds, commandLine, listPids, openFiles, type ProcessStat, readProcess } from './process-table.ts';

/** Processes that belong together; the first group that fits takes a process. */
export interface ProcessGroup {
	readonly name: string;
	/** Exact name of the executable as the kernel keeps it (`comm`, cut to 15 characters); `null`: any. */
	readonly comm: string | null;
	/** Searched in the command line; `null`: any. */
	readonly command: RegExp | null;
}

interface KnownProcess {
	readonly startTicks: number;
	readonly group: number;
	userSeconds: number;
	systemSeconds: number;
	round: number;
}

interface Totals {
	userSeconds: number;
	systemSeconds: number;
}

/** Above it pids begin anew after some days at the latest; it only bounds what is remembered. */
const MAX_KNOWN = 20_000;
const NONE = -1;

/**
 * Groups of processes by name, in process-exporter's names. CPU time is added up from what each process used since the
 * last round, so that the counter of a group does not fall when one of its processes ends. Open files of other users'
 * processes can only be counted by root; without that the metric is absent.
 */
export function processReader(groups: readonly ProcessGroup[]): HostReader {
	const known = new Map<number, KnownProcess>();
	const totals: readonly Totals[] = groups.map(() => ({ userSeconds: 0, systemSeconds: 0 }));
	const labelsOf = groups.map(({ name }) => ['groupname', name]);
	let round = 0;

	const groupOf = (proc: string, stat: ProcessStat): number => {
		let command: string | null = null;
		for (const [i, group] of groups.entries()) {
			if (group.comm !== null && group.comm.slice(0, 15) !== stat.name) continue;
			if (group.command !== null) {
				command ??= commandLine(proc, stat.pid);
				if (!group.command.test(command)) continue;
			}
			return i;
		}
		return NONE;
	};

	return {
		name: 'processes',
		read({ roots: { proc }, families }) {
			round++;
			const members: ProcessStat[][] = groups.map(() => []);
			for (const pid of listPids(proc)) {
				const before = known.get(pid);
				// Of a process that belongs to no group nothing is read again until its number is used anew.
				if (before?.group === NONE && round % 6 !== 0) {
					before.round = round;
					continue;
				}
				const stat = readProcess(proc, pid);
				if (stat === null) continue;
				// One without a group is looked at anew: it may have been seen between its fork and its exec.
				let entry = before?.startTicks === stat.startTicks && before.group !== NONE ? before : undefined;
				if (entry === undefined) {
					entry = { startTicks: stat.startTicks, group: groupOf(proc, stat), userSeconds: 0, systemSeconds: 0, round };
					if (known.size < MAX_KNOWN || before !== undefined) known.set(pid, entry);
				}
				entry.round = round;
				const total = totals[entry.group];
				if (total === undefined) continue;
				total.userSeconds += Math.max(0, stat.userSeconds - entry.userSeconds);
				total.systemSeconds += Math.max(0, stat.systemSeconds - entry.systemSeconds);
				entry.userSeconds = stat.userSeconds;
				entry.systemSeconds = stat.systemSeconds;
				members[entry.group]?.push(stat);
			}
			for (const [pid, entry] of known) if (entry.round !== round) known.delete(pid);
			const boot = bootSeconds(proc);
			for (const [i, stats] of members.entries()) {
				const labels = labelsOf[i] ?? [];
				const total = totals[i] as Totals;
				const sum = (pick: (stat: ProcessStat) => number) => stats.reduce((all, stat) => all + pick(stat), 0);
				families.gauge('namedprocess_namegroup_num_procs', 'Number of processes in this group.', stats.length, labels);
				families.counter('namedprocess_namegroup_cpu_seconds_total', 'Cpu user usage in seconds.', total.userSeconds, [
					...labels,
					'mode',
					'user',
				]);
				families.counter('namedprocess_namegroup_cpu_seconds_total', 'Cpu user usage in seconds.', total.systemSeconds, [
					...labels,
					'mode',
					'system',
				]);
				families.gauge(
					'namedprocess_namegroup_memory_bytes',
					'Number of bytes of memory in use.',
					sum((stat) => stat.residentBytes),
					[...labels, 'memtype', 'resident'],
				);
				families.gauge(
					'namedprocess_namegroup_memory_bytes',
					'Number of bytes of memory in use.',
					sum((stat) => stat.virtualBytes),
					[...labels, 'memtype', 'virtual'],
				);
				families.gauge(
					'namedprocess_namegroup_num_threads',
					'Number of threads.',
					sum((stat) => stat.threads),
					labels,
				);
				if (stats.length === 0) continue;
				families.gauge(
					'namedprocess_namegroup_oldest_start_time_seconds',
					'Start time in seconds since 1970/01/01 of the oldest process in the group.',
					boot + Math.min(...stats.map((stat) => stat.startTicks)) / 100,
					labels,
				);
				const files = stats.map((stat) => openFiles(proc, stat.pid));
				if (files.every((count) => count !== null)) {
					families.gauge(
						'namedprocess_namegroup_open_filedesc',
						'Number of open file descriptors for this group.',
						files.reduce((all, count) => all + (count ?? 0), 0),
						labels,
					);
				}
			}
		},
	};
}
