import { dirname, relative, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { allowedImports, foldersOf, importsOf, violation } from './import-table.ts';
import { ROOT, sourceFiles } from './source-files.ts';

const files = sourceFiles(foldersOf());

test('there is something to check', () => {
	expect(files.length).toBeGreaterThan(20);
});

test('every import goes in a direction that the architecture allows', () => {
	const wrong: string[] = [];
	for (const { path, text } of files) {
		for (const specifier of importsOf(text)) {
			const target = specifier.startsWith('.') ? relative(ROOT, resolve(ROOT, dirname(path), specifier)) : specifier;
			const problem = violation(path, target);
			if (problem !== null) wrong.push(problem);
		}
	}
	expect(wrong).toEqual([]);
});

test('every module has a row in the table', () => {
	expect(files.filter(({ path }) => allowedImports(path) === null).map(({ path }) => path)).toEqual([]);
});

test.each([
	{ name: 'the engine must not know the store', from: 'collector/promql/engine.ts', to: 'collector/tsdb/store.ts', wrong: true },
	{ name: 'the ruler must not know the alerts', from: 'collector/ruler/group.ts', to: 'alerts/alerting.ts', wrong: true },
	{ name: 'the agent must not know the collector', from: 'agent/app.ts', to: 'collector/app.ts', wrong: true },
	{ name: 'wire formats run in a browser', from: 'protocol/labels.ts', to: 'node:fs', wrong: true },
	{ name: 'the console knows wire types only', from: 'console/src/main.tsx', to: 'core/errors.ts', wrong: true },
	{ name: 'alerts declare the ports, state implements them', from: 'alerts/ports.ts', to: 'collector/state/database.ts', wrong: true },
	{
		name: 'what a row imports may be used with what that one imports',
		from: 'collector/promql/engine.ts',
		to: 'core/labels.ts',
		wrong: false,
	},
	{ name: 'tests may use the harness', from: 'agent/inputs/nginx/input.test.ts', to: 'tests/harness/nginx.ts', wrong: false },
	{ name: 'the composition root knows both', from: 'collector/app.ts', to: 'alerts/alerting.ts', wrong: false },
])('$name', ({ from, to, wrong }) => {
	expect(violation(from, to) !== null).toBe(wrong);
});

test.each([
	{ name: 'static', text: "import { a } from './a.ts';", found: './a.ts' },
	{ name: 'type only', text: "import type { A } from '../b.ts';", found: '../b.ts' },
	{ name: 're-export', text: "export { a } from './c.ts';", found: './c.ts' },
	{ name: 'dynamic', text: "const a = await import('./d.ts');", found: './d.ts' },
	{ name: 'side effect', text: "import './e.ts';", found: './e.ts' },
])('finds a $name import', ({ text, found }) => {
	expect(importsOf(text)).toEqual([found]);
});
