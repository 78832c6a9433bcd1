import { describe, expect, test } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import { formatLabels, labelsFromObject } from '../../core/labels.ts';
import { createMemoryStorage } from '../storage/memory-storage.ts';
import { createEngine } from './engine.ts';
import { formatFixed, formatSample } from './go-float.ts';
import { formatSeconds } from './result-json.ts';

const storage = createMemoryStorage();
const engine = createEngine({ queryable: storage, clock: systemClock });
const DAY = Date.UTC(2024, 1, 29, 13, 5, 7) / 1000;
[3, 1, 4, 1, 5, 9, 2, 6].forEach((value, i) => {
	storage.add(labelsFromObject({ __name__: 'v', host: 'node10' }), i * 10_000, value);
	storage.add(labelsFromObject({ __name__: 'v', host: 'node9' }), i * 10_000, value * 2);
});
storage.add(labelsFromObject({ __name__: 'v', host: 'odd' }), 70_000, Number.NaN);
storage.add(labelsFromObject({ __name__: 'day' }), 70_000, DAY);

async function ask(query: string): Promise<readonly string[]> {
	const { value } = await engine.instant(query, 70_000);
	if (value.kind !== 'vector') throw new Error(value.kind);
	return value.samples.map((sample) => `${formatLabels(sample.labels)} ${formatSample(sample.value)}`);
}

describe('functions that the scripts of the Prometheus project leave out', () => {
	test.each([
		{ query: 'mad_over_time(v{host="node10"}[80s])', want: ['{host="node10"} 2'] },
		{ query: 'double_exponential_smoothing(v{host="node10"}[80s], 0.5, 0.5)', want: ['{host="node10"} 5.74951171875'] },
		{ query: 'first_over_time(v{host="node10"}[80s])', want: ['v{host="node10"} 3'] },
		{ query: 'stdvar_over_time(v{host="node10"}[30s])', want: ['{host="node10"} 8.222222222222223'] },
		{ query: 'sort(v)', want: ['v{host="node10"} 6', 'v{host="node9"} 12', 'v{host="odd"} NaN'] },
		{ query: 'sort_desc(v)', want: ['v{host="node9"} 12', 'v{host="node10"} 6', 'v{host="odd"} NaN'] },
		{ query: 'sort_by_label(v, "host")', want: ['v{host="node9"} 12', 'v{host="node10"} 6', 'v{host="odd"} NaN'] },
		{ query: 'sort_by_label_desc(v, "host")', want: ['v{host="odd"} NaN', 'v{host="node10"} 6', 'v{host="node9"} 12'] },
		{ query: 'limitk(1, v)', want: ['v{host="node10"} 6'] },
		{ query: 'limit_ratio(1, v)', want: ['v{host="node10"} 6', 'v{host="node9"} 12', 'v{host="odd"} NaN'] },
		{ query: 'limit_ratio(0.5, v) or limit_ratio(-0.5, v)', want: ['v{host="node10"} 6', 'v{host="node9"} 12', 'v{host="odd"} NaN'] },
		{ query: 'limit_ratio(0.5, v) and limit_ratio(-0.5, v)', want: [] },
		{ query: 'clamp(v, 7, 8)', want: ['{host="node10"} 7', '{host="node9"} 8', '{host="odd"} NaN'] },
		{ query: 'clamp(v, 8, 7)', want: [] },
		{ query: 'absent(nothing{a="1", b=~"x", c="2", c!="3"})', want: ['{a="1"} 1'] },
		{ query: 'absent(sum(nothing{a="1"}))', want: ['{} 1'] },
		{ query: 'absent(v)', want: [] },
		{ query: 'absent_over_time(nothing{a="1"}[5m])', want: ['{a="1"} 1'] },
		{ query: 'year(day) * 10000 + month(day) * 100 + day_of_month(day)', want: ['{} 20240229'] },
		{ query: 'hour(day) * 100 + minute(day)', want: ['{} 1305'] },
		{ query: 'day_of_week(day) + day_of_year(day) * 10 + days_in_month(day) * 10000', want: ['{} 290604'] },
		{
			query: 'label_replace(v{host="node9"}, "n", "$num-$1_x-$2$$", "host", "node(?P<num>\\\\d)")',
			want: ['v{host="node9", n="9--$"} 12'],
		},
		{ query: 'label_replace(v{host="node9"}, "host", "", "host", ".*")', want: ['v 12'] },
		{ query: 'count_values("x", v * 1e21)', want: ['{x="12000000000000000000000"} 1', '{x="6000000000000000000000"} 1', '{x="NaN"} 1'] },
		{ query: 'histogram_fraction(0, 1, v)', want: [] },
		{ query: 'min(v) + max(v)', want: ['{} 18'] },
		{ query: '{"v", host="odd"}', want: ['v{host="odd"} NaN'] },
	])('$query', async ({ query, want }) => {
		expect(await ask(query)).toEqual(want);
	});

	test.each([
		{ query: 'label_replace(v, "host", "same", "host", ".*")', message: 'vector cannot contain metrics with the same labelset' },
		{ query: 'label_replace(v, "x", "", "host", "(")', message: 'invalid regular expression in label_replace()' },
		{ query: 'v * on (nope) v', message: 'found duplicate series for the match group {} on the right hand-side of the operation' },
		{ query: 'v * on (nope) group_left vector(1) + v * on (nope) vector(2)', message: 'many-to-one matching must be explicit' },
		{ query: 'double_exponential_smoothing(v[80s], 2, 0.5)', message: 'invalid smoothing factor. Expected: 0 < sf < 1, got: 2.000000' },
		{ query: 'topk(NaN, v)', message: 'overflows int64' },
	])('refuse $query', async ({ query, message }) => {
		await expect(engine.instant(query, 70_000)).rejects.toMatchObject({
			code: 'FN_QUERY_EXECUTION',
			status: 422,
			message: expect.stringContaining(message),
		});
	});

	test('a range vector answers an instant query with its samples, without stale markers and open on the left', async () => {
		storage.add(labelsFromObject({ __name__: 's' }), 0, 1);
		storage.add(labelsFromObject({ __name__: 's' }), 10_000, null);
		storage.add(labelsFromObject({ __name__: 's' }), 20_000, 3);
		const { value } = await engine.instant('s[20s]', 20_000);
		expect(value).toEqual({
			kind: 'matrix',
			series: [{ labels: ['__name__', 's'], timestamps: new Float64Array([20_000]), values: new Float64Array([3]) }],
		});
	});
});

describe('numbers are written as Go writes them', () => {
	test.each([
		[0, '0', '0'],
		[-0, '-0', '-0'],
		[1e-7, '1e-07', '0.0000001'],
		[0.000001, '0.000001', '0.000001'],
		[1e21, '1e+21', '1000000000000000000000'],
		[123456789012345680000, '123456789012345680000', '123456789012345680000'],
		[-1.5e-10, '-1.5e-10', '-0.00000000015'],
		[1.7976931348623157e308, '1.7976931348623157e+308', `17976931348623157${'0'.repeat(292)}`],
		[Number.NaN, 'NaN', 'NaN'],
		[Number.NEGATIVE_INFINITY, '-Inf', '-Inf'],
	])('%d', (value, sample, fixed) => {
		expect(formatSample(value)).toBe(sample);
		expect(formatFixed(value)).toBe(fixed);
	});

	test.each([
		[0, '0'],
		[1500, '1.5'],
		[1_700_000_000_007, '1700000000.007'],
		[-500, '-0.5'],
		[-1500, '-1.5'],
	])('%d ms', (ms, text) => {
		expect(formatSeconds(ms)).toBe(text);
	});
});
