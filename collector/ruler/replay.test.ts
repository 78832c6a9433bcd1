import { describe, expect, test } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import { formatLabels, labelsFromObject } from '../../core/labels.ts';
import { createEngine } from '../promql/engine.ts';
import { seriesLine } from '../promql/series-notation.ts';
import { createMemoryStorage } from '../storage/memory-storage.ts';
import { compareFirings, type Firing, type ReplayedRule, type ReplayOptions, replayRule, summarise } from './replay.ts';

const MINUTE = 60_000;

function past(...lines: readonly string[]): ReplayOptions {
	const storage = createMemoryStorage();
	let last = 0;
	for (const text of lines) {
		const { labels, values } = seriesLine(text);
		values.forEach((value, i) => {
			if (value !== undefined) storage.add(labels, i * MINUTE, value);
		});
		last = Math.max(last, values.length - 1);
	}
	const engine = createEngine({ queryable: storage, clock: systemClock });
	return {
		ranges: async (query, startMs, endMs, stepMs) => {
			const { value } = await engine.range(query, startMs, endMs, stepMs);
			return value.kind === 'matrix' ? value.series : [];
		},
		fromMs: 0,
		toMs: last * MINUTE,
		stepMs: MINUTE,
	};
}

function rule(query: string, more: Partial<ReplayedRule> = {}): ReplayedRule {
	return { name: 'A', query, forMs: 0, keepFiringForMs: 0, labels: {}, ...more };
}

/** Minutes of each firing. */
function spans(firings: readonly Firing[]): readonly (readonly [number, number | null])[] {
	return firings.map(({ fromMs, toMs }) => [fromMs / MINUTE, toMs === null ? null : toMs / MINUTE]);
}

describe('a rule over the past', () => {
	test.each([
		{ name: 'fires while its condition holds', values: '1 1 0 0 0 1 1', change: {}, want: [[2, 5]] },
		{ name: 'waits as long as it says', values: '1 1 0 0 0 1 1', change: { forMs: 2 * MINUTE }, want: [[4, 5]] },
		{ name: 'forgets a short one', values: '1 1 0 0 1 1 1', change: { forMs: 2 * MINUTE }, want: [] },
		{ name: 'keeps firing as long as it says', values: '0 1 0 1 1 1', change: { keepFiringForMs: 2 * MINUTE }, want: [[0, 5]] },
		{
			name: 'fires twice',
			values: '0 1 0 1',
			change: {},
			want: [
				[0, 1],
				[2, 3],
			],
		},
		{ name: 'still fires', values: '1 0 0', change: {}, want: [[1, null]] },
		{ name: 'ends with its series', values: '0 0 stale _', change: {}, want: [[0, 2]] },
		{ name: 'would not have fired', values: '1 1 1', change: {}, want: [] },
	])('$name', async ({ values, change, want }) => {
		expect(spans(await replayRule(rule('up == 0', change), past(`up ${values}`)))).toEqual(want);
	});

	test('names series and rule, but no template', async () => {
		const labels = { severity: 'critical', note: '{{ $value }}' };
		const [firing] = await replayRule(rule('up == 0', { labels }), past('up{instance="a"} 0 1'));
		expect(formatLabels(firing?.labels ?? [])).toBe('{alertname="A", instance="a", severity="critical"}');
	});

	test('is asked in parts that a range query gives, and goes on over their borders', async () => {
		const asked: (readonly [number, number])[] = [];
		const firings = await replayRule(rule('up == 0', { forMs: MINUTE }), {
			ranges: async (_query, startMs, endMs, stepMs) => {
				asked.push([startMs, endMs]);
				const timestamps = Array.from({ length: (endMs - startMs) / stepMs + 1 }, (_, i) => startMs + i * stepMs);
				return [{ labels: [], timestamps, values: timestamps.map(() => 0) }];
			},
			fromMs: 0,
			toMs: 25_000 * 1000,
			stepMs: 1000,
		});
		expect(asked.map(([from, to]) => (to - from) / 1000 + 1)).toEqual([10_000, 10_000, 5001]);
		expect(spans(firings)).toEqual([[1, null]]);
	});
});

test('the difference is what only one of two rules tells', () => {
	const firing = (instance: string, fromMs: number, toMs: number | null): Firing => ({
		labels: labelsFromObject({ alertname: 'A', instance, severity: fromMs > 50 ? 'critical' : 'info' }),
		fromMs,
		toMs,
	});
	const proposed = [firing('a', 0, 10), firing('b', 0, 10), firing('a', 100, null)];
	const present = [firing('a', 5, 20), firing('b', 60, 70), firing('a', 120, 130)];
	const { added, removed } = compareFirings(proposed, present, 200);
	expect(added).toEqual([proposed[1]]);
	expect(removed).toEqual([present[1]]);
	expect(summarise(proposed, 200)).toEqual({ count: 3, totalMs: 120, longestMs: 100 });
});
