import fc from 'fast-check';
import { expect, test } from 'vitest';
import { labelsKey } from '../../core/labels.ts';
import { FamilySet, type MetricFamily } from '../inputs/input.ts';
import { SeriesTracker } from './series-tracker.ts';

const family = (name: string, entries: readonly (readonly [string, number])[]): MetricFamily => ({
	name,
	type: 'gauge',
	help: '',
	measurements: entries.map(([label, value]) => ({ labels: ['a', label], value })),
});

test('whatever comes, goes, or changes its place, every round says each series once and ends those that are gone', () => {
	const round = fc.array(fc.tuple(fc.constantFrom('m', 'n'), fc.constantFrom('1', '2', '3', '4', '5'), fc.integer()), { maxLength: 8 });
	fc.assert(
		fc.property(fc.array(round, { maxLength: 12 }), (rounds) => {
			const tracker = new SeriesTracker({ job: 'x' });
			let before = new Set<string>();
			for (const entries of rounds) {
				const names = [...new Set(entries.map(([name]) => name))];
				const families = names.map((name) =>
					family(
						name,
						entries.filter((entry) => entry[0] === name).map(([, label, value]) => [label, value] as const),
					),
				);
				const expected = new Map<string, number>();
				for (const [name, label, value] of entries) {
					const key = labelsKey(['__name__', name, 'a', label, 'job', 'x']);
					if (!expected.has(key)) expected.set(key, value);
				}
				const written = tracker.update(families, 7);
				const values = new Map(
					written
						.filter((series) => series.samples[0]?.stale !== true)
						.map((series) => [labelsKey(series.labels), series.samples[0]?.value]),
				);
				expect(values).toEqual(expected);
				const ended = written.filter((series) => series.samples[0]?.stale === true).map((series) => labelsKey(series.labels));
				expect(ended.sort()).toEqual([...before].filter((key) => !expected.has(key)).sort());
				expect(new Map([...tracker.current()].map((series) => [labelsKey(series.labels), series.value]))).toEqual(expected);
				before = new Set(expected.keys());
			}
		}),
		{ numRuns: 200 },
	);
});

test('the parts of a histogram are series of their own under the name of the family', () => {
	const tracker = new SeriesTracker({});
	const families = new FamilySet();
	families.histogram('t_seconds', 'help', {
		labels: ['route', 'r'],
		bucketLabels: [
			['route', 'r', 'le', '1'],
			['route', 'r', 'le', '+Inf'],
		],
		counts: [1, 3],
		sum: 9,
	});
	const written = tracker.update(families.list(), 1).map((series) => [series.labels.join(' '), series.type, series.samples[0]?.value]);
	expect(written).toEqual([
		['__name__ t_seconds_bucket le 1 route r', 'histogram', 1],
		['__name__ t_seconds_bucket le +Inf route r', 'histogram', 3],
		['__name__ t_seconds_sum route r', 'histogram', 9],
		['__name__ t_seconds_count route r', 'histogram', 3],
	]);
	expect([...tracker.current()].map((series) => series.name)).toEqual(['t_seconds', 't_seconds', 't_seconds', 't_seconds']);
});

test('parts with the same labels are not taken for each other when one is missing', () => {
	const tracker = new SeriesTracker({});
	const part = (suffix: '_sum' | '_count', value: number) => ({ labels: ['a', '1'], value, suffix });
	const round = (measurements: readonly ReturnType<typeof part>[]) =>
		tracker
			.update([{ name: 't', type: 'histogram', help: '', measurements }], 1)
			.map((series) => [series.labels[1], series.samples[0]?.value]);
	round([part('_sum', 5), part('_count', 2)]);
	expect(round([part('_count', 3)])).toEqual([
		['t_count', 3],
		['t_sum', Number.NaN],
	]);
});
