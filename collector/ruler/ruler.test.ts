import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import { labelsFromObject } from '../../core/labels.ts';
import { silentLogger } from '../../core/log.ts';
import type { PostedAlert } from '../../protocol/alert.ts';
import { createManualClock } from '../../tests/harness/manual-clock.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../../tests/harness/process.ts';
import { createEngine, type Engine } from '../promql/engine.ts';
import { createMemoryStorage, type MemoryStorage } from '../storage/memory-storage.ts';
import type { Appendable } from '../storage/storage.ts';
import { createRuler, type Ruler, type RulerOptions } from './ruler.ts';

const T0 = 1_700_000_000_000;
const MINUTE = 60_000;

let folder: TemporaryFolder;
let storage: MemoryStorage;
let engine: Engine;
let sent: PostedAlert[];
let sinkFails: boolean;
let metrics: Registry;

beforeEach(() => {
	folder = temporaryFolder('ruler');
	storage = createMemoryStorage();
	engine = createEngine({ queryable: storage, clock: systemClock });
	sent = [];
	sinkFails = false;
	metrics = new Registry();
});

afterEach(() => folder.remove());

function newRuler(more: Partial<RulerOptions> = {}): Ruler {
	return createRuler({
		engine,
		appendable: storage,
		sink: async (alerts) => {
			if (sinkFails) throw new Error('the sink is away');
			sent.push(...alerts);
		},
		clock: systemClock,
		log: silentLogger,
		metrics,
		externalUrl: 'http://monitor.example',
		externalLabels: { site: 'chengdu' },
		...more,
	});
}

function file(name: string, text: string): string {
	const path = join(folder.path, name);
	writeFileSync(path, text);
	return path;
}

async function loaded(text: string): Promise<Ruler> {
	const ruler = newRuler();
	await ruler.load([file('rules.yml', text)]);
	return ruler;
}

function put(name: string, labels: Readonly<Record<string, string>>, timeMs: number, value: number): void {
	storage.add(labelsFromObject({ __name__: name, ...labels }), timeMs, value);
}

async function value(query: string, timeMs: number): Promise<readonly [string, number][]> {
	const { value: result } = await engine.instant(query, timeMs);
	if (result.kind !== 'vector') throw new Error(result.kind);
	return result.samples.map((sample) => [sample.labels.join('|'), sample.value]);
}

const DOWN = `groups:
  - name: g
    interval: 1m
    rules:
      - alert: Down
        expr: up == 0
        for: 2m
        keep_firing_for: 1m
        labels: {severity: critical, where: "{{ $labels.instance }}@{{ $externalLabels.site }}"}
        annotations: {summary: "{{ $labels.instance }} reads {{ $value }}"}
`;

