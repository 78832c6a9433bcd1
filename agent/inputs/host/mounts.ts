export interface Mount {
	readonly device: string;
	readonly mountpoint: string;
	readonly fstype: string;
	readonly readonly: boolean;
}

/** Without a disk behind them, or a second view of one that is measured already. */
const VIRTUAL_TYPES =
	/^(autofs|binfmt_misc|bpf|cgroup2?|configfs|debugfs|devpts|devtmpfs|efivarfs|fusectl|hugetlbfs|iso9660|mqueue|nsfs|overlay|proc|procfs|pstore|ramfs|rpc_pipefs|securityfs|selinuxfs|squashfs|sysfs|tracefs)$/;
/** A dead server behind one of these blocks `statfs` for ever, and four blocked calls stop all asynchronous file access of the process. */
const REMOTE_TYPES =
	/^(nfs[0-9]?|cifs|smb[0-9]?|smbfs|ncpfs|afs|ceph|glusterfs|lustre|gpfs|9p|davfs|sshfs|fuse(\..*)?|fuseblk|beegfs|ocfs2|gfs2)$/;
const IGNORED_MOUNTS = /^\/(dev|proc|run\/credentials\/.+|sys|var\/lib\/docker\/.+|var\/lib\/containers\/storage\/.+)($|\/)/;

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
	if (!text.includes('\\')) return text;
	return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}

/** How a mount is measured: from this process, from a child that can be killed, or not at all. */
export function measuringOf(mount: Mount, exclude: RegExp | null): 'local' | 'remote' | 'none' {
	if (VIRTUAL_TYPES.test(mount.fstype) || IGNORED_MOUNTS.test(mount.mountpoint) || (exclude?.test(mount.mountpoint) ?? false))
		return 'none';
	return REMOTE_TYPES.test(mount.fstype) ? 'remote' : 'local';
}
