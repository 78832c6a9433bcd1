import * as os from 'node:os';
import { FamilySet, type MetricFamily } from '../input.ts';

/**
 * Host metrics where there is no `/proc`, through Node and systeminformation: windows_exporter's names on Windows,
 * node_exporter's elsewhere. Fewer than on Linux, at the price of child processes on some systems.
 */
export async function readPortableHost(
	platform: NodeJS.Platform,
	options: { readonly nowMs: number; readonly services?: readonly string[] },
): Promise<readonly MetricFamily[]> {
	const { nowMs, services = [] } = options;
	const si = await import('systeminformation');
	const [memory, filesystems, networks] = await Promise.all([si.mem(), si.fsSize(), si.networkStats('*')]);
	const families = new FamilySet();
	const windows = platform === 'win32';
	os.cpus().forEach((cpu, i) => {
		for (const [mode, milliseconds] of Object.entries(cpu.times)) {
			if (windows)
				families.counter('windows_cpu_time_total', 'Time that the processor spent in each mode.', milliseconds / 1000, [
					'core',
					`0,${i}`,
					'mode',
					windowsMode(mode),
				]);
			else
				families.counter('node_cpu_seconds_total', 'Seconds the CPUs spent in each mode.', milliseconds / 1000, [
					'cpu',
					String(i),
					'mode',
					mode === 'sys' ? 'system' : mode,
				]);
		}
	});
	const bootSeconds = Math.round(nowMs / 1000 - os.uptime());
	if (windows) {
		families.gauge('windows_system_system_up_time', 'System boot time as a Unix time.', bootSeconds);
		families.gauge('windows_cs_physical_memory_bytes', 'Physical memory of the machine.', memory.total);
		families.gauge('windows_memory_available_bytes', 'Memory that programs can have at once.', memory.available);
	} else {
		families.gauge('node_boot_time_seconds', 'Node boot time, in unixtime.', bootSeconds);
		families.gauge('node_memory_MemTotal_bytes', 'Memory information field MemTotal_bytes.', memory.total);
		families.gauge('node_memory_MemAvailable_bytes', 'Memory information field MemAvailable_bytes.', memory.available);
		families.gauge('node_memory_SwapTotal_bytes', 'Memory information field SwapTotal_bytes.', memory.swaptotal);
		families.gauge('node_memory_SwapFree_bytes', 'Memory information field SwapFree_bytes.', memory.swapfree);
		const [one = 0, five = 0, fifteen = 0] = os.loadavg();
		families.gauge('node_load1', '1m load average.', one);
		families.gauge('node_load5', '5m load average.', five);
		families.gauge('node_load15', '15m load average.', fifteen);
	}
	for (const filesystem of filesystems) {
		if (windows) {
			const labels = ['volume', filesystem.mount];
			families.gauge('windows_logical_disk_size_bytes', 'Size of the volume.', filesystem.size, labels);
			families.gauge('windows_logical_disk_free_bytes', 'Free space of the volume.', filesystem.available, labels);
		} else {
			const labels = ['device', filesystem.fs, 'fstype', filesystem.type, 'mountpoint', filesystem.mount];
			families.gauge('node_filesystem_size_bytes', 'Filesystem size in bytes.', filesystem.size, labels);
			families.gauge('node_filesystem_avail_bytes', 'Filesystem space available to non-root users in bytes.', filesystem.available, labels);
			families.gauge('node_filesystem_readonly', 'Filesystem read-only status.', filesystem.rw === false ? 1 : 0, labels);
		}
	}
	for (const network of networks) {
		if (windows) {
			families.counter('windows_net_bytes_received_total', 'Bytes received by the interface.', network.rx_bytes, ['nic', network.iface]);
			families.counter('windows_net_bytes_sent_total', 'Bytes sent by the interface.', network.tx_bytes, ['nic', network.iface]);
		} else {
			families.counter('node_network_receive_bytes_total', 'Network device statistic receive_bytes.', network.rx_bytes, [
				'device',
				network.iface,
			]);
			families.counter('node_network_transmit_bytes_total', 'Network device statistic transmit_bytes.', network.tx_bytes, [
				'device',
				network.iface,
			]);
		}
	}
	if (services.length > 0) serviceFamilies(await si.services(services.join(',')), services, windows, families);
	families.gauge(windows ? 'windows_os_time' : 'node_time_seconds', 'System time in seconds since epoch (1970).', nowMs / 1000);
	return families.list();
}

function windowsMode(mode: string): string {
	return mode === 'sys' ? 'privileged' : mode === 'irq' ? 'interrupt' : mode;
}

/** Services by name: windows_exporter's states, of which two are known, or the metric of a systemd unit elsewhere. */
function serviceFamilies(
	found: readonly { readonly name: string; readonly running: boolean }[],
	names: readonly string[],
	windows: boolean,
	families: FamilySet,
): void {
	for (const name of names) {
		const running = found.some((service) => service.name.toLowerCase() === name.toLowerCase() && service.running);
		if (!windows) {
			families.gauge('fournines_host_unit_up', 'Whether processes run in the control group of the systemd unit.', running ? 1 : 0, [
				'unit',
				name,
			]);
			continue;
		}
		for (const state of ['running', 'stopped'] as const) {
			const value = (state === 'running') === running ? 1 : 0;
			families.gauge('windows_service_state', 'The state of the service.', value, ['name', name.toLowerCase(), 'state', state]);
		}
	}
}