describe('an alert', () => {
	test('is pending for its time, fires, is repeated, and resolves', async () => {
		const ruler = await loaded(DOWN);
		const at = async (minute: number, up: number) => {
			put('up', { instance: 'a' }, T0 + minute * MINUTE, up);
			sent.length = 0;
			await ruler.evaluateOnce(T0 + minute * MINUTE);
			return sent;
		};
		expect(await at(0, 1)).toEqual([]);
		expect(await at(1, 0)).toEqual([]);
		expect(await value('ALERTS', T0 + MINUTE)).toEqual([
			['__name__|ALERTS|alertname|Down|alertstate|pending|instance|a|severity|critical|where|a@chengdu', 1],
		]);
		expect(await at(2, 0)).toEqual([]);
		expect(await at(3, 0)).toEqual([
			{
				labels: { site: 'chengdu', alertname: 'Down', instance: 'a', severity: 'critical', where: 'a@chengdu' },
				annotations: { summary: 'a reads 0' },
				startsAtMs: T0 + 3 * MINUTE,
				endsAtMs: T0 + 7 * MINUTE,
				generatorUrl: 'http://monitor.example/graph?g0.expr=up+%3D%3D+0&g0.tab=1',
			},
		]);
		expect(await value('ALERTS_FOR_STATE', T0 + 3 * MINUTE)).toEqual([
			['__name__|ALERTS_FOR_STATE|alertname|Down|instance|a|severity|critical|where|a@chengdu', T0 / 1000 + 60],
		]);
		expect((await at(4, 0)).map((alert) => alert.startsAtMs)).toEqual([T0 + 3 * MINUTE]);
		// Gone, but kept for a minute.
		expect((await at(5, 1)).map((alert) => alert.endsAtMs)).toEqual([T0 + 9 * MINUTE]);
		expect((await at(6, 1)).map((alert) => alert.endsAtMs)).toEqual([T0 + 6 * MINUTE]);
		expect(await value('ALERTS', T0 + 6 * MINUTE)).toEqual([]);
		// The recovery is repeated for a quarter of an hour and then forgotten.
		expect((await at(21, 1)).map((alert) => alert.endsAtMs)).toEqual([T0 + 6 * MINUTE]);
		expect(await at(22, 1)).toEqual([]);
		expect(await at(23, 1)).toEqual([]);
	});

	test('that clears while pending is dropped without a word', async () => {
		const ruler = await loaded(DOWN);
		put('up', { instance: 'a' }, T0, 0);
		await ruler.evaluateOnce(T0);
		put('up', { instance: 'a' }, T0 + MINUTE, 1);
		await ruler.evaluateOnce(T0 + MINUTE);
		expect(sent).toEqual([]);
		expect(await value('ALERTS', T0 + MINUTE)).toEqual([]);
		expect(ruler.groups()[0]?.rules[0]?.alerting?.state).toBe('inactive');
	});

	test('is handed over again until the sink has taken it, its recovery too', async () => {
		const ruler = await loaded('groups: [{name: g, rules: [{alert: Down, expr: up == 0}]}]');
		put('up', { instance: 'a' }, T0, 0);
		sinkFails = true;
		await ruler.evaluateOnce(T0);
		sinkFails = false;
		await ruler.evaluateOnce(T0 + 5000);
		expect(sent.map((alert) => alert.startsAtMs)).toEqual([T0]);
		put('up', { instance: 'a' }, T0 + 10_000, 1);
		sinkFails = true;
		// Longer than a resolved alert is otherwise kept.
		for (let minute = 1; minute <= 30; minute++) {
			put('up', { instance: 'a' }, T0 + minute * MINUTE, 1);
			await ruler.evaluateOnce(T0 + minute * MINUTE);
		}
		sinkFails = false;
		sent.length = 0;
		await ruler.evaluateOnce(T0 + 31 * MINUTE);
		expect(sent.map((alert) => alert.endsAtMs)).toEqual([T0 + MINUTE]);
		expect(await metrics.getSingleMetricAsString('fournines_ruler_alert_batches_failed_total')).toContain(' 31');
	});

	test('whose template fails still fires and says why', async () => {
		const ruler = await loaded(`groups:
  - name: g
    rules:
      - {alert: A, expr: up == 0, annotations: {summary: '{{ query "nothing" | first | value }}'}}`);
		put('up', {}, T0, 0);
		await ruler.evaluateOnce(T0);
		expect(sent[0]?.annotations['summary']).toMatch(/^<error expanding template: .*first\(\) called on vector with no elements>$/);
	});

	test('can ask the store in a template', async () => {
		const ruler = await loaded(`groups:
  - name: g
    rules:
      - alert: A
        expr: up == 0
        annotations: {summary: '{{ with query (printf "load{instance=%q}" $labels.instance) }}{{ . | first | value | humanize }}{{ else }}none{{ end }}'}`);
		put('up', { instance: 'a' }, T0, 0);
		put('load', { instance: 'a' }, T0, 12_345);
		await ruler.evaluateOnce(T0);
		expect(sent[0]?.annotations).toEqual({ summary: '12.35k' });
	});

	test('with the labels of another is an error that names the rule', async () => {
		const ruler = await loaded('groups: [{name: g, rules: [{alert: A, expr: up == 0, labels: {instance: x}}]}]');
		put('up', { instance: 'a' }, T0, 0);
		put('up', { instance: 'b' }, T0, 0);
		await ruler.evaluateOnce(T0);
		expect(sent).toEqual([]);
		expect(ruler.groups()[0]?.rules[0]).toMatchObject({ health: 'err', lastError: expect.stringContaining('alert "A"') });
	});
});

