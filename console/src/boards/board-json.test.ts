import { expect, test } from 'vitest';
import { readBoard, sectionsOf } from './board-json.ts';

test('what is no dashboard is said to be none', () => {
	expect(readBoard(null)).toBeNull();
	expect(readBoard('text')).toBeNull();
	expect(readBoard({ panels: [] })).toBeNull();
	expect(readBoard({ title: 'empty' })).toMatchObject({ panels: [], from: 'now-1h', to: 'now' });
	expect(readBoard({ title: 'odd', panels: [null, 7, { type: 3 }], templating: { list: 'x' } })?.panels).toHaveLength(3);
});

test('panels belong to the row above them, those of a closed row to that row', () => {
	const at = (id: number, type: string, y: number, more: object = {}) => ({ id, type, gridPos: { x: 0, y, w: 12, h: 4 }, ...more });
	const board = readBoard({
		title: 'b',
		panels: [at(3, 'stat', 6), at(1, 'stat', 0), at(2, 'row', 5), at(4, 'row', 10, { collapsed: true, panels: [at(5, 'table', 11)] })],
	});
	if (board === null) throw new Error('not read');
	expect(sectionsOf(board).map(({ row, panels }) => [row?.id ?? null, ...panels.map((panel) => panel.id)])).toEqual([
		[null, 1],
		[2, 3],
		[4, 5],
	]);
});

test('hidden queries and empty ones are not asked', () => {
	const board = readBoard({ title: 'b', panels: [{ targets: [{ expr: 'a' }, { expr: 'b', hide: true }, { expr: '' }] }] });
	expect(board?.panels[0]?.targets.map((target) => target.expression)).toEqual(['a']);
});
