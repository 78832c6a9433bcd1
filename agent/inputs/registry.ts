import type { Clock } from '../../core/clock.ts';
import { parseDuration } from '../../core/duration.ts';
import type { Logger } from '../../core/log.ts';
import type { AgentConfig } from '../config.ts';
import { createHostInput } from './host/input.ts';
import type { HostFacts } from './host/inventory.ts';
import type { Input } from './input.ts';

export interface InputDependencies {
	readonly hostName: string;
	readonly clock: Clock;
	readonly log: Logger;
	readonly env: Readonly<Record<string, string | undefined>>;
	readonly userAgent: string;
	readonly readFacts: (() => Promise<HostFacts>) | null;
}

/** Every input that the configuration asks for. The explicit list of what there is: a new source is added here. */
export function createInputs(config: AgentConfig, deps: InputDependencies): readonly Input[] {
	const { inputs } = config;
	const place = { system: config.host.system, zone: config.host.zone };
	const timing = (entry: { readonly interval?: string; readonly timeout: string }) => ({
		intervalMs: parseDuration(entry.interval ?? config.interval),
		timeoutMs: parseDuration(entry.timeout),
	});
	const list: Input[] = [];
	if (inputs.host.enabled) {
		list.push(
			createHostInput({
				target: {
					job: process.platform === 'win32' ? 'windows' : 'node',
					instance: deps.hostName,
					host: deps.hostName,
					...place,
				},
				...timing(inputs.host),
				mountsExclude: inputs.host.mounts_exclude === '' ? null : new RegExp(inputs.host.mounts_exclude),
				readFacts: deps.readFacts,
				clock: deps.clock,
				log: deps.log,
			}),
		);
	}
	return list;
}
