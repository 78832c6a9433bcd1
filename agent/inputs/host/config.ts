import { type Static, Type } from 'typebox';
import { durationSchema } from '../entry-schema.ts';
import type { PortReaderOptions } from './ports.ts';
import type { ProcessGroup } from './processes.ts';

/** What of a host is measured beyond what every host has. */
export interface HostSelection {
	readonly mountsExclude: RegExp | null;
	/** Whether filesystems behind a network are measured. Default false. */
	readonly remoteMounts?: boolean;
	/** Default true. */
	readonly containers?: boolean;
	/** systemd units, services on Windows. */
	readonly units?: readonly string[];
	readonly processes?: readonly ProcessGroup[];
	/** `null`, the default: listeners are not looked at. */
	readonly ports?: PortReaderOptions | null;
}

const ProcessGroupSchema = Type.Object(
	{
		/** Label `groupname`. */
		name: Type.String({ minLength: 1 }),
		/** Name of the executable as `ps -o comm` shows it. */
		comm: Type.Optional(Type.String({ minLength: 1 })),
		/** Regular expression searched in the command line. */
		command: Type.Optional(Type.String({ minLength: 1 })),
	},
	{ additionalProperties: false },
);

const PortSchema = Type.Integer({ minimum: 1, maximum: 65535 });

export const HostConfigSchema = Type.Object(
	{
		enabled: Type.Boolean({ default: true }),
		interval: Type.Optional(durationSchema()),
		timeout: durationSchema('5s'),
		/** Regular expression of mount points that are not measured, besides the kernel's own. */
		mounts_exclude: Type.String({ default: '' }),
		/** Measures NFS, CIFS and other filesystems behind a network, once a minute, in a child process that is killed when it hangs. */
		remote_mounts: Type.Boolean({ default: false }),
		/** Containers, from their control groups. */
		containers: Type.Boolean({ default: true }),
		/** systemd units (services on Windows) that are watched by name. */
		units: Type.Array(Type.String({ minLength: 1 }), { default: [] }),
		processes: Type.Array(ProcessGroupSchema, { default: [] }),
		ports: Type.Object(
			{
				/** TCP ports that must be listened on. */
				expected: Type.Array(PortSchema, { default: [] }),
				/** Reports every other TCP port that other machines can reach. */
				report_unexpected: Type.Boolean({ default: false }),
				/** Ports that are neither expected nor reported. */
				ignored: Type.Array(PortSchema, { default: [] }),
			},
			{ additionalProperties: false, default: {} },
		),
	},
	{ additionalProperties: false, default: {} },
);
export type HostConfig = Static<typeof HostConfigSchema>;

type Report = (path: readonly (string | number)[], message: string) => void;

/** What the schema cannot say. */
export function checkHostConfig(config: HostConfig, report: Report): void {
	const names = new Map<string, number>();
	config.processes.forEach((group, i) => {
		const path = ['inputs', 'host', 'processes', i] as const;
		if (group.comm === undefined && group.command === undefined)
			report(path, 'needs "comm" or "command"; otherwise every process would fit');
		if (group.command !== undefined && !isPattern(group.command))
			report([...path, 'command'], `"${group.command}" is not a regular expression`);
		const first = names.get(group.name);
		if (first === undefined) names.set(group.name, i);
		else report([...path, 'name'], `"${group.name}" is already the name of inputs.host.processes[${first}]`);
	});
	const both = config.ports.ignored.filter((port) => config.ports.expected.includes(port));
	if (both.length > 0) report(['inputs', 'host', 'ports', 'ignored'], `${both.join(', ')} is expected as well; take it out of one list`);
}

/** What the configuration chooses to measure, as options of the input. */
export function hostSelection(config: HostConfig): HostSelection {
	const { ports } = config;
	return {
		mountsExclude: config.mounts_exclude === '' ? null : new RegExp(config.mounts_exclude),
		remoteMounts: config.remote_mounts,
		containers: config.containers,
		units: config.units,
		processes: config.processes.map((group) => ({
			name: group.name,
			comm: group.comm ?? null,
			command: group.command === undefined ? null : new RegExp(group.command),
		})),
		ports:
			ports.expected.length === 0 && !ports.report_unexpected
				? null
				: { expected: ports.expected, reportUnexpected: ports.report_unexpected, ignored: ports.ignored },
	};
}

function isPattern(text: string): boolean {
	try {
		new RegExp(text);
		return true;
	} catch {
		return false;
	}
}
