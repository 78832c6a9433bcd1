import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { configOrThrow } from '../../core/config-file.ts';
import type { ServiceLedger } from '../availability/availability.ts';
import { parseInventoryFile } from '../inventory/inventory-yaml.ts';
import { assess } from './assess.ts';
import type { AssessedFault } from './assessed.ts';
import { readService } from './reading.ts';
import { CLOCKS, readScenario, shippedProfile } from './scenario.fixture.ts';
import { assessedServices } from './service-figures.ts';

const T0 = Date.parse('2021-08-10T10:00:00+08:00') / 1000;
const profile = shippedProfile('chengdu-2021');
const period = { id: 'q1', fromMs: (T0 - 10_000) * 1000, toMs: (T0 + 10_000) * 1000 };
/** Ten seconds between checks: what follows its cause by up to thirty seconds is told by it. */
const inventory = configOrThrow(
	parseInventoryFile('inventory:\n  checks: [{ id: k }]\n  services: [{ id: mis, name: M, core: true, checks: [k] }]\n', 'x.yml'),
);
const some = readScenario('chengdu-2021').input.faults[0] as AssessedFault;

type Stretch = readonly [from: number, to: number, state: 'down' | 'unknown'];
interface Told {
	readonly of: 'own' | 'cause';
	readonly from: number;
	readonly to: number | null;
	readonly excused: boolean;
}

/** A ledger of these stretches, seconds after T0, and good otherwise; the faults of `mis`, and those of what it stands on. */
async function assessed(stretches: readonly Stretch[], told: readonly Told[]) {
	const faults = told.map(
		({ of, from, to, excused }, i): AssessedFault => ({
			...some,
			id: `F${i}`,
			service: of === 'own' ? 'mis' : 'db',
			affected: of === 'own' ? [] : ['mis'],
			cause: excused ? 'cloud' : 'own',
			causeCountersigned: true,
			moments: { ...some.moments, onset: (T0 + from) * 1000, restored: to === null ? null : (T0 + to) * 1000 },
			waived: [],
		}),
	);
	const window = { from: period.fromMs / 1000, to: period.toMs / 1000 };
	const timeline: ServiceLedger['timeline'][number][] = [];
	const add = (to: number, state: 'up' | 'down' | 'unknown') => {
		const from = timeline.at(-1)?.to ?? window.from;
		if (to > from) timeline.push({ from, to, state, reason: '', unconfirmed: false });
	};
	for (const [from, to, state] of stretches) {
		add(T0 + from, 'up');
		add(T0 + to, state);
	}
	add(window.to, 'up');
	const seconds = (state: string) => timeline.reduce((sum, one) => sum + (one.state === state ? one.to - one.from : 0), 0);
	const figures = { totalSeconds: 20_000, excludedSeconds: 0, downSeconds: seconds('down'), unknownSeconds: seconds('unknown') };
	const services = await assessedServices(
		{
			exclusionsOf: async () => [],
			ledgers: async () =>
				inventory.services.map((service) => ({
					service,
					window,
					timeline,
					gross: timeline,
					exclusions: [],
					figures: figures as ServiceLedger['figures'],
					provisionalFrom: window.to,
					definition: 'd',
				})),
		},
		inventory.services,
		{ profile, period, faults, failures: [], caused: [], nowMs: period.toMs, inventory },
	);
	const [mis] = services;
	if (mis === undefined) throw new Error('no service');
	return { mis, services, faults };
}
const answered = async (stretches: readonly Stretch[], told: readonly Told[], unknown: 'up' | 'down' | 'left-out' = 'left-out') =>
	readService((await assessed(stretches, told)).mis, unknown).downSeconds;

const cause = (from: number, to: number | null, excused = true): Told => ({ of: 'cause', from, to, excused });
const own = (from: number, to: number | null, excused = true): Told => ({ of: 'own', from, to, excused });

