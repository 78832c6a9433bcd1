import type { AgentConfig } from './config.ts';

/** What a reload puts into force; everything else is read at a start only. */
const AT_RUN_TIME: readonly string[] = [
	'interval',
	'inputs',
	'host.system',
	'host.zone',
	'central.secrets_dir',
	'central.log_folders',
	'central.allow_exec',
];
const TOLD_APART = ['host', 'central'] as const;

/** Keys that differ from those that the agent was started with and need a restart, as `collector` and `host.name`. */
export function restartKeys(started: AgentConfig, next: AgentConfig): readonly string[] {
	const [was, is] = [flat(started), flat(next)];
	return [...new Set([...was.keys(), ...is.keys()])].filter((key) => !AT_RUN_TIME.includes(key) && was.get(key) !== is.get(key));
}

function flat(config: AgentConfig): ReadonlyMap<string, string> {
	const found = new Map<string, string>();
	for (const [section, value] of Object.entries(config)) {
		if (!TOLD_APART.some((known) => known === section)) found.set(section, JSON.stringify(value));
		else for (const [key, inner] of Object.entries(value as object)) found.set(`${section}.${key}`, JSON.stringify(inner));
	}
	return found;
}
