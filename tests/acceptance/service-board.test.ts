import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { createAvailability } from '../../collector/availability/availability.ts';
import { createBudgets } from '../../collector/availability/budgets.ts';
import { parseInventoryFile } from '../../collector/inventory/inventory-yaml.ts';
import { createEngine } from '../../collector/promql/engine.ts';
import { createMemoryStorage } from '../../collector/storage/memory-storage.ts';
import { readBoard, sectionsOf } from '../../console/src/boards/board-json.ts';
import { interpolate } from '../../console/src/boards/interpolate.ts';
import { resolveScope } from '../../console/src/boards/resolve-scope.ts';
import { builtInValues } from '../../console/src/boards/time-range.ts';
import { systemClock } from '../../core/clock.ts';
import { configOrThrow } from '../../core/config-file.ts';
import { labelsFromObject } from '../../core/labels.ts';
import { silentLogger } from '../../core/log.ts';

const MINUTE = 60_000;
const END = Date.parse('2026-11-01T06:00:00Z');
const FILE = resolve(import.meta.dirname, '../../dashboards/services.json');
const inventory = configOrThrow(
	parseInventoryFile(
		`inventory:
  zone: UTC
  checks: [{ id: k }]
  services:
    - { id: portal, name: 门户, checks: [k], requests: { good: 'asked_total{code!="500"}', total: asked_total } }`,
		'x.yml',
	),
);

/** Requests are counted a minute after they came, which no test of a whole collector should wait for. */
test('every query of the board of services has data from what the ledger writes, and the ones about requests tell the truth', async () => {
	const storage = createMemoryStorage();
	const appender = storage.appender();
	const check = labelsFromObject({ __name__: 'probe_success', check: 'k', vantage: 'a' });
	for (let t = END - 6 * 60 * MINUTE; t <= END; t += 10_000)
		appender.append(check, t, t >= END - 20 * MINUTE && t < END - 18 * MINUTE ? 0 : 1);
	for (let n = 0, t = END - 60 * MINUTE; t <= END; t += MINUTE, n++) {
		appender.append(labelsFromObject({ __name__: 'asked_total', code: '200' }), t, n * 30);
		appender.append(labelsFromObject({ __name__: 'asked_total', code: '500' }), t, n * 10);
	}
	await appender.commit();
	let nowMs = END - 5 * MINUTE;
	const clock = { ...systemClock, now: () => nowMs };
	const availability = createAvailability({ queryable: storage, inventory: () => inventory, clock });
	const budgets = createBudgets({ availability, store: storage, inventory: () => inventory, clock, log: silentLogger });
	for (; nowMs <= END; nowMs += MINUTE) await budgets.record();

	const board = readBoard(JSON.parse(readFileSync(FILE, 'utf8')));
	if (board === null) throw new Error(`${FILE} is not a board`);
	const scope = await resolveScope(board.variables, {}, async () => ['portal']);
	const engine = createEngine({ queryable: storage, clock: systemClock });
	const values = new Map<string, readonly number[]>();
	for (const panel of sectionsOf(board).flatMap((section) => section.panels)) {
		for (const { expression, refId } of panel.targets) {
			const query = interpolate(expression, scope, builtInValues({ fromMs: END - 15 * MINUTE, toMs: END }, 15));
			const { value } = await engine.instant(query, END);
			const numbers = value.kind === 'vector' ? value.samples.map((sample) => sample.value) : [];
			expect(numbers, `${panel.title}: ${query}`).toHaveLength(1);
			values.set(`${panel.title} ${refId}`, numbers);
		}
	}
	// 40 a minute, ten of which fail; the sample of this very moment belongs to a minute that is not over: 59 of them.
	expect(values.get('请求 A')).toEqual([0.75]);
	expect(values.get('请求 B')).toEqual([2360]);
	expect(values.get('请求 C')).toEqual([590]);
	expect(values.get('每分钟请求 A')).toEqual([40]);
	expect(values.get('每分钟失败 A')).toEqual([10]);
	expect(values.get('允许中断 B')).toEqual([120]);
});
