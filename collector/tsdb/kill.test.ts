import { test } from 'vitest';
import { killRounds } from '../../tests/harness/store/kill-rounds.ts';

test.each([
	{ fsync: 'interval', rounds: 8 },
	{ fsync: 'always', rounds: 3 },
] as const)(
	'what was acknowledged survives $rounds kills under load, fsync $fsync',
	({ fsync, rounds }) => killRounds(rounds, fsync),
	120_000,
);
