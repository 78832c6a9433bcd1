import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { configOrThrow } from '../../core/config-file.ts';
import { parseInventoryFile } from '../inventory/inventory-yaml.ts';
import type { FaultAction } from './fault-event.ts';
import { openFaultWorld } from './fault-world.fixture.ts';
import { explainOutages, type Outage, type OutageNode, ownParts } from './outage-causes.ts';

const NOW = 10_000;
const EDGE = 30;
type Spans = readonly (readonly [from: number, to: number | null])[];
const outagesOf = (service: string, spans: Spans): readonly Outage[] =>
	spans.map(([fromSeconds, toSeconds]) => ({ service, fromSeconds, toSeconds }));
const node = (service: string, children: readonly string[], outages: Spans, more: { own?: Spans; contract?: string } = {}): OutageNode => ({
	service,
	children,
	contract: more.contract ?? 'c',
	edgeSeconds: EDGE,
	outages: outagesOf(service, outages),
	own: outagesOf(service, more.own ?? (children.length === 0 ? outages : [])),
});
const rootsOf = (nodes: readonly OutageNode[]) =>
	Object.fromEntries(
		explainOutages(nodes, NOW).map((outage) => [
			`${outage.service}@${outage.fromSeconds}`,
			outage.roots.map(({ service, fromSeconds }) => `${service}@${fromSeconds}`),
		]),
	);

describe('an outage is told by the deepest one that explains it', () => {
	test.each([
		{ name: 'alone', nodes: [node('db', [], [[100, 700]])], want: { 'db@100': ['db@100'] } },
		{
			name: 'through two services above',
			nodes: [node('intake', ['mis'], [[105, 710]]), node('mis', ['db'], [[105, 710]]), node('db', [], [[100, 700]])],
			want: { 'intake@105': ['db@100'], 'mis@105': ['db@100'], 'db@100': ['db@100'] },
		},
		{
			name: 'while it lasts',
			nodes: [node('mis', ['db'], [[105, null]]), node('db', [], [[100, null]])],
			want: { 'mis@105': ['db@100'], 'db@100': ['db@100'] },
		},
		{
			name: 'by two one after the other',
			nodes: [node('mis', ['db', 'app'], [[100, 900]]), node('db', [], [[100, 500]]), node('app', [], [[500, 900]])],
			want: { 'mis@100': ['db@100', 'app@500'], 'db@100': ['db@100'], 'app@500': ['app@500'] },
		},
		{
			name: 'though its own check looks through the one below',
			nodes: [node('mis', ['db'], [[95, 720]], { own: [[95, 720]] }), node('db', [], [[100, 700]])],
			want: { 'mis@95': ['db@100'], 'db@100': ['db@100'] },
		},
		{
			name: 'but not where its own check fails later',
			nodes: [node('mis', ['db'], [[100, 700]], { own: [[400, 700]] }), node('db', [], [[100, 700]])],
			want: { 'mis@100': ['mis@100'], 'db@100': ['db@100'] },
		},
		{
			name: 'nor where it outlasts the one below',
			nodes: [node('mis', ['db'], [[100, 900]], { own: [[100, 900]] }), node('db', [], [[100, 700]])],
			want: { 'mis@100': ['mis@100'], 'db@100': ['db@100'] },
		},
		{
			name: 'nor where nothing below was down at its end',
			nodes: [node('mis', ['db'], [[100, 900]]), node('db', [], [[100, 700]])],
			want: { 'mis@100': ['mis@100'], 'db@100': ['db@100'] },
		},
		{
			name: 'though it begins and ends later by as much as checks may differ',
			nodes: [node('mis', ['db'], [[100, 730]]), node('db', [], [[130, 700]])],
			want: { 'mis@100': ['db@130'], 'db@130': ['db@130'] },
		},
		{
			name: 'but not by a second more at the end',
			nodes: [node('mis', ['db'], [[100, 731]]), node('db', [], [[130, 700]])],
			want: { 'mis@100': ['mis@100'], 'db@130': ['db@130'] },
		},
		{
			name: 'nor at the beginning',
			nodes: [node('mis', ['db'], [[99, 700]]), node('db', [], [[130, 700]])],
			want: { 'mis@99': ['mis@99'], 'db@130': ['db@130'] },
		},
		{
			name: 'nor where its own check outlasts the one that it began with, whatever else fails then',
			nodes: [node('mis', ['db', 'app'], [[100, 900]], { own: [[100, 900]] }), node('db', [], [[100, 700]]), node('app', [], [[600, 900]])],
			want: { 'mis@100': ['mis@100'], 'db@100': ['db@100'], 'app@600': ['app@600'] },
		},
		{
			name: 'nor where it began before',
			nodes: [node('mis', ['db'], [[100, 700]]), node('db', [], [[200, 700]])],
			want: { 'mis@100': ['mis@100'], 'db@200': ['db@200'] },
		},
		{
			name: 'nor at another time',
			nodes: [node('mis', ['db'], [[1000, 1100]]), node('db', [], [[100, 700]])],
			want: { 'mis@1000': ['mis@1000'], 'db@100': ['db@100'] },
		},
		{
			name: 'nor by a service under another contract, whose clocks are others',
			nodes: [node('mis', ['db'], [[100, 700]], { contract: 'd' }), node('db', [], [[100, 700]])],
			want: { 'mis@100': ['mis@100'], 'db@100': ['db@100'] },
		},
	])('$name', ({ nodes, want }) => {
		expect(rootsOf(nodes)).toEqual(want);
		expect(rootsOf([...nodes].reverse())).toEqual(want);
	});

	test('and what failed beside its own reason is named', () => {
		const [mis] = explainOutages([node('mis', ['db'], [[100, 900]], { own: [[100, 900]] }), node('db', [], [[100, 700]])], NOW);
		expect(mis?.beside).toEqual([{ service: 'db', fromSeconds: 100, toSeconds: 700 }]);
		const [later] = explainOutages([node('mis', ['db'], [[1000, 1100]]), node('db', [], [[100, 700]])], NOW);
		expect(later?.beside).toEqual([]);
	});
});

