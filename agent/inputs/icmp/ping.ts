import { execFile } from 'node:child_process';
import type { Deadline } from '../probe/deadline.ts';
import { ProbeFailure } from '../probe/failure.ts';
import type { ResolvedAddress } from '../probe/resolve.ts';

/** What a `ping` prints is a few hundred bytes. */
const OUTPUT_BYTES = 16 * 1024;

/**
 * One echo request through the system's `ping`, because Node has no raw sockets. A child process per round: only for whom
 * it is switched on. Returns the round-trip time in seconds, `null` where `ping` did not print one. Throws a `ProbeFailure`.
 */
export function ping(command: string, address: ResolvedAddress, deadline: Deadline): Promise<number | null> {
	deadline.phase('waiting for the echo');
	const seconds = Math.max(1, Math.ceil(deadline.timeoutMs / 1000));
	let kill = () => {};
	return deadline.race<number | null>(
		(resolve, reject) => {
			const child = execFile(
				command,
				['-n', '-c', '1', '-W', String(seconds), address.family === 6 ? '-6' : '-4', address.ip],
				{
					maxBuffer: OUTPUT_BYTES,
					env: { LC_ALL: 'C', PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
				},
				(error, stdout) => {
					if (error === null) {
						const match = /time[=<]([0-9.]+) ?ms/.exec(stdout);
						resolve(match === null ? null : Number(match[1]) / 1000);
						return;
					}
					if (error.code === ('ENOENT' as unknown) || error.code === ('EACCES' as unknown))
						reject(new ProbeFailure('config', `${command} cannot be run; install ping, or use a tcp check instead`, error));
					else reject(new ProbeFailure('answer', `no echo (ping ended with ${error.code ?? error.signal ?? 'an error'})`));
				},
			);
			kill = () => child.kill('SIGKILL');
		},
		() => kill(),
	);
}
