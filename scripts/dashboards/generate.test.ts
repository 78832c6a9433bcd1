import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readBoard } from '../../console/src/boards/board-json.ts';
import { boardFiles, DASHBOARDS_DIR } from './generate.ts';

const files = boardFiles();

test.each(files)('$name is what the generator makes', ({ name, content }) => {
	expect(readFileSync(join(DASHBOARDS_DIR, name), 'utf8'), 'run: npm run build:dashboards').toBe(content);
});

test.each(files)('$name is read with every panel and query', ({ content }) => {
	const board = readBoard(JSON.parse(content));
	const panels = board?.panels.filter((panel) => panel.type !== 'row') ?? [];
	expect(panels.length).toBeGreaterThan(5);
	for (const panel of panels) expect(panel.targets.length, panel.title).toBeGreaterThan(0);
});

test.each(files)('$name has no panel on top of another, or beyond the grid', ({ content }) => {
	const taken = new Set<string>();
	for (const { grid, title } of readBoard(JSON.parse(content))?.panels ?? []) {
		expect(grid.x + grid.w, title).toBeLessThanOrEqual(24);
		for (let x = grid.x; x < grid.x + grid.w; x++) {
			for (let y = grid.y; y < grid.y + grid.h; y++) {
				expect(taken.has(`${x} ${y}`), `${title} at ${x} ${y}`).toBe(false);
				taken.add(`${x} ${y}`);
			}
		}
	}
	expect(taken.size).toBeGreaterThan(0);
});

test.each(
	files,
)('$name asks for variables that it defines (`$1` is a group of a regular expression), and for the data source by variable', ({
	content,
}) => {
	const board = JSON.parse(content) as { readonly templating: { readonly list: readonly { readonly name: string }[] } };
	const known = [...board.templating.list.map(({ name }) => name), '__rate_interval', '__interval', '__range'];
	const used = [...content.matchAll(/\$\{?(\w+)/g)]
		.map((match) => match[1] ?? '')
		.filter((name) => name !== '__all' && !/^\d+$/.test(name));
	expect(used.filter((name) => !known.includes(name))).toEqual([]);
	const uids = new Set([...content.matchAll(/"uid": "([^"]*)"/g)].map((match) => match[1]).filter((uid) => !uid?.startsWith('fournines-')));
	// biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana's notation of a variable
	expect([...uids]).toEqual(['${datasource}']);
});
