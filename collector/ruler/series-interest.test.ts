import { describe, expect, test } from 'vitest';
import { labelsFromObject } from '../../core/labels.ts';
import { parseQuery } from '../promql/parser.ts';
import { NO_CLASS } from '../storage/arrival-marks.ts';
import { encodeLabelBytes } from '../storage/label-bytes.ts';
import { parseRuleFile } from './rule-file.ts';
import { inputsOf, readersOf } from './rule-inputs.ts';
import { SeriesInterest } from './series-interest.ts';

const interestOf = (queries: readonly string[], label = 'instance', onFull = () => {}) =>
	new SeriesInterest(
		queries.map((query) => ({ rule: query, inputs: inputsOf(parseQuery(query)), label })),
		{ written: new Set(['ALERTS', 'recorded']), onFull },
	);

const classOf = (interest: SeriesInterest<string>, labels: Readonly<Record<string, string>>) =>
	interest.classify(encodeLabelBytes(labelsFromObject(labels)));

const readers = (interest: SeriesInterest<string>, labels: Readonly<Record<string, string>>) =>
	interest.targets(classOf(interest, labels)).map(({ rule, bits, subject }) => [rule, bits, subject]);

describe('a series', () => {
	test.each([
		{
			name: 'is read by the selectors that match it',
			queries: ['up == 0', 'up{job="b"} == 0'],
			labels: { __name__: 'up', job: 'a', instance: 'i' },
			found: [['up == 0', 1, 'i']],
		},
		{
			name: 'may be several inputs of a rule',
			queries: ['d{mode="idle"} / d'],
			labels: { __name__: 'd', mode: 'idle', instance: 'i' },
			found: [['d{mode="idle"} / d', 3, 'i']],
		},
		{
			name: 'may be one of them',
			queries: ['d{mode="idle"} / d'],
			labels: { __name__: 'd', mode: 'user' },
			found: [['d{mode="idle"} / d', 2, '']],
		},
		{
			name: 'is found by an alternation',
			queries: ['{__name__=~"a|b"} > 1'],
			labels: { __name__: 'b' },
			found: [['{__name__=~"a|b"} > 1', 1, '']],
		},
		{
			name: 'is found by a regular expression',
			queries: ['{__name__=~"node_.*"} > 1'],
			labels: { __name__: 'node_load1' },
			found: [['{__name__=~"node_.*"} > 1', 1, '']],
		},
		{ name: 'is not found by one that names others', queries: ['{__name__=~"node_.*"} > 1'], labels: { __name__: 'up' }, found: [] },
		{
			name: 'is found without a name',
			queries: ['{job="a"} > 1'],
			labels: { __name__: 'up', job: 'a' },
			found: [['{job="a"} > 1', 1, '']],
		},
		{
			name: 'that rules write is not found without a name',
			queries: ['{job="a"} > 1'],
			labels: { __name__: 'recorded', job: 'a' },
			found: [],
		},
		{
			name: 'that rules write is found by its name',
			queries: ['recorded > 1'],
			labels: { __name__: 'recorded' },
			found: [['recorded > 1', 1, '']],
		},
		{ name: 'that is looked at in the past only is no input', queries: ['up offset 1m', 'up @ 5'], labels: { __name__: 'up' }, found: [] },
	])('$name', ({ queries, labels, found }) => {
		expect(readers(interestOf(queries), labels)).toEqual(found);
	});

	test('of the same host and the same rules shares a class; nobody waits for the others', () => {
		const interest = interestOf(['up > 1', 'load > 1']);
		const classes = [
			{ __name__: 'up', instance: 'a', disk: '1' },
			{ __name__: 'up', instance: 'a', disk: '2' },
			{ __name__: 'up', instance: 'b' },
			{ __name__: 'load', instance: 'a' },
			{ __name__: 'other', instance: 'a' },
		].map((labels) => classOf(interest, labels));
		expect(classes[0]).toBe(classes[1]);
		expect(new Set(classes).size).toBe(4);
		expect(classes[4]).toBe(NO_CLASS);
	});

	test('begins a new count when there are too many classes', () => {
		let full = 0;
		const interest = interestOf(['up > 1'], 'instance', () => full++);
		for (let i = 0; i <= 300_000; i++) classOf(interest, { __name__: 'up', instance: `i${i}` });
		expect(full).toBe(1);
		for (const instance of ['again', 'i77']) expect(readers(interest, { __name__: 'up', instance })).toEqual([['up > 1', 1, instance]]);
	});
});

test('who reads what rules write', () => {
	const { groups } = parseRuleFile(
		`groups:
  - name: g
    rules:
      - { record: 'a:x', expr: up }
      - { record: 'b:x', expr: '{__name__=~"a:.*"}' }
      - { alert: One, expr: 'b:x > 1' }
      - { alert: Two, expr: 'count(ALERTS{alertname="One"}) > 3' }
      - { alert: Three, expr: '{job="a"} > 3' }
      - { alert: Four, expr: 'count(ALERTS{severity="critical"}) > 3' }
`,
		'rules.yml',
	);
	const rules = groups.flatMap((group) => group.rules.map((definition) => ({ definition, inputs: inputsOf(definition.expr) })));
	expect(readersOf(rules)).toEqual([[1], [2], [3, 5], [5], [5], [5]]);
});
