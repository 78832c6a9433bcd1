import fc from 'fast-check';
import type { Outage, OutageNode } from './outage-causes.ts';

/** A tree of up to six services; each child has a higher index. Every second of every check is drawn. */
export const HORIZON = 400;
const spans = fc
	.array(fc.tuple(fc.integer({ min: 0, max: HORIZON - 1 }), fc.integer({ min: 1, max: 150 })), { maxLength: 3 })
	.map((list) => list.map(([from, length]) => ({ from, to: Math.min(HORIZON, from + length) })));
export const trees = fc.integer({ min: 1, max: 6 }).chain((count) =>
	fc.tuple(
		...Array.from({ length: count }, (_, i) =>
			fc.record({
				checks: fc.array(spans, { minLength: 1, maxLength: 2 }),
				children: fc.subarray(Array.from({ length: count - i - 1 }, (__, j) => i + 1 + j)),
				quorum: fc.option(fc.integer({ min: 1, max: 3 }), { nil: null }),
			}),
		),
	),
);

export interface Drawn {
	readonly checks: readonly (readonly { readonly from: number; readonly to: number }[])[];
	readonly children: readonly number[];
	readonly quorum: number | null;
}

/** The slow obvious way: every second of every service, from the last to the first. */
export function nodesOf(tree: readonly Drawn[]): readonly OutageNode[] {
	const down: boolean[][] = [];
	const nodes: OutageNode[] = [];
	const failing = (check: Drawn['checks'][number], t: number) => check.some(({ from, to }) => t >= from && t < to);
	const runs = (service: string, at: (t: number) => boolean): readonly Outage[] => {
		const found: { service: string; fromSeconds: number; toSeconds: number | null }[] = [];
		for (let t = 0; t < HORIZON; t++) {
			if (!at(t)) continue;
			if (t > 0 && at(t - 1)) continue;
			let end = t;
			while (end < HORIZON && at(end)) end++;
			found.push({ service, fromSeconds: t, toSeconds: end === HORIZON ? null : end });
		}
		return found;
	};
	for (let i = tree.length - 1; i >= 0; i--) {
		const { checks, children, quorum } = tree[i] as Drawn;
		const parts = checks.length + children.length;
		const wanted = quorum === null ? parts : Math.min(quorum, parts);
		const goodChecks = (t: number) => checks.filter((check) => !failing(check, t)).length;
		const goodChildren = (t: number) => children.filter((child) => down[child]?.[t] !== true).length;
		down[i] = Array.from({ length: HORIZON }, (_, t) => goodChecks(t) + goodChildren(t) < wanted);
		const service = `s${i}`;
		nodes.push({
			service,
			children: children.map((child) => `s${child}`),
			contract: 'c',
			edgeSeconds: 10,
			doubtSeconds: 4,
			outages: runs(service, (t) => down[i]?.[t] === true),
			own: runs(service, (t) => goodChecks(t) + children.length < wanted),
		});
	}
	return nodes;
}
