import type { TargetGroup } from '../config.ts';

/** One record of labels per target of the groups, `__address__` among them. */
export function discoveredTargets(
	groups: readonly TargetGroup[],
	extra: Readonly<Record<string, string>> = {},
): readonly Record<string, string>[] {
	return groups.flatMap((group) => group.targets.map((address) => ({ ...group.labels, ...extra, __address__: address })));
}
