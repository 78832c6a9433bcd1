import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { labelsFromObject, labelsKey, labelValue } from '../../core/labels.ts';
import { createManualClock } from '../../tests/harness/manual-clock.ts';
import { createEngine } from '../promql/engine.ts';
import { parseQuery } from '../promql/parser.ts';
import { createMemoryStorage } from '../storage/memory-storage.ts';
import { rulePart } from './rule-part.ts';
import { isSeparable, separatingLabel } from './separability.ts';

const STEP_MS = 15_000;
const NOW_MS = 100 * STEP_MS;
/** The third host has a label that the others lack, the fourth has no instance. */
const HOSTS: readonly Readonly<Record<string, string>>[] = [
	{ instance: 'a', system: 's1' },
	{ instance: 'b', system: 's1' },
	{ instance: 'c', system: 's2', zone: 'z' },
	{ system: 's2' },
];

const storage = createMemoryStorage();
for (const metric of ['x', 'y', 'z_total'])
	for (const [h, host] of HOSTS.entries())
		for (const disk of ['d1', 'd2'])
			for (let i = 0; i < 60; i++) {
				if (metric === 'y' && (h === 1 || disk === 'd2')) continue;
				const value = metric === 'z_total' ? i * (h + 1) : ((i * (h + 3)) % 7) + (disk === 'd1' ? 0 : 2);
				storage.add(labelsFromObject({ __name__: metric, disk, ...host }), NOW_MS - i * STEP_MS, value);
			}
const engine = createEngine({ queryable: storage, clock: createManualClock() });

async function results(query: string, values?: ReadonlySet<string>): Promise<readonly (readonly [string, string, number])[]> {
	const { value } = await engine.instant(query, NOW_MS, values === undefined ? {} : { within: rulePart('instance', values).matcher });
	if (value.kind !== 'vector') return [['', value.kind, 0]];
	return value.samples
		.map((sample) => [labelsKey(sample.labels), labelValue(sample.labels, 'instance'), sample.value] as const)
		.sort(([a], [b]) => (a < b ? -1 : 1));
}

const labels = fc.constantFrom('instance', 'system', 'disk', 'zone');
const grouping = fc.oneof(
	fc
		.tuple(fc.constantFrom('by', 'without'), fc.uniqueArray(labels, { maxLength: 3 }))
		.map(([word, names]) => `${word} (${names.join(', ')})`),
	fc.constant(''),
);
const matching = fc.oneof(
	fc.constant(''),
	fc
		.tuple(
			fc.constantFrom('on', 'ignoring'),
			fc.uniqueArray(labels, { maxLength: 3 }),
			fc.constantFrom('', ' group_left ()', ' group_left (zone)', ' group_right ()'),
		)
		.map(([word, names, card]) => `${word} (${names.join(', ')})${card}`),
);
const setMatching = fc.oneof(
	fc.constant(''),
	fc
		.tuple(fc.constantFrom('on', 'ignoring'), fc.uniqueArray(labels, { maxLength: 3 }))
		.map(([word, names]) => `${word} (${names.join(', ')})`),
);
const selector = fc.constantFrom('x', 'y', 'x{disk="d1"}', 'y{system=~"s.*"}', '{__name__=~"x|y"}', 'x{instance!="b"}', 'x offset 1m');
const range = fc
	.tuple(
		fc.constantFrom('rate', 'increase', 'delta', 'max_over_time', 'count_over_time', 'changes', 'absent_over_time'),
		fc.constantFrom('x', 'y', 'z_total'),
	)
	.map(([name, metric]) => `${name}(${metric}[5m])`);
