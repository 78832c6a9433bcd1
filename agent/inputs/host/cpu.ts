import type { HostReader } from './host-reader.ts';
import { readText, words } from './proc-text.ts';

/** Jiffies per second of `/proc/stat`. Fixed at 100 for user space on every architecture that Node runs on. */
const USER_HZ = 100;
/** From here on a falling idle counter is a reset (a CPU that went offline and came back) and not the kernel's jitter. */
const RESET_SECONDS = 3;

const MODES = ['user', 'nice', 'system', 'idle', 'iowait', 'irq', 'softirq', 'steal'] as const;
const GUEST_MODES = ['user', 'nice'] as const;
const IDLE = MODES.indexOf('idle');

const HELP = 'Seconds the CPUs spent in each mode.';
const GUEST_HELP = 'Seconds the CPUs spent in guests (VMs) for each mode.';

/**
 * CPU time and the other lines of `/proc/stat`. `iowait` and `idle` may fall by a little between reads
 * (Documentation/filesystems/proc.rst); a counter must not, because `rate` would take it for a restart, so the higher
 * value is held. Once idle falls by seconds it is a reset and the new values are taken.
 */
export function cpuReader(): HostReader {
	const held = new Map<string, number[]>();
	return {
		name: 'cpu',
		read({ roots, families }) {
			const seen = new Set<string>();
			for (const line of readText(`${roots.proc}/stat`).split('\n')) {
				const match = /^cpu([0-9]+) (.*)$/.exec(line);
				if (match === null) continue;
				const cpu = match[1] as string;
				seen.add(cpu);
				const values = words(match[2] as string).map((text) => Number(text) / USER_HZ);
				const kept = hold(held.get(cpu), values);
				held.set(cpu, kept);
				MODES.forEach((mode, i) => {
					families.counter('node_cpu_seconds_total', HELP, kept[i] ?? 0, ['cpu', cpu, 'mode', mode]);
				});
				GUEST_MODES.forEach((mode, i) => {
					families.counter('node_cpu_guest_seconds_total', GUEST_HELP, kept[MODES.length + i] ?? 0, ['cpu', cpu, 'mode', mode]);
				});
			}
			for (const cpu of held.keys()) if (!seen.has(cpu)) held.delete(cpu);
		},
	};
}

/** The values to report, given those reported before. */
export function hold(before: readonly number[] | undefined, values: readonly number[]): number[] {
	if (before === undefined || (before[IDLE] ?? 0) - (values[IDLE] ?? 0) >= RESET_SECONDS) return [...values];
	return values.map((value, i) => Math.max(value, before[i] ?? 0));
}

export const statReader: HostReader = {
	name: 'stat',
	read({ roots, families }) {
		for (const line of readText(`${roots.proc}/stat`).split('\n')) {
			const space = line.indexOf(' ');
			const value = Number.parseInt(line.slice(space + 1), 10);
			switch (line.slice(0, space)) {
				case 'intr':
					families.counter('node_intr_total', 'Total number of interrupts serviced.', value);
					break;
				case 'ctxt':
					families.counter('node_context_switches_total', 'Total number of context switches.', value);
					break;
				case 'btime':
					families.gauge('node_boot_time_seconds', 'Node boot time, in unixtime.', value);
					break;
				case 'processes':
					families.counter('node_forks_total', 'Total number of forks.', value);
					break;
				case 'procs_running':
					families.gauge('node_procs_running', 'Number of processes in runnable state.', value);
					break;
				case 'procs_blocked':
					families.gauge('node_procs_blocked', 'Number of processes blocked waiting for I/O to complete.', value);
					break;
			}
		}
	},
};

export const loadReader: HostReader = {
	name: 'loadavg',
	read({ roots, families }) {
		const [one, five, fifteen] = words(readText(`${roots.proc}/loadavg`)).map(Number);
		families.gauge('node_load1', '1m load average.', one ?? 0);
		families.gauge('node_load5', '5m load average.', five ?? 0);
		families.gauge('node_load15', '15m load average.', fifteen ?? 0);
	},
};

/** Pressure stall information: microseconds that some (waiting) or all (stalled) tasks stood still. Absent before Linux 4.20 and where it is switched off. */
export const pressureReader: HostReader = {
	name: 'pressure',
	read({ roots, families }) {
		for (const resource of ['cpu', 'memory', 'io'] as const) {
			const text = tryPressure(`${roots.proc}/pressure/${resource}`);
			if (text === null) continue;
			for (const line of text.split('\n')) {
				const match = /^(some|full) .*total=([0-9]+)$/.exec(line);
				if (match === null || (resource === 'cpu' && match[1] === 'full')) continue;
				const kind = match[1] === 'some' ? 'waiting' : 'stalled';
				families.counter(
					`node_pressure_${resource}_${kind}_seconds_total`,
					`Seconds that ${match[1] === 'some' ? 'at least one task' : 'all tasks'} stood still for ${resource}.`,
					Number(match[2]) / 1e6,
				);
			}
		}
	},
};

function tryPressure(file: string): string | null {
	try {
		return readText(file);
	} catch {
		// ENOENT on old kernels, EOPNOTSUPP with psi=0: both mean that there is nothing to measure.
		return null;
	}
}
