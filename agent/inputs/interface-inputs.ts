import type { Clock } from '../../core/clock.ts';
import { parseDuration } from '../../core/duration.ts';
import type { Logger } from '../../core/log.ts';
import { resolveSecret, type Secret, type SecretRef } from '../../core/secret.ts';
import type { AgentConfig } from '../config.ts';
import type { Input } from './input.ts';
import { checkFromConfig } from './probe/from-config.ts';
import { createProbeInput } from './probe/input.ts';

export interface InterfaceDependencies {
	readonly hostName: string;
	readonly clock: Clock;
	readonly log: Logger;
	readonly env: Readonly<Record<string, string | undefined>>;
	readonly userAgent: string;
}

/** The inputs of `interfaceInputProperties`, part of the registry's explicit list. */
export function createInterfaceInputs(config: AgentConfig, deps: InterfaceDependencies): readonly Input[] {
	const { inputs } = config;
	const { clock, log, userAgent } = deps;
	const place = { system: config.host.system, zone: config.host.zone };
	/** Reads a secret at each use, so that its file can be replaced without a restart. */
	const secret = (ref: SecretRef | undefined): (() => Secret | null) =>
		ref === undefined ? () => null : () => resolveSecret(ref, deps.env);
	const timing = (entry: { readonly interval?: string; readonly timeout: string }) => ({
		intervalMs: parseDuration(entry.interval ?? config.interval),
		timeoutMs: parseDuration(entry.timeout),
	});
	const list: Input[] = [];
	for (const entry of inputs.probes) {
		list.push(
			createProbeInput({
				// No label `host`: the target may be anywhere, and `vantage` says from where it was seen.
				target: { job: 'probe', instance: entry.target, check: entry.id, vantage: deps.hostName, ...place, ...entry.labels },
				...timing(entry),
				check: checkFromConfig(entry, secret, userAgent),
				degradedAfterMs: entry.degraded_after === undefined ? null : parseDuration(entry.degraded_after),
				clock,
				log,
			}),
		);
	}
	return list;
}