const fixed = fc.constantFrom('vector(1)', '(hour() > 1)', 'vector(time())');
const scalar = fc.constantFrom('2', 'time()', 'pi()', 'scalar(x{instance="a", disk="d1"})', '0.5');
const { expression } = fc.letrec<{ expression: string }>((tie) => {
	const inner = tie('expression');
	return {
		expression: fc.oneof(
			{ maxDepth: 4, depthSize: 'small' },
			selector,
			range,
			fixed,
			inner.map((e) => `(${e})`),
			inner.map((e) => `-(${e})`),
			fc.tuple(fc.constantFrom('abs', 'absent', 'timestamp', 'sort', 'floor'), inner).map(([name, e]) => `${name}(${e})`),
			inner.map((e) => `clamp_max(${e}, 3)`),
			inner.map((e) => `max_over_time((${e})[2m:30s])`),
			fc.tuple(labels, labels, inner).map(([to, of, e]) => `label_replace(${e}, "${to}", "q$1", "${of}", "(.*)")`),
			fc.tuple(fc.constantFrom('sum', 'max', 'count', 'avg', 'group'), grouping, inner).map(([op, by, e]) => `${op} ${by} (${e})`),
			fc.tuple(fc.constantFrom('topk', 'bottomk'), grouping, inner).map(([op, by, e]) => `${op} ${by} (1, ${e})`),
			fc.tuple(labels, grouping, inner).map(([name, by, e]) => `count_values ${by} ("${name}", ${e})`),
			fc.tuple(inner, fc.constantFrom('>', '==', '+', '/'), scalar).map(([e, op, s]) => `${e} ${op} ${s}`),
			fc.tuple(inner, fc.constantFrom('+', '/', '>', '== bool'), matching, inner).map(([l, op, m, r]) => `(${l}) ${op} ${m} (${r})`),
			fc.tuple(inner, fc.constantFrom('and', 'or', 'unless'), setMatching, inner).map(([l, op, m, r]) => `(${l}) ${op} ${m} (${r})`),
		),
	};
});

test('what is found separable gives for each host what the whole gives for it', async () => {
	let separable = 0;
	let compared = 0;
	await fc.assert(
		fc.asyncProperty(expression, fc.subarray(['a', 'b', 'c', ''], { minLength: 1, maxLength: 2 }), async (query, hosts) => {
			let expr: ReturnType<typeof parseQuery>;
			try {
				expr = parseQuery(query);
			} catch {
				return;
			}
			if (!isSeparable(expr, 'instance')) return;
			separable++;
			const values = new Set(hosts);
			let whole: Awaited<ReturnType<typeof results>>;
			try {
				whole = await results(query);
			} catch {
				// Matching that is not unique: an error of the whole is not part of the promise.
				return;
			}
			const wanted = whole.filter(([, instance]) => values.has(instance));
			if (wanted.length > 0) compared++;
			expect([query, await results(query, values)]).toEqual([query, wanted]);
		}),
		{ numRuns: 3000 },
	);
	// Not about nothing.
	expect(separable).toBeGreaterThan(600);
	expect(compared).toBeGreaterThan(300);
});

describe('of an expression', () => {
	test.each([
		['x > 2', true],
		['rate(z_total[5m]) > 2', true],
		['sum by (instance) (x)', true],
		['sum without (disk) (x)', true],
		['x / on (instance) group_left () sum by (instance) (y)', true],
		['x / ignoring (disk) y', true],
		['x unless on (instance) y', true],
		['x and on () (hour() > 8)', true],
		['x > scalar(y)', false],
		['histogram_quantile(0.9, sum by (instance, le) (rate(z_total[5m])))', true],
		['max_over_time(x[5m:1m])', true],
		['label_replace(x, "host", "$1", "instance", "(.*)")', true],
		['topk(3, x)', false],
		['sum(x)', false],
		['sum by (system) (x)', false],
		['absent(x)', false],
		['x or vector(0)', false],
		['vector(1)', false],
		['x unless on (system) y', false],
		['x / ignoring (instance) y', false],
		['label_replace(x, "instance", "$1", "system", "(.*)")', false],
		['label_join(x, "instance", "-", "system", "disk")', false],
		['count_values by (instance) ("instance", x)', false],
		['quantile by (instance) (scalar(y), x)', false],
		['vector(1)[5m:1m]', false],
	])('%s: separable by instance: %s', (query, separable) => {
		expect(isSeparable(parseQuery(query), 'instance')).toBe(separable);
	});

	test('the finest label is found', () => {
		const labelOf = (query: string) => separatingLabel(parseQuery(query), ['instance', 'host', 'check']);
		expect([labelOf('x > 2'), labelOf('max by (check) (x)'), labelOf('sum(x)')]).toEqual(['instance', 'check', null]);
	});
});
