import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { FaultAction } from './fault-event.ts';
import { type FaultWorld, openFaultWorld } from './fault-world.fixture.ts';
import { explainOutages, type Outage } from './outage-causes.ts';
import { HORIZON, nodesOf, trees } from './outage-trees.fixture.ts';

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
					whole: shifted(outage.whole),
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

describe('an outage that outlasts its cause', () => {
	const T0 = Date.parse('2021-08-10T10:00:00+08:00');
	const from = T0 / 1000;
	const mis = { service: 'mis', fromSeconds: from, toSeconds: null };
	const db = { service: 'db', fromSeconds: from - 5, toSeconds: null };
	/** As `explainOutages` tells them when the database is back. */
	const split = (backSeconds: number, toSeconds: number | null = null) => {
		const whole = { ...mis, toSeconds };
		const cause = { ...db, toSeconds: backSeconds };
		const rest = { ...whole, fromSeconds: backSeconds };
		return [
			{ ...whole, toSeconds: backSeconds, whole, name: 'MIS', roots: [cause], beside: [], gradedSeconds: 3700 },
			{ ...rest, whole, name: 'MIS', roots: [rest], beside: [cause], gradedSeconds: 200 },
			{ ...cause, whole: cause, name: 'DB', roots: [cause], beside: [], gradedSeconds: 65 },
		];
	};
	const openFaults = async ({ faults }: FaultWorld) => (await faults.list('open')).map(({ fault }) => fault);
	const twice = async ({ watch }: FaultWorld) => {
		await watch.turn();
		await watch.turn();
	};

	test('is merged into it when it is known, and what remains opens its own, linked to it, from when the cause was over', async () => {
		const world = await openFaultWorld(T0 + 60_000);
		try {
			world.outside.outages = [{ ...mis, name: 'MIS', roots: [mis] }];
			await world.watch.turn();
			world.outside.outages = [
				{ ...mis, name: 'MIS', roots: [db] },
				{ ...db, name: 'DB', roots: [db] },
			];
			await twice(world);
			const [cause, ...more] = await openFaults(world);
			expect(more).toEqual([]);
			expect(cause).toMatchObject({ service: 'db', affected: ['mis'], links: [{ relation: 'merged' }] });
			world.outside.outages = split(from + 60);
			world.outside.nowMs += 120_000;
			await twice(world);
			const rest = (await openFaults(world)).filter(({ service }) => service === 'mis');
			expect(rest).toHaveLength(1);
			expect(rest[0]?.moments.onset).toBe((from + 60) * 1000);
			expect(rest[0]?.links).toEqual([{ fault: cause?.id, relation: 'related' }]);
			// Late data say that the database was back a little later: it is the same rest.
			world.outside.outages = split(from + 70);
			await twice(world);
			expect((await openFaults(world)).map(({ service }) => service).sort()).toEqual(['db', 'mis']);
		} finally {
			await world.close();
		}
	});

	test('stays one fault where somebody had taken it before, and is restored at its end, not at that of the cause', async () => {
		const world = await openFaultWorld(T0 + 60_000);
		try {
			world.outside.contract = 'shaanxi-2023';
			world.outside.outages = [{ ...mis, name: 'MIS', roots: [mis] }];
			await world.watch.turn();
			const [own] = await openFaults(world);
			const lead = { account: 'lead', role: 'operator', address: '10.0.0.1' } as const;
			await world.faults.act(own?.id ?? '', { kind: 'declare', channel: '电话' }, lead);
			world.outside.outages = split(from + 60);
			world.outside.nowMs += 120_000;
			await twice(world);
			const same = async () => (await openFaults(world)).filter(({ service }) => service === 'mis');
			expect(await same()).toMatchObject([{ id: own?.id, stage: 'declared', level: 'A1', moments: { restored: null } }]);
			world.outside.outages = split(from + 60, from + 100);
			await twice(world);
			expect(await same()).toMatchObject([{ id: own?.id, stage: 'restored', moments: { restored: (from + 100) * 1000 } }]);
		} finally {
			await world.close();
		}
	});

	test('is told by the rest where an alert begins in it, and graded from there', async () => {
		const world = await openFaultWorld(T0 + 60_000);
		try {
			world.outside.contract = 'shaanxi-2023';
			world.outside.outages = split(from + 60);
			const startsAtMs = T0 + 90_000;
			const labels = { alertname: 'MisDown', severity: 'critical', service: 'mis' };
			world.outside.alerts = [{ fingerprint: 'f', labels, annotations: {}, startsAtMs, receivedAtMs: startsAtMs }];
			world.outside.nowMs += 120_000;
			await twice(world);
			const [rest, ...more] = (await openFaults(world)).filter(({ service }) => service === 'mis');
			expect(more).toEqual([]);
			// 200 s by the contract's reading of the ledger: up to ten minutes.
			expect(rest).toMatchObject({ level: 'B2', moments: { onset: (from + 60) * 1000 } });
			expect((await world.faults.events(rest?.id ?? '')).map(({ body }) => body.kind)).toContain('alert');
		} finally {
			await world.close();
		}
	});
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
