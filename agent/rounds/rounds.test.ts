import { afterEach, expect, test } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import { formatLabels, labelValue } from '../../core/labels.ts';
import { silentLogger } from '../../core/log.ts';
import type { WriteSeries } from '../../protocol/remote-write/write-series.ts';
import { waitFor } from '../../tests/harness/process.ts';
import { type Input, type MetricFamily, singleGauge } from '../inputs/input.ts';
import { Rounds } from './rounds.ts';
import { SeriesTracker } from './series-tracker.ts';

let running: Rounds | null = null;
afterEach(async () => {
	await running?.stop();
	running = null;
});

function source(name: string, collect: Input['collect'], options: Partial<Input> = {}): Input {
	return {
		name,
		target: { job: name, instance: `${name}:1`, host: 'h' },
		intervalMs: 20,
		timeoutMs: 30,
		onFailure: [singleGauge(`${name}_up`, '', 0)],
		collect,
		close: async () => {},
		...options,
	};
}

function run(inputs: readonly Input[], onMissed: (input: string) => void = () => {}): WriteSeries[] {
	const written: WriteSeries[] = [];
	running = new Rounds({
		inputs,
		agentTarget: { job: 'agent', host: 'h' },
		// The series are the same objects in the next round.
		sink: (batch) => written.push(...structuredClone(batch)),
		onMissed,
		clock: systemClock,
		log: silentLogger,
		phase: 0,
	});
	running.start();
	return written;
}

const of = (written: readonly WriteSeries[], name: string, instance = '') =>
	written.filter(
		({ labels }) => labelValue(labels, '__name__') === name && (instance === '' || labelValue(labels, 'instance') === instance),
	);

test('a source that vanishes ends its series with stale markers and says up 0', async () => {
	let broken = false;
	const written = run([
		source('a', async () => {
			if (broken) throw new Error('gone');
			return [singleGauge('a_up', '', 1), singleGauge('a_value', '', 7)];
		}),
	]);
	await waitFor('a value', () => of(written, 'a_value').length > 0);
	broken = true;
	const stale = await waitFor('the marker', () => of(written, 'a_value').find(({ samples }) => samples[0]?.stale === true));
	expect(formatLabels(stale.labels)).toBe('a_value{host="h", instance="a:1", job="a"}');
	expect(of(written, 'a_up').at(-1)?.samples[0]?.value).toBe(0);
	expect(of(written, 'fournines_agent_input_up').at(-1)?.samples[0]?.value).toBe(0);
	expect(of(written, 'a_up').some(({ samples }) => samples[0]?.stale === true)).toBe(false);
	broken = false;
	await waitFor('the value to return', () => of(written, 'a_value').at(-1)?.samples[0]?.value === 7);
});

test('a hung source costs only itself, and is never asked twice at a time', async () => {
	let asked = 0;
	let missed = 0;
	const written = run(
		[
			source('hung', () => {
				asked++;
				return new Promise<readonly MetricFamily[]>(() => {});
			}),
			source('good', async () => [singleGauge('good_up', '', 1)]),
		],
		() => {
			missed++;
		},
	);
	await waitFor('skipped rounds', () => missed >= 3 && of(written, 'good_up').length > 3);
	expect(asked).toBe(1);
	expect(of(written, 'hung_up').every(({ samples }) => samples[0]?.value === 0)).toBe(true);
	expect(of(written, 'fournines_agent_input_up', 'good:1').every(({ samples }) => samples[0]?.value === 1)).toBe(true);
});

test('the deadline aborts the collection', async () => {
	let aborted = false;
	run([
		source(
			'slow',
			(signal) =>
				new Promise((_, reject) => {
					signal.addEventListener('abort', () => {
						aborted = true;
						reject(new Error('aborted'));
					});
				}),
		),
	]);
	await waitFor('the abort', () => aborted);
});

test('samples carry the time at which the collection began', async () => {
	const begun = new Set<number>();
	const written = run([
		source('a', async (_signal, nowMs) => {
			begun.add(nowMs);
			await systemClock.sleep(5);
			return [singleGauge('a_value', '', 1)];
		}),
	]);
	await waitFor('a value', () => of(written, 'a_value').length > 0);
	expect(of(written, 'a_value').every(({ samples }) => begun.has(samples[0]?.timestampMs as number))).toBe(true);
});

test('what is read at the same time is told at once, in the order of the inputs; one that is slow holds up nobody for long', async () => {
	let finish = () => {};
	const told: (readonly string[])[] = [];
	const hung = async () => {
		await new Promise<void>((resolve) => {
			finish = resolve;
		});
		return [singleGauge('hung_up', '', 1)];
	};
	const slow = async () => {
		await systemClock.sleep(10);
		return [singleGauge('slow_up', '', 1)];
	};
	const once = { intervalMs: 60_000, timeoutMs: 50_000 };
	running = new Rounds({
		inputs: [source('slow', slow, once), source('hung', hung, once), source('quick', async () => [singleGauge('quick_up', '', 1)], once)],
		agentTarget: { job: 'agent' },
		sink: (batch) =>
			told.push(batch.map(({ labels }) => labelValue(labels, '__name__')).filter((name) => /^(slow|hung|quick)_/.test(name))),
		onMissed: () => {},
		clock: systemClock,
		log: silentLogger,
		phase: 0,
	});
	running.start();
	await waitFor('the two', () => told.length > 0);
	expect(told).toEqual([['slow_up', 'quick_up']]);
	finish();
	await waitFor('the last', () => told.length > 1);
	expect(told).toEqual([['slow_up', 'quick_up'], ['hung_up']]);
});

test('a source that is quicker than the others are slow loses none of its rounds', async () => {
	let count = 0;
	const written = run([
		source('quick', async () => [singleGauge('quick_count', '', ++count)]),
		source('hung', () => new Promise<readonly MetricFamily[]>(() => {}), { intervalMs: 60_000, timeoutMs: 50_000 }),
	]);
	await waitFor('some rounds', () => of(written, 'quick_count').length >= 8);
	const values = of(written, 'quick_count').map(({ samples }) => samples[0]?.value);
	expect(values).toEqual(values.map((_, i) => i + 1));
});

test('what was read when it is stopped is still told', async () => {
	const written = run([
		source('quick', async () => [singleGauge('quick_up', '', 1)], { intervalMs: 60_000 }),
		source('hung', () => new Promise<readonly MetricFamily[]>(() => {}), { intervalMs: 60_000, timeoutMs: 50_000 }),
	]);
	await systemClock.sleep(20);
	await running?.stop();
	expect(of(written, 'quick_up')).toHaveLength(1);
});

test('target labels win, and a measurement that comes twice is taken once', () => {
	const tracker = new SeriesTracker({ job: 'mine', system: '' });
	const family: MetricFamily = {
		name: 'm',
		type: 'gauge',
		help: '',
		measurements: [
			{ labels: ['job', 'theirs', 'a', '1'], value: 1 },
			{ labels: ['job', 'theirs', 'a', '1'], value: 2 },
		],
	};
	expect(tracker.update([family], 5).map(({ labels, samples }) => [formatLabels(labels), samples])).toEqual([
		['m{a="1", job="mine"}', [{ timestampMs: 5, value: 1 }]],
	]);
	expect([...tracker.current()].map(({ value }) => value)).toEqual([1]);
});
