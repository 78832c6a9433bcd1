import { describe, expect, test } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import { seriesLine } from '../promql/series-notation.ts';
import { createMemoryStorage } from '../storage/memory-storage.ts';
import { reachMs, recordPast } from './recorded-past.ts';
import { parseRuleFile } from './rule-file.ts';

const MINUTE = 60_000;

async function past(rules: string, ...lines: readonly string[]) {
	const storage = createMemoryStorage();
	for (const text of lines) {
		const { labels, values } = seriesLine(text);
		values.forEach((value, i) => {
			if (value !== undefined) storage.add(labels, i * MINUTE, value);
		});
	}
	const { groups } = parseRuleFile(`groups: [{name: g, rules: [${rules}]}]`, 'rules.yml');
	const recordings = (groups[0]?.rules ?? []).flatMap((definition) =>
		definition.kind === 'recording' ? [{ definition, stepMs: MINUTE }] : [],
	);
	const engine = await recordPast(recordings, { queryable: storage, clock: systemClock, fromMs: 0, toMs: 10 * MINUTE });
	return async (query: string) => {
		const { value } = await engine.range(query, 0, 10 * MINUTE, MINUTE);
		return value.kind === 'matrix'
			? value.series.map(({ labels, timestamps }) => [labels.join('|'), [...timestamps].map((t) => t / MINUTE)])
			: [];
	};
}

describe('the past with what rules record', () => {
	test('ends a recorded series where its expression gives nothing, not five minutes later', async () => {
		const ask = await past('{record: r, expr: x > 0}', 'x 0 1 1 0 0 0 0 0 1 1 1');
		expect(await ask('r')).toEqual([['__name__|r', [1, 2, 8, 9, 10]]]);
	});

	test('hides what is stored under the same name, and nothing else', async () => {
		const ask = await past('{record: r, expr: x + 1, labels: {k: v}}', 'x 1 1 1', 'r{old="yes"} 5 5 5', 's 7 7 7');
		expect((await ask('r')).map(([labels]) => labels)).toEqual(['__name__|r|k|v']);
		expect((await ask('{__name__=~"r|s"}')).map(([labels]) => labels)).toEqual(['__name__|r|k|v', '__name__|s']);
		expect(await ask('r offset 1m + on() s')).not.toEqual([]);
	});

	test('reaches back through ranges, offsets and subqueries', () => {
		const reach = (expr: string) => {
			const { groups } = parseRuleFile(`groups: [{name: g, rules: [{record: r, expr: '${expr}'}]}]`, 'rules.yml');
			return reachMs(groups[0]?.rules[0]?.expr ?? { kind: 'number', value: 0, span: { start: 0, end: 0 } }) / MINUTE;
		};
		expect(reach('a')).toBe(5);
		expect(reach('rate(a[10m] offset 1h)')).toBe(75);
		expect(reach('max_over_time(rate(a[5m])[1h:1m])')).toBe(70);
	});
});
