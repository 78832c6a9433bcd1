import { describe, expect, test } from 'vitest';
import { configOrThrow } from '../../core/config-file.ts';
import type { Availability, ServiceLedger } from '../availability/availability.ts';
import { parseInventoryFile } from '../inventory/inventory-yaml.ts';
import type { AssessedFault } from './assessed.ts';
import { loadProfiles } from './profile-files.ts';
import { CONTRACTS, readScenario } from './scenario.fixture.ts';
import { assessedServices, type CausedOutage, type Failure } from './service-figures.ts';

const T0 = Date.parse('2021-08-10T10:00:00+08:00') / 1000;
const profile = loadProfiles(CONTRACTS)[0]?.with({}) as ReturnType<ReturnType<typeof loadProfiles>[number]['with']>;
const inventory = configOrThrow(
	parseInventoryFile(
		`inventory:
  checks: [{ id: k }]
  services: [{ id: db, name: D, core: true, checks: [k] }, { id: mis, name: M, core: true, checks: [k] }]
`,
		'x.yml',
	),
);
const period = { id: 'q1', fromMs: (T0 - 10_000) * 1000, toMs: (T0 + 10_000) * 1000 };

/** Ledgers that are down in these spans, seconds after T0. */
function ledgersOf(
	downs: Readonly<Record<string, readonly (readonly [number, number])[]>>,
	services = inventory.services,
): Pick<Availability, 'ledgers' | 'exclusionsOf'> {
	return {
		exclusionsOf: async () => [],
		ledgers: async (range, ids = []) =>
			ids.map((id): ServiceLedger => {
				const service = services.find((one) => one.id === id) ?? services[0];
				if (service === undefined) throw new Error('no services');
				const window = { from: range.fromMs / 1000, to: range.toMs / 1000 };
				const timeline: ServiceLedger['timeline'][number][] = [];
				let at = window.from;
				for (const [from, to] of downs[id] ?? []) {
					timeline.push({ from: at, to: T0 + from, state: 'up', reason: '', unconfirmed: false });
					timeline.push({ from: T0 + from, to: T0 + to, state: 'down', reason: '', unconfirmed: false });
					at = T0 + to;
				}
				timeline.push({ from: at, to: window.to, state: 'up', reason: '', unconfirmed: false });
				const figures = { totalSeconds: 20_000, excludedSeconds: 0, downSeconds: 0, unknownSeconds: 0 } as ServiceLedger['figures'];
				return { service, window, timeline, gross: timeline, exclusions: [], figures, provisionalFrom: window.to, definition: 'd' };
			}),
	};
}

const [some] = readScenario('chengdu-2021').input.faults;
const fault = (more: Partial<AssessedFault>): AssessedFault => {
	if (some === undefined) throw new Error('the scenario has no faults');
	return { ...some, id: 'F', service: 'db', moments: { ...some.moments, onset: T0 * 1000, restored: (T0 + 700) * 1000 }, ...more };
};
const failure = (more: Partial<Failure> = {}): Failure => ({
	id: 'F',
	service: 'db',
	affected: ['mis'],
	onsetMs: T0 * 1000,
	restoredMs: null,
	...more,
});
const outages = async (faults: readonly AssessedFault[], failures: readonly Failure[], caused: readonly CausedOutage[] = []) => {
	const downs = {
		db: [[0, 700]],
		mis: [
			[5, 690],
			[5000, 5300],
		],
	} as const;
	const options = { profile, period, faults, failures, caused, nowMs: period.toMs, inventory };
	return (await assessedServices(ledgersOf(downs), inventory.services, options)).flatMap((service) =>
		service.outages.map(({ service: id, fromSeconds, faultId, failure: of, excused }) => [
			id,
			fromSeconds - T0,
			faultId,
			of ?? null,
			excused,
		]),
	);
};

test('outages of what a fault affects are its own while it lasts: they share its name and what excuses it', async () => {
	const excused = fault({ affected: ['mis'], cause: 'cloud', causeCountersigned: true });
	expect(await outages([excused], [failure()])).toEqual([
		['db', 0, 'F', 'F', true],
		['mis', 5, 'F', 'F', true],
		['mis', 5000, null, null, false],
	]);
	expect(await outages([fault({ affected: [] })], [failure({ affected: [] })])).toEqual([
		['db', 0, 'F', 'F', false],
		['mis', 5, null, null, false],
		['mis', 5000, null, null, false],
	]);
});

test('a fault of the service itself goes before one that it was affected by', async () => {
	const own = fault({ id: 'G', service: 'mis', moments: { ...fault({}).moments, onset: (T0 + 5) * 1000 } });
	expect((await outages([fault({ affected: ['mis'] }), own], []))[1]).toEqual(['mis', 5, 'G', null, false]);
});

test('a candidate that nobody declared still makes one failure of its outages, and not of later ones', async () => {
	expect((await outages([], [failure()])).map(([id, , declared, of]) => [id, declared, of])).toEqual([
		['db', null, 'F'],
		['mis', null, 'F'],
		['mis', null, null],
	]);
});

describe('an outage that another one explains', () => {
	const at = (from: number, to: number) => ({ fromSeconds: T0 + from, toSeconds: T0 + to });
	const caused = [{ service: 'mis', ...at(5, 690), causes: [{ service: 'db', ...at(0, 700) }] }];

	test('belongs to the failure of its cause, whether or not anybody has recorded one', async () => {
		const byFailure = (list: Awaited<ReturnType<typeof outages>>) => list.map(([id, from, , of]) => [id, from, of]);
		const alone = await outages([], [], caused);
		// What nobody recorded is named by its service and its first second.
		expect(byFailure(alone)).toEqual([
			['db', 0, null],
			['mis', 5, `db ${T0}`],
			['mis', 5000, null],
		]);
		expect(byFailure(await outages([], [failure({ affected: [] })], caused))).toEqual([
			['db', 0, 'F'],
			['mis', 5, 'F'],
			['mis', 5000, null],
		]);
	});

	test('is excused with it, though the fault does not name the service', async () => {
		const excused = fault({ affected: [], cause: 'cloud', causeCountersigned: true });
		expect((await outages([excused], [], caused)).map(([id, from, , , isExcused]) => [id, from, isExcused])).toEqual([
			['db', 0, true],
			['mis', 5, true],
			['mis', 5000, false],
		]);
	});
});

test('an outage is not told by a fault that began after its end, nor by one that was over before it', async () => {
	const at = (onset: number, restored: number | null) =>
		fault({
			id: 'L',
			service: 'mis',
			moments: { ...fault({}).moments, onset: (T0 + onset) * 1000, restored: restored === null ? null : (T0 + restored) * 1000 },
		});
	const told = async (one: AssessedFault) => (await outages([one], [])).map(([id, from, declared]) => `${id} ${from} ${declared}`);
	expect(await told(at(690, null))).toEqual(['db 0 null', 'mis 5 null', 'mis 5000 L']);
	expect(await told(at(689, 5000))).toEqual(['db 0 null', 'mis 5 L', 'mis 5000 null']);
	expect(await told(at(5299, null))).toEqual(['db 0 null', 'mis 5 null', 'mis 5000 L']);
	expect(await told(at(5300, null))).toEqual(['db 0 null', 'mis 5 null', 'mis 5000 null']);
});
