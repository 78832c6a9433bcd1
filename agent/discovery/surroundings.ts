import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { tolerant, tryReadText } from '../inputs/host/proc-text.ts';

/** What else belongs to a service, as far as the kernel tells. */
export interface Surroundings {
	/** systemd unit; `''` when it runs under none. */
	readonly unit: string;
	/** Files that the process has open for writing its requests to. */
	readonly accessLogs: readonly string[];
	/** Whether a JVM's counters are there. */
	readonly perfData: boolean;
}

const MAX_LOGS = 8;

/** Reads links and names only; opens no file of the service. Open files of other users' processes are visible to root alone. */
export function surroundingsOf(proc: string, pid: number): Surroundings {
	const logs = new Set<string>();
	for (const descriptor of tolerant(() => readdirSync(`${proc}/${pid}/fd`), [])) {
		const path = tolerant(() => readlinkSync(`${proc}/${pid}/fd/${descriptor}`), '');
		if (path.startsWith('/') && !path.endsWith(' (deleted)') && /access[^/]*\.(log|txt)$/i.test(path)) logs.add(path);
	}
	return { unit: unitOf(proc, pid), accessLogs: [...logs].sort().slice(0, MAX_LOGS), perfData: hasPerfData(pid) };
}

/** The last part of the control group that is a service: in the only hierarchy (version 2), or in systemd's own (version 1). */
function unitOf(proc: string, pid: number): string {
	for (const line of (tryReadText(`${proc}/${pid}/cgroup`) ?? '').split('\n')) {
		const [, controllers, path] = /^[0-9]+:([^:]*):(.*)$/.exec(line) ?? [];
		if (path === undefined || (controllers !== '' && controllers !== 'name=systemd')) continue;
		const unit = path.split('/').find((part) => part.endsWith('.service') && !part.startsWith('user@'));
		if (unit !== undefined) return unit;
	}
	return '';
}

function hasPerfData(pid: number): boolean {
	return tolerant(() => readdirSync('/tmp'), []).some((name) => name.startsWith('hsperfdata_') && existsSync(`/tmp/${name}/${pid}`));
}
