import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import { labelsFromObject, labelsToObject } from '../../core/labels.ts';
import { silentLogger } from '../../core/log.ts';
import { type TemporaryFolder, temporaryFolder } from '../../tests/harness/process.ts';
import { createEngine } from '../promql/engine.ts';
import { createMemoryStorage, type MemoryStorage } from '../storage/memory-storage.ts';
import type { ThresholdConfig } from './config.ts';
import { createRuler, type Ruler } from './ruler.ts';

const T0 = 1_700_000_000_000;
const RULES = `groups:
  - name: disks
    rules:
      - alert: Full
        expr: 'used / (size > 0) > 0.9'
        labels: {severity: warning}
        annotations: {summary: 'full: {{ $value }}', threshold: '0.9'}
      - {alert: Down, expr: 'up == 0'}
`;

let folder: TemporaryFolder;
let storage: MemoryStorage;
let ruler: Ruler;
let night: boolean;

beforeEach(() => {
	folder = temporaryFolder('thresholds');
	writeFileSync(join(folder.path, 'rules.yml'), RULES);
	storage = createMemoryStorage();
	night = false;
	ruler = createRuler({
		engine: createEngine({ queryable: storage, clock: systemClock }),
		appendable: storage,
		sink: async () => {},
		clock: systemClock,
		log: silentLogger,
		metrics: new Registry(),
		externalUrl: '',
		inCalendar: (id) => (id === 'night' ? night : null),
	});
});

afterEach(() => folder.remove());

const load = (thresholds: readonly ThresholdConfig[]) => ruler.load([join(folder.path, 'rules.yml')], { thresholds });

async function firing(timeMs: number): Promise<Readonly<Record<string, string | undefined>>> {
	for (const [host, used] of Object.entries({ a: 92, b: 92, c: 82, d: 82 })) {
		const labels = { host, system: host < 'c' ? 's1' : 's2' };
		storage.add(labelsFromObject({ __name__: 'used', ...labels }), timeMs, used);
		storage.add(labelsFromObject({ __name__: 'size', ...labels }), timeMs, 100);
	}
	await ruler.evaluateOnce(timeMs);
	const active = ruler.groups().flatMap((group) => group.rules.flatMap((rule) => [...(rule.alerting?.active.values() ?? [])]));
	return Object.fromEntries(
		active
			.filter(({ state }) => state === 'firing')
			.map((alert) => [labelsToObject(alert.labels)['host'] ?? '', alert.annotations['threshold']])
			.sort(),
	);
}

test('each host is held to its own threshold, and the alert says which', async () => {
	await load([
		{ rule: 'Full', value: 0.95, host: 'a' },
		{ rule: 'Full', value: 0.8, system: 's2' },
	]);
	expect(await firing(T0)).toEqual({ b: '0.9', c: '0.8', d: '0.8' });
});

test('a reload sets them anew, and alerts that go on keep their beginning', async () => {
	await load([]);
	expect(await firing(T0)).toEqual({ a: '0.9', b: '0.9' });
	await load([
		{ rule: 'Full', value: 0.5, host: 'b' },
		{ rule: 'Full', value: 0.95 },
	]);
	expect(await firing(T0 + 60_000)).toEqual({ b: '0.5' });
	const alert = [...(ruler.groups()[0]?.rules[0]?.alerting?.active.values() ?? [])].find(({ state }) => state === 'firing');
	expect(alert?.activeAtMs).toBe(T0);
});

test('by night another one holds', async () => {
	await load([{ rule: 'Full', value: 0.99, during: 'night' }]);
	expect(await firing(T0)).toEqual({ a: '0.9', b: '0.9' });
	night = true;
	expect(await firing(T0 + 60_000)).toEqual({});
	night = false;
	expect(await firing(T0 + 120_000)).toEqual({ a: '0.9', b: '0.9' });
});

test('what cannot be is refused with every problem, and the old ones go on', async () => {
	await load([{ rule: 'Full', value: 0.95 }]);
	await expect(
		load([
			{ rule: 'Ful', value: 1 },
			{ rule: 'Down', value: 1 },
			{ rule: 'Full', value: 1, outside: 'nights' },
		]),
	).rejects.toMatchObject({
		code: 'FN_RULER_THRESHOLDS',
		message: [
			'rules.thresholds of the configuration cannot be used:',
			'there is no alert "Ful" in the rule files',
			'alert "Down" has no threshold to replace: it compares with no number by <, <=, > or >=',
			'alert "Full": the inventory has no calendar "nights"',
		].join('\n  '),
	});
	expect(await firing(T0)).toEqual({});
});
