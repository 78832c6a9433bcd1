import { expect, test } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import { createAvailability } from '../availability/availability.ts';
import { createMemoryDayStore } from '../availability/day-store.ts';
import { check, inventoryOf, T0, write } from '../availability/ledger.fixture.ts';
import type { UnknownAs } from '../availability/unknown-time.ts';
import { createMemoryStorage } from '../storage/memory-storage.ts';
import { causedOutages, watchedOutages } from './watched-outages.ts';

const HOUR = 3600;
const INVENTORY = inventoryOf(`  checks: [{ id: page }, { id: sql }]
  services:
    - { id: mis, name: MIS, checks: [page], children: [db] }
    - { id: db, name: DB, checks: [sql] }`);

type Hours = readonly [from: number, to: number];
interface Failed {
	readonly page: Hours;
	readonly sql: Hours;
	/** When the page was not looked at. */
	readonly unseen?: Hours;
}

/** Hours after the beginning: when each check failed, and when somebody looks. */
async function outagesAt({ unseen = [-2, -2], ...failed }: Failed, nowHours: number, unknown: UnknownAs = 'left-out', untilHours?: number) {
	const storage = createMemoryStorage();
	for (const [id, [from, to]] of Object.entries(failed)) {
		const gap: Hours = id === 'page' ? unseen : [-2, -2];
		const spans = [
			{ from: -HOUR, to: from * HOUR, value: 1 },
			{ from: from * HOUR, to: Math.max(from, gap[0]) * HOUR, value: 0 },
			{ from: Math.max(from, gap[1]) * HOUR, to: to * HOUR, value: 0 },
			{ from: to * HOUR, to: nowHours * HOUR, value: 1 },
		];
		await write(storage, check(id), spans, 10_000);
	}
	const nowMs = T0 + nowHours * HOUR * 1000;
	const days = createMemoryDayStore();
	const clock = { ...systemClock, now: () => nowMs };
	const open = (inventory: typeof INVENTORY) => createAvailability({ queryable: storage, inventory: () => inventory, clock, days });
	const outages = watchedOutages({
		availability: open(INVENTORY),
		parts: open,
		inventory: () => INVENTORY,
		contractOf: () => 'c',
		unknownOf: () => unknown,
		clock,
	});
	const untilMs = untilHours === undefined ? undefined : T0 + untilHours * HOUR * 1000;
	return outages(T0 + ((untilHours ?? nowHours) - 6) * HOUR * 1000, new AbortController().signal, untilMs);
}

async function seen(failed: Failed, nowHours: number) {
	const hours = (seconds: number | null) => (seconds === null ? null : (seconds - T0 / 1000) / HOUR);
	const found = await outagesAt(failed, nowHours);
	return found.map(({ service, fromSeconds, toSeconds, roots }) => [
		service,
		hours(fromSeconds),
		hours(toSeconds),
		(roots ?? []).map((root) => `${root.service}@${hours(root.fromSeconds)}`),
	]);
}

test('an outage that began before those who look look back begins when it began, and keeps its own reason', async () => {
	expect(await seen({ page: [0, 100], sql: [1, 100] }, 30)).toEqual([
		['mis', 0, null, ['mis@0']],
		['db', 1, null, ['db@1']],
	]);
});

test('one that was over before is not told again', async () => {
	expect(await seen({ page: [0, 100], sql: [1, 3] }, 30)).toEqual([['mis', 0, null, ['mis@0']]]);
});

test('one that goes on when the one below is back is explained until then, and stands for the rest itself', async () => {
	expect(await seen({ page: [1, 5], sql: [1, 3] }, 6)).toEqual([
		['mis', 1, 3, ['db@1']],
		['mis', 3, 5, ['mis@3']],
		['db', 1, 3, ['db@1']],
	]);
});

test('the slowest check says how much earlier a service may be seen to fail than what it stands on', async () => {
	const interval = 10 / HOUR;
	expect(await seen({ page: [1 - interval, 3], sql: [1, 3] }, 6)).toMatchObject([['mis', 1 - interval, 3, ['db@1']], {}]);
	expect(await seen({ page: [1 - 2 * interval, 3], sql: [1, 3] }, 6)).toMatchObject([
		['mis', 1 - 2 * interval, 3, [expect.stringMatching('mis')]],
		{},
	]);
});

test.each([
	// Down from 1 to 2 and from 3 to 5; a failed sample holds for three intervals, thirty seconds.
	{ unknown: 'left-out', want: 3 * HOUR + 20 },
	{ unknown: 'down', want: 4 * HOUR },
	{ unknown: 'up', want: 2 * HOUR },
] as const)('a contract that grades by minutes counts unknown time as it says: $unknown', async ({ unknown, want }) => {
	const found = await outagesAt({ page: [1, 5], unseen: [2, 3], sql: [9, 9] }, 6, unknown);
	expect(found.map(({ service, gradedSeconds }) => [service, gradedSeconds])).toEqual([['mis', want]]);
});

test('whoever prices outages is told what explains each, all or the beginning of it', async () => {
	const hours = (seconds: number | null) => (seconds === null ? null : (seconds - T0 / 1000) / HOUR);
	const caused = causedOutages(await outagesAt({ page: [1, 5], sql: [1, 3] }, 6));
	expect(
		caused.map((one) => [one.service, hours(one.fromSeconds), hours(one.toSeconds), one.causes.map(({ service }) => service)]),
	).toEqual([['mis', 1, 5, ['db']]]);
	expect(causedOutages(await outagesAt({ page: [1, 2], sql: [4, 5] }, 6))).toMatchObject([{ service: 'mis', causes: [{ service: 'db' }] }]);
});

test('of a time that is over nothing later is looked at, and of one to come nothing', async () => {
	const spans = async (untilHours: number) =>
		(await outagesAt({ page: [1, 5], sql: [1, 3] }, 10, 'left-out', untilHours)).map(({ service, toSeconds }) => [
			service,
			toSeconds === null,
		]);
	// At the second hour both are down, and the one explains the other.
	expect(await spans(2)).toEqual([
		['mis', true],
		['db', true],
	]);
	expect(await spans(20)).toEqual([]);
});

test('the rest of an outage is graded from where it begins', async () => {
	const found = await outagesAt({ page: [1, 5], sql: [1, 3] }, 6);
	expect(found.map(({ service, gradedSeconds }) => [service, gradedSeconds])).toEqual([
		['mis', 4 * HOUR],
		['mis', 2 * HOUR],
		['db', 2 * HOUR],
	]);
});
