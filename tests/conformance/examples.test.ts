import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadAgentConfig, parseAgentConfig } from '../../agent/config.ts';
import { CollectorConfigSchema, checkCollectorConfig } from '../../collector/config.ts';
import { parseInventoryFile } from '../../collector/inventory/inventory-yaml.ts';
import { configOrThrow, loadConfigFile } from '../../core/config-file.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const examples = readdirSync(join(ROOT, 'examples'), { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.yml'));

test.each(examples)('examples/%s is sound', (file) => {
	const path = join(ROOT, 'examples', file);
	const read = /(^|\/)agent[^/]*$/.test(file) ? loadAgentConfig(path) : loadConfigFile(path, CollectorConfigSchema, checkCollectorConfig);
	expect(read).toMatchObject({ kind: 'ok' });
});

test('the contract of the reference city runs, and its people are those of the inventory', () => {
	const read = (file: string) =>
		configOrThrow(loadConfigFile(join(ROOT, 'examples/chengdu', file), CollectorConfigSchema, checkCollectorConfig));
	const { contracts } = read('contract.yml');
	const known = read('collector.yml').inventory.contacts.map(({ id }) => id);
	expect(known).toEqual(expect.arrayContaining([...contracts.parties.manager, ...contracts.parties.client, ...contracts.escalate_to]));
	const { start = '', end = '' } = contracts.terms['chengdu-2021'] ?? {};
	expect([start, end]).toEqual(['2026-08-01', '2027-07-31']);
});

test('the reference city has as many interfaces of each kind as its contract says', () => {
	const { inputs } = configOrThrow(loadAgentConfig(join(ROOT, 'examples/chengdu/agent-docking.yml')));
	const counts: Record<string, number> = {};
	for (const { peer, schedule } of inputs.push) {
		const key = `${peer} ${schedule.every ?? schedule.at?.join()}`;
		counts[key] = (counts[key] ?? 0) + 1;
	}
	expect(counts).toEqual({
		'成都市网络理政中心 23:00': 4,
		'成都市网络理政中心 1h': 3,
		'成都市网络理政中心 30m': 7,
		'住房和城乡建设部 23:00': 5,
		'四川省住房和城乡建设厅 10m': 1,
		'成都市城市管理委员会 23:00': 5,
		'成华区 23:00': 2,
		'彭州市 23:00': 7,
		'青白江区 23:00': 1,
	});
});

describe('the reference city', () => {
	const { inputs } = configOrThrow(loadAgentConfig(join(ROOT, 'examples/chengdu/agent-docking.yml')));
	const inventory = configOrThrow(parseInventoryFile(readFileSync(join(ROOT, 'examples/chengdu/collector.yml'), 'utf8'), 'collector.yml'));
	const { interfaces } = inventory;
	const scheduled = interfaces.filter(({ schedule }) => schedule !== undefined);
	const once = interfaces.filter(({ schedule }) => schedule === undefined);

	test('measures every scheduled interface by the schedule and the grace that it is owed by', () => {
		const owed = (list: readonly { id: string; peer: string; grace: string; schedule?: object }[]) =>
			list.map(({ id, peer, grace, schedule }) => JSON.stringify([id, peer, grace, schedule])).sort();
		expect(scheduled).toHaveLength(35);
		expect(owed(inputs.push)).toEqual(owed(scheduled as never));
	});

	test('probes the entrance of every peer, and every interface that was delivered once but the one on media', () => {
		const probes = new Map(inputs.probes.map(({ id, labels }) => [id, labels]));
		expect(new Set([...probes.values()].map((labels) => labels['peer']).filter((peer) => peer !== undefined))).toEqual(
			new Set(interfaces.map(({ peer }) => peer)),
		);
		const unprobed = once.filter(({ id, peer }) => probes.get(`interface-${id}`)?.['peer'] !== peer);
		expect([once.length, unprobed.map(({ id }) => id)]).toEqual([20, ['committee-once-media']]);
	});

	test('compares the counts of both ends for every daily push', () => {
		const daily = scheduled.filter(({ schedule }) => schedule !== undefined && 'at' in schedule && schedule.at !== undefined);
		expect(daily).toHaveLength(24);
		expect(inputs.reconcile.map(({ id, peer }) => `${id} ${peer}`).sort()).toEqual(daily.map(({ id, peer }) => `${id} ${peer}`).sort());
	});

	test('makes every check of the inventory from both vantage points, but each its own reference', () => {
		const other = configOrThrow(loadAgentConfig(join(ROOT, 'examples/chengdu/agent-monitoring.yml'))).inputs;
		const ids = (from: typeof inputs) => new Set([...from.probes, ...from.journeys].map(({ id }) => id));
		const missing = (from: typeof inputs) => inventory.checks.map(({ id }) => id).filter((id) => !ids(from).has(id));
		expect([missing(inputs), missing(other)]).toEqual([['reference-app-6'], ['mis-login', 'reference-docking-1']]);
	});

	test('counts the requests of the main entrance where the inventory looks for them', () => {
		const config = configOrThrow(loadAgentConfig(join(ROOT, 'examples/chengdu/agent-app-1.yml')));
		const counted = inventory.services.flatMap(({ id, requests }) =>
			requests !== undefined && 'access_log' in requests ? [[id, requests.access_log.kind, requests.access_log.hosts]] : [],
		);
		expect(counted).toEqual([
			['mis', 'nginx', ['app-1']],
			['mobile', 'nginx', ['app-2']],
			['gis', 'nginx', ['app-3']],
		]);
		expect([config.host.name, config.inputs.access_logs.map(({ kind }) => kind)]).toEqual(['app-1', ['nginx']]);
	});
});

describe('the READMEs of inputs', () => {
	const readmes = readdirSync(join(ROOT, 'agent/inputs'))
		.map((folder) => join(ROOT, 'agent/inputs', folder, 'README.md'))
		.filter((file) => existsSync(file));
	const blocks = readmes.flatMap((file) =>
		[...readFileSync(file, 'utf8').matchAll(/```yaml\n([\s\S]*?)```/g)].map((match, i) => ({
			name: `${file.slice(ROOT.length + 1)} ${i + 1}`,
			text: match[1] ?? '',
		})),
	);

	test('have examples', () => {
		expect(blocks.length).toBeGreaterThan(10);
	});

	test.each(blocks.filter(({ text }) => text.startsWith('inputs:')))('$name is sound', ({ text }) => {
		expect(parseAgentConfig(text, 'README.md')).toMatchObject({ kind: 'ok' });
	});
});
