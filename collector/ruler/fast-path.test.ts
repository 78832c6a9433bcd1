import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { labelsFromObject } from '../../core/labels.ts';
import { silentLogger } from '../../core/log.ts';
import { createManualClock, type ManualClock } from '../../tests/harness/manual-clock.ts';
import { type TemporaryFolder, temporaryFolder } from '../../tests/harness/process.ts';
import { createEngine, type Engine } from '../promql/engine.ts';
import { createMemoryStorage, type MemoryStorage } from '../storage/memory-storage.ts';
import { createRuler, type Ruler } from './ruler.ts';
import { groupOffset, slotAt } from './schedule.ts';

const RULES = `groups:
  - name: checks
    interval: 1m
    rules:
      - {record: 'check:down', expr: 'probe_success == bool 0'}
      - {alert: CheckFailed, expr: probe_success == 0}
      - {alert: CheckFailedLong, expr: probe_success == 0, for: 90s}
      - {alert: Recorded, expr: 'max by (check) ({__name__=~"check:.*"}) == 1'}
      - {record: other, expr: vector(1)}
  - name: elsewhere
    interval: 1m
    rules:
      - {alert: Elsewhere, expr: 'check:down == 1'}
  - name: later
    interval: 1m
    query_offset: 30s
    rules:
      - {alert: Later, expr: probe_success == 0}
`;

let folder: TemporaryFolder;
let clock: ManualClock;
let storage: MemoryStorage;
let engine: Engine;
let sent: { readonly name: string; readonly atMs: number }[];
let ruler: Ruler;

beforeEach(async () => {
	folder = temporaryFolder('fast-path');
	clock = createManualClock();
	storage = createMemoryStorage();
	engine = createEngine({ queryable: storage, clock });
	sent = [];
	ruler = createRuler({
		engine,
		appendable: storage,
		sink: async (alerts) => {
			for (const { labels, endsAtMs } of alerts)
				if ((endsAtMs ?? 0) > clock.now()) sent.push({ name: labels['alertname'] ?? '', atMs: clock.now() });
		},
		clock,
		log: silentLogger,
		metrics: new Registry(),
		externalUrl: '',
	});
	const file = join(folder.path, 'rules.yml');
	writeFileSync(file, RULES);
	await ruler.load([file]);
	ruler.start();
	// Slots lie where the hash of the file's name puts them: begin where none is near.
	await clock.advance(60_000);
	while (ruler.groups().some((group) => slotNear(group.definition.file, group.definition.name))) await clock.advance(1000);
});

function slotNear(file: string, name: string): boolean {
	const offsetMs = groupOffset(file, name, 60_000);
	return slotAt(clock.now(), 60_000, offsetMs) !== slotAt(clock.now() + 5000, 60_000, offsetMs);
}

afterEach(async () => {
	await ruler.stop();
	folder.remove();
});

function check(value: number): void {
	storage.add(labelsFromObject({ __name__: 'probe_success', check: 'a' }), clock.now(), value);
	ruler.notifySamples(['node_load1', 'probe_success']);
}

const rule = (name: string) =>
	ruler
		.groups()
		.flatMap((group) => group.rules)
		.find(({ definition }) => definition.name === name);

describe('a check that fails', () => {
	test('fires soon after its sample, together with what depends on it', async () => {
		const arrivedMs = clock.now();
		check(0);
		await clock.advance(199);
		expect(sent).toEqual([]);
		await clock.advance(1);
		expect(sent.map(({ name }) => name)).toEqual(['CheckFailed', 'Recorded', 'Elsewhere']);
		expect(new Set(sent.map(({ atMs }) => atMs - arrivedMs))).toEqual(new Set([200]));
		expect(rule('CheckFailedLong')?.alerting?.state).toBe('pending');
		expect(rule('other')?.fastMs).toBeNull();
		expect(rule('Later')?.fastMs).toBeNull();
	});

	test('begins the time that a rule waits', async () => {
		const arrivedMs = clock.now();
		check(0);
		await clock.advance(60_000);
		expect(rule('CheckFailedLong')?.alerting?.state).toBe('pending');
		check(0);
		await clock.advance(91_000);
		expect(rule('CheckFailedLong')?.alerting?.state).toBe('firing');
		const alert = [...(rule('CheckFailedLong')?.alerting?.active.values() ?? [])][0];
		expect(alert?.activeAtMs).toBe(arrivedMs + 200);
	});

	test('and comes back is told as soon', async () => {
		check(0);
		await clock.advance(2000);
		check(1);
		await clock.advance(200);
		expect(rule('CheckFailed')?.alerting?.state).toBe('inactive');
	});
});

test('samples that come together are judged once, and those that trickle in not more often than once a second', async () => {
	const seen = new Set<number>();
	for (let i = 0; i < 40; i++) {
		check(1);
		await clock.advance(50);
		const fastMs = rule('CheckFailed')?.fastMs ?? null;
		if (fastMs !== null) seen.add(fastMs);
	}
	// Two seconds: at 0.2 s and 1.2 s.
	expect([...seen].map((ms) => ms % 1000)).toHaveLength(2);
});

test('a sample that comes during an evaluation is judged by the next', async () => {
	check(1);
	await clock.advance(100);
	check(0);
	await clock.advance(3000);
	expect(rule('CheckFailed')?.alerting?.state).toBe('firing');
});

test('slots go on beside it', async () => {
	for (let i = 0; i < 300; i++) {
		check(0);
		await clock.advance(997);
	}
	expect(clock.now() - (ruler.groups()[0]?.lastEvaluationMs ?? 0)).toBeLessThanOrEqual(60_000);
	expect(clock.now() - (rule('other')?.lastEvaluationMs ?? 0)).toBeLessThanOrEqual(60_000);
});

test.each([
	{ name: 'a slot that comes late does not go back behind it', slotAfterMs: -5, evaluated: false },
	{ name: 'the next slot is evaluated', slotAfterMs: 59_995, evaluated: true },
	{ name: 'a clock that was set back does not stop the rules', slotAfterMs: -3_600_000, evaluated: true },
])('$name', async ({ slotAfterMs, evaluated }) => {
	const [group] = ruler.groups();
	const fastMs = clock.now() + 5;
	await group?.evaluateBetweenSlots(fastMs, new Set(group.rules.slice(0, 1)), new AbortController().signal);
	await group?.evaluate(fastMs + slotAfterMs);
	expect(group?.rules.map(({ lastEvaluationMs }) => (lastEvaluationMs ?? 0) - fastMs)).toEqual([
		evaluated ? slotAfterMs : 0,
		slotAfterMs,
		slotAfterMs,
		slotAfterMs,
		slotAfterMs,
	]);
});

test.each([
	{ name: 'a metric that no check sends', metrics: ['node_load1'] },
	{ name: 'nothing', metrics: [] },
])('$name evaluates nothing', async ({ metrics }) => {
	storage.add(labelsFromObject({ __name__: 'probe_success', check: 'a' }), clock.now(), 0);
	ruler.notifySamples(metrics);
	await clock.advance(5000);
	expect(rule('CheckFailed')?.fastMs).toBeNull();
});

test('nothing is evaluated after the stop', async () => {
	check(0);
	await ruler.stop();
	ruler.notifySamples(['probe_success']);
	await clock.advance(5000);
	expect(sent).toEqual([]);
});
