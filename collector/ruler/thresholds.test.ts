import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { labelsFromObject } from '../../core/labels.ts';
import { parseQuery } from '../promql/parser.ts';
import type { ThresholdConfig } from './config.ts';
import { thresholdOf, variantsAt } from './thresholds.ts';

const NIGHT_MS = 1000;
const never = () => null;

function rule(query: string, threshold?: string) {
	return { name: 'Busy', query, expr: parseQuery(query), annotations: threshold === undefined ? {} : { threshold } };
}

/** What a result with these labels is held to; each result must belong to one variant. */
function thresholdFor(
	overrides: readonly ThresholdConfig[],
	labels: Record<string, string>,
	timeMs = 0,
	inCalendar = nights,
): string | null {
	const kept = variantsAt(rule('busy > 0.8'), overrides, timeMs, inCalendar).filter(({ keeps }) => keeps(labelsFromObject(labels)));
	expect(kept).toHaveLength(1);
	return kept[0]?.threshold ?? null;
}

function nights(id: string, timeMs: number): boolean | null {
	return id === 'night' ? timeMs >= NIGHT_MS : null;
}

describe('the number that is the threshold', () => {
	test.each([
		['a > 0.8', undefined, 0.8],
		['-5 < a', undefined, -5],
		['a / (b > 0) > 0.9', '0.9', 0.9],
		['(a > 3 and i <= 5) or (b > 3 and i > 5)', '3', 3],
		['a - (b) >= (10)', undefined, 10],
		['max_over_time((a > bool 7)[5m:1m]) == 1', undefined, 7],
	])('%s with %s is %s', (query, written, value) => {
		expect(thresholdOf(rule(query, written))).toEqual({ kind: 'number', value });
	});

	test.each([
		['up == 0', undefined, 'alert "Busy" has no threshold to replace: it compares with no number by <, <=, > or >='],
		['a > b', undefined, 'alert "Busy" has no threshold to replace: it compares with no number by <, <=, > or >='],
		['a < 0.1 >= 0.05', undefined, 'alert "Busy" compares with 0.05, 0.1; say by an annotation "threshold" which of them is its threshold'],
		['a < 0.1', '10%', 'alert "Busy": the annotation "threshold" is "10%", but the expression compares with 0.1'],
		['up == 0', '', 'alert "Busy": the annotation "threshold" is "", but the expression compares with no number'],
	])('%s with %s has none, and says why', (query, written, message) => {
		expect(thresholdOf(rule(query, written))).toEqual({ kind: 'problem', message });
	});
});

test('the query has the other number wherever the expression compares with the first, and nowhere else', () => {
	const query = '(a{n="3"} > 3 and i <= 5)\n or (rate(b[3m]) * 3 >   (3) and i > 5)';
	const [shipped, other] = variantsAt(rule(query, '3'), [{ rule: 'Busy', value: -0.5 }], 0, never);
	expect(shipped?.query).toBe(query);
	expect(other?.query).toBe('(a{n="3"} > -0.5 and i <= 5)\n or (rate(b[3m]) * 3 >   -0.5 and i > 5)');
});

describe('which threshold counts', () => {
	test('a host before labels before a system before all', () => {
		const overrides: ThresholdConfig[] = [
			{ rule: 'Busy', value: 1 },
			{ rule: 'Busy', value: 4, host: 'a' },
			{ rule: 'Busy', value: 3, labels: { mount: '/b' } },
			{ rule: 'Busy', value: 2, system: 's' },
		];
		expect(thresholdFor(overrides, { host: 'a', mount: '/b', system: 's' })).toBe('4');
		expect(thresholdFor(overrides, { host: 'b', mount: '/b', system: 's' })).toBe('3');
		expect(thresholdFor(overrides, { host: 'b', mount: '/c', system: 's' })).toBe('2');
		expect(thresholdFor(overrides, { host: 'b' })).toBe('1');
		expect(thresholdFor(overrides.slice(1), { host: 'b' })).toBeNull();
	});

	test('some hours before always, and only inside of them', () => {
		const overrides: ThresholdConfig[] = [
			{ rule: 'Busy', value: 9, host: 'a', during: 'night' },
			{ rule: 'Busy', value: 5, host: 'a' },
			{ rule: 'Busy', value: 7, outside: 'night' },
		];
		expect(thresholdFor(overrides, { host: 'a' }, NIGHT_MS)).toBe('9');
		expect(thresholdFor(overrides, { host: 'a' }, NIGHT_MS - 1)).toBe('5');
		expect(thresholdFor(overrides, { host: 'b' }, NIGHT_MS)).toBeNull();
		expect(thresholdFor(overrides, { host: 'b' }, NIGHT_MS - 1)).toBe('7');
	});

	test('of two that are alike the later one', () => {
		expect(
			thresholdFor(
				[
					{ rule: 'Busy', value: 1 },
					{ rule: 'Busy', value: 2 },
				],
				{},
			),
		).toBe('2');
	});

	test('hours of a calendar that is gone are neither inside nor outside', () => {
		expect(
			thresholdFor(
				[
					{ rule: 'Busy', value: 1, during: 'gone' },
					{ rule: 'Busy', value: 2, outside: 'gone' },
				],
				{},
			),
		).toBeNull();
	});

	test('every result is held to exactly one, whatever the overrides', () => {
		const some = <T>(values: fc.Arbitrary<T>) => fc.option(values, { nil: undefined });
		const name = fc.constantFrom('x', 'y');
		const override = fc.record({
			rule: fc.constant('Busy'),
			value: fc.constantFrom(0.8, 1, 2, 3),
			host: some(name),
			system: some(name),
			labels: some(fc.record({ mount: name })),
			during: some(fc.constantFrom('night', 'gone')),
			outside: some(fc.constantFrom('night', 'gone')),
		});
		const labels = fc.record({ host: name, system: name, mount: name }, { requiredKeys: [] });
		fc.assert(
			fc.property(fc.array(override), labels, fc.constantFrom(0, NIGHT_MS), (overrides, result, timeMs) => {
				thresholdFor(overrides as ThresholdConfig[], result as Record<string, string>, timeMs);
			}),
		);
	});
});
