import { test } from 'vitest';
import { killRounds } from '../../tests/harness/store/kill-rounds.ts';

test('what was acknowledged survives ten kills under load', () => killRounds(10), 120_000);
