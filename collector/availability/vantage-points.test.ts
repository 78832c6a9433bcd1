import { describe, expect, test } from 'vitest';
import { createMemoryStorage } from '../storage/memory-storage.ts';
import { check, inventoryOf, open, type Series, type Span, T0, write } from './ledger.fixture.ts';

describe('vantage points', () => {
	const yaml = `  checks: [{ id: portal }, { id: gateway-a }, { id: gateway-b }]
  vantages: [{ host: a, reference: gateway-a }, { host: b, reference: gateway-b }]
  services: [{ id: portal, name: P, checks: [portal] }]`;
	const range = { fromMs: T0, toMs: T0 + 600_000 };
	const up = [{ from: 0, to: 600, value: 1 }];
	const cut = [
		{ from: 0, to: 200, value: 1 },
		{ from: 200, to: 400, value: 0 },
		{ from: 400, to: 600, value: 1 },
	];
	const down = async (list: readonly (readonly [Series, readonly Span[]])[]) => {
		const storage = createMemoryStorage();
		for (const [labels, spans] of list) await write(storage, labels, spans);
		return (await open(storage, inventoryOf(yaml), T0 + 3_600_000).ledger('portal', range)).figures.downSeconds;
	};

	test.each([
		{
			name: 'two of three see it down: down',
			list: [
				[check('portal', 'a'), cut],
				[check('portal', 'b'), cut],
				[check('portal', 'c'), up],
			],
			want: 200,
		},
		{
			name: 'a majority whose own references failed is set aside',
			list: [
				[check('portal', 'a'), cut],
				[check('portal', 'b'), cut],
				[check('portal', 'c'), up],
				[check('gateway-a', 'a'), cut],
				[check('gateway-b', 'b'), cut],
			],
			want: 0,
		},
		{
			name: 'the only one is believed, whatever its reference says',
			list: [
				[check('portal', 'a'), cut],
				[check('gateway-a', 'a'), cut],
			],
			want: 200,
		},
		{
			name: 'with the other silent it is the only one',
			list: [
				[check('portal', 'a'), cut],
				[check('gateway-a', 'a'), cut],
				[check('portal', 'b'), [{ from: 0, to: 100, value: 1 }]],
			],
			want: 200,
		},
		{
			name: "another host's reference does not count",
			list: [
				[check('portal', 'a'), cut],
				[check('portal', 'b'), cut],
				[check('portal', 'c'), up],
				[check('gateway-a', 'b'), cut],
			],
			want: 200,
		},
		{
			name: 'one that sees it up is heard, whatever its reference says',
			list: [
				[check('portal', 'a'), [...cut.slice(0, 1), { from: 200, to: 500, value: 1 }, { from: 500, to: 600, value: 0 }]],
				[check('portal', 'b'), cut],
				[check('gateway-a', 'a'), cut],
			],
			want: 0,
		},
	] as const)('$name', async ({ list, want }) => {
		expect(await down(list)).toBe(want);
	});

	test('a reference does not vouch for itself', async () => {
		const storage = createMemoryStorage();
		for (const [vantage, spans] of [
			['a', cut],
			['b', cut],
			['c', up],
		] as const)
			await write(storage, check('gateway-a', vantage), spans);
		const gateway = inventoryOf(yaml.replace('checks: [portal] }', 'checks: [gateway-a] }'));
		expect((await open(storage, gateway, T0 + 3_600_000).ledger('portal', range)).figures.downSeconds).toBe(200);
	});
});
