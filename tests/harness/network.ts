import { spawnSync } from 'node:child_process';
import { runCommand } from './process.ts';

/** Machines of their own as far as the network goes, on one switch with this one. */
export interface Network {
	/** Address of this machine on the switch. */
	readonly own: string;
	/** Address of a machine. */
	address(machine: string): string;
	/** Command line that runs a command on a machine. */
	on(machine: string, command: readonly string[]): readonly string[];
	/** Pulls the machine's cable. */
	cut(machine: string): void;
	/** Puts it back. */
	mend(machine: string): void;
	remove(): void;
}

/** Whether network namespaces, bridges and their links can be made here: root, and a kernel that has them. */
export function networkAvailable(): boolean {
	const name = `fn-try-${process.pid}`;
	const works = ip(['netns', 'add', name]) && ip(['link', 'add', `fnt${process.pid}`, 'type', 'bridge']);
	ip(['link', 'del', `fnt${process.pid}`]);
	ip(['netns', 'del', name]);
	return works;
}

function ip(args: readonly string[]): boolean {
	return spawnSync('ip', args, { stdio: 'ignore' }).status === 0;
}

/** Throws when it cannot be made, and leaves nothing then. */
export function createNetwork(machines: readonly string[]): Network {
	// Interface names have at most 15 characters; the process number keeps runs apart, the subnet by its last byte.
	const tag = process.pid.toString(36);
	const subnet = `10.213.${process.pid % 256}`;
	const bridge = `fnb${tag}`;
	const namespace = (machine: string) => `fn-${tag}-${machine}`;
	const link = (machine: string) => `fn${tag}${machines.indexOf(machine)}`;
	const address = (machine: string) => `${subnet}.${machines.indexOf(machine) + 2}`;
	const run = (...args: readonly string[]) => runCommand('ip', args);
	const remove = () => {
		for (const machine of machines) {
			ip(['link', 'del', link(machine)]);
			ip(['netns', 'del', namespace(machine)]);
		}
		ip(['link', 'del', bridge]);
	};
	try {
		run('link', 'add', bridge, 'type', 'bridge');
		run('addr', 'add', `${subnet}.1/24`, 'dev', bridge);
		run('link', 'set', bridge, 'up');
		for (const machine of machines) {
			const inside = ['netns', 'exec', namespace(machine), 'ip'] as const;
			run('netns', 'add', namespace(machine));
			run('link', 'add', link(machine), 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace(machine));
			run('link', 'set', link(machine), 'master', bridge, 'up');
			run(...inside, 'addr', 'add', `${address(machine)}/24`, 'dev', 'eth0');
			run(...inside, 'link', 'set', 'eth0', 'up');
			run(...inside, 'link', 'set', 'lo', 'up');
		}
	} catch (error) {
		remove();
		throw error;
	}
	return {
		own: `${subnet}.1`,
		address,
		on: (machine, command) => ['ip', 'netns', 'exec', namespace(machine), ...command],
		cut: (machine) => void run('link', 'set', link(machine), 'down'),
		mend: (machine) => void run('link', 'set', link(machine), 'up'),
		remove,
	};
}
