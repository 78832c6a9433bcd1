import { type Static, Type } from 'typebox';
import { checkProbe, type Report } from './probe/check-config.ts';
import { ProbeConfigSchema } from './probe/config.ts';

/** Inputs for what crosses the border of a host: checks, interfaces, jobs, backups, and whatever other programs measure. */
export function interfaceInputProperties() {
	return {
		probes: Type.Array(ProbeConfigSchema, { default: [] }),
	};
}
const InterfaceInputs = Type.Object(interfaceInputProperties());
export type InterfaceInputs = Static<typeof InterfaceInputs>;

/** What the schemas cannot say: names that must be unique, values that must fit together, patterns that must parse. */
export function checkInterfaceInputs(inputs: InterfaceInputs, defaultInterval: string, report: Report): void {
	const checks = new Map<string, string>();
	inputs.probes.forEach((probe, i) => {
		unique(checks, probe.id, ['inputs', 'probes', i], { key: 'id', report });
		checkProbe(probe, ['inputs', 'probes', i], { defaultInterval, report });
	});
}

function unique(
	seen: Map<string, string>,
	name: string,
	path: readonly [string, string, number],
	{ key, report }: { readonly key: string; readonly report: Report },
): void {
	const place = `${path[0]}.${path[1]}[${path[2]}]`;
	const first = seen.get(name);
	if (first === undefined) seen.set(name, place);
	else report([...path, key], `"${name}" is already the ${key} of ${first}`);
}