test('the own part of a service counts what is below it as good', () => {
	const text = `inventory:
  checks: [{ id: a }, { id: b }, { id: c }]
  services:
    - { id: leaf, name: L, checks: [a] }
    - { id: all, name: A, checks: [b], children: [leaf] }
    - { id: any, name: B, combine: any, checks: [b], children: [leaf] }
    - { id: two, name: C, combine: { quorum: 2 }, checks: [a, b, c], children: [leaf] }
    - { id: one, name: D, combine: { quorum: 1 }, checks: [a], children: [leaf] }
    - { id: parent, name: E, children: [leaf, all] }
`;
	const inventory = configOrThrow(parseInventoryFile(text, 'x.yml'));
	expect(ownParts(inventory).services.map(({ id, children, combine }) => [id, children, combine])).toEqual([
		['leaf', [], 'all'],
		['all', [], 'all'],
		['two', [], { quorum: 1 }],
	]);
});

/** A tree of up to six services; each child has a higher index. Every second of every check is drawn. */
const HORIZON = 400;
const spans = fc
	.array(fc.tuple(fc.integer({ min: 0, max: HORIZON - 1 }), fc.integer({ min: 1, max: 150 })), { maxLength: 3 })
	.map((list) => list.map(([from, length]) => ({ from, to: Math.min(HORIZON, from + length) })));
const trees = fc.integer({ min: 1, max: 6 }).chain((count) =>
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

interface Drawn {
	readonly checks: readonly (readonly { readonly from: number; readonly to: number }[])[];
	readonly children: readonly number[];
	readonly quorum: number | null;
}

/** The slow obvious way: every second of every service, from the last to the first. */
function nodesOf(tree: readonly Drawn[]): readonly OutageNode[] {
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
			outages: runs(service, (t) => down[i]?.[t] === true),
			own: runs(service, (t) => goodChecks(t) + children.length < wanted),
		});
	}
	return nodes;
}

