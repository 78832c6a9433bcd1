import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import { labelsFromObject, labelsKey } from '../../core/labels.ts';
import { engineOver } from '../../tests/harness/differential.ts';
import { DATA_START_MS, generatedSeries, QueryGenerator, seededRandom } from '../../tests/harness/query-generator.ts';
import { createMemoryStorage } from '../storage/memory-storage.ts';
import type { Expr } from './ast.ts';
import { createEngine, type ResultValue } from './engine.ts';
import { parseQuery } from './parser.ts';
import { printExpression } from './printer.ts';

const storage = createMemoryStorage();
for (let i = 0; i < 100; i++) {
	for (const host of ['a', 'b']) storage.add(labelsFromObject({ __name__: 'm', host }), i * 1000, i);
}

/** The tree without positions. */
function bare(expr: Expr): unknown {
	return JSON.parse(JSON.stringify(expr, (key, value) => (key === 'span' || key === 'opSpan' ? undefined : value)));
}

describe('random queries', () => {
	const series = generatedSeries(seededRandom(5));
	const engine = engineOver(series);

	test('give over a range what they give at each of its steps', async () => {
		const random = seededRandom(11);
		const generator = new QueryGenerator(random);
		let compared = 0;
		for (let i = 0; i < 250; i++) {
			const query = generator.query();
			// These mean something else in an instant query, and topk's order does not matter here.
			if (/start\(\)|end\(\)/.test(query)) continue;
			const startMs = DATA_START_MS + 1_500_000 + Math.floor(random() * 1000) * 100;
			const [stepMs, steps] = [37_000, 8];
			const range = await engine.range(query, startMs, startMs + stepMs * (steps - 1), stepMs).catch(() => null);
			for (let step = 0; step < steps; step++) {
				const timeMs = startMs + step * stepMs;
				const instant = await engine.instant(query, timeMs).catch(() => null);
				if (range === null || instant === null) continue;
				compared += 1;
				expect(at(range.value, timeMs), `${query} at ${timeMs}`).toEqual(at(instant.value, timeMs));
			}
		}
		expect(compared).toBeGreaterThan(1000);
	});

	test('print to a text that parses to the same tree', () => {
		const generator = new QueryGenerator(seededRandom(12));
		for (let i = 0; i < 2000; i++) {
			const query = generator.query();
			const expr = parseQuery(query);
			const printed = printExpression(expr);
			expect(bare(parseQuery(printed)), printed).toEqual(bare(expr));
			expect(printExpression(parseQuery(printed))).toBe(printed);
		}
	});

	test('cut up anyhow are refused with a position and never break the parser', () => {
		const generator = new QueryGenerator(seededRandom(13));
		const random = seededRandom(14);
		const noise = [
			'(',
			')',
			'{',
			'}',
			'[',
			']',
			'"',
			"'",
			'`',
			'\\',
			'@',
			' offset ',
			' by ',
			'5m',
			'1e',
			'0x',
			'中',
			'\n',
			'#',
			'=~',
			'!',
			' and ',
			'-',
		];
		for (let i = 0; i < 3000; i++) {
			const query = generator.query();
			const from = Math.floor(random() * query.length);
			const to = from + Math.floor(random() * 4);
			const text = query.slice(0, from) + noise[Math.floor(random() * noise.length)] + query.slice(to);
			checkRefusal(text);
		}
	});

	test('of arbitrary characters are refused with a position', () => {
		fc.assert(
			fc.property(fc.string({ unit: 'grapheme', maxLength: 40 }), (text) => checkRefusal(text)),
			{ numRuns: 500, seed: 1 },
		);
	});
});

function checkRefusal(text: string): void {
	try {
		parseQuery(text);
	} catch (error) {
		expect(error, text).toMatchObject({ code: 'FN_QUERY_PARSE', message: expect.stringMatching(/^\d+:\d+: parse error: ./s) });
	}
}

