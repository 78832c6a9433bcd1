import { expect, test } from 'vitest';
import { readBoard } from './board-json.ts';
import { displayText, displayValue, fieldConfigOf, thresholdColor } from './field-config.ts';
import { framesOf, legendText } from './frames.ts';
import { type Calculation, reduceValues } from './reduce.ts';
import { tableOf } from './table-rows.ts';

function panel(json: object) {
	const made = readBoard({ title: 'b', panels: [json] })?.panels[0];
	if (made === undefined) throw new Error('no panel');
	return made;
}

const grid = { startSeconds: 0, endSeconds: 60, stepSeconds: 15 };

test('samples fall on the grid, and what is missing or not a number is a gap', () => {
	const chart = panel({ type: 'timeseries', targets: [{ refId: 'A', expr: 'x', legendFormat: '{{mode}}' }] });
	const [target] = chart.targets;
	if (target === undefined) throw new Error('no target');
	const series = [
		{
			metric: { mode: 'user' },
			values: [
				[0, '1'],
				[15, 'NaN'],
				[45, '4'],
			] as const,
		},
	];
	const [frame] = framesOf(chart, [{ target, series }], grid);
	expect(frame?.name).toBe('user');
	expect(frame?.values).toEqual([1, null, null, 4, null]);
	expect(frame?.timesMs).toEqual([0, 15_000, 30_000, 45_000, 60_000]);
});

test.each([
	{ legend: '{{a}} {{ b }} {{c}}', text: '1 2 ' },
	{ legend: '', text: 'up{a="1", b="2"}' },
	{ legend: '固定', text: '固定' },
])('legend "$legend"', ({ legend, text }) => {
	expect(legendText({ legend, expression: 'x' }, { __name__: 'up', a: '1', b: '2' })).toBe(text);
});

test.each<{ readonly calculation: Calculation; readonly value: number | null }>([
	{ calculation: 'lastNotNull', value: 2 },
	{ calculation: 'last', value: null },
	{ calculation: 'mean', value: 2 },
	{ calculation: 'max', value: 3 },
	{ calculation: 'count', value: 3 },
	{ calculation: 'delta', value: 1 },
])('$calculation', ({ calculation, value }) => {
	expect(reduceValues([null, 1, 3, 2, null], calculation)).toBe(value);
});

test('nothing has no mean', () => {
	expect(reduceValues([null, null], 'mean')).toBeNull();
	expect(reduceValues([], 'lastNotNull')).toBeNull();
});

const thresholds = {
	mode: 'absolute',
	steps: [
		{ color: 'green', value: null },
		{ color: 'red', value: 0.8 },
	],
};

test('overrides by name, by expression and by query, later ones over earlier ones', () => {
	const chart = panel({
		type: 'stat',
		fieldConfig: {
			defaults: { unit: 'bytes', thresholds },
			overrides: [
				{ matcher: { id: 'byName', options: 'cpu' }, properties: [{ id: 'unit', value: 'percent' }] },
				{
					matcher: { id: 'byRegexp', options: '/^c/' },
					properties: [
						{ id: 'unit', value: 's' },
						{ id: 'custom.fillOpacity', value: 9 },
					],
				},
				{ matcher: { id: 'byFrameRefID', options: 'B' }, properties: [{ id: 'decimals', value: 3 }] },
			],
		},
	});
	expect(fieldConfigOf(chart, { name: 'cpu', refId: 'A', type: 'number' })).toMatchObject({
		unit: 's',
		custom: { fillOpacity: 9 },
		decimals: null,
	});
	expect(fieldConfigOf(chart, { name: 'x', refId: 'B', type: 'number' })).toMatchObject({ unit: 'bytes', decimals: 3 });
});

