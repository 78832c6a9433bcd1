import { execFile } from 'node:child_process';
import * as fs from 'node:fs';
import type { FamilySet } from '../input.ts';
import type { HostReader } from './host-reader.ts';
import { type Mount, measuringOf, parseMounts } from './mounts.ts';
import { readText, tryReadText } from './proc-text.ts';

export interface MountUsage {
	readonly sizeBytes: number;
	readonly freeBytes: number;
	readonly availBytes: number;
	readonly files: number;
	readonly filesFree: number;
}

/** Calls of this process that may hang at the same time. The thread pool has four threads. */
const MAX_HANGING = 2;
const STATFS_TIMEOUT_MS = 2000;
/** A child per network mount and round would be too many; a share fills up slowly. */
const REMOTE_EVERY_MS = 60_000;

export interface FilesystemReaderOptions {
	readonly exclude: RegExp | null;
	/** Whether filesystems behind a network are measured. */
	readonly remote: boolean;
	readonly usage?: (mountpoint: string) => Promise<MountUsage>;
	/** Default: `stat -f` in a child. Settles only once the child has ended, which for one that hangs in the kernel may be never. */
	readonly remoteUsage?: (mountpoint: string) => Promise<MountUsage>;
	/** How long a mount may take before it counts as hanging. Default 2 s. */
	readonly timeoutMs?: number;
}

/** What is known of a mount that is measured in a child. */
interface RemoteState {
	usage: MountUsage | null;
	outstanding: boolean;
	dueMs: number;
}

/**
 * Sizes of filesystems. Local ones are asked from this process: a call that hangs is left alone, its mount reports
 * `device_error` until it returns, and two of them end the asking of others. Remote ones are asked in a child process,
 * at most one per mount, outside of the round: the round reports what the last child said.
 */
export function filesystemReader(options: FilesystemReaderOptions): HostReader {
	const timeoutMs = options.timeoutMs ?? STATFS_TIMEOUT_MS;
	const usage = options.usage ?? mountUsage;
	const remoteUsage = options.remoteUsage ?? statCommandUsage;
	const hanging = new Set<string>();
	const remotes = new Map<string, RemoteState>();
	const labelsOf = new Map<string, readonly string[]>();

	const local = async (mount: Mount): Promise<MountUsage | null> => {
		if (hanging.has(mount.mountpoint) || hanging.size >= MAX_HANGING) return null;
		hanging.add(mount.mountpoint);
		const call = usage(mount.mountpoint).finally(() => hanging.delete(mount.mountpoint));
		return settleWithin(call, timeoutMs);
	};

	const remote = async (mount: Mount, nowMs: number): Promise<MountUsage | null> => {
		let state = remotes.get(mount.mountpoint);
		const first = state === undefined;
		if (state === undefined) {
			state = { usage: null, outstanding: false, dueMs: 0 };
			remotes.set(mount.mountpoint, state);
		}
		if (state.outstanding || nowMs < state.dueMs) return state.usage;
		const own = state;
		own.outstanding = true;
		own.dueMs = nowMs + REMOTE_EVERY_MS;
		const call = remoteUsage(mount.mountpoint).finally(() => {
			own.outstanding = false;
		});
		const settled = settleWithin(call, timeoutMs).then((result) => {
			own.usage = result;
		});
		// Only the first answer is waited for: a series that begins with an error for a minute would alarm at every start.
		if (first) await settled;
		return own.usage;
	};

	return {
		name: 'filesystem',
		async read({ roots, families, signal, nowMs }) {
			const text = tryReadText(`${roots.proc}/1/mounts`) ?? readText(`${roots.proc}/mounts`);
			const mounts = parseMounts(text);
			for (const mount of mounts) {
				if (signal.aborted) return;
				const way = measuringOf(mount, options.exclude);
				if (way === 'none' || (way === 'remote' && !options.remote)) continue;
				const result = way === 'local' ? await local(mount) : await remote(mount, nowMs);
				const key = `${mount.device}\n${mount.fstype}\n${mount.mountpoint}`;
				let labels = labelsOf.get(key);
				if (labels === undefined) {
					if (labelsOf.size > 1000) labelsOf.clear();
					labels = ['device', mount.device, 'fstype', mount.fstype, 'mountpoint', mount.mountpoint];
					labelsOf.set(key, labels);
				}
				mountFamilies(mount, result, labels, families);
			}
			for (const mountpoint of remotes.keys()) if (!mounts.some((mount) => mount.mountpoint === mountpoint)) remotes.delete(mountpoint);
		},
	};
}

function mountFamilies(mount: Mount, result: MountUsage | null, labels: readonly string[], families: FamilySet): void {
	families.gauge(
		'node_filesystem_device_error',
		'Whether an error occurred while getting statistics for the given device.',
		result === null ? 1 : 0,
		labels,
	);
	families.gauge('node_filesystem_readonly', 'Filesystem read-only status.', mount.readonly ? 1 : 0, labels);
	if (result === null) return;
	families.gauge('node_filesystem_size_bytes', 'Filesystem size in bytes.', result.sizeBytes, labels);
	families.gauge('node_filesystem_free_bytes', 'Filesystem free space in bytes.', result.freeBytes, labels);
	families.gauge('node_filesystem_avail_bytes', 'Filesystem space available to non-root users in bytes.', result.availBytes, labels);
	families.gauge('node_filesystem_files', 'Filesystem total file nodes.', result.files, labels);
	families.gauge('node_filesystem_files_free', 'Filesystem total free file nodes.', result.filesFree, labels);
}

/** The result, or `null` when the call fails or is late; a mount that cannot be read is a value of its own and not an exception. */
async function settleWithin(call: Promise<MountUsage>, timeoutMs: number): Promise<MountUsage | null> {
	let timer: NodeJS.Timeout | undefined;
	const late = new Promise<null>((resolve) => {
		timer = setTimeout(() => resolve(null), timeoutMs);
	});
	try {
		return await Promise.race([call.catch(() => null), late]);
	} finally {
		clearTimeout(timer);
	}
}

function mountUsage(mountpoint: string): Promise<MountUsage> {
	// Node 16 has no `statfs`; coreutils has the same numbers.
	return typeof fs.statfs === 'function' ? statfsUsage(mountpoint) : statCommandUsage(mountpoint);
}

function statfsUsage(mountpoint: string): Promise<MountUsage> {
	return new Promise((resolve, reject) => {
		fs.statfs(mountpoint, (error, result) => {
			if (error !== null) reject(error);
			else {
				resolve({
					sizeBytes: result.blocks * result.bsize,
					freeBytes: result.bfree * result.bsize,
					availBytes: result.bavail * result.bsize,
					files: result.files,
					filesFree: result.ffree,
				});
			}
		});
	});
}

/** `stat -f` in a child that is killed when it is late. `command` is another program with the same output, for tests. */
export function statCommandUsage(
	mountpoint: string,
	options: { readonly command?: string; readonly timeoutMs?: number } = {},
): Promise<MountUsage> {
	return new Promise((resolve, reject) => {
		execFile(
			options.command ?? 'stat',
			['-f', '-c', '%S %b %f %a %c %d', '--', mountpoint],
			{ timeout: options.timeoutMs ?? STATFS_TIMEOUT_MS, killSignal: 'SIGKILL' },
			(error, stdout) => {
				if (error !== null) {
					reject(error);
					return;
				}
				const [block = 0, blocks = 0, free = 0, available = 0, files = 0, filesFree = 0] = stdout.trim().split(' ').map(Number);
				resolve({ sizeBytes: block * blocks, freeBytes: block * free, availBytes: block * available, files, filesFree });
			},
		);
	});
}
