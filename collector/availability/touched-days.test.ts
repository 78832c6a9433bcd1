import { describe, expect, test } from 'vitest';
import { labelsFromObject } from '../../core/labels.ts';
import { createMemoryStorage, type MemoryStorage } from '../storage/memory-storage.ts';
import type { Availability } from './availability.ts';
import { check, DAY, inventoryOf, open, T0, write } from './ledger.fixture.ts';

const INVENTORY = inventoryOf(
	'  checks: [{ id: k }]\n  services: [{ id: s, name: S, checks: [k], requests: { good: good_total, total: asked_total } }]',
);
const RANGE = { fromMs: T0, toMs: T0 + 3 * DAY };
const LATE = { from: 86_400 + 3600, to: 86_400 + 7200 };

interface World {
	readonly storage: MemoryStorage;
	readonly availability: Availability;
	/** From now on, once: what comes late is stored behind the first answer that should have held it. */
	comesLate(write: () => Promise<void>): void;
}

function world(): World {
	const storage = createMemoryStorage();
	let late: (() => Promise<void>) | null = null;
	const select: MemoryStorage['select'] = async (matchers, minMs, maxMs, options) => {
		const result = await storage.select(matchers, minMs, maxMs, options);
		const now = late;
		if (now !== null && minMs <= T0 + LATE.from * 1000 && maxMs >= T0 + LATE.to * 1000) {
			late = null;
			await now();
			availability.invalidate(T0 + LATE.from * 1000, T0 + LATE.to * 1000);
		}
		return result;
	};
	const availability = open({ ...storage, select }, INVENTORY, T0 + 5 * DAY);
	return {
		storage,
		availability,
		comesLate: (own) => {
			late = own;
		},
	};
}

/** Both counters rise by one a second and are read each minute. */
async function count(storage: MemoryStorage, fromSeconds: number, toSeconds: number): Promise<void> {
	const appender = storage.appender();
	for (let t = fromSeconds; t < toSeconds; t += 60)
		for (const name of ['good_total', 'asked_total']) appender.append(labelsFromObject({ __name__: name }), T0 + t * 1000, t + 1_000_000);
	await appender.commit();
}

describe.each(['was never asked for', 'is suspect'])('what comes late while its day is computed, which %s', (before) => {
	const prepare = async (ask: () => Promise<unknown>, availability: Availability) => {
		if (before !== 'is suspect') return;
		await ask();
		availability.invalidate(T0, T0 + 2 * DAY);
	};

	test('is in the ledger when it is asked again', async () => {
		const { storage, availability, comesLate } = world();
		await write(storage, check('k'), [{ from: -86_400, to: 4 * 86_400, value: 1 }]);
		const downSeconds = async () => (await availability.ledger('s', RANGE)).figures.downSeconds;
		await prepare(downSeconds, availability);
		comesLate(() => write(storage, check('k'), [{ from: LATE.from, to: LATE.from + 100, value: 0 }]));
		await downSeconds();
		expect(await downSeconds()).toBe(100);
	});

	test('is counted among the requests when they are asked again', async () => {
		const { storage, availability, comesLate } = world();
		await count(storage, -86_400, LATE.from);
		await count(storage, LATE.to, 4 * 86_400);
		const unplaced = async () => (await availability.requests('s', RANGE))?.figures.unplaced;
		await prepare(unplaced, availability);
		comesLate(() => count(storage, LATE.from, LATE.to));
		await unplaced();
		expect(await unplaced()).toBe(0);
	});
});