test('a value takes the colour of the threshold that it reaches, and the words of its mapping', () => {
	const config = fieldConfigOf(
		panel({
			type: 'stat',
			fieldConfig: {
				defaults: {
					thresholds,
					color: { mode: 'thresholds' },
					mappings: [
						{ type: 'value', options: { '1': { text: '正常', color: 'green' }, '0': { text: '中断', color: 'red' } } },
						{ type: 'special', options: { match: 'null', result: { text: '未知' } } },
						{ type: 'range', options: { from: 5, to: 9, result: { text: '很多' } } },
					],
				},
				overrides: [],
			},
		}),
		{ name: 'x', refId: 'A', type: 'number' },
	);
	expect(displayValue(0, config, 'zh')).toMatchObject({ text: '中断', color: '#c93a31' });
	expect(displayText(null, config, 'zh')).toBe('未知');
	expect(displayText(7, config, 'zh')).toBe('很多');
	expect(thresholdColor(0.8, config)).toBe('#c93a31');
	expect(thresholdColor(0.79, config)).toBe('#2f8f5b');
});

test('queries of a table are joined by their labels, ordered, renamed and sorted', () => {
	const board = panel({
		type: 'table',
		targets: [
			{ refId: 'A', expr: 'up', instant: true },
			{ refId: 'B', expr: 'load', instant: true },
		],
		transformations: [
			{ id: 'merge', options: {} },
			{ id: 'filterFieldsByName', options: { include: { names: ['host', 'Value #A', 'Value #B'] } } },
			{
				id: 'organize',
				options: { indexByName: { host: 0, 'Value #B': 1, 'Value #A': 2 }, renameByName: { host: '主机', 'Value #B': '负载' } },
			},
			{ id: 'sortBy', options: { sort: [{ field: '负载', desc: true }] } },
			{ id: 'calculateField', options: {} },
		],
	});
	const point = (host: string, name: string, value: string) => ({
		metric: { __name__: name, host, zone: 'z' },
		values: [[60, value]] as const,
	});
	const [a, b] = board.targets;
	if (a === undefined || b === undefined) throw new Error('no targets');
	const table = tableOf(
		board,
		framesOf(
			board,
			[
				{ target: a, series: [point('h1', 'up', '1'), point('h2', 'up', '0'), point('h3', 'up', '1')] },
				{ target: b, series: [point('h1', 'load', '2'), point('h2', 'load', '5')] },
			],
			grid,
		),
	);
	expect(table.columns.map((column) => column.title)).toEqual(['主机', '负载', 'Value #A']);
	expect(table.rows).toEqual([
		['h2', 5, 0],
		['h1', 2, 1],
		['h3', null, 1],
	]);
	expect(table.ignored).toEqual(['calculateField']);
});

test('a query that summed labels away is joined by those that every query has, and two series of one query stay two rows', () => {
	const board = panel({
		type: 'table',
		targets: [
			{ refId: 'A', expr: 'up', instant: true },
			{ refId: 'B', expr: 'sum by (instance) (x)', instant: true },
		],
		transformations: [
			{ id: 'merge', options: {} },
			{ id: 'filterFieldsByName', options: { include: { names: ['instance', 'job', 'Value #A', 'Value #B'] } } },
		],
	});
	const [a, b] = board.targets;
	if (a === undefined || b === undefined) throw new Error('no targets');
	const one = (metric: Readonly<Record<string, string>>, value: string) => ({ metric, values: [[60, value]] as const });
	const up = ['mysql', 'node'].map((job) => one({ __name__: 'up', instance: 'i1', job }, '1'));
	const answers = [
		{ target: a, series: [...up, one({ __name__: 'up', instance: 'i2', job: 'mysql' }, '0')] },
		{ target: b, series: [one({ instance: 'i1' }, '7'), one({ instance: 'i2' }, '8')] },
	];
	expect(tableOf(board, framesOf(board, answers, grid)).rows).toEqual([
		['i1', 'mysql', 1, 7],
		['i1', 'node', 1, null],
		['i2', 'mysql', 0, 8],
	]);
});
