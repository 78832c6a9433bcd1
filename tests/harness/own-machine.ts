import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Whether this system lets a process have mounts of its own. */
export function available(): boolean {
	return spawnSync('unshare', ['--mount', 'true']).status === 0;
}

const MACHINE = `set -eu
mkdir -p "$1/etc" && cp -a /etc/. "$1/etc" && mount --bind "$1/etc" /etc
for place in /opt /var/lib /usr/local/bin; do mount -t tmpfs none "$place"; done
rm -rf /etc/fournines
`;

export interface MachineResult {
	readonly lines: readonly string[];
	readonly stderr: string;
}

/**
 * Runs a shell script as root of a machine of its own as far as install scripts see one: its users, its `/etc`, `/opt` and `/var/lib`.
 * `systemctl` is what the script `systemctl` says and touches no service. `folder` keeps what is needed for it.
 */
export function onOwnMachine(
	script: string,
	options: { readonly folder: string; readonly cwd: string; readonly systemctl: string },
): MachineResult {
	const bin = join(options.folder, 'bin');
	mkdirSync(bin, { recursive: true });
	writeFileSync(join(bin, 'systemctl'), `#!/bin/sh\n${options.systemctl}\n`);
	chmodSync(join(bin, 'systemctl'), 0o755);
	chmodSync(options.folder, 0o755);
	const result = spawnSync('unshare', ['--mount', 'sh', '-c', MACHINE + script, 'sh', options.folder], {
		cwd: options.cwd,
		encoding: 'utf8',
		env: { ...process.env, PATH: `${bin}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin` },
	});
	return { lines: result.stdout.trim().split('\n'), stderr: result.stderr };
}
