import { afterEach, describe, expect, test } from 'vitest';
import { type TemporaryFolder, temporaryFolder } from '../../tests/harness/process.ts';
import { createMemoryStorage } from '../storage/memory-storage.ts';
import { createMemoryDayStore, type DayStore, openDayStore } from './day-store.ts';
import { TimelineBuilder } from './intervals.ts';
import { check, DAY, draw, inventoryOf, open, T0, write } from './ledger.fixture.ts';

describe('trees', () => {
	test('MIS: up with one of its servers, redundancy lost below two, down with none', async () => {
		const storage = createMemoryStorage();
		const spans = (downFrom: number) => [
			{ from: 0, to: downFrom, value: 1 },
			{ from: downFrom, to: 600, value: 0 },
		];
		for (const [i, id] of ['t1', 't2', 't3'].entries()) await write(storage, check(id), spans(200 * (i + 1) - 100));
		await write(storage, check('entrance'), [{ from: 0, to: 600, value: 1 }]);
		const inventory = inventoryOf(`  checks: [{ id: entrance }, { id: t1 }, { id: t2 }, { id: t3 }]
  services:
    - { id: servers, name: S, checks: [t1, t2, t3], combine: { quorum: 1, redundancy: 2 } }
    - { id: mis, name: M, checks: [entrance], children: [servers] }`);
		const { timeline } = await open(storage, inventory, T0 + 600_000).ledger('mis', { fromMs: T0, toMs: T0 + 600_000 });
		expect(draw(timeline)).toEqual([
			'0-300 up',
			'300-500 degraded check: t1; check: t2; redundancy lost: 1 of 2',
			'500-600 down check: t1; check: t2; check: t3',
		]);
	});

	test('a part that does not exist yet is not missed, and a service that is gone is not counted', async () => {
		const storage = createMemoryStorage();
		await write(storage, check('old'), [{ from: 0, to: 600, value: 1 }]);
		await write(storage, check('new'), [{ from: 300, to: 600, value: 1 }]);
		const inventory = inventoryOf(`  checks: [{ id: old }, { id: new }]
  services:
    - { id: old, name: O, checks: [old] }
    - { id: new, name: N, checks: [new], created: '2026-11-10T00:05:00Z' }
    - { id: both, name: B, children: [old, new], combine: { quorum: 1 }, removed: '2026-11-10T00:08:20Z' }`);
		const availability = open(storage, inventory, T0 + 600_000);
		const range = { fromMs: T0, toMs: T0 + 600_000 };
		expect(draw((await availability.ledger('both', range)).timeline)).toEqual(['0-500 up', '500-600 excluded not in service']);
		const created = await availability.ledger('new', range);
		expect(draw(created.timeline)).toEqual(['0-300 excluded not in service', '300-600 up']);
		expect(created.figures).toMatchObject({ sliBest: '100.000', excludedSeconds: 300, budgetSeconds: '0.03' });
	});

	test('a PromQL condition is a check: it holds, fails, and is unknown where it has no value', async () => {
		const storage = createMemoryStorage();
		await write(storage, { __name__: 'queue_length' }, [
			{ from: 0, to: 300, value: 5 },
			{ from: 300, to: 600, value: 500 },
		]);
		const inventory = inventoryOf(
			`  services: [{ id: queue, name: Q, combine: { promql: 'max_over_time(queue_length[10s]) < bool 100' } }]`,
		);
		const { timeline } = await open(storage, inventory, T0 + 1_200_000).ledger('queue', { fromMs: T0, toMs: T0 + 1_200_000 });
		expect(draw(timeline)).toEqual(['0-300 up', '300-620 down condition: queue', '620-1200 unknown no data: queue']);
		for (const cut of [1, 299, 303, 307, 611, 625]) {
			const at = T0 + cut * 1000;
			const part = async (fromMs: number, toMs: number) =>
				(await open(storage, inventory, T0 + 1_200_000).ledger('queue', { fromMs, toMs })).timeline;
			const builder = new TimelineBuilder(T0 / 1000, T0 / 1000 + 1200);
			for (const { to, state, reason } of [...(await part(T0, at)), ...(await part(at, T0 + 1_200_000))]) builder.until(to, state, reason);
			expect(builder.build()).toEqual(timeline);
		}
	});
});