function at(value: ResultValue, timeMs: number): readonly (readonly [string, number])[] {
	if (value.kind === 'scalar') return [['', value.value]];
	if (value.kind === 'vector') return value.samples.map((sample) => [labelsKey(sample.labels), sample.value] as const).sort(byKey);
	if (value.kind === 'string') return [];
	return value.series
		.flatMap((series) => {
			const index = series.timestamps.indexOf(timeMs);
			return index < 0 ? [] : [[labelsKey(series.labels), series.values[index] as number] as const];
		})
		.sort(byKey);
}

function byKey(a: readonly [string, number], b: readonly [string, number]): number {
	return a[0] < b[0] ? -1 : 1;
}

describe('the parser', () => {
	test.each([
		{ query: '', message: '1:1: parse error: no expression found in input' },
		{ query: '# only a comment', message: '1:1: parse error: no expression found in input' },
		{ query: 'foo bar', message: '1:5: parse error: unexpected identifier "bar"' },
		{ query: 'a +\n  +', message: '2:4: parse error: unexpected end of input' },
		{ query: 'sum(a', message: '1:6: parse error: unclosed left parenthesis' },
		{ query: 'foo{a="b', message: '1:7: parse error: unterminated quoted string' },
		{ query: 'nope(a)', message: '1:1: parse error: unknown function with name "nope"' },
		{ query: 'info(a)', message: '1:1: parse error: unknown function with name "info"' },
		{ query: 'rate(foo)', message: '1:6: parse error: expected type range vector in call to function "rate", got instant vector' },
		{ query: 'rate(foo[5m], 1)', message: '1:1: parse error: expected 1 argument(s) in call to "rate", got 2' },
		{ query: 'label_join(a, "b")', message: '1:1: parse error: expected at least 3 argument(s) in call to "label_join", got 2' },
		{ query: 'round(a, 1, 2)', message: '1:1: parse error: expected at most 2 argument(s) in call to "round", got 3' },
		{ query: '{}', message: '1:1: parse error: vector selector must contain at least one non-empty matcher' },
		{ query: 'x{__name__="y"}', message: '1:1: parse error: metric name must not be set twice: "x" or "y"' },
		{ query: 'foo + bool 1', message: '1:5: parse error: bool modifier can only be used on comparison operators' },
		{ query: '1 == 1', message: '1:3: parse error: comparisons between scalars must use BOOL modifier' },
		{ query: 'foo and 1', message: '1:5: parse error: set operator "and" not allowed in binary scalar expression' },
		{ query: 'a or on(x) group_left b', message: '1:3: parse error: no grouping allowed for "or" operation' },
		{ query: 'a + on(x) group_left(x) b', message: '1:3: parse error: label "x" must not occur in ON and GROUP clause at once' },
		{ query: 'a + on(x) 1', message: '1:3: parse error: vector matching only allowed between instant vectors' },
		{ query: 'foo[5m] + 1', message: '1:1: parse error: binary expression must contain only scalar and instant vector types' },
		{
			query: 'sum(a) offset 5m',
			message: '1:1: parse error: offset modifier must be preceded by an instant vector selector or range vector selector or a subquery',
		},
		{ query: 'a offset 5m offset 5m', message: '1:1: parse error: offset may not be set multiple times' },
		{ query: 'a offset 5m[1m]', message: '1:1: parse error: no offset modifiers allowed before range' },
		{ query: 'foo[0s]', message: '1:5: parse error: duration must be greater than 0' },
		{
			query: 'foo[5m + 1m]',
			message: '1:5: parse error: duration expressions are experimental and not supported; write a plain duration such as 5m',
		},
		{ query: 'a smoothed', message: '1:1: parse error: the modifier "smoothed" is experimental and not supported' },
		{ query: 'a @ Inf', message: '1:5: parse error: timestamp out of bounds for @ modifier: Infinity' },
		{ query: '"\\q"', message: "1:1: parse error: unknown escape sequence '\\q'" },
		{ query: 'topk(a)', message: '1:1: parse error: wrong number of arguments for aggregate expression provided, expected 2, got 1' },
		{ query: `${'('.repeat(2000)}1${')'.repeat(2000)}`, message: /parse error: expression is nested more than 1000 levels deep$/ },
	])('refuses $query', ({ query, message }) => {
		expect(() => parseQuery(query)).toThrow(message);
	});

	test.each([
		{ query: '-1 ^ 2', value: -1 },
		{ query: '2 ^ -1 ^ 2', value: 0.5 },
		{ query: '2 ^ 3 ^ 2', value: 512 },
		{ query: '-2 * 3 + 4 % 3', value: -5 },
		{ query: '1 + 2 * 3 ^ 2 - 4 / 2', value: 17 },
		{ query: '2. + 0X1F + 1_000 + .5 + 2.e1', value: 1053.5 },
		{ query: '5m + 1h30m', value: 5700 },
		{ query: '1 < bool 2 == bool 1', value: 1 },
		{ query: '--1', value: 1 },
	])('reads $query as Prometheus does', async ({ query, value }) => {
		const result = await createEngine({ queryable: storage, clock: systemClock }).instant(query, 0);
		expect(result.value).toMatchObject({ kind: 'scalar', value });
	});
});

