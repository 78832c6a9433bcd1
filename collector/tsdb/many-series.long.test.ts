import { test } from 'vitest';
import { dayUnderLoad, manySeries } from '../../tests/harness/store/many-series.ts';

test('a million series come, go and come again', () => manySeries(1_000_000), 1_800_000);

test('memory stays flat over a day of three thousand series', () => dayUnderLoad(3000), 1_800_000);
