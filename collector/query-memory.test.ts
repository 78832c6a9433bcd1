import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../core/clock.ts';
import { type TemporaryFolder, temporaryFolder } from '../tests/harness/process.ts';
import { openTestStore } from '../tests/harness/store/open-test-store.ts';
import { createEngine, type Engine } from './promql/engine.ts';
import type { Store } from './tsdb/store.ts';

const START = Math.floor(Date.now() / 3_600_000) * 3_600_000 - 7_200_000;

let folder: TemporaryFolder;
let store: Store;
let engine: Engine;

beforeAll(async () => {
	folder = temporaryFolder('query-memory');
	store = await openTestStore(folder.path);
	engine = createEngine({ queryable: store, clock: systemClock });
	const appender = store.appender();
	for (let i = 0; i < 200; i++) {
		appender.append(['__name__', 'a'], START + i * 15_000, i);
		appender.append(['__name__', 'b_total'], START + i * 15_000, (i % 50) * 10);
	}
	// Falls back exactly where an hour, and with it a chunk, begins.
	for (let i = 0; i < 400; i++) appender.append(['__name__', 'c_total'], START + i * 15_000, i < 240 ? 1000 + i : i - 240);
	await appender.commit();
});

afterAll(async () => {
	await store.stop();
	folder.remove();
});

test('an answer stays as it is when later queries use the memory of its samples', async () => {
	const at = START + 199 * 15_000;
	const first = await engine.instant('a[10m]', at);
	const range = await engine.range('a', START, at, 15_000);
	const before = JSON.stringify([first.value, range.value]);
	expect(before).toContain('199');
	for (let i = 0; i < 3; i++) await engine.range('sum(rate(b_total[5m])) + a', START, at, 15_000);
	await engine.instant('b_total[40m]', at);
	expect(JSON.stringify([first.value, range.value])).toBe(before);
});

test('resets are seen where the store has compressed them', async () => {
	await store.cutBlocks();
	const { value } = await engine.instant('increase(b_total[50m])', START + 199 * 15_000);
	const resets = await engine.instant('resets(b_total[50m])', START + 199 * 15_000);
	expect(resets.value).toMatchObject({ kind: 'vector', samples: [{ value: 3 }] });
	// 199 steps of 10, of which three are resets that count from 0; nothing to extrapolate but half a step at the start.
	const [sample] = value.kind === 'vector' ? value.samples : [];
	expect(sample?.value).toBeGreaterThan(1940);
	expect(sample?.value).toBeLessThan(1990);

	const hourly = await engine.instant('increase(c_total[90m])', START + 399 * 15_000);
	const [atHour] = hourly.value.kind === 'vector' ? hourly.value.samples : [];
	// 199 steps of one before the reset, 159 after it, and a step that begins anew at 0.
	expect(atHour?.value).toBeGreaterThan(355);
	expect(atHour?.value).toBeLessThan(365);
});