test('on any tree no outage is lost: each is told by outages that stand for themselves, at or below it, and around its time', () => {
	fc.assert(
		fc.property(trees, (tree) => {
			const nodes = nodesOf(tree);
			const explained = explainOutages(nodes, HORIZON);
			expect(explained).toHaveLength(nodes.reduce((sum, { outages }) => sum + outages.length, 0));
			const below = (service: string): ReadonlySet<string> => {
				const children = nodes.find((one) => one.service === service)?.children ?? [];
				return new Set([service, ...children.flatMap((child) => [...below(child)])]);
			};
			const slack = 10 * nodes.length;
			for (const outage of explained) {
				expect(outage.roots.length).toBeGreaterThan(0);
				const reach = below(outage.service);
				for (const root of outage.roots) {
					expect(reach.has(root.service)).toBe(true);
					const itself = explained.find(({ service, fromSeconds }) => service === root.service && fromSeconds === root.fromSeconds);
					expect(itself?.roots).toEqual([root]);
				}
				for (let t = outage.fromSeconds; t < (outage.toSeconds ?? HORIZON); t++) {
					const covered = outage.roots.some(({ fromSeconds, toSeconds }) => t >= fromSeconds - slack && t < (toSeconds ?? HORIZON) + slack);
					expect(covered).toBe(true);
				}
			}
		}),
		{ numRuns: 300 },
	);
});

test('on any tree every service that was down stands in the fault of a candidate, and one failed leaf opens one', async () => {
	const T0 = Date.parse('2021-08-10T10:00:00+08:00');
	const baseSeconds = T0 / 1000;
	const shifted = (outage: Outage): Outage => ({
		service: outage.service,
		fromSeconds: outage.fromSeconds + baseSeconds,
		toSeconds: outage.toSeconds === null ? null : outage.toSeconds + baseSeconds,
	});
	await fc.assert(
		fc.asyncProperty(trees, async (tree) => {
			const world = await openFaultWorld(T0 + HORIZON * 1000);
			try {
				const nodes = nodesOf(tree);
				world.outside.outages = explainOutages(nodes, HORIZON).map((outage) => ({
					...shifted(outage),
					name: outage.service,
					roots: outage.roots.map(shifted),
				}));
				await world.watch.turn();
				await world.watch.turn();
				const faults = (await world.faults.list('open')).map(({ fault }) => fault);
				for (const { service, roots = [], fromSeconds } of world.outside.outages) {
					const telling = faults.filter((fault) => fault.service === service || fault.affected.includes(service));
					expect(telling.length).toBeGreaterThan(0);
					const itself = roots.some((root) => root.service === service);
					expect(telling.some((fault) => fault.service === service && fault.moments.onset === fromSeconds * 1000)).toBe(itself);
				}
				const only = nodes.filter(({ outages }) => outages.length > 0);
				const failed = tree.flatMap(({ checks }, i) => (checks.some((check) => check.length > 0) ? [`s${i}`] : []));
				if (failed.length === 1 && only.some(({ service, outages }) => service === failed[0] && outages.length === 1))
					expect(faults).toHaveLength(1);
			} finally {
				await world.close();
			}
		}),
		{ numRuns: 8 },
	);
});

test('what opened a candidate before its cause was known is merged into it, and opens its own when it outlasts it', async () => {
	const T0 = Date.parse('2021-08-10T10:00:00+08:00');
	const from = T0 / 1000;
	const mis = { service: 'mis', fromSeconds: from, toSeconds: null };
	const db = { service: 'db', fromSeconds: from - 5, toSeconds: null };
	const world = await openFaultWorld(T0 + 60_000);
	try {
		world.outside.outages = [{ ...mis, name: 'MIS', roots: [mis] }];
		await world.watch.turn();
		world.outside.outages = [
			{ ...mis, name: 'MIS', roots: [db] },
			{ ...db, name: 'DB', roots: [db] },
		];
		await world.watch.turn();
		await world.watch.turn();
		const [cause, ...more] = (await world.faults.list('open')).map(({ fault }) => fault);
		expect(more).toEqual([]);
		expect(cause).toMatchObject({ service: 'db', affected: ['mis'], links: [{ relation: 'merged' }] });
		world.outside.outages = [
			{ ...mis, name: 'MIS', roots: [mis], beside: [{ ...db, toSeconds: from + 60 }] },
			{ ...db, toSeconds: from + 60, name: 'DB', roots: [{ ...db, toSeconds: from + 60 }] },
		];
		await world.watch.turn();
		await world.watch.turn();
		const open = (await world.faults.list('open')).map(({ fault }) => fault);
		expect(open.map(({ service, stage }) => `${service} ${stage}`).sort()).toEqual(['db candidate', 'mis candidate']);
		expect(open.find(({ service }) => service === 'mis')?.links).toEqual([{ fault: cause?.id, relation: 'related' }]);
	} finally {
		await world.close();
	}
});

