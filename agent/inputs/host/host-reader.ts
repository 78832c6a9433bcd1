import type { FamilySet } from '../input.ts';

/** Where the kernel's files are; other folders in tests and in containers that mount the host's. */
export interface HostRoots {
	readonly proc: string;
	readonly sys: string;
}

export interface HostRound {
	readonly roots: HostRoots;
	readonly families: FamilySet;
	readonly nowMs: number;
	readonly signal: AbortSignal;
}

/** One group of host metrics; fails on its own. `name` is the value of the label `collector`, as in node_exporter. */
export interface HostReader {
	readonly name: string;
	read(round: HostRound): void | Promise<void>;
}
