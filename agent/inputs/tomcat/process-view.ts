import { readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { AppError } from '../../../core/errors.ts';
import { ownersOfSockets, parseListeningSockets } from '../../discovery/listening-sockets.ts';
import { tolerant, tryReadText } from '../host/proc-text.ts';
import { bootSeconds, openFiles, readProcess } from '../host/process-table.ts';
import { FamilySet, type MetricFamily } from '../input.ts';
import { parsePerfData, perfDataFamilies } from './hsperfdata.ts';

/** `tcp_states.h`. */
const STATES: Readonly<Record<string, string>> = {
	'01': 'established',
	'02': 'syn_sent',
	'03': 'syn_recv',
	'04': 'fin_wait1',
	'05': 'fin_wait2',
	'06': 'time_wait',
	'08': 'close_wait',
	'09': 'last_ack',
	'0B': 'closing',
};

export interface ProcessViewOptions {
	readonly host: string;
	readonly port: number;
	/** Default `/proc`, and `/tmp` for the JVM's counters. */
	readonly proc?: string;
	readonly temporary?: string;
}

export interface ProcessView {
	readonly way: 'hsperfdata' | 'process';
	readonly families: readonly MetricFamily[];
}

/**
 * A Tomcat whose manager application was removed, as the kernel and the JVM's own counters show it. The process is the one
 * that listens on the port; it is looked for once and again when it has ended, because that reads the open files of every
 * process. Reading throws `FN_AGENT_TOMCAT_PROCESS` when none is found (it belongs to another user, or to another machine),
 * and `FN_AGENT_SOURCE_CONNECT` when the port does not accept.
 */
export function tomcatProcessReader(options: ProcessViewOptions): (signal: AbortSignal) => Promise<ProcessView> {
	const proc = options.proc ?? '/proc';
	let known: { readonly pid: number; readonly startTicks: number } | null = null;
	return async (signal) => {
		await knock(options.host, options.port, signal);
		if (known === null || readProcess(proc, known.pid)?.startTicks !== known.startTicks) {
			const pid = listenerOf(proc, options.port);
			const stat = pid === null ? null : readProcess(proc, pid);
			known = stat === null ? null : { pid: stat.pid, startTicks: stat.startTicks };
		}
		if (known === null) {
			throw new AppError(
				'FN_AGENT_TOMCAT_PROCESS',
				`the process that listens on port ${options.port} cannot be seen; run the agent as root or as Tomcat's user, or give it the manager (role manager-status)`,
				{ retryable: true },
			);
		}
		const families = new FamilySet();
		processFamilies(proc, known.pid, families);
		socketFamilies(proc, options.port, families);
		const perf = perfDataOf(proc, options.temporary ?? '/tmp', known.pid);
		if (perf === null) return { way: 'process', families: families.list() };
		return { way: 'hsperfdata', families: [...families.list(), ...perfDataFamilies(parsePerfData(perf))] };
	};
}

/** The pid of the process that listens on a port; `null` when it is hidden. Also when systemd holds the socket, the process that accepts has it open. */
export function listenerOf(proc: string, port: number): number | null {
	const sockets = ['tcp', 'tcp6']
		.flatMap((file) => parseListeningSockets(tryReadText(`${proc}/net/${file}`) ?? ''))
		.filter((socket) => socket.port === port);
	if (sockets.length === 0) return null;
	const owners = ownersOfSockets(proc, new Set(sockets.map((socket) => socket.inode)));
	for (const socket of sockets) {
		const owner = owners.get(socket.inode);
		if (owner !== undefined) return owner.pid;
	}
	return null;
}

function processFamilies(proc: string, pid: number, families: FamilySet): void {
	const stat = readProcess(proc, pid);
	if (stat === null) return;
	families.counter('process_cpu_seconds_total', 'Total user and system CPU time spent in seconds.', stat.userSeconds + stat.systemSeconds);
	families.gauge('process_resident_memory_bytes', 'Resident memory size in bytes.', stat.residentBytes);
	families.gauge('process_virtual_memory_bytes', 'Virtual memory size in bytes.', stat.virtualBytes);
	families.gauge(
		'process_start_time_seconds',
		'Start time of the process since unix epoch in seconds.',
		bootSeconds(proc) + stat.startTicks / 100,
	);
	families.gauge('fournines_tomcat_process_threads', 'Threads of the process, those of the JVM itself included.', stat.threads);
	const files = openFiles(proc, pid);
	if (files !== null) families.gauge('process_open_fds', 'Number of open file descriptors.', files);
	const limit = /^Max open files\s+([0-9]+)/m.exec(tryReadText(`${proc}/${pid}/limits`) ?? '');
	if (limit !== null) families.gauge('process_max_fds', 'Maximum number of open file descriptors.', Number(limit[1]));
}

/** Connections to the port by state: a growing `close_wait` is an application that forgets to close. */
function socketFamilies(proc: string, port: number, families: FamilySet): void {
	const counts = new Map<string, number>(Object.values(STATES).map((state) => [state, 0]));
	const mark = `:${port.toString(16).toUpperCase().padStart(4, '0')} `;
	for (const file of ['tcp', 'tcp6']) {
		for (const line of (tryReadText(`${proc}/net/${file}`) ?? '').split('\n')) {
			if (!line.includes(mark)) continue;
			const fields = line.trim().split(/\s+/);
			if (!`${fields[1]} `.endsWith(mark)) continue;
			const state = STATES[fields[3] ?? ''];
			if (state !== undefined) counts.set(state, (counts.get(state) ?? 0) + 1);
		}
	}
	for (const [state, count] of counts) {
		families.gauge('fournines_tomcat_sockets', 'TCP connections to the port, by state.', count, ['port', String(port), 'state', state]);
	}
}

/** The JVM's counters: in the folder of temporary files that the process sees, under its pid there. Readable for its user and root. */
function perfDataOf(proc: string, temporary: string, pid: number): Buffer | null {
	const inside = /^NSpid:.*?([0-9]+)\s*$/m.exec(tryReadText(`${proc}/${pid}/status`) ?? '')?.[1] ?? String(pid);
	for (const [root, name] of [
		[temporary, String(pid)],
		[`${proc}/${pid}/root/tmp`, inside],
	] as const) {
		for (const folder of tolerant(() => readdirSync(root), [])) {
			if (!folder.startsWith('hsperfdata_')) continue;
			const bytes = tolerant<Buffer | null>(() => readFileSync(`${root}/${folder}/${name}`), null);
			if (bytes !== null) return bytes;
		}
	}
	return null;
}

function knock(host: string, port: number, signal: AbortSignal): Promise<void> {
	return new Promise((resolve, reject) => {
		const socket = connect(port, host);
		const settle = (act: () => void) => {
			signal.removeEventListener('abort', onAbort);
			socket.destroy();
			act();
		};
		const failed = (cause: unknown) =>
			reject(new AppError('FN_AGENT_SOURCE_CONNECT', `port ${port} of ${host} does not accept connections`, { cause, retryable: true }));
		const onAbort = () => settle(() => failed(new Error('no answer in time')));
		signal.addEventListener('abort', onAbort, { once: true });
		socket.once('connect', () => settle(resolve));
		socket.once('error', (error) => settle(() => failed(error)));
	});
}
