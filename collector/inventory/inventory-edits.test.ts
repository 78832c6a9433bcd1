import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import { configOrThrow } from '../../core/config-file.ts';
import { type TemporaryFolder, temporaryFolder } from '../../tests/harness/process.ts';
import { openStateDatabase, type StateDatabase } from '../state/database.ts';
import type { InventoryConfig } from './config.ts';
import { differences, entriesOf, withEntries } from './entries.ts';
import { type InventoryEdits, openInventoryEdits, overFile } from './inventory-edits.ts';
import { inventoryYaml, parseInventoryFile } from './inventory-yaml.ts';

const parsed = (text: string) => configOrThrow(parseInventoryFile(text, 'x.yml'));
const fileOf = (entries: string) => parsed(`inventory:\n  checks: [{ id: k }]\n${entries}`);
const FILE = fileOf('  hosts: [{ id: app-1 }, { id: app-2 }]\n  services: [{ id: mis, name: MIS, checks: [k] }]\n');
const CITY = parsed(readFileSync(resolve(import.meta.dirname, '../../examples/chengdu/collector.yml'), 'utf8'));

let folder: TemporaryFolder;
let state: StateDatabase;
let edits: InventoryEdits;
let inForce: InventoryConfig | null = null;
let behindMs = 0;
const clock = { ...systemClock, now: () => Date.now() - behindMs };
const open = async (file: InventoryConfig) => {
	inForce = null;
	edits = await openInventoryEdits({
		state,
		clock,
		file,
		onChange: (next) => {
			inForce = next;
		},
	});
};
const note = () => ({ over: edits.version(), author: 'ann', note: '按工单' });
const hosts = () => edits.current().hosts.map(({ id, name }) => `${id}${name === '' ? '' : `=${name}`}`);
const host = (key: string, text: string | null) => ({ section: 'hosts', key, text }) as const;

beforeEach(async () => {
	folder = temporaryFolder('inventory');
	state = await openStateDatabase(folder.path);
	await open(FILE);
});
afterEach(async () => {
	await state.destroy();
	folder.remove();
});

describe('an edit', () => {
	test('is in force at once, is kept over a restart, and says who, when and what', async () => {
		const before = Date.now();
		await edits.change([host('app-1', 'id: app-1\nname: 业务一'), host('app-2', null), host('', 'id: db-1')], note());
		expect(inForce).toEqual(edits.current());
		expect(hosts()).toEqual(['app-1=业务一', 'db-1']);
		await open(FILE);
		expect(hosts()).toEqual(['app-1=业务一', 'db-1']);
		const [newest, first, ...more] = await edits.history(10);
		expect(more).toEqual([]);
		expect(newest).toMatchObject({ author: 'ann', note: '按工单', refused: [] });
		expect(newest?.atMs).toBeGreaterThanOrEqual(before);
		expect(newest?.diff.map(({ section, key, before: old, after }) => [section, key, old !== null, after !== null])).toEqual([
			['hosts', 'app-1', true, true],
			['hosts', 'app-2', true, false],
			['hosts', 'db-1', false, true],
		]);
		expect(first).toMatchObject({ author: 'file' });
		expect(parsed(await edits.textOf(first?.id ?? ''))).toEqual(FILE);
		await expect(edits.textOf('nothing')).rejects.toMatchObject({ code: 'FN_INVENTORY_VERSION' });
	});

	test('is the newest one also when the clock was put back since, and after a restart', async () => {
		await edits.change([host('app-1', 'id: app-1\nname: 一')], note());
		const first = edits.version();
		behindMs = 86_400_000;
		try {
			await edits.change([host('app-1', 'id: app-1\nname: 二')], note());
			const second = edits.version();
			expect((await edits.history(2)).map(({ id }) => id)).toEqual([second, first]);
			await open(FILE);
			expect([edits.version(), hosts()[0]]).toEqual([second, 'app-1=二']);
		} finally {
			behindMs = 0;
		}
	});

	test('of the whole text counts by entries, and an export of it is taken back without a change', async () => {
		await edits.replace(inventoryYaml({ ...FILE, hosts: [...FILE.hosts].reverse() }), note());
		expect(edits.pending()).toEqual([]);
		await edits.replace(inventoryYaml(edits.current()).replace('name: MIS', 'name: 业务'), note());
		expect(edits.pending().map(({ section, key }) => `${section} ${key}`)).toEqual(['services mis']);
		const version = edits.version();
		await edits.replace(inventoryYaml(edits.current()), note());
		expect(edits.version()).toBe(version);
	});

	test.each([
		{
			name: 'several mistakes are told at once, and nothing is applied',
			entries: [
				host('', 'id: db-1\non: nowhere'),
				host('', 'id: app-1'),
				host('app-2', 'id: app-2\naddresses: [10.0.0.1]'),
				{ section: 'hosts', key: '', text: 'id: c\naddresses: [10.0.0.1]' } as const,
			],
			wants: [/there is no host "nowhere"/, /"app-1" is used twice/, /10\.0\.0\.1 belongs to the host "app-2" already/],
		},
		{
			name: 'something refers to what is removed',
			entries: [{ section: 'checks', key: 'k', text: null } as const],
			wants: [/there is no check "k"/],
		},
		{ name: 'what is removed is not there', entries: [host('nowhere', null)], wants: [/there is no hosts "nowhere"/] },
		{ name: 'it is no YAML', entries: [host('app-1', 'id: [')], wants: [/not valid YAML/] },
		{ name: 'it is no entry', entries: [host('app-1', '- id: a')], wants: [/keys and values/] },
		{ name: 'a key is unknown', entries: [host('app-1', 'id: app-1\ncolour: red')], wants: [/unknown key/] },
	])('is refused when $name', async ({ entries, wants }) => {
		const before = [edits.current(), edits.version()];
		const error = await edits.change(entries, note()).catch((thrown: unknown) => thrown);
		for (const want of wants) expect(String(error)).toMatch(want);
		expect([edits.current(), edits.version(), inForce]).toEqual([...before, null]);
		await open(FILE);
		expect(edits.current()).toEqual(FILE);
	});

	test('over a version that is not the newest is refused', async () => {
		const old = note();
		await edits.change([host('', 'id: db-1')], old);
		await expect(edits.change([host('', 'id: db-2')], old)).rejects.toMatchObject({ code: 'FN_INVENTORY_CONFLICT', status: 409 });
		expect(hosts()).toEqual(['app-1', 'app-2', 'db-1']);
	});
});