describe('of an outage the contractor answers for', () => {
	test.each([
		{ name: 'all without a fault', faults: [], want: 800 },
		{ name: 'nothing while its cause is excused', faults: [cause(0, 800)], want: 0 },
		{ name: 'nothing of what follows the cause as checks differ', faults: [cause(30, 770)], want: 0 },
		{ name: 'the second that follows it later', faults: [cause(31, 769)], want: 2 },
		{ name: 'what outlasts the cause', faults: [cause(0, 600)], want: 170 },
		{ name: 'what came before the cause', faults: [cause(200, null)], want: 170 },
		{ name: 'all of it where the cause is its own', faults: [cause(0, 800, false)], want: 800 },
		{ name: 'the rest, by its own fault', faults: [cause(0, 600), own(600, 800, false)], want: 200 },
		{ name: 'nothing where the rest is excused as well', faults: [cause(0, 600), own(600, 800)], want: 0 },
		{ name: 'what its own fault tells beside the cause', faults: [cause(0, 800), own(300, 500, false)], want: 200 },
		{ name: 'nothing of what its own excused fault does not reach', faults: [own(5, 790)], want: 0 },
		{ name: 'what is nearer to the one that is not excused', faults: [own(0, 300), own(400, 800, false)], want: 400 },
	])('$name', async ({ faults, want }) => {
		expect(await answered([[0, 800, 'down']], faults)).toBe(want);
	});

	test.each([
		{ name: 'what nobody saw inside of its fault is excused with it', faults: [own(0, 600)], want: 0 },
		{ name: 'what nobody saw before and after it is not', faults: [own(100, 500)], want: 200 },
		{ name: 'what nobody saw after the cause is not', faults: [cause(0, 400)], want: 170 },
	])('where the contractor bears unknown time: $name', async ({ faults, want }) => {
		const stretches: readonly Stretch[] = [
			[0, 100, 'unknown'],
			[100, 300, 'down'],
			[300, 600, 'unknown'],
		];
		expect(await answered(stretches, faults, 'down')).toBe(want);
	});

	test('one that is excused altogether is none, and counts as no failure', async () => {
		const outagesLeft = async (to: number) => readService((await assessed([[0, 800, 'down']], [cause(0, to)])).mis, 'up').outages.length;
		expect([await outagesLeft(770), await outagesLeft(769)]).toEqual([0, 1]);
	});

	test('the price is that of what is left, and says so', async () => {
		const { services, faults } = await assessed([[0, 1200, 'down']], [cause(0, 800)]);
		const { items } = assess(profile, period, { faults, services, records: [], nowMs: period.toMs }, CLOCKS);
		// Of 1,200 s, in the gap of the text, 370 s are left: over 5 minutes.
		const item = items.find(({ rule }) => rule === 'outage');
		expect(item).toMatchObject({
			centipoints: -50,
			reason: { zh: 'M自 2021-08-10 10:00:00 起中断 1200 秒（20 分），其中免责 830 秒（13 分 50 秒）' },
		});
		const short = await assessed([[0, 1200, 'down']], [cause(0, 900)]);
		const priced = assess(profile, period, { ...short, records: [], nowMs: period.toMs }, CLOCKS).items;
		expect(priced.filter(({ rule }) => rule === 'outage')).toEqual([]);
	});
});

test('whatever the faults, the seconds are those of a walk over each of them', async () => {
	const told = fc.record({
		of: fc.constantFrom<Told['of']>('own', 'cause'),
		from: fc.integer({ min: 0, max: 400 }),
		to: fc.option(fc.integer({ min: 1, max: 400 }), { nil: null }),
		excused: fc.boolean(),
	});
	const lengths = fc.array(fc.tuple(fc.integer({ min: 1, max: 60 }), fc.constantFrom('up', 'down', 'unknown')), { maxLength: 8 });
	await fc.assert(
		fc.asyncProperty(lengths, fc.array(told, { maxLength: 3 }), async (drawn, list) => {
			const stretches: Stretch[] = [];
			let at = 0;
			for (const [length, state] of drawn) {
				if (state !== 'up') stretches.push([at, at + length, state as 'down' | 'unknown']);
				at += length;
			}
			const faults = list.map((fault) => ({ ...fault, to: fault.to === null ? null : fault.from + fault.to }));
			const { mis } = await assessed(stretches, faults);
			for (const unknown of ['left-out', 'up', 'down'] as const) {
				const outages = unknown === 'left-out' ? mis.outages : (mis.outagesAs?.[unknown] ?? []);
				let excused = 0;
				for (const { fromSeconds, toSeconds } of outages) {
					const end = (toSeconds ?? period.toMs / 1000) - T0;
					const begin = fromSeconds - T0;
					const touching = faults
						.map((fault, i) => ({ ...fault, i }))
						.filter(({ from, to }) => from < end && (to ?? Number.POSITIVE_INFINITY) > begin)
						.sort((a, b) => a.from - b.from || a.i - b.i);
					const ofIts = touching.filter(({ of }) => of === 'own');
					for (let second = begin; second < end; second++) {
						const state = stretches.find(([from, to]) => second >= from && second < to)?.[2];
						if (state === undefined || (state === 'unknown' && unknown !== 'down')) continue;
						const lasts = (slack: number) => (fault: Told) =>
							second >= fault.from - slack && second < (fault.to ?? Number.POSITIVE_INFINITY) + slack;
						const owner =
							ofIts.find(lasts(0)) ??
							touching.filter(({ of }) => of === 'cause').find(lasts(30)) ??
							(state === 'down' ? (ofIts.filter(({ from }) => from <= second).at(-1) ?? ofIts[0]) : undefined);
						if (owner?.excused === true) excused++;
					}
				}
				const down = mis.downSeconds + (unknown === 'down' ? mis.unknownSeconds : 0);
				expect(readService(mis, unknown).downSeconds).toBe(down - excused);
			}
		}),
		{ numRuns: 150 },
	);
});
