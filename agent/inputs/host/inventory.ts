import { execFile } from 'node:child_process';
import { AppError } from '../../../core/errors.ts';
import { FamilySet, type MetricFamily } from '../input.ts';

/** What rarely changes about a machine. Texts are `''` when unknown. */
export interface HostFacts {
	readonly os: string;
	readonly osVersion: string;
	readonly kernel: string;
	readonly arch: string;
	readonly cpuModel: string;
	readonly cores: number;
	readonly memoryBytes: number;
	/** `kvm`, `vmware`, …; `''` on bare metal. */
	readonly virtual: string;
	readonly manufacturer: string;
	readonly model: string;
}

/** Reads the facts through systeminformation, which starts child processes: not for the steady loop. */
export async function readHostFacts(): Promise<HostFacts> {
	const si = await import('systeminformation');
	const [osInfo, cpu, memory, system] = await Promise.all([si.osInfo(), si.cpu(), si.mem(), si.system()]);
	return {
		os: osInfo.distro,
		osVersion: osInfo.release,
		kernel: osInfo.kernel,
		arch: osInfo.arch,
		cpuModel: `${cpu.manufacturer} ${cpu.brand}`.trim(),
		cores: cpu.cores,
		memoryBytes: memory.total,
		virtual: system.virtual ? system.virtualHost || 'unknown' : '',
		manufacturer: system.manufacturer,
		model: system.model,
	};
}

/**
 * Reads the facts in a child of our own (`fournines-agent --inventory`), so that the library's code and garbage do not
 * stay in a process that needs them once a day, and a hanging child process of the library ends with it.
 */
export function readHostFactsInChild(command: string, args: readonly string[], timeoutMs: number): Promise<HostFacts> {
	return new Promise((resolve, reject) => {
		execFile(command, [...args], { timeout: timeoutMs, killSignal: 'SIGKILL', maxBuffer: 64 * 1024 }, (error, stdout) => {
			if (error !== null) {
				reject(
					new AppError('FN_AGENT_INVENTORY_FAILED', 'the facts about this machine could not be read; the next try is tomorrow', {
						cause: error,
					}),
				);
				return;
			}
			const facts = parseHostFacts(stdout);
			if (facts === null)
				reject(new AppError('FN_AGENT_INVENTORY_FAILED', 'the facts about this machine are not readable; the next try is tomorrow'));
			else resolve(facts);
		});
	});
}

/** `null` unless the text is what `--inventory` prints. */
export function parseHostFacts(text: string): HostFacts | null {
	let value: unknown;
	try {
		value = JSON.parse(text);
	} catch {
		return null;
	}
	if (typeof value !== 'object' || value === null) return null;
	const object = value as Record<string, unknown>;
	const string = (key: string) => (typeof object[key] === 'string' ? object[key] : '');
	const number = (key: string) => (typeof object[key] === 'number' ? object[key] : 0);
	return {
		os: string('os'),
		osVersion: string('osVersion'),
		kernel: string('kernel'),
		arch: string('arch'),
		cpuModel: string('cpuModel'),
		cores: number('cores'),
		memoryBytes: number('memoryBytes'),
		virtual: string('virtual'),
		manufacturer: string('manufacturer'),
		model: string('model'),
	};
}

export function hostInfoFamilies(facts: HostFacts): readonly MetricFamily[] {
	const families = new FamilySet();
	families.gauge('fournines_host_info', 'Facts about the machine; the value is always 1.', 1, [
		...['os', facts.os, 'os_version', facts.osVersion, 'kernel', facts.kernel, 'arch', facts.arch],
		...['cpu_model', facts.cpuModel, 'cores', String(facts.cores), 'memory_bytes', String(facts.memoryBytes)],
		...['virtual', facts.virtual, 'manufacturer', facts.manufacturer, 'model', facts.model],
	]);
	return families.list();
}
