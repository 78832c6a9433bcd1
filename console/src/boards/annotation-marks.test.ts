import { expect, test } from 'vitest';
import type { Annotation } from '../../../protocol/change-api.ts';
import { markSeries, marksIn } from './annotation-marks.ts';

const window = { fromMs: 100, toMs: 200 };
const mark = (time: number, timeEnd: number | null, kind: Annotation['kind'] = 'change'): Annotation => ({
	id: `${time}`,
	kind,
	time,
	timeEnd,
	title: 't',
	text: '',
	tags: [],
	services: [],
	hosts: [],
});

test.each([
	{ name: 'before', time: 10, end: 90, want: null },
	{ name: 'after', time: 210, end: 220, want: null },
	{ name: 'inside', time: 120, end: 150, want: [120, 150] },
	{ name: 'over its beginning', time: 50, end: 150, want: [100, 150] },
	{ name: 'still going on', time: 150, end: null, want: [150, 200] },
	{ name: 'around it', time: 50, end: 300, want: [100, 200] },
])('a mark that lies $name', ({ time, end, want }) => {
	expect(marksIn([mark(time, end)], window).map(({ fromMs, toMs }) => [fromMs, toMs])).toEqual(want === null ? [] : [want]);
});

test('what begins in the window has a line with its kind, what began before only its band', () => {
	const series = markSeries([mark(120, 150, 'fault'), mark(50, 150)], window, (kind) => kind.slice(0, 1)) as {
		markLine: { data: { xAxis: number; label: { formatter: string } }[] };
		markArea: { data: { xAxis: number }[][] };
	};
	expect(series.markLine.data.map(({ xAxis, label }) => [xAxis, label.formatter])).toEqual([[120, 'f']]);
	expect(series.markArea.data.map((pair) => pair.map(({ xAxis }) => xAxis))).toEqual([
		[100, 150],
		[120, 150],
	]);
	expect(markSeries([mark(10, 90)], window, () => '')).toBeNull();
});

test('bands of one kind that overlap are drawn once, those of several kinds each', () => {
	const marks = [mark(150, 160, 'fault'), mark(110, 130, 'fault'), mark(120, 140, 'fault'), mark(125, null)];
	const series = markSeries(marks, window, () => '') as { markArea: { data: { xAxis: number }[][] }; markLine: { data: unknown[] } };
	expect(series.markArea.data.map((pair) => pair.map(({ xAxis }) => xAxis))).toEqual([
		[125, 200],
		[110, 140],
		[150, 160],
	]);
	expect(series.markLine.data).toHaveLength(4);
});
