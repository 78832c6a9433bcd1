import { execFile } from 'node:child_process';
import * as fs from 'node:fs';
import type { HostReader } from './host-reader.ts';
import { readText, tryReadText } from './proc-text.ts';

export interface Mount {
	readonly device: string;
	readonly mountpoint: string;
	readonly fstype: string;
	readonly readonly: boolean;
}

export interface MountUsage {
	readonly sizeBytes: number;
	readonly freeBytes: number;
	readonly availBytes: number;
	readonly files: number;
	readonly filesFree: number;
}

/** Without a disk behind them, or a second view of one that is measured already. */
const VIRTUAL_TYPES =
	/^(autofs|binfmt_misc|bpf|cgroup2?|configfs|debugfs|devpts|devtmpfs|efivarfs|fusectl|hugetlbfs|iso9660|mqueue|nsfs|overlay|proc|procfs|pstore|ramfs|rpc_pipefs|securityfs|selinuxfs|squashfs|sysfs|tracefs)$/;
/** A dead server behind one of these blocks `statfs` for ever, and four blocked calls stop all asynchronous file access of the process. */
const REMOTE_TYPES =
	/^(nfs[0-9]?|cifs|smb[0-9]?|smbfs|ncpfs|afs|ceph|glusterfs|lustre|gpfs|9p|davfs|sshfs|fuse(\..*)?|fuseblk|beegfs|ocfs2|gfs2)$/;
const IGNORED_MOUNTS = /^\/(dev|proc|run\/credentials\/.+|sys|var\/lib\/docker\/.+|var\/lib\/containers\/storage\/.+)($|\/)/;
/** Calls that may hang at the same time. The thread pool has four threads. */
const MAX_HANGING = 2;
const STATFS_TIMEOUT_MS = 2000;

/** The mounts of `/proc/1/mounts` (or `/proc/mounts`), escapes undone, a device mounted over another at the same place listed once. */
export function parseMounts(text: string): readonly Mount[] {
	const byMountpoint = new Map<string, Mount>();
	for (const line of text.split('\n')) {
		const [device, mountpoint, fstype, options] = line.split(' ');
		if (device === undefined || mountpoint === undefined || fstype === undefined || options === undefined) continue;
		byMountpoint.set(unescapeOctal(mountpoint), {
			device: unescapeOctal(device),
			mountpoint: unescapeOctal(mountpoint),
			fstype,
			readonly: options.split(',').includes('ro'),
		});
	}
	return [...byMountpoint.values()];
}

/** The kernel writes space, tab, line feed and backslash as three octal digits. */
function unescapeOctal(text: string): string {
	return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}

export function isMeasured(mount: Mount, exclude: RegExp | null): boolean {
	return (
		!VIRTUAL_TYPES.test(mount.fstype) &&
		!REMOTE_TYPES.test(mount.fstype) &&
		!IGNORED_MOUNTS.test(mount.mountpoint) &&
		!(exclude?.test(mount.mountpoint) ?? false)
	);
}

/** Sizes of local filesystems. A call that hangs is left alone, its mount reports `device_error` until it returns, and two of them end the measuring of others. */
export function filesystemReader(options: {
	readonly exclude: RegExp | null;
	readonly usage?: (mountpoint: string) => Promise<MountUsage>;
	/** How long a mount may take before it counts as hanging. Default 2 s. */
	readonly timeoutMs?: number;
}): HostReader {
	const usage = options.usage ?? mountUsage;
	const hanging = new Set<string>();
	return {
		name: 'filesystem',
		async read({ roots, families, signal }) {
			const text = tryReadText(`${roots.proc}/1/mounts`) ?? readText(`${roots.proc}/mounts`);
			for (const mount of parseMounts(text)) {
				if (signal.aborted) return;
				if (!isMeasured(mount, options.exclude)) continue;
				const labels = ['device', mount.device, 'fstype', mount.fstype, 'mountpoint', mount.mountpoint];
				let result: MountUsage | null = null;
				if (!hanging.has(mount.mountpoint) && hanging.size < MAX_HANGING) {
					hanging.add(mount.mountpoint);
					const call = usage(mount.mountpoint).finally(() => hanging.delete(mount.mountpoint));
					result = await settleWithin(call, options.timeoutMs ?? STATFS_TIMEOUT_MS);
				}
				families.gauge(
					'node_filesystem_device_error',
					'Whether an error occurred while getting statistics for the given device.',
					result === null ? 1 : 0,
					labels,
				);
				families.gauge('node_filesystem_readonly', 'Filesystem read-only status.', mount.readonly ? 1 : 0, labels);
				if (result === null) continue;
				families.gauge('node_filesystem_size_bytes', 'Filesystem size in bytes.', result.sizeBytes, labels);
				families.gauge('node_filesystem_free_bytes', 'Filesystem free space in bytes.', result.freeBytes, labels);
				families.gauge('node_filesystem_avail_bytes', 'Filesystem space available to non-root users in bytes.', result.availBytes, labels);
				families.gauge('node_filesystem_files', 'Filesystem total file nodes.', result.files, labels);
				families.gauge('node_filesystem_files_free', 'Filesystem total free file nodes.', result.filesFree, labels);
			}
		},
	};
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

/** Exported for the test that compares both ways. */
export function statCommandUsage(mountpoint: string): Promise<MountUsage> {
	return new Promise((resolve, reject) => {
		execFile(
			'stat',
			['-f', '-c', '%S %b %f %a %c %d', '--', mountpoint],
			{ timeout: STATFS_TIMEOUT_MS, killSignal: 'SIGKILL' },
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
