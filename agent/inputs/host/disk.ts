import type { HostReader } from './host-reader.ts';
import { readText, words } from './proc-text.ts';

/** Sectors of `/proc/diskstats` are 512 bytes whatever the device says of itself (Documentation/admin-guide/iostats.rst). */
const SECTOR_BYTES = 512;
/** Partitions and memory devices: their traffic is counted by the disk below, or is none. */
const IGNORED = /^(z?ram|loop|fd|(h|s|v|xv)d[a-z]|nvme\d+n\d+p)\d+$/;

export const diskReader: HostReader = {
	name: 'diskstats',
	read({ roots, families }) {
		for (const line of readText(`${roots.proc}/diskstats`).split('\n')) {
			const fields = words(line);
			const device = fields[2];
			if (device === undefined || fields.length < 14 || IGNORED.test(device)) continue;
			const at = (i: number) => Number(fields[i]);
			const labels = ['device', device];
			families.counter('node_disk_reads_completed_total', 'The total number of reads completed successfully.', at(3), labels);
			families.counter('node_disk_reads_merged_total', 'The total number of reads merged.', at(4), labels);
			families.counter('node_disk_read_bytes_total', 'The total number of bytes read successfully.', at(5) * SECTOR_BYTES, labels);
			families.counter('node_disk_read_time_seconds_total', 'The total number of seconds spent by all reads.', at(6) / 1000, labels);
			families.counter('node_disk_writes_completed_total', 'The total number of writes completed successfully.', at(7), labels);
			families.counter('node_disk_writes_merged_total', 'The number of writes merged.', at(8), labels);
			families.counter('node_disk_written_bytes_total', 'The total number of bytes written successfully.', at(9) * SECTOR_BYTES, labels);
			families.counter(
				'node_disk_write_time_seconds_total',
				'This is the total number of seconds spent by all writes.',
				at(10) / 1000,
				labels,
			);
			families.gauge('node_disk_io_now', 'The number of I/Os currently in progress.', at(11), labels);
			families.counter('node_disk_io_time_seconds_total', 'Total seconds spent doing I/Os.', at(12) / 1000, labels);
			families.counter('node_disk_io_time_weighted_seconds_total', 'The weighted # of seconds spent doing I/Os.', at(13) / 1000, labels);
		}
	},
};
