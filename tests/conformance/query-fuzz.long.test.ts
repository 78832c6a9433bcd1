import { expect, test } from 'vitest';
import { queryMutationRounds } from '../harness/query-mutations.ts';

test.each([2, 3, 4, 5])('25,000 damaged queries are answered or refused with a position (seed %i)', async (seed) => {
	const { parsed, refused, faults } = await queryMutationRounds(25_000, seed);
	expect(faults.slice(0, 10)).toEqual([]);
	expect(parsed).toBeGreaterThan(2500);
	expect(refused).toBeGreaterThan(10_000);
}, 600_000);