test.each([
	{ name: 'that somebody has taken stays, whatever explains it later', taken: true, want: ['db candidate', 'mis candidate lead'] },
	{ name: 'is not merged into what was dismissed', taken: false, want: ['mis candidate'] },
])('a candidate $name', async ({ taken, want }) => {
	const T0 = Date.parse('2021-08-10T10:00:00+08:00');
	const mis = { service: 'mis', fromSeconds: T0 / 1000, toSeconds: null };
	const db = { ...mis, service: 'db' };
	const world = await openFaultWorld(T0 + 60_000);
	try {
		const { outside, watch, faults } = world;
		outside.outages = [{ ...mis, name: 'MIS', roots: [mis] }];
		await watch.turn();
		const act = async (service: string, action: FaultAction) => {
			const view = (await faults.list('open')).find(({ fault }) => fault.service === service);
			await faults.act(view?.fault.id ?? '', action, { account: 'lead', role: 'operator', address: '10.0.0.1' });
		};
		if (taken) await act('mis', { kind: 'take' });
		else {
			outside.outages = [{ ...db, name: 'DB', roots: [db] }];
			await watch.turn();
			await act('db', { kind: 'dismiss', reason: '演练' });
		}
		outside.outages = [
			{ ...mis, name: 'MIS', roots: [db] },
			{ ...db, name: 'DB', roots: [db] },
		];
		await watch.turn();
		await watch.turn();
		const open = (await faults.list('open')).map(({ fault }) => `${fault.service} ${fault.stage} ${fault.owner}`.trim());
		expect(open.sort()).toEqual(want);
	} finally {
		await world.close();
	}
});

test('an alert about a service that is down is told by its outage, and one at another time opens its own', async () => {
	const T0 = Date.parse('2021-08-10T10:00:00+08:00');
	const db = { service: 'db', fromSeconds: T0 / 1000, toSeconds: T0 / 1000 + 600 };
	const mis = { ...db, service: 'mis' };
	const alert = (minutes: number) => ({
		fingerprint: `f${minutes}`,
		labels: { alertname: 'BudgetBurningFast', severity: 'critical', service: 'mis' },
		annotations: { summary: 's' },
		startsAtMs: T0 + minutes * 60_000,
		receivedAtMs: T0 + minutes * 60_000,
	});
	const world = await openFaultWorld(T0 + 60_000);
	try {
		const { outside, watch, faults } = world;
		// The alert is seen before the outage is.
		outside.alerts = [alert(0)];
		await watch.turn();
		expect((await faults.list('open')).map(({ fault }) => fault.source)).toEqual(['alert']);
		outside.outages = [
			{ ...mis, name: 'MIS', roots: [db] },
			{ ...db, name: 'DB', roots: [db] },
		];
		outside.alerts = [alert(0), alert(1), alert(14)];
		outside.nowMs = T0 + 15 * 60_000;
		await watch.turn();
		await watch.turn();
		const [fault, ...more] = (await faults.list('open')).map((view) => view.fault);
		expect(more).toEqual([]);
		expect(fault).toMatchObject({ service: 'db', affected: ['mis'] });
		const kinds = (await faults.events(fault?.id ?? '')).map(({ body }) => body.kind);
		expect(kinds.filter((kind) => kind === 'alert' || kind === 'received').sort()).toEqual(['alert', 'alert', 'alert', 'received']);
		// On-call took the incident of one of those alerts: the fault is acknowledged.
		const incident = { incident: 'i', by: 'bob', atMs: outside.nowMs, fault: null, services: [], fromMs: T0, toMs: null };
		expect(await faults.copyAcknowledgement({ ...incident, fingerprints: ['f1'] })).toBe(1);
		outside.alerts = [alert(16)];
		outside.nowMs = T0 + 17 * 60_000;
		await watch.turn();
		expect(await faults.list('open')).toHaveLength(2);
	} finally {
		await world.close();
	}
});
