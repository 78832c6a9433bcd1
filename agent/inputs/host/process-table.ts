import { readdirSync, readFileSync } from 'node:fs';
import { tolerant, tryReadText } from './proc-text.ts';

/** Ticks per second of `/proc/<pid>/stat`; fixed at 100 for user space on every architecture that Node runs on. */
const USER_HZ = 100;
/** Key of the page size in the auxiliary vector (getauxval(3)). */
const AT_PAGESZ = 6n;

/** Fields of `/proc/<pid>/stat` (proc_pid_stat(5)). */
export interface ProcessStat {
	readonly pid: number;
	/** At most 15 bytes. */
	readonly name: string;
	readonly state: string;
	readonly userSeconds: number;
	readonly systemSeconds: number;
	readonly threads: number;
	/** In ticks since the boot; with the pid it names a process also when the pid is used again. */
	readonly startTicks: number;
	readonly virtualBytes: number;
	readonly residentBytes: number;
}

export function listPids(proc: string): readonly number[] {
	const pids: number[] = [];
	for (const name of readdirSync(proc)) {
		const first = name.charCodeAt(0);
		if (first >= 48 && first <= 57) pids.push(Number(name));
	}
	return pids;
}

/** `null` when the process has ended. */
export function readProcess(proc: string, pid: number): ProcessStat | null {
	const text = tryReadText(`${proc}/${pid}/stat`);
	return text === null ? null : parseProcessStat(pid, text);
}

/** The name may hold blanks and parentheses, so it ends at the last of them. */
export function parseProcessStat(pid: number, text: string): ProcessStat | null {
	const open = text.indexOf('(');
	const close = text.lastIndexOf(')');
	if (open < 0 || close < open) return null;
	const fields = text.slice(close + 2).split(' ');
	const at = (field: number) => Number(fields[field - 3] ?? 0);
	return {
		pid,
		name: text.slice(open + 1, close),
		state: fields[0] ?? '',
		userSeconds: at(14) / USER_HZ,
		systemSeconds: at(15) / USER_HZ,
		threads: at(20),
		startTicks: at(22),
		virtualBytes: at(23),
		residentBytes: at(24) * pageBytes(),
	};
}

/** The command line with blanks between the arguments; `''` for threads of the kernel and processes that have ended. */
export function commandLine(proc: string, pid: number): string {
	return (tryReadText(`${proc}/${pid}/cmdline`) ?? '').replace(/\0+$/, '').replaceAll('\0', ' ');
}

/** `null` when it belongs to another user. */
export function openFiles(proc: string, pid: number): number | null {
	return tolerant<number | null>(() => readdirSync(`${proc}/${pid}/fd`).length, null);
}

/** Boot as a Unix time, from `/proc/stat`. */
export function bootSeconds(proc: string): number {
	const match = /^btime ([0-9]+)$/m.exec(tryReadText(`${proc}/stat`) ?? '');
	return Number(match?.[1] ?? 0);
}

/** Start of a process as a Unix time; `null` when it has ended. */
export function startSeconds(proc: string, pid: number): number | null {
	const stat = readProcess(proc, pid);
	return stat === null ? null : bootSeconds(proc) + stat.startTicks / USER_HZ;
}

let pageSize = 0;

/** Size of a page: 4 KiB on x86, up to 64 KiB on arm64, as the kernel told this process when it started. */
export function pageBytes(): number {
	if (pageSize > 0) return pageSize;
	const vector = tolerant(() => readFileSync('/proc/self/auxv'), Buffer.alloc(0));
	for (let at = 0; at + 16 <= vector.length; at += 16) {
		if (vector.readBigUInt64LE(at) === AT_PAGESZ) pageSize = Number(vector.readBigUInt64LE(at + 8));
	}
	if (pageSize === 0) pageSize = 4096;
	return pageSize;
}
