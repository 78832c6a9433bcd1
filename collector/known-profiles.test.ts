import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { configOrThrow, parseConfig } from '../core/config-file.ts';
import { type TemporaryFolder, temporaryFolder } from '../tests/harness/process.ts';
import { type CollectorConfig, CollectorConfigSchema, checkCollectorConfig } from './config.ts';
import { contractsProblems, createKnownProfiles } from './known-profiles.ts';

const rootDir = resolve(import.meta.dirname, '..');
const SHIPPED = readFileSync(join(rootDir, 'rules', 'contracts', 'zhaoqing-2025.yml'), 'utf8');
const named = (id: string) => SHIPPED.replace(/^id: .*$/m, `id: ${id}`);

let folder: TemporaryFolder;
let configFile: string;
const config = (text: string): CollectorConfig =>
	configOrThrow(parseConfig(text, { file: configFile, schema: CollectorConfigSchema, check: checkCollectorConfig }));
const write = (name: string, text: string) => writeFileSync(join(folder.path, name), text);
const problems = (text: string) => contractsProblems(config(text), { configFile, rootDir });
const said = (text: string) => problems(text).map(({ path, message }) => `${path}: ${message}`);

beforeEach(() => {
	folder = temporaryFolder('profiles');
	configFile = join(folder.path, 'collector.yml');
	mkdirSync(join(folder.path, 'contracts'));
});
afterEach(() => folder.remove());

test('profiles beside collector.yml are known like those of the product; scenarios are not profiles', () => {
	write('contracts/ours.yml', named('ours-2026'));
	write('contracts/ours.scenario.yml', 'profile: ours-2026');
	let inForce = config('');
	const known = createKnownProfiles({ configFile, rootDir }, () => inForce);
	expect(known.all().map(({ id }) => id)).toEqual(['chengdu-2021', 'shaanxi-2023', 'zhaoqing-2025', 'ours-2026']);

	write('contracts/theirs.yml', named('theirs-2027'));
	inForce = config('contracts: { default: theirs-2027 }');
	const use = known.prepare(inForce);
	expect(known.all()).toHaveLength(4);
	use();
	expect(known.all().map(({ id }) => id)).toContain('theirs-2027');
	expect(
		known.problems(
			config('inventory: { services: [{ id: a, name: A, checks: [k], contract: theirs-2027 }], checks: [{ id: k }] }').inventory,
		),
	).toEqual([]);
});

test('a broken profile refuses the configuration, with its line, and leaves those in force', () => {
	write('contracts/ours.yml', named('ours-2026'));
	const known = createKnownProfiles({ configFile, rootDir }, () => config(''));
	known.all();
	const lines = named('ours-2026').split('\n');
	const at = lines.findIndex((line) => line.startsWith('name:'));
	write('contracts/ours.yml', lines.map((line, i) => (i === at ? 'name: [no, text]' : line)).join('\n'));
	expect(() => known.prepare(config(''))).toThrow(`ours.yml:${at + 1}: name`);
	expect(known.all().map(({ id }) => id)).toContain('ours-2026');
});

test.each([
	{
		name: 'an id that the product has',
		files: { 'contracts/a.yml': SHIPPED },
		text: '',
		says: '"zhaoqing-2025" is the id of zhaoqing-2025.yml already',
	},
	{
		name: 'a file that is not there',
		files: {},
		text: 'contracts: { profiles: [contracts/gone.yml] }',
		says: 'the contract profile does not exist',
	},
	{
		name: 'the default',
		files: {},
		text: 'contracts: { default: chengdu }',
		says: 'contracts.default: there is no contract profile "chengdu"; known: chengdu-2021',
	},
	{ name: 'a term', files: {}, text: 'contracts: { terms: { a: { start: 2026-01-01 } } }', says: 'contracts.terms.a: there is no' },
	{ name: 'settings', files: {}, text: 'contracts: { settings: { a: { term: open } } }', says: 'contracts.settings.a: there is no' },
	{
		name: 'a setting',
		files: {},
		text: 'contracts: { settings: { chengdu-2021: { trem: open } } }',
		says: 'contracts.settings.chengdu-2021.trem: chengdu-2021 has no setting',
	},
	{
		name: 'an answer',
		files: {},
		text: 'contracts: { settings: { chengdu-2021: { term: opne } } }',
		says: 'has no setting "term: opne"; known: ',
	},
	{
		name: 'a service',
		files: {},
		text: 'inventory: { checks: [{ id: k }], services: [{ id: a, name: A, checks: [k], contract: b }] }',
		says: 'inventory.services[0].contract: there is no contract profile "b"',
	},
	{
		name: 'maintenance',
		files: {},
		text: 'inventory: { maintenance: [{ contract: b }] }',
		says: 'inventory.maintenance[0].contract: there is no',
	},
])('$name that nothing stands behind is a problem', ({ files, text, says }) => {
	for (const [file, its] of Object.entries(files)) write(file, its);
	expect(said(text)).toEqual([expect.stringContaining(says)]);
});

test('a pattern that names the files of the product as well takes them once', () => {
	const here = { configFile: join(rootDir, 'collector.yml'), rootDir };
	expect(contractsProblems(config('contracts: { profiles: [rules/contracts/*.yml] }'), here)).toEqual([]);
});

test('every wrong name is told at once', () => {
	expect(said('contracts: { default: a, settings: { b: {}, chengdu-2021: { c: d } }, terms: { e: {} } }')).toHaveLength(4);
});
