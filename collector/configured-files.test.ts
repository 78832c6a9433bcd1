import { mkdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type TemporaryFolder, temporaryFolder } from '../tests/harness/process.ts';
import { configuredRuleFiles, patternsWithoutRules } from './configured-files.ts';

let folder: TemporaryFolder;
const files = (...paths: readonly string[]) => {
	for (const path of paths) {
		mkdirSync(join(folder.path, path, '..'), { recursive: true });
		writeFileSync(join(folder.path, path), '');
	}
};
beforeEach(() => {
	folder = temporaryFolder('rule-files');
	files(
		'root/rules/host.yml',
		'root/rules/mysql.yml',
		'root/rules/host.test.yml',
		'etc/ours/app.yml',
		'etc/ours/app.test.yml',
		'etc/empty/x.txt',
	);
});
afterEach(() => folder.remove());

test.each([
	{ name: 'by default those that are shipped', patterns: ['rules/*.yml'], found: ['root/rules/host.yml', 'root/rules/mysql.yml'] },
	{
		name: 'ours beside those that are shipped',
		patterns: ['rules/*.yml', 'ours/*.yml'],
		found: ['etc/ours/app.yml', 'root/rules/host.yml', 'root/rules/mysql.yml'],
	},
	{ name: 'of a name both have, ours', patterns: ['rules/*.yml'], more: ['etc/rules/own.yml'], found: ['etc/rules/own.yml'] },
	{
		name: 'nothing, which is said',
		patterns: ['ruels/*.yml', 'empty/*.yml', 'ours/*.yml'],
		found: ['etc/ours/app.yml'],
		without: ['ruels/*.yml', 'empty/*.yml'],
	},
	{ name: 'a file that is missing, which the loader says', patterns: ['ours/gone.yml'], found: ['etc/ours/gone.yml'] },
])('patterns find $name', ({ patterns, found, more = [], without = [] }) => {
	files(...more);
	const places = [patterns, join(folder.path, 'etc', 'collector.yml'), join(folder.path, 'root')] as const;
	expect(configuredRuleFiles(...places).map((file) => relative(folder.path, file))).toEqual(found);
	expect(patternsWithoutRules(...places)).toEqual(without);
});
