import type { HostReader } from './host-reader.ts';
import { readText, tryReadText } from './proc-text.ts';

/** The lines of `/proc/meminfo` that boards and rules use; the others cost wire and storage on every host. */
const MEMORY_FIELDS = new Set([
	'MemTotal',
	'MemFree',
	'MemAvailable',
	'Buffers',
	'Cached',
	'SwapCached',
	'Active',
	'Inactive',
	'SwapTotal',
	'SwapFree',
	'Dirty',
	'Writeback',
	'AnonPages',
	'Mapped',
	'Shmem',
	'Slab',
	'SReclaimable',
	'SUnreclaim',
	'KernelStack',
	'PageTables',
	'CommitLimit',
	'Committed_AS',
	'HardwareCorrupted',
]);

export const memoryReader: HostReader = {
	name: 'meminfo',
	read({ roots, families }) {
		for (const line of readText(`${roots.proc}/meminfo`).split('\n')) {
			const match = /^([A-Za-z_]+):\s+([0-9]+) kB$/.exec(line);
			if (match === null || !MEMORY_FIELDS.has(match[1] as string)) continue;
			families.gauge(`node_memory_${match[1]}_bytes`, `Memory information field ${match[1]}_bytes.`, Number(match[2]) * 1024);
		}
	},
};

const VMSTAT_FIELDS = /^(oom_kill|pgpgin|pgpgout|pswpin|pswpout|pgfault|pgmajfault) ([0-9]+)$/;

export const vmstatReader: HostReader = {
	name: 'vmstat',
	read({ roots, families }) {
		for (const line of readText(`${roots.proc}/vmstat`).split('\n')) {
			const match = VMSTAT_FIELDS.exec(line);
			if (match !== null)
				families.add(`node_vmstat_${match[1]}`, 'unknown', `/proc/vmstat information field ${match[1]}.`, Number(match[2]), []);
		}
	},
};

export const fileDescriptorReader: HostReader = {
	name: 'filefd',
	read({ roots, families }) {
		const [allocated, , maximum] = readText(`${roots.proc}/sys/fs/file-nr`).trim().split(/\s+/);
		families.gauge('node_filefd_allocated', 'File descriptor statistics: allocated.', Number(allocated));
		families.gauge('node_filefd_maximum', 'File descriptor statistics: maximum.', Number(maximum));
	},
};

/** Only where the connection tracker is loaded. */
export const conntrackReader: HostReader = {
	name: 'conntrack',
	read({ roots, families }) {
		const count = tryReadText(`${roots.proc}/sys/net/netfilter/nf_conntrack_count`);
		const limit = tryReadText(`${roots.proc}/sys/net/netfilter/nf_conntrack_max`);
		if (count === null || limit === null) return;
		families.gauge('node_nf_conntrack_entries', 'Number of currently allocated flow entries for connection tracking.', Number(count));
		families.gauge('node_nf_conntrack_entries_limit', 'Maximum size of connection tracking table.', Number(limit));
	},
};
