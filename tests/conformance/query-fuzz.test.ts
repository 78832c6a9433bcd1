import { expect, test } from 'vitest';
import { queryMutationRounds } from '../harness/query-mutations.ts';

test('damaged queries are answered or refused with a position', async () => {
	const { parsed, refused, faults } = await queryMutationRounds(3000, 1);
	expect(faults).toEqual([]);
	expect(parsed).toBeGreaterThan(300);
	expect(refused).toBeGreaterThan(1000);
});
