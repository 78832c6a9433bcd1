import * as os from 'node:os';
import type { HostReader } from './host-reader.ts';
import { tryReadText } from './proc-text.ts';

export const unameReader: HostReader = {
	name: 'uname',
	read({ roots, families }) {
		const kernel = (name: string) => tryReadText(`${roots.proc}/sys/kernel/${name}`)?.trim() ?? '';
		families.gauge('node_uname_info', 'Labeled system information as provided by the uname system call.', 1, [
			...['sysname', kernel('ostype'), 'release', kernel('osrelease'), 'version', kernel('version')],
			...['machine', machine(), 'nodename', kernel('hostname'), 'domainname', kernel('domainname')],
		]);
	},
};

export const timeReader: HostReader = {
	name: 'time',
	read({ families, nowMs }) {
		families.gauge('node_time_seconds', 'System time in seconds since epoch (1970).', nowMs / 1000);
	},
};

function machine(): string {
	// Before Node 18.9 only the name of Node's own architecture is known.
	if (typeof os.machine === 'function') return os.machine();
	return process.arch === 'x64' ? 'x86_64' : process.arch === 'arm64' ? 'aarch64' : process.arch;
}