describe('after a restart', () => {
	test('a firing alert goes on firing since when it did', async () => {
		const before = await loaded(DOWN);
		for (let minute = 0; minute <= 3; minute++) {
			put('up', { instance: 'a' }, T0 + minute * MINUTE, 0);
			await before.evaluateOnce(T0 + minute * MINUTE);
		}
		expect(sent.map((alert) => alert.startsAtMs)).toEqual([T0 + 2 * MINUTE, T0 + 2 * MINUTE]);
		sent.length = 0;
		metrics = new Registry();
		const after = await loaded(DOWN);
		put('up', { instance: 'a' }, T0 + 8 * MINUTE, 0);
		await after.evaluateOnce(T0 + 8 * MINUTE);
		expect(sent.map((alert) => alert.startsAtMs)).toEqual([T0 + 2 * MINUTE]);
	});

	test('a long pending alert does not count the outage, and waits out the grace period', async () => {
		const rules = DOWN.replace('for: 2m', 'for: 30m');
		const before = await loaded(rules);
		for (let minute = 0; minute <= 25; minute += 5) {
			put('up', { instance: 'a' }, T0 + minute * MINUTE, 0);
			await before.evaluateOnce(T0 + minute * MINUTE);
		}
		metrics = new Registry();
		const after = await loaded(rules);
		const resumed = 40;
		for (let minute = resumed; minute <= resumed + 10; minute++) {
			expect(sent, `at minute ${minute}`).toEqual([]);
			put('up', { instance: 'a' }, T0 + minute * MINUTE, 0);
			await after.evaluateOnce(T0 + minute * MINUTE);
		}
		expect(sent.map((alert) => alert.startsAtMs)).toEqual([T0 + (resumed + 10) * MINUTE]);
	});
});

describe('recording rules', () => {
	test('that do not depend on each other are under way at once when that is asked for', async () => {
		put('x', {}, T0, 1);
		put('y', {}, T0, 2);
		const text =
			'groups: [{name: g, rules: [{record: a, expr: x + 1}, {record: b, expr: y + 1}, {record: c, expr: a + b}, {record: d, expr: x + 5}]}]';
		for (const concurrency of [1, 8]) {
			let underWay = 0;
			let most = 0;
			const slow: Appendable = {
				appender: () => {
					const inner = storage.appender();
					return {
						append: (labels, timeMs, number) => inner.append(labels, timeMs, number),
						appendStale: (labels, timeMs) => inner.appendStale(labels, timeMs),
						commit: async () => {
							underWay += 1;
							most = Math.max(most, underWay);
							await new Promise((resolve) => setTimeout(resolve, 20));
							underWay -= 1;
							await inner.commit();
						},
					};
				},
			};
			const ruler = newRuler({ appendable: slow, concurrency });
			await ruler.load([file('rules.yml', text)]);
			await ruler.evaluateOnce(T0 + concurrency);
			expect(await value('c', T0 + concurrency)).toEqual([['__name__|c', 5]]);
			expect(await value('d', T0 + concurrency)).toEqual([['__name__|d', 6]]);
			expect(most).toBe(concurrency === 1 ? 1 : 3);
			expect(await metrics.getSingleMetricAsString('fournines_ruler_group_samples_count')).toContain('} 4');
			metrics = new Registry();
		}
	});

	test('write in order, so that the next rule reads the one before, and mark what vanishes', async () => {
		const ruler = await loaded(`groups:
  - name: g
    rules:
      - {record: "job:up:sum", expr: sum by (job) (up), labels: {level: job}}
      - {record: "all:up:sum", expr: 'sum(job:up:sum)'}`);
		put('up', { job: 'x' }, T0, 1);
		put('up', { job: 'y' }, T0, 2);
		await ruler.evaluateOnce(T0);
		expect(await value('{__name__=~".+:sum"}', T0)).toEqual([
			['__name__|all:up:sum', 3],
			['__name__|job:up:sum|job|x|level|job', 1],
			['__name__|job:up:sum|job|y|level|job', 2],
		]);
		storage.add(labelsFromObject({ __name__: 'up', job: 'y' }), T0 + 1000, null);
		await ruler.evaluateOnce(T0 + 1000);
		expect(await value('{__name__=~".+:sum"}', T0 + 1000)).toEqual([
			['__name__|all:up:sum', 1],
			['__name__|job:up:sum|job|x|level|job', 1],
		]);
	});
});

