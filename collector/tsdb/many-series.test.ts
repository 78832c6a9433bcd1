import { test } from 'vitest';
import { dayUnderLoad, manySeries } from '../../tests/harness/store/many-series.ts';

test('twenty thousand series come, go and come again', () => manySeries(20_000), 120_000);

test('memory stays flat over a day of a hundred series', () => dayUnderLoad(100), 120_000);