describe('the file wins', () => {
	const edited = async () => edits.change([host('app-1', 'id: app-1\nname: 业务一'), host('', 'id: db-1')], note());
	const more = (entries: string) => fileOf(`${entries}\n  services: [{ id: mis, name: MIS, checks: [k] }]\n`);
	test.each([
		{
			name: 'a file that left it alone keeps it',
			file: '  hosts: [{ id: app-1 }, { id: app-2, name: N }]',
			wants: ['app-1=业务一', 'app-2=N', 'db-1'],
			refused: [],
			pending: 2,
		},
		{
			name: 'a file that says the same needs no edit',
			file: '  hosts: [{ id: app-1, name: 业务一 }, { id: app-2 }]',
			wants: ['app-1=业务一', 'app-2', 'db-1'],
			refused: [],
			pending: 1,
		},
		{
			name: 'a file that says otherwise overrules it',
			file: '  hosts: [{ id: app-1, name: A }, { id: app-2 }]',
			wants: ['app-1=A', 'app-2', 'db-1'],
			refused: ['app-1'],
			pending: 1,
		},
		{
			name: 'a file without the entry overrules it',
			file: '  hosts: [{ id: app-2 }]',
			wants: ['app-2', 'db-1'],
			refused: ['app-1'],
			pending: 1,
		},
		{
			name: 'a file with another entry of that name overrules it',
			file: '  hosts: [{ id: app-1 }, { id: app-2 }, { id: db-1, name: D }]',
			wants: ['app-1=业务一', 'app-2', 'db-1=D'],
			refused: ['db-1'],
			pending: 1,
		},
	])('$name', async ({ file, wants, refused, pending }) => {
		await edited();
		await edits.readFile(more(file));
		expect([hosts(), edits.pending().length]).toEqual([wants, pending]);
		const [newest] = await edits.history(1);
		expect(newest?.refused.map(({ key }) => key) ?? []).toEqual(refused);
		await open(more(file));
		expect(hosts()).toEqual(wants);
		// Refused once, listed once.
		expect((await edits.history(1))[0]?.id).toBe(newest?.id);
	});

	test('edits that make no sound inventory with it any more are refused, with the problems', async () => {
		await edits.change([host('', 'id: vm-1\non: app-2'), { section: 'zone', key: '', text: 'UTC' }], note());
		expect(edits.current().zone).toBe('UTC');
		await edits.readFile(more('  hosts: [{ id: app-1 }]'));
		expect([hosts(), edits.current().zone]).toEqual([['app-1'], 'Asia/Shanghai']);
		const [newest] = await edits.history(1);
		expect(newest?.refused.map(({ key, reason }) => [key, /there is no host "app-2"/.test(reason)])).toEqual([
			['', true],
			['vm-1', true],
		]);
	});
});

/** Edits of the reference city that keep it sound: names and notes, hosts that nobody refers to. */
const change = fc.oneof(
	fc.record({ kind: fc.constant('rename' as const), index: fc.nat(1000), name: fc.string({ minLength: 1, maxLength: 40 }) }),
	fc.record({ kind: fc.constant('note' as const), index: fc.nat(1000), name: fc.string({ unit: 'grapheme', maxLength: 60 }) }),
	fc.record({ kind: fc.constant('host' as const), index: fc.nat(1000), name: fc.stringMatching(/^new-[a-z0-9]{1,12}$/) }),
);

function edit(
	inventory: InventoryConfig,
	{ kind, index, name }: { kind: 'rename' | 'note' | 'host'; index: number; name: string },
): InventoryConfig {
	if (kind === 'host') {
		const value = { id: name, name: '', system: '', zone: '', addresses: [] };
		return withEntries(inventory, [{ section: 'hosts', key: name, value }]);
	}
	const entries = [...entriesOf(inventory).values()].filter(
		({ section }) => section === 'services' || section === 'interfaces' || section === 'subsystems',
	);
	const { section, key, value } = entries[index % entries.length] as { section: 'services'; key: string; value: object };
	const changed = kind === 'rename' ? { name } : section === 'services' ? { owner: name } : { note: name };
	return withEntries(inventory, [{ section, key, value: { ...value, ...changed } }]);
}

test('any edits of the reference city are exported, read back, and laid over the file again without loss', () => {
	fc.assert(
		fc.property(fc.array(change, { maxLength: 12 }), (changes) => {
			const next = changes.reduce(edit, CITY);
			expect(parsed(inventoryYaml(next))).toEqual(next);
			const list = differences(CITY, next).map(({ section, key, before, after }) => ({ section, key, base: before, value: after }));
			const { inventory, kept, refused } = overFile(CITY, list);
			expect([differences(next, inventory), kept.length, refused]).toEqual([[], list.length, []]);
			expect(overFile(next, list).kept).toEqual([]);
		}),
		{ numRuns: 25 },
	);
});
