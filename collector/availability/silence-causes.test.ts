import { describe, expect, test } from 'vitest';
import { createMemoryStorage, type MemoryStorage } from '../storage/memory-storage.ts';
import { beat, COLLECTOR, check, draw, inventoryOf, open, T0, write } from './ledger.fixture.ts';

describe('silence has a cause', () => {
	const yaml = `  hosts: [{ id: a, zone: z, check: host-a }, { id: b, zone: z }, { id: c, zone: y }]
  checks: [{ id: portal }, { id: host-a }]
  services: [{ id: portal, name: P, checks: [portal] }]`;
	const all = { from: 0, to: 1200, value: 1 };
	const until300 = [{ from: 0, to: 300, value: 1 }];
	const alive = async (storage: MemoryStorage, gap = false) =>
		write(
			storage,
			COLLECTOR,
			gap
				? [
						{ from: 0, to: 600, value: 1 },
						{ from: 900, to: 1200, value: 1 },
					]
				: [all],
			5000,
		);
	const seen = async (fill: (storage: MemoryStorage) => Promise<void>) => {
		const storage = createMemoryStorage();
		await write(storage, check('portal'), until300);
		await fill(storage);
		const { timeline } = await open(storage, inventoryOf(yaml), T0 + 1_200_000).ledger('portal', { fromMs: T0, toMs: T0 + 1_200_000 });
		return draw(timeline);
	};

	test.each([
		{
			name: 'the agent lives, the check does not',
			fill: async (storage: MemoryStorage) => {
				await alive(storage);
				await write(storage, beat('a'), [all]);
			},
			want: ['0-320 up', '320-1200 unknown no data: portal'],
		},
		{
			name: 'the agent is silent, and nobody else looks',
			fill: async (storage: MemoryStorage) => {
				await alive(storage);
				await write(storage, beat('a'), until300);
			},
			want: ['0-320 up', '320-350 unknown no data: portal', '350-1200 unknown agent silent: a'],
		},
		{
			name: 'the agent is dead, its host is up from elsewhere',
			fill: async (storage: MemoryStorage) => {
				await alive(storage);
				await write(storage, beat('a'), until300);
				await write(storage, check('host-a', 'c'), [all]);
			},
			want: ['0-320 up', '320-350 unknown no data: portal', '350-1200 unknown agent dead: a'],
		},
		{
			name: 'the host is dead',
			fill: async (storage: MemoryStorage) => {
				await alive(storage);
				await write(storage, beat('a'), until300);
				await write(storage, check('host-a', 'c'), [
					{ from: 0, to: 300, value: 1 },
					{ from: 300, to: 1200, value: 0 },
				]);
			},
			want: ['0-320 up', '320-350 unknown no data: portal', '350-1200 unknown host dead: a'],
		},
		{
			name: 'a host is no witness of itself',
			fill: async (storage: MemoryStorage) => {
				await alive(storage);
				await write(storage, beat('a'), until300);
				await write(storage, check('host-a', 'a'), [all]);
			},
			want: ['0-320 up', '320-350 unknown no data: portal', '350-1200 unknown agent silent: a'],
		},
		{
			name: 'the whole zone fell silent',
			fill: async (storage: MemoryStorage) => {
				await alive(storage);
				await write(storage, beat('a'), until300);
				await write(storage, beat('b'), until300);
				await write(storage, beat('c'), [all]);
			},
			want: ['0-320 up', '320-350 unknown no data: portal', '350-1200 unknown network cut: z'],
		},
		{
			name: 'the collector itself was down, which explains everything else',
			fill: async (storage: MemoryStorage) => {
				await alive(storage, true);
				await write(storage, beat('a'), [
					{ from: 0, to: 600, value: 1 },
					{ from: 900, to: 1200, value: 1 },
				]);
			},
			want: ['0-320 up', '320-610 unknown no data: portal', '610-900 unknown collector down', '900-1200 unknown no data: portal'],
		},
		{
			name: 'a part of the zone fell silent for longer',
			fill: async (storage: MemoryStorage) => {
				await alive(storage);
				await write(storage, beat('a'), until300);
				await write(storage, beat('b'), [...until300, { from: 600, to: 1200, value: 1 }]);
				await write(storage, beat('c'), [all]);
			},
			want: ['0-320 up', '320-350 unknown no data: portal', '350-600 unknown network cut: z', '600-1200 unknown agent silent: a'],
		},
	])('$name', async ({ fill, want }) => {
		expect(await seen(fill)).toEqual(want);
	});

	test('an agent that delivered the day before is one that should', async () => {
		const storage = createMemoryStorage();
		await alive(storage);
		await write(storage, check('portal'), until300);
		await write(storage, beat('a'), until300);
		const later = { fromMs: T0 + 600_000, toMs: T0 + 1_200_000 };
		const { timeline } = await open(storage, inventoryOf(yaml), later.toMs).ledger('portal', later);
		// The check has not been seen by anybody near this window, so that its vantage point is not known; its zone is not either.
		expect(draw(timeline)).toEqual(['600-1200 unknown no data: portal']);
		await write(storage, check('portal'), [{ from: 590, to: 600, value: 1 }]);
		expect(draw((await open(storage, inventoryOf(yaml), later.toMs).ledger('portal', later)).timeline)).toEqual([
			'600-620 up',
			'620-1200 unknown agent silent: a',
		]);
	});
});
