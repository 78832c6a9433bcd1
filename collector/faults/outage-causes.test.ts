import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { configOrThrow } from '../../core/config-file.ts';
import { parseInventoryFile } from '../inventory/inventory-yaml.ts';
import { explainOutages, type Outage, type OutageNode, ownParts } from './outage-causes.ts';
import { HORIZON, nodesOf, trees } from './outage-trees.fixture.ts';

const NOW = 10_000;
const EDGE = 30;
const DOUBT = 10;
type Spans = readonly (readonly [from: number, to: number | null])[];
const outagesOf = (service: string, spans: Spans): readonly Outage[] =>
	spans.map(([fromSeconds, toSeconds]) => ({ service, fromSeconds, toSeconds }));
const node = (service: string, children: readonly string[], outages: Spans, more: { own?: Spans; contract?: string } = {}): OutageNode => ({
	service,
	children,
	contract: more.contract ?? 'c',
	edgeSeconds: EDGE,
	doubtSeconds: DOUBT,
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
			name: 'though its own check saw it first, by no more than the other one may have missed',
			nodes: [node('mis', ['db'], [[90, 700]], { own: [[90, 700]] }), node('db', [], [[100, 700]])],
			want: { 'mis@90': ['db@100'], 'db@100': ['db@100'] },
		},
		{
			name: 'but not where it failed first, though they recover together',
			nodes: [node('mis', ['db'], [[89, 700]], { own: [[89, 700]] }), node('db', [], [[100, 700]])],
			want: { 'mis@89': ['mis@89'], 'db@100': ['db@100'] },
		},
		{
			name: 'until its own check fails, sooner than the other cause that takes over',
			nodes: [node('mis', ['app', 'db'], [[100, 700]], { own: [[280, 700]] }), node('app', [], [[100, 400]]), node('db', [], [[300, 700]])],
			want: { 'mis@100': ['app@100'], 'mis@280': ['mis@280'], 'app@100': ['app@100'], 'db@300': ['db@300'] },
		},
		{
			name: 'to its end, whatever its own check says of the time after it',
			nodes: [node('mis', ['db'], [[100, 700]], { own: [[100, 900]] }), node('db', [], [[100, 720]])],
			want: { 'mis@100': ['db@100'], 'db@100': ['db@100'] },
		},
		{
			name: 'until its own check fails later',
			nodes: [node('mis', ['db'], [[100, 700]], { own: [[400, 700]] }), node('db', [], [[100, 700]])],
			want: { 'mis@100': ['db@100'], 'mis@400': ['mis@400'], 'db@100': ['db@100'] },
		},
		{
			name: 'though not for long: own checks that fail a second later than checks differ have a reason of their own',
			nodes: [node('mis', ['db'], [[100, 700]], { own: [[131, 700]] }), node('db', [], [[100, 700]])],
			want: { 'mis@100': ['db@100'], 'mis@131': ['mis@131'], 'db@100': ['db@100'] },
		},
		{
			name: 'until the one below has recovered, where its own check goes on failing',
			nodes: [node('mis', ['db'], [[100, 900]], { own: [[100, 900]] }), node('db', [], [[100, 700]])],
			want: { 'mis@100': ['db@100'], 'mis@700': ['mis@700'], 'db@100': ['db@100'] },
		},
		{
			name: 'until nothing below is down any more',
			nodes: [node('mis', ['db'], [[100, 900]]), node('db', [], [[100, 700]])],
			want: { 'mis@100': ['db@100'], 'mis@700': ['mis@700'], 'db@100': ['db@100'] },
		},
		{
			name: 'with what remains of it, by what stands on both',
			nodes: [node('intake', ['mis'], [[105, 910]]), node('mis', ['db'], [[100, 900]]), node('db', [], [[100, 700]])],
			want: { 'intake@105': ['db@100', 'mis@700'], 'mis@100': ['db@100'], 'mis@700': ['mis@700'], 'db@100': ['db@100'] },
		},
		{
			name: 'though it begins and ends later by as much as checks may differ',
			nodes: [node('mis', ['db'], [[100, 730]]), node('db', [], [[110, 700]])],
			want: { 'mis@100': ['db@110'], 'db@110': ['db@110'] },
		},
		{
			name: 'but not by a second more at the end',
			nodes: [node('mis', ['db'], [[100, 731]]), node('db', [], [[110, 700]])],
			want: { 'mis@100': ['db@110'], 'mis@700': ['mis@700'], 'db@110': ['db@110'] },
		},
		{
			name: 'nor at the beginning',
			nodes: [node('mis', ['db'], [[99, 700]]), node('db', [], [[110, 700]])],
			want: { 'mis@99': ['mis@99'], 'db@110': ['db@110'] },
		},
		{
			name: 'not after its own check has outlasted the one that it began with, whatever else fails then',
			nodes: [node('mis', ['db', 'app'], [[100, 900]], { own: [[100, 900]] }), node('db', [], [[100, 700]]), node('app', [], [[600, 900]])],
			want: { 'mis@100': ['db@100', 'app@600'], 'mis@700': ['mis@700'], 'db@100': ['db@100'], 'app@600': ['app@600'] },
		},
		{
			name: 'nor where it began before',
			nodes: [node('mis', ['db'], [[100, 700]]), node('db', [], [[200, 700]])],
			want: { 'mis@100': ['mis@100'], 'db@200': ['db@200'] },
		},
		{
			name: 'nor for so short a time that it cannot be told apart',
			nodes: [node('mis', ['db'], [[100, 700]]), node('db', [], [[100, 130]])],
			want: { 'mis@100': ['mis@100'], 'db@100': ['db@100'] },
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
		const whole = { service: 'mis', fromSeconds: 100, toSeconds: 900 };
		const db = { service: 'db', fromSeconds: 100, toSeconds: 700 };
		const rest = { ...whole, fromSeconds: 700 };
		expect(
			explainOutages([node('mis', ['db'], [[100, 900]], { own: [[100, 900]] }), node('db', [], [[100, 700]])], NOW).slice(0, 2),
		).toEqual([
			{ service: 'mis', fromSeconds: 100, toSeconds: 700, whole, roots: [db], beside: [] },
			{ ...rest, whole, roots: [rest], beside: [db] },
		]);
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

test('on any tree no outage is lost: each is told by outages that stand for themselves, at or below it, and around its time', () => {
	fc.assert(
		fc.property(trees, (tree) => {
			const nodes = nodesOf(tree);
			const explained = explainOutages(nodes, HORIZON);
			const end = (one: Outage) => one.toSeconds ?? HORIZON;
			for (const outage of nodes.flatMap(({ outages }) => outages)) {
				const parts = explained.filter(({ whole }) => whole.service === outage.service && whole.fromSeconds === outage.fromSeconds);
				expect(parts.map(({ whole }) => whole)).toEqual(parts.map(() => outage));
				expect([parts[0]?.fromSeconds, ...parts.map((part) => part.toSeconds)]).toEqual([
					outage.fromSeconds,
					...parts.slice(1).map(({ fromSeconds }) => fromSeconds),
					outage.toSeconds,
				]);
				for (const part of parts) expect(end(part)).toBeGreaterThan(part.fromSeconds);
				// At most what is explained, and the rest.
				expect(parts.map(({ roots, service }) => roots.some((root) => root.service === service)).slice(0, -1)).toEqual(
					parts.length === 2 ? [false] : [],
				);
			}
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
