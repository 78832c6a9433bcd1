import { expect, test } from 'vitest';
import { resolveScope } from './resolve-scope.ts';
import { ALL, chosenValues, customOptions, parseLabelValues, readVariable, sortedOptions } from './variable.ts';

test.each([
	{ query: 'label_values(instance)', parsed: { selector: '', label: 'instance' } },
	{ query: 'label_values(up{a="x,y"}, instance)', parsed: { selector: 'up{a="x,y"}', label: 'instance' } },
	{ query: 'query_result(up)', parsed: null },
])('$query', ({ query, parsed }) => {
	expect(parseLabelValues(query)).toEqual(parsed);
});

test('custom values may have names and commas', () => {
	expect(customOptions('a, 五分钟 : 5m, x\\,y')).toEqual([
		{ text: 'a', value: 'a' },
		{ text: '五分钟', value: '5m' },
		{ text: 'x,y', value: 'x,y' },
	]);
});

test.each([
	{ name: 'numbers by size', regex: '', sort: 3, values: ['db10', 'db9'], shown: ['db9', 'db10'] },
	{ name: 'descending', regex: '', sort: 2, values: ['a', 'c', 'b'], shown: ['c', 'b', 'a'] },
	{ name: 'the first group is the value', regex: '/^app-(\\d+)$/', sort: 1, values: ['app-2', 'db-1', 'app-1'], shown: ['1', '2'] },
	{ name: 'a broken filter keeps all', regex: '/(/', sort: 0, values: ['a'], shown: ['a'] },
])('$name', ({ regex, sort, values, shown }) => {
	expect(sortedOptions(values, { regex, sort }).map((option) => option.value)).toEqual(shown);
});

test('what is gone is not chosen any more', () => {
	const variable = readVariable({ name: 'host', type: 'query', current: { value: 'old' } });
	const options = ['a', 'b'].map((value) => ({ text: value, value }));
	expect(chosenValues(variable, options, ['b'])).toEqual(['b']);
	expect(chosenValues(variable, options, ['gone'])).toEqual(['a']);
	expect(chosenValues({ ...variable, includeAll: true }, options, ['gone'])).toEqual([ALL]);
	expect(chosenValues(variable, [], ['gone'])).toEqual([]);
});

test('a later variable asks with the value of an earlier one', async () => {
	const asked: string[] = [];
	const scope = await resolveScope(
		[
			readVariable({ name: 'datasource', type: 'datasource', query: 'prometheus' }),
			readVariable({ name: 'system', type: 'query', query: 'label_values(system)', multi: true }),
			readVariable({ name: 'host', type: 'query', query: { query: 'label_values(up{system=~"$system"}, instance)' } }),
		],
		{ system: ['mis'] },
		async (label, selector) => {
			asked.push(`${label} ${selector}`);
			return label === 'system' ? ['gis', 'mis'] : ['app-1'];
		},
	);
	expect(asked).toEqual(['system ', 'instance up{system=~"mis"}']);
	expect(scope['host']?.values).toEqual(['app-1']);
});
