import { expect, test } from 'vitest';
import { otlpMutationRounds } from '../../tests/harness/otlp-mutations.ts';

test('100,000 damaged requests are taken or refused, and nothing else happens', { timeout: 300_000 }, async () => {
	expect(await otlpMutationRounds(100_000)).toBeGreaterThan(1000);
});
