import { expect, test } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import { createAvailability } from '../availability/availability.ts';
import { createMemoryDayStore } from '../availability/day-store.ts';
import { check, inventoryOf, T0, write } from '../availability/ledger.fixture.ts';
import { createMemoryStorage } from '../storage/memory-storage.ts';
import { watchedOutages } from './watched-outages.ts';

const HOUR = 3600;
const INVENTORY = inventoryOf(`  checks: [{ id: page }, { id: sql }]
  services:
    - { id: mis, name: MIS, checks: [page], children: [db] }
    - { id: db, name: DB, checks: [sql] }`);

/** Hours after the beginning: when each check failed, and when somebody looks. */
async function seen(failed: { readonly page: readonly [number, number]; readonly sql: readonly [number, number] }, nowHours: number) {
	const storage = createMemoryStorage();
	for (const [id, [from, to]] of Object.entries(failed)) {
		const spans = [
			{ from: -HOUR, to: from * HOUR, value: 1 },
			{ from: from * HOUR, to: to * HOUR, value: 0 },
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
		clock,
	});
	const hours = (seconds: number | null) => (seconds === null ? null : (seconds - T0 / 1000) / HOUR);
	const found = await outages(nowMs - 6 * HOUR * 1000, new AbortController().signal);
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
