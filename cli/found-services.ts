import { parse, stringify } from 'yaml';
import type { DiscoveredService } from '../agent/discovery/discover.ts';

/** One document for all services: the same keys twice would be no YAML, and the agent would refuse what was pasted. */
function mergedInputs(found: readonly DiscoveredService[]): Readonly<Record<string, unknown>> {
	const inputs: Record<string, unknown> = {};
	for (const { configLines } of found) {
		const { inputs: own } = parse(configLines.join('\n')) as { readonly inputs: Readonly<Record<string, unknown>> };
		for (const [name, value] of Object.entries(own)) inputs[name] = merged(inputs[name], value);
	}
	return inputs;
}

/** Lists one after the other, maps key by key. */
function merged(before: unknown, more: unknown): unknown {
	if (Array.isArray(before) && Array.isArray(more)) return [...before, ...more];
	if (!isMap(before) || !isMap(more)) return more;
	return Object.fromEntries(
		[...new Set([...Object.keys(before), ...Object.keys(more)])].map((key) => [
			key,
			key in more ? merged(before[key], more[key]) : before[key],
		]),
	);
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * What `up` says about services that the agent could watch: what each needs first, and the lines of one configuration for all. `generated`: the agent's
 * file is one that `up` writes anew at every start.
 */
export function foundServices(found: readonly DiscoveredService[], generated: boolean): readonly string[] {
	if (found.length === 0) return ['No MySQL, Nginx, Tomcat or Redis was found listening on this machine.'];
	return [
		'Found on this machine, and what each needs first:',
		'',
		...found.map(({ kind, address, prerequisite }) => `- ${kind} at ${address}: ${prerequisite}`),
		'',
		generated
			? 'Then copy the agent\'s file named above to ./agent.yml, add these lines below its "inputs", and start again:'
			: 'Then add these lines below "inputs" in the agent\'s file named above, and start again:',
		'',
		...stringify({ inputs: mergedInputs(found) }, { lineWidth: 0 })
			.trimEnd()
			.split('\n'),
	];
}