describe('a reload', () => {
	test('keeps the alerts of rules that stay and marks the series of rules that go', async () => {
		const rule = (limit: number) => `groups:
  - name: g
    rules:
      - {alert: Hot, expr: temperature > ${limit}, for: 5m}
      - {record: "t:max", expr: max(temperature)}`;
		const ruler = await loaded(rule(10));
		put('temperature', { room: 'a' }, T0, 20);
		await ruler.evaluateOnce(T0);
		await ruler.load([file('rules.yml', rule(15).replace(/ +- \{record.*/, ''))]);
		put('temperature', { room: 'a' }, T0 + 5 * MINUTE, 20);
		await ruler.evaluateOnce(T0 + 5 * MINUTE);
		expect(sent.map((alert) => alert.labels['alertname'])).toEqual(['Hot']);
		expect(await value('t:max', T0 + 4 * MINUTE)).toEqual([['__name__|t:max', 20]]);
		expect(await value('t:max', T0 + 5 * MINUTE)).toEqual([]);
	});

	test('of a broken file keeps the old rules and lists everything that is wrong', async () => {
		const ruler = await loaded(DOWN);
		const broken = file(
			'broken.yml',
			`groups:
  - name: disks
    rules:
      - alert: Full
        expr: rate(x)
        annotations: {summary: "{{ $labels.a"}
      - record: "no spaces"
        expr: up +
        for: 5m
  - name: disks
    intervall: 5s
`,
		);
		await expect(ruler.load([broken, join(folder.path, 'absent.yml')])).rejects.toMatchObject({ code: 'FN_RULER_FILES' });
		const message = await ruler.load([broken, join(folder.path, 'absent.yml')]).catch((error: Error) => error.message);
		expect(message).toContain('broken.yml:11');
		expect(message).toContain('did you mean "interval"?');
		expect(message).toContain('absent.yml: the rule file does not exist');
		const mistakes = file('mistakes.yml', (await import('node:fs')).readFileSync(broken, 'utf8').replace('    intervall: 5s\n', ''));
		const all = String(await ruler.load([mistakes]).catch((error: Error) => error.message));
		expect(all).toContain(
			'mistakes.yml:5: groups[0].rules[0].expr: group "disks", rule "Full": could not parse expression: 1:6: parse error: expected type range vector',
		);
		expect(all).toContain(
			'mistakes.yml:6: groups[0].rules[0].annotations.summary: group "disks", rule "Full": template: __alert_Full:1: unclosed action',
		);
		expect(all).toContain('group "disks", rule "no spaces": "no spaces" is not a metric name');
		expect(all).toContain('group "disks", rule "no spaces": could not parse expression: 1:5: parse error');
		expect(all).toContain('"for" is only for alerting rules');
		expect(all).toContain('the group name "disks" occurs twice');
		expect(ruler.groups().map((group) => group.definition.name)).toEqual(['g']);
	});
});

describe('the schedule', () => {
	test('evaluates at slots of the interval until it is stopped', async () => {
		const ruler = await loaded('groups: [{name: g, interval: 50ms, rules: [{record: a, expr: vector(1)}]}]');
		ruler.start();
		await waitFor('three evaluations', async () => {
			const text = await metrics.getSingleMetricAsString('fournines_ruler_evaluations_total');
			return Number(/ (\d+)$/m.exec(text)?.[1] ?? 0) >= 3;
		});
		await ruler.stop();
		const group = ruler.groups()[0];
		const last = group?.lastEvaluationMs ?? 0;
		expect(last).toBeGreaterThan(0);
		const offsets = new Set(
			(await storage.select([], 0, Number.MAX_SAFE_INTEGER)).flatMap((series) => [...series.timestamps].map((time) => time % 50)),
		);
		expect(offsets.size).toBe(1);
	});

	test('counts the iterations that a slow one takes the place of, and goes on at the slots', async () => {
		const clock = createManualClock(T0);
		let release = () => {};
		const ruler = createRuler({
			engine: createEngine({ queryable: storage, clock }),
			appendable: storage,
			// The second time the alert is handed over takes until it is released.
			sink: async () => {
				if (clock.now() > T0 + 60_000) await new Promise<void>((resolve) => (release = resolve));
			},
			clock,
			log: silentLogger,
			metrics,
			externalUrl: '',
			resendDelayMs: 1,
		});
		await ruler.load([file('rules.yml', 'groups: [{name: g, interval: 1m, rules: [{alert: A, expr: vector(1)}]}]')]);
		ruler.start();
		await clock.advance(60_000);
		const [group] = ruler.groups();
		const first = group?.lastEvaluationMs ?? 0;
		expect(first).toBeGreaterThan(T0);
		await clock.advance(4 * MINUTE);
		expect(group?.lastEvaluationMs).toBe(first);
		release();
		await clock.settle();
		await clock.advance(1);
		release();
		await clock.settle();
		expect(await metrics.getSingleMetricAsString('fournines_ruler_iterations_missed_total')).toMatch(/ 2$/m);
		expect(group?.lastEvaluationMs).toBe(first + 4 * MINUTE);
		const stopped = ruler.stop();
		release();
		await stopped;
	});
});