describe('finished days', () => {
	let folder: TemporaryFolder | null = null;
	afterEach(() => {
		folder?.remove();
		folder = null;
	});
	const inventory = inventoryOf('  checks: [{ id: portal }]\n  services: [{ id: portal, name: P, checks: [portal] }]');
	const range = { fromMs: T0, toMs: T0 + 10 * DAY };
	const filled = async () => {
		const storage = createMemoryStorage();
		await write(storage, check('portal'), [{ from: -86_400, to: 11 * 86_400, value: 1 }]);
		return storage;
	};
	const dayOf = (seconds: number) => Math.floor((T0 / 1000 + seconds) / 86_400);

	test('are computed once, also by the next process, and a late day recomputes only itself', async () => {
		folder = temporaryFolder('days');
		const storage = await filled();
		const computed: number[] = [];
		let days: DayStore = openDayStore(folder.path);
		let availability = open(storage, inventory, T0 + 20 * DAY, { days, onComputed: (day) => computed.push(day) });
		expect((await availability.ledger('portal', range)).figures.downSeconds).toBe(0);
		expect(computed).toHaveLength(10);
		days.close();
		days = openDayStore(folder.path);
		computed.length = 0;
		availability = open(storage, inventory, T0 + 20 * DAY, { days, onComputed: (day) => computed.push(day) });
		await availability.ledger('portal', range);
		expect(computed).toEqual([]);
		// A second vantage point's word for one whole day arrives; alone it would be no majority, so it replaces what was there.
		await write(storage, check('portal'), [{ from: 3 * 86_400 + 3600, to: 3 * 86_400 + 3700, value: 0 }]);
		availability.invalidate(T0 + 3 * DAY, T0 + 4 * DAY - 1);
		expect((await availability.ledger('portal', range)).figures.downSeconds).toBe(100);
		expect(computed).toEqual([dayOf(3 * 86_400)]);
		computed.length = 0;
		await availability.ledger('portal', range);
		expect(computed).toEqual([]);
		days.close();
	});

	test('an outage that late data carries over midnight reaches the days beside', async () => {
		const storage = await filled();
		const computed: number[] = [];
		const availability = open(storage, inventory, T0 + 20 * DAY, { days: createMemoryDayStore(), onComputed: (day) => computed.push(day) });
		await availability.ledger('portal', range);
		computed.length = 0;
		// Failures from the last minute of day 3 up to the first minutes of day 5.
		await write(storage, check('portal'), [{ from: 4 * 86_400 - 60, to: 5 * 86_400 + 120, value: 0 }]);
		availability.invalidate(T0 + 4 * DAY, T0 + 5 * DAY - 1);
		expect((await availability.ledger('portal', range)).figures.downSeconds).toBe(86_400 + 180);
		expect(computed.sort()).toEqual([3, 4, 5].map((day) => dayOf(day * 86_400)));
	});

	test('what late data of one day changes in the next days is passed on from day to day', async () => {
		const storage = createMemoryStorage();
		const endOf = 2 * 86_400;
		await write(storage, check('portal'), [{ from: -86_400, to: endOf, value: 1 }]);
		// Two of three are good from then on: never an outage by itself, and never the end of one.
		await write(storage, check('portal'), [{ from: endOf, to: 6 * 86_400, value: 1 }]);
		await write(storage, check('portal'), [{ from: endOf, to: 6 * 86_400, value: 0 }], 30_000);
		const days = createMemoryDayStore();
		const down = async (kept: DayStore | undefined) => {
			const availability = open(storage, inventory, T0 + 20 * DAY, kept === undefined ? {} : { days: kept });
			return (await availability.ledger('portal', { fromMs: T0, toMs: T0 + 6 * DAY })).figures.downSeconds;
		};
		expect(await down(days)).toBe(0);
		await write(storage, check('portal'), [{ from: endOf - 30, to: endOf, value: 0 }]);
		days.forget(dayOf(endOf - 30), dayOf(endOf - 30));
		expect(await down(days)).toBe(await down(undefined));
		expect(await down(days)).toBeGreaterThan(3 * 86_400);
	});

	test('and back to the days before, where a check is seldom', async () => {
		const seldom = inventoryOf('  checks: [{ id: portal, interval: 2h }]\n  services: [{ id: portal, name: P, checks: [portal] }]');
		const storage = createMemoryStorage();
		const hour = 3600;
		const fail = (hours: number) => write(storage, check('portal'), [{ from: hours * hour, to: hours * hour + 1, value: 0 }]);
		// At 20:00 of the first and of the second day, and nothing between; thirty hours after the first comes what confirms it.
		await fail(20);
		await fail(44);
		const days = createMemoryDayStore();
		const down = async (kept: DayStore | undefined) => {
			const availability = open(storage, seldom, T0 + 20 * DAY, kept === undefined ? {} : { days: kept });
			return (await availability.ledger('portal', { fromMs: T0, toMs: T0 + 4 * DAY })).figures.downSeconds;
		};
		expect(await down(days)).toBe(0);
		await fail(50);
		days.forget(dayOf(50 * hour), dayOf(50 * hour));
		expect(await down(days)).toBe(await down(undefined));
		expect(await down(days)).toBe(18 * hour);
	});

	test('a day is kept only once no sample that comes in time can change it', async () => {
		const storage = createMemoryStorage();
		await write(storage, check('portal'), [
			{ from: 0, to: 86_390, value: 1 },
			{ from: 86_390, to: 86_400, value: 0 },
		]);
		const days = createMemoryDayStore();
		const dayOne = async (nowSeconds: number) =>
			(await open(storage, inventory, T0 + nowSeconds * 1000, { days }).ledger('portal', { fromMs: T0, toMs: T0 + DAY })).figures;
		for (const now of [86_400, 86_401, 86_420]) expect(await dayOne(now)).toMatchObject({ downSeconds: 0, unconfirmedSeconds: 10 });
		// What confirms the failure before midnight comes in time, after it, and tells nobody.
		await write(storage, check('portal'), [
			{ from: 86_400, to: 86_430, value: 0 },
			{ from: 86_430, to: 90_000, value: 1 },
		]);
		expect(await dayOne(86_440)).toMatchObject({ downSeconds: 10, unconfirmedSeconds: 0 });
		expect(await dayOne(2 * 86_400)).toMatchObject({ downSeconds: 10, unconfirmedSeconds: 0 });
	});

	test('another definition of the service has days of its own', async () => {
		const storage = await filled();
		const days = createMemoryDayStore();
		const computed: number[] = [];
		const strict = inventoryOf(
			'  checks: [{ id: portal, confirm: { failed: 1 } }]\n  services: [{ id: portal, name: P, checks: [portal] }]',
		);
		await write(storage, check('portal'), [{ from: 100, to: 110, value: 0 }]);
		for (const [config, want] of [
			[inventory, 0],
			[strict, 10],
			[inventory, 0],
		] as const) {
			const availability = open(storage, config, T0 + 20 * DAY, { days, onComputed: (day) => computed.push(day) });
			expect((await availability.ledger('portal', range)).figures.downSeconds).toBe(want);
		}
		expect(computed).toHaveLength(20);
	});
});
