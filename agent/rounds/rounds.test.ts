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
		sink: (batch) => written.push(...batch),
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
	await waitFor('skipped rounds', () => missed >= 3);
	expect(asked).toBe(1);
	expect(of(written, 'hung_up').every(({ samples }) => samples[0]?.value === 0)).toBe(true);
	expect(of(written, 'good_up').length).toBeGreaterThan(3);
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
	let before = 0;
	const written = run([
		source('a', async (_signal, nowMs) => {
			before = nowMs;
			await systemClock.sleep(5);
			return [singleGauge('a_value', '', 1)];
		}),
	]);
	await waitFor('a value', () => of(written, 'a_value').length > 0);
	expect(of(written, 'a_value').some(({ samples }) => samples[0]?.timestampMs === before)).toBe(true);
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
