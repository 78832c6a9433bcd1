import { expect, test } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import { labelsFromObject } from '../../core/labels.ts';
import { emptyInventory, type InventoryConfig } from '../inventory/config.ts';
import { createMemoryStorage, type MemoryStorage } from '../storage/memory-storage.ts';
import { createAvailability } from './availability.ts';

const DAY = 86_400_000;
const T0 = Date.parse('2026-11-10T00:00:00Z');
const confirm = { failed: 3, of: 5, recovered: 3 };

function inventory(extra: Partial<InventoryConfig> = {}): InventoryConfig {
	const service = { name: 'x', core: false, target: '99.99', owner: '', calendar: 'always', children: [], combine: 'all' as const };
	return {
		...emptyInventory('UTC'),
		checks: [
			{ id: 'a', interval: '10s', confirm },
			{ id: 'b', interval: '10s', confirm },
		],
		services: [
			{ ...service, id: 'one', checks: ['a'] },
			{ ...service, id: 'two', checks: ['b'] },
			{ ...service, id: 'both', checks: [], children: ['one', 'two'] },
			{ ...service, id: 'either', checks: [], children: ['one', 'two'], combine: 'any' },
		],
		...extra,
	};
}

/** Writes one sample every ten seconds of `[fromMs, toMs)`. */
async function write(
	storage: MemoryStorage,
	check: string,
	spans: readonly { readonly fromMs: number; readonly toMs: number; readonly value: number }[],
	vantage = 'host',
): Promise<void> {
	const appender = storage.appender();
	const labels = labelsFromObject({ __name__: 'probe_success', check, vantage, job: 'probe', instance: 'x' });
	for (const { fromMs, toMs, value } of spans) for (let t = fromMs; t < toMs; t += 10_000) appender.append(labels, t, value);
	await appender.commit();
}

function at(nowMs: number) {
	return { ...systemClock, now: () => nowMs };
}

test('an outage over midnight is one outage, wherever the day is cut', async () => {
	const storage = createMemoryStorage();
	await write(storage, 'a', [
		{ fromMs: T0, toMs: T0 + DAY - 600_000, value: 1 },
		{ fromMs: T0 + DAY - 600_000, toMs: T0 + DAY + 600_000, value: 0 },
		{ fromMs: T0 + DAY + 600_000, toMs: T0 + 3 * DAY, value: 1 },
	]);
	const availability = createAvailability({ queryable: storage, inventory, clock: at(T0 + 5 * DAY) });
	const { timeline, figures } = await availability.ledger('one', { fromMs: T0, toMs: T0 + 2 * DAY });
	expect(timeline.filter((interval) => interval.state === 'down')).toEqual([
		expect.objectContaining({ from: (T0 + DAY) / 1000 - 600, to: (T0 + DAY) / 1000 + 600 }),
	]);
	expect(figures.downSeconds).toBe(1200);
	const early = await availability.ledger('one', { fromMs: T0, toMs: T0 + DAY });
	const late = await availability.ledger('one', { fromMs: T0 + DAY, toMs: T0 + 2 * DAY });
	expect(early.figures.downSeconds + late.figures.downSeconds).toBe(1200);
});

test('a window that begins deep inside an outage of days knows that it is down', async () => {
	const storage = createMemoryStorage();
	// Two good ones among the failures are no recovery; nothing near the window says three of five by itself.
	const labels = labelsFromObject({ __name__: 'probe_success', check: 'a', vantage: 'host', job: 'probe', instance: 'x' });
	const appender = storage.appender();
	for (let i = 0, t = T0; t < T0 + 2 * DAY; t += 10_000, i++)
		appender.append(labels, t, t >= T0 + 60_000 && (t < T0 + 120_000 || i % 3 === 0) ? 0 : 1);
	await appender.commit();
	const availability = createAvailability({ queryable: storage, inventory, clock: at(T0 + 5 * DAY) });
	const { figures } = await availability.ledger('one', { fromMs: T0 + DAY + 3_600_000, toMs: T0 + DAY + 7_200_000 });
	expect(figures.downSeconds).toBe(3600);
});

