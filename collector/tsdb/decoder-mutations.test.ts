import { expect, test } from 'vitest';
import { blockMutationRounds } from '../../tests/harness/store/block-mutations.ts';

test('a few thousand damaged chunks, weights, groups, lists and log segments: refused or decoded, never a crash, never without bounds', async () => {
	const { refused, taken } = await blockMutationRounds(4000);
	expect(refused).toBeGreaterThan(taken / 100);
	expect(taken).toBeGreaterThan(0);
}, 600_000);
