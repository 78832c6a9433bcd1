import { expect, test } from 'vitest';
import { expositionMutationRounds } from '../../tests/harness/exposition-mutations.ts';

test('100,000 damaged texts are taken or refused, and nothing else happens', { timeout: 300_000 }, () => {
	expect(expositionMutationRounds(100_000)).toBeGreaterThan(1000);
});