test('a window that begins in the silence of an outage knows that the failure at its end is the same one', async () => {
	const storage = createMemoryStorage();
	await write(storage, 'a', [
		{ fromMs: T0, toMs: T0 + 60_000, value: 1 },
		{ fromMs: T0 + 60_000, toMs: T0 + 120_000, value: 0 },
		{ fromMs: T0 + 3_600_000, toMs: T0 + 3_610_000, value: 0 },
		{ fromMs: T0 + 3_610_000, toMs: T0 + 4_200_000, value: 1 },
	]);
	const availability = createAvailability({ queryable: storage, inventory, clock: at(T0 + DAY / 2) });
	const { figures } = await availability.ledger('one', { fromMs: T0 + 3_000_000, toMs: T0 + 4_000_000 });
	expect(figures).toMatchObject({ downSeconds: 10, unconfirmedSeconds: 0, unknownSeconds: 600 });
});

test('composites follow their children', async () => {
	const storage = createMemoryStorage();
	await write(storage, 'a', [{ fromMs: T0, toMs: T0 + 600_000, value: 1 }]);
	await write(storage, 'b', [{ fromMs: T0, toMs: T0 + 600_000, value: 0 }]);
	const availability = createAvailability({ queryable: storage, inventory, clock: at(T0 + 600_000) });
	const range = { fromMs: T0, toMs: T0 + 600_000 };
	expect((await availability.ledger('both', range)).figures).toMatchObject({ downSeconds: 600, upSeconds: 0 });
	expect((await availability.ledger('either', range)).figures).toMatchObject({ downSeconds: 0, upSeconds: 600 });
});

test('time outside of the service hours is excluded, also an outage in it', async () => {
	const storage = createMemoryStorage();
	await write(storage, 'a', [{ fromMs: T0, toMs: T0 + DAY, value: 0 }]);
	const calendars = [{ id: 'office', weekdays: [1, 2, 3, 4, 5, 6, 7], seasons: [{ from: '01-01', to: '12-31', hours: '08:00-20:00' }] }];
	const base = inventory({ calendars });
	const services = base.services.map((service) => ({ ...service, calendar: 'office' }));
	const availability = createAvailability({ queryable: storage, inventory: () => ({ ...base, services }), clock: at(T0 + 2 * DAY) });
	expect((await availability.ledger('one', { fromMs: T0, toMs: T0 + DAY })).figures).toMatchObject({
		excludedSeconds: 43_200,
		downSeconds: 43_200,
		budgetSeconds: '4.32',
		sliBest: '0.000',
	});
});

test('unknown time says when the collector itself was away', async () => {
	const storage = createMemoryStorage();
	await write(storage, 'a', [{ fromMs: T0, toMs: T0 + 60_000, value: 1 }]);
	const beats = storage.appender();
	const labels = labelsFromObject({ __name__: 'fournines_collector_up', job: 'fournines', instance: 'c' });
	for (const [from, to] of [
		[T0, T0 + 120_000],
		[T0 + 240_000, T0 + 300_000],
	] as const)
		for (let t = from; t < to; t += 5000) beats.append(labels, t, 1);
	await beats.commit();
	const availability = createAvailability({ queryable: storage, inventory, clock: at(T0 + 300_000) });
	const { timeline } = await availability.ledger('one', { fromMs: T0, toMs: T0 + 300_000 });
	expect(
		timeline
			.filter((interval) => interval.state === 'unknown')
			.map((interval) => [interval.from - T0 / 1000, interval.to - T0 / 1000, interval.reason]),
	).toEqual([
		[80, 130, 'no data: a'],
		[130, 240, 'collector down'],
		[240, 300, 'no data: a'],
	]);
});

test('late checks are counted once the day is forgotten', async () => {
	const storage = createMemoryStorage();
	const availability = createAvailability({ queryable: storage, inventory, clock: at(T0 + 5 * DAY) });
	const range = { fromMs: T0, toMs: T0 + DAY };
	expect((await availability.ledger('one', range)).figures.unknownSeconds).toBe(86_400);
	await write(storage, 'a', [{ fromMs: T0, toMs: T0 + DAY, value: 1 }]);
	availability.invalidate(T0);
	expect((await availability.ledger('one', range)).figures).toMatchObject({ unknownSeconds: 0, upSeconds: 86_400 });
});