describe('limits', () => {
	const engine = createEngine({ queryable: storage, clock: systemClock, sampleLimit: 150, timeoutMs: 5000 });

	test('on samples', async () => {
		await expect(engine.instant('sum_over_time(m[100s])', 99_000)).rejects.toMatchObject({ code: 'FN_QUERY_SAMPLE_LIMIT', status: 422 });
		await expect(engine.instant('m', 3000)).resolves.toMatchObject({ value: { kind: 'vector' } });
		await expect(engine.range('vector(time()) + vector(time())', 0, 99_000, 1000)).rejects.toMatchObject({ code: 'FN_QUERY_SAMPLE_LIMIT' });
	});

	test('on points', async () => {
		await expect(engine.range('1', 0, 11_000_000, 1000)).rejects.toMatchObject({ code: 'FN_QUERY_TOO_MANY_POINTS', status: 400 });
	});

	test('by a flag in shared memory', async () => {
		const cancelFlag = new Int32Array(new SharedArrayBuffer(4));
		Atomics.store(cancelFlag, 0, 1);
		await expect(engine.instant('m', 3000, { cancelFlag })).rejects.toMatchObject({ code: 'FN_QUERY_CANCELLED', status: 503 });
	});

	test('by a signal', async () => {
		const signal = AbortSignal.abort();
		await expect(engine.instant('m', 3000, { signal })).rejects.toMatchObject({ code: 'FN_QUERY_CANCELLED' });
	});

	test('by a deadline', async () => {
		let now = 0;
		const slow = createEngine({
			queryable: storage,
			clock: {
				...systemClock,
				monotonic: () => {
					now += 10;
					return now;
				},
			},
			timeoutMs: 5,
		});
		await expect(slow.instant('m', 3000)).rejects.toMatchObject({ code: 'FN_QUERY_TIMEOUT', status: 503 });
	});
});

describe('annotations', () => {
	const engine = createEngine({ queryable: storage, clock: systemClock });

	test('tell of what is probably not a counter, with the place', async () => {
		expect((await engine.instant('rate(m[10s])', 50_000)).infos).toEqual([
			'PromQL info: metric might not be a counter, name does not end in _total/_sum/_count/_bucket: "m" (1:6)',
		]);
	});

	test('tell of an impossible quantile', async () => {
		expect((await engine.instant('quantile(1.5, m)', 50_000)).warnings).toEqual([
			'PromQL warning: quantile value should be between 0 and 1, got 1.5 (1:10)',
		]);
	});
});
