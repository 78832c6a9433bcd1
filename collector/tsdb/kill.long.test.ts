import { test } from 'vitest';
import { killRounds } from '../../tests/harness/store/kill-rounds.ts';

test('what was acknowledged survives a hundred kills under load', () => killRounds(100), 900_000);
