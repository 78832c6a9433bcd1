import { expect, test } from 'vitest';
import { labelsFromObject } from '../../core/labels.ts';
import { createMemoryStorage } from '../storage/memory-storage.ts';
import { ReusedMemory, readCheckSamples, samplesBetween } from './check-samples.ts';
import { DEGRADED, DOWN, UP } from './check-timeline.ts';

async function read(
	series: readonly {
		readonly labels: Readonly<Record<string, string>>;
		readonly samples: readonly (readonly [number, number | 'stale'])[];
	}[],
) {
	const storage = createMemoryStorage();
	const appender = storage.appender();
	for (const { labels, samples } of series) {
		const set = labelsFromObject({ __name__: 'probe_success', check: 'c', vantage: 'v', instance: 'x', ...labels });
		for (const [time, value] of samples) {
			if (value === 'stale') appender.appendStale(set, time);
			else appender.append(set, time, value);
		}
	}
	await appender.commit();
	const checks = await readCheckSamples(storage, ['c'], { fromMs: 0, toMs: 100 });
	return [...(checks.get('c') ?? [])].map(([vantage, { times, results }]) => [vantage, [...times], [...results]]);
}

test('a stale marker is no result', async () => {
	expect(
		await read([
			{
				labels: {},
				samples: [
					[1, 1],
					[2, 'stale'],
					[3, 0],
					[4, Number.NaN],
					[5, 0.5],
				],
			},
		]),
	).toEqual([['v', [1, 3, 4, 5], [UP, DOWN, DOWN, DOWN]]]);
});

test('a target that has moved is one check; where both have a time, there is one result', async () => {
	expect(
		await read([
			{
				labels: { instance: 'a' },
				samples: [
					[1, 1],
					[2, 1],
					[5, 0],
				],
			},
			{
				labels: { instance: 'b' },
				samples: [
					[2, 0],
					[3, 1],
					[4, 1],
					[9, 1],
				],
			},
			{ labels: { vantage: 'w' }, samples: [[7, 1]] },
		]),
	).toEqual([
		['v', [1, 2, 3, 4, 5, 9], [UP, DOWN, UP, UP, DOWN, UP]],
		['w', [7], [UP]],
	]);
});

test('good but slow is degraded, failed and slow is failed', async () => {
	const weak = { __name__: 'fournines_check_degraded' };
	expect(
		await read([
			{
				labels: {},
				samples: [
					[1, 1],
					[2, 0],
					[3, 1],
					[4, 1],
				],
			},
			{
				labels: weak,
				samples: [
					[1, 1],
					[2, 1],
					[3, 0],
					[4, 1],
					[5, 1],
				],
			},
			{ labels: { ...weak, vantage: 'nobody' }, samples: [[1, 1]] },
		]),
	).toEqual([['v', [1, 2, 3, 4], [DEGRADED, DOWN, UP, DEGRADED]]]);
});

test('pieces are joined between any two times', () => {
	const piece = (...times: number[]) => ({ times: Float64Array.from(times), results: Uint8Array.from(times, (time) => time % 3) });
	const pieces = [piece(1, 2, 3), piece(), piece(4, 6), piece(9)];
	const all = [1, 2, 3, 4, 6, 9];
	for (let from = 0; from <= 10; from++) {
		for (let to = from; to <= 10; to++) {
			const { times, results } = samplesBetween(pieces, from, to);
			expect([...times]).toEqual(all.filter((time) => time >= from && time <= to));
			expect([...results]).toEqual([...times].map((time) => time % 3));
		}
	}
});

test('memory that is in use is not given away twice', () => {
	const memory = new ReusedMemory();
	const first = memory.take(10);
	const second = memory.take(5);
	expect(second).not.toBe(first);
	memory.reuse();
	expect([first, second]).toContain(memory.take(4));
	expect(memory.take(20).times.length).toBeGreaterThanOrEqual(20);
});