test('the future is left out, and the budget is that of the whole period', async () => {
	const storage = createMemoryStorage();
	const availability = createAvailability({ queryable: storage, inventory, clock: at(T0 + DAY) });
	const { figures, window } = await availability.ledger('one', { fromMs: T0, toMs: T0 + 30 * DAY });
	expect(figures).toMatchObject({ totalSeconds: 86_400, budgetSeconds: '259.20' });
	expect(window.to * 1000).toBe(T0 + DAY);
});

test('what is computed may change as far as a sample reaches, and no further', async () => {
	const availability = createAvailability({ queryable: createMemoryStorage(), inventory, clock: at(T0 + DAY) });
	// Fifteen intervals of 10 s to be confirmed, and twelve to be over.
	expect((await availability.ledger('one', { fromMs: T0, toMs: T0 + 2 * DAY })).provisionalFrom).toBe((T0 + DAY) / 1000 - 270);
	expect((await availability.ledger('one', { fromMs: T0, toMs: T0 + DAY / 2 })).provisionalFrom).toBe((T0 + DAY / 2) / 1000);
});

test('the budget of an open month is that of the days on which the service exists', async () => {
	const base = inventory();
	const services = base.services.map((service) => ({ ...service, created: '2026-11-11', removed: '2026-11-21' }));
	const availability = createAvailability({
		queryable: createMemoryStorage(),
		inventory: () => ({ ...base, services }),
		clock: at(T0 + 3 * DAY),
	});
	const month = { fromMs: T0 - 9 * DAY, toMs: T0 + 21 * DAY };
	// Ten days of the thirty: 86.4 s.
	expect((await availability.ledger('one', month)).figures).toMatchObject({ budgetSeconds: '86.40', totalSeconds: 12 * 86_400 });
	expect(await availability.budgetOf('one', month)).toBe(86.4);
	expect(await availability.exclusionsOf('one', { from: T0 / 1000, to: T0 / 1000 + 12 * 86_400 })).toEqual([
		{ from: T0 / 1000, to: T0 / 1000 + 86_400, reason: 'not in service' },
		{ from: T0 / 1000 + 11 * 86_400, to: T0 / 1000 + 12 * 86_400, reason: 'not in service' },
	]);
});

test('hours that are changed while it runs count from the next question on', async () => {
	const base = inventory();
	const hours = (text: string) => ({
		...base,
		calendars: [{ id: 'office', weekdays: [1, 2, 3, 4, 5, 6, 7], seasons: [{ from: '01-01', to: '12-31', hours: text }] }],
		services: base.services.map((service) => ({ ...service, calendar: 'office' })),
	});
	let current: InventoryConfig = hours('08:00-20:00');
	const availability = createAvailability({ queryable: createMemoryStorage(), inventory: () => current, clock: at(T0 + 2 * DAY) });
	const excluded = async () => (await availability.ledger('one', { fromMs: T0, toMs: T0 + DAY })).figures.excludedSeconds;
	expect(await excluded()).toBe(43_200);
	current = hours('08:00-18:00');
	expect(await excluded()).toBe(50_400);
});

test.each([
	{ name: 'an unknown service', id: 'nobody', fromMs: T0, toMs: T0 + 1000, code: 'FN_SERVICE_UNKNOWN' },
	{ name: 'a reversed range', id: 'one', fromMs: T0, toMs: T0 - 1, code: 'FN_RANGE_INVALID' },
	{ name: 'ten years', id: 'one', fromMs: T0 - 3660 * DAY, toMs: T0, code: 'FN_RANGE_INVALID' },
	{ name: 'not a number', id: 'one', fromMs: Number.NaN, toMs: T0, code: 'FN_RANGE_INVALID' },
])('refuses $name', async ({ id, fromMs, toMs, code }) => {
	const availability = createAvailability({ queryable: createMemoryStorage(), inventory, clock: at(T0) });
	await expect(availability.ledger(id, { fromMs, toMs })).rejects.toMatchObject({ code });
});
