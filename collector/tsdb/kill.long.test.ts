import { test } from 'vitest';
import { killRounds } from '../../tests/harness/store/kill-rounds.ts';

test.each(['interval', 'always'] as const)(
	'what was acknowledged survives a hundred kills under load, fsync %s',
	(fsync) => killRounds(100, fsync),
	1_800_000,
);
