import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import { temporaryFolder } from '../harness/process.ts';
import { startCollectorHere, startTrialCollector, type TrialCollector } from '../harness/trial-collector.ts';

/** Everything that can change at run time, under one name; what stands behind is wrong somewhere, or not. */
const configuration = (name: string, { thresholds = '', job = '', receiver = '', alerts = '', more = '' } = {}) => `
rules: { files: [rules/*.yml], thresholds: [${thresholds}] }
scrape: { scrape_configs: [{ job_name: ${name}, static_configs: [{ targets: ['127.0.0.1:1'] }]${job} }] }
alerts:
  route: { receiver: ${name} }
  receivers: [{ name: ${name}${receiver} }]
${alerts}
inventory: { hosts: [{ id: ${name} }] }
${more}
`;

let collector: TrialCollector;

function write(name: string, wrong?: Parameters<typeof configuration>[1], rule = '{ alert: ALERT, expr: up > 7 }'): void {
	writeFileSync(join(collector.folder, 'rules', 'own.yml'), `groups: [{ name: ${name}, rules: [${rule.replace('ALERT', name)}] }]\n`);
	writeFileSync(join(collector.folder, 'collector.yml'), configuration(name, wrong));
}

async function inForce(): Promise<Readonly<Record<string, readonly string[]>>> {
	const read = async (path: string, how: { readonly token?: string; readonly as?: string }) => {
		const { status, text } = await collector.call('GET', path, how);
		if (status !== 200) throw new Error(`${path}: ${status} ${text}`);
		return JSON.parse(text);
	};
	const rules = await read('/api/v1/rules', { token: 'local-read' });
	const targets = await read('/api/v1/targets', { token: 'local-read' });
	const receivers = await read('/api/v2/receivers', { token: 'local-read' });
	const inventory = await read('/api/fournines/v1/inventory/state', { as: 'boss' });
	return {
		rules: rules.data.groups.map(({ name }: { name: string }) => name),
		jobs: targets.data.activeTargets.map(({ scrapePool }: { scrapePool: string }) => scrapePool),
		receivers: receivers.map(({ name }: { name: string }) => name),
		hosts: inventory.entries.filter(({ section }: { section: string }) => section === 'hosts').map(({ key }: { key: string }) => key),
	};
}

const all = (name: string) => ({ rules: [name], jobs: [name], receivers: [name], hosts: [name] });

beforeAll(async () => {
	collector = await startTrialCollector('reload', { people: { root: 'system', boss: 'operator' } });
	mkdirSync(join(collector.folder, 'rules'));
	write('first');
	await collector.reload();
}, 120_000);

afterAll(async () => {
	await collector?.remove();
});

describe('a reload', () => {
	test('puts all that may change into force', async () => {
		expect(await inForce()).toEqual(all('first'));
		write('second');
		expect(await collector.reload()).toEqual({ restart: [] });
		expect(await inForce()).toEqual(all('second'));
		write('first');
		await collector.reload();
	});

	test.each([
		{ name: 'a rule', wrong: {}, rule: '{ alert: Wrong, expr: up > }', says: 'own.yml' },
		{ name: 'a threshold', wrong: { thresholds: '{ rule: Nowhere, value: 1 }' }, says: 'no alert "Nowhere"' },
		{ name: 'a file of a scrape job', wrong: { job: ', tls_config: { ca_file: /nowhere/ca.pem }' }, says: '/nowhere/ca.pem' },
		{
			name: 'a secret of a channel',
			wrong: {
				receiver: ", webhook_configs: [{ url: 'http://127.0.0.1:1/', http_config: { authorization: { credentials: { env: NOT_SET } } } }]",
			},
			says: 'NOT_SET',
		},
		{ name: 'a template file', wrong: { alerts: '  templates: [nowhere.tmpl]' }, says: 'nowhere.tmpl' },
		{ name: 'the name of a contract', wrong: { more: 'contracts: { default: nowhere }' }, says: 'no contract profile "nowhere"' },
		{
			name: 'a secret of a relay',
			wrong: { alerts: "  relays: [{ name: r, url: 'https://127.0.0.1:1', token: { env: NOT_SET } }]" },
			says: 'NOT_SET',
		},
	])('is refused whole when $name is wrong', async ({ wrong, rule, says }) => {
		write('other', wrong, rule);
		await expect(collector.reload()).rejects.toThrow(says);
		expect(await inForce()).toEqual(all('first'));
	});

	test('brings contracts of the installation, and edits may name what there is', async () => {
		const shipped = readFileSync(join(import.meta.dirname, '../../rules/contracts/zhaoqing-2025.yml'), 'utf8');
		mkdirSync(join(collector.folder, 'contracts'));
		writeFileSync(join(collector.folder, 'contracts', 'ours.yml'), shipped.replace(/^id: .*$/m, 'id: ours'));
		write('first', { more: 'contracts: { default: ours, terms: { ours: { start: 2020-01-01, end: 2099-12-31 } } }' });
		await collector.reload();
		const standing = await collector.call('GET', '/api/fournines/v1/contracts/ours/standing', { as: 'boss' });
		expect([standing.status, JSON.parse(standing.text).term]).toEqual([200, expect.objectContaining({ firstDay: '2020-01-01' })]);

		const edit = async (contract: string) => {
			const { version } = JSON.parse((await collector.call('GET', '/api/fournines/v1/inventory/state', { as: 'boss' })).text);
			const entries = [{ section: 'maintenance', key: contract, text: `contract: ${contract}` }];
			return collector.call('POST', '/api/fournines/v1/inventory/entries', {
				as: 'boss',
				body: { over: version, note: '工单 9', entries },
			});
		};
		expect(await edit('theirs')).toMatchObject({ status: 400, text: expect.stringContaining('there is no contract profile') });
		expect((await edit('ours')).status).toBe(200);
		write('first');
		await collector.reload();
	});

	test('names what only a start reads', async () => {
		write('second', {
			more: 'store: { retention: 33d }\nreports: { monthly: 1 1 1 * *, language: en }\nserver: { external_url: "http://monitor.example" }\ncontracts: { attachment_max_bytes: 4096, escalate_to: [boss] }',
		});
		expect((await collector.call('POST', '/-/reload', { as: 'boss' })).status).toBe(403);
		const { status, text } = await collector.call('POST', '/-/reload', { as: 'root' });
		expect([status, text]).toEqual([
			200,
			'reloaded\nread at a start only, so restart the collector for: server.external_url, store.retention, reports.monthly, contracts.attachment_max_bytes\n',
		]);
		expect(await inForce()).toEqual(all('second'));
	});
});

describe('an edit of the inventory', () => {
	const OFFICE = 'calendars: [{ id: office, seasons: [{ from: 01-01, to: 12-31, hours: 08:00-20:00 }] }]';
	const stateOf = async () => JSON.parse((await collector.call('GET', '/api/fournines/v1/inventory/state', { as: 'boss' })).text);
	const edit = async (...entries: readonly { readonly section: string; readonly key: string; readonly text: string | null }[]) => {
		const { version } = await stateOf();
		return collector.call('POST', '/api/fournines/v1/inventory/entries', { as: 'boss', body: { over: version, note: '工单 9', entries } });
	};
	const writeWith = (inventory: string, more: Parameters<typeof configuration>[1] = {}) => {
		write('first', more);
		const file = join(collector.folder, 'collector.yml');
		writeFileSync(file, readFileSync(file, 'utf8').replace('inventory: { ', `inventory: { ${inventory === '' ? '' : `${inventory}, `}`));
	};

	test('that names a contract which is taken away gives way, and the collector still starts', async () => {
		writeWith('');
		const own = join(collector.folder, 'contracts', 'ours.yml');
		mkdirSync(join(collector.folder, 'contracts'), { recursive: true });
		const shipped = readFileSync(join(import.meta.dirname, '../../rules/contracts/zhaoqing-2025.yml'), 'utf8');
		writeFileSync(own, shipped.replace(/^id: .*$/m, 'id: ours'));
		await collector.reload();
		expect((await edit({ section: 'maintenance', key: 'ours', text: 'contract: ours' })).status).toBe(200);
		rmSync(own);
		await collector.reload();
		const [newest] = (await stateOf()).history;
		expect(newest.refused).toMatchObject([
			{ section: 'maintenance', key: 'ours', reason: expect.stringContaining('no contract profile "ours"') },
		]);
		await collector.restart();
		expect((await stateOf()).pending).toEqual([]);
	});

	test('cannot take the calendar away that a threshold asks for; nor can the file', async () => {
		const thresholds = '{ rule: first, value: 9, during: office }';
		writeWith(OFFICE, { thresholds });
		await collector.reload();
		expect(await edit({ section: 'calendars', key: 'office', text: null })).toMatchObject({
			status: 400,
			text: expect.stringContaining('asks for the calendar'),
		});
		writeWith('', { thresholds });
		await expect(collector.reload()).rejects.toThrow('no calendar "office"');
		writeWith(OFFICE, { thresholds });
		await collector.restart();
	});

	test('that took a calendar away before a threshold asked for it gives way at the next start', async () => {
		writeWith(OFFICE);
		await collector.reload();
		expect((await edit({ section: 'calendars', key: 'office', text: null }, { section: 'hosts', key: '', text: 'id: db-1' })).status).toBe(
			200,
		);
		writeWith(OFFICE, { thresholds: '{ rule: first, value: 9, during: office }' });
		await collector.restart();
		const { history, pending } = await stateOf();
		expect([pending, history[0].refused.map(({ key }: { key: string }) => key).sort()]).toEqual([[], ['db-1', 'office']]);
	});

	test('is kept where the file itself is what keeps the collector from starting', async () => {
		writeWith(OFFICE);
		await collector.reload();
		expect((await edit({ section: 'hosts', key: '', text: 'id: db-2' })).status).toBe(200);
		writeWith(OFFICE, { thresholds: '{ rule: first, value: 9, during: offise }' });
		await expect(collector.restart()).rejects.toThrow('no calendar "offise"');
		writeWith(OFFICE);
		await collector.restart();
		expect((await stateOf()).pending).toMatchObject([{ section: 'hosts', key: 'db-2' }]);
	});
});

test('a threshold in statutory working hours keeps nobody from starting in a year whose holidays are not known yet', async () => {
	const folder = temporaryFolder('unknown-year');
	mkdirSync(join(folder.path, 'rules'));
	writeFileSync(join(folder.path, 'rules', 'own.yml'), 'groups: [{ name: g, rules: [{ alert: Hot, expr: up > 7 }] }]\n');
	const configFile = join(folder.path, 'collector.yml');
	writeFileSync(
		configFile,
		`rules: { files: [rules/*.yml], thresholds: [{ rule: Hot, value: 9, during: working }] }
inventory: { calendars: [{ id: working, holidays: statutory, seasons: [{ from: 01-01, to: 12-31, hours: 08:00-20:00 }] }] }
`,
	);
	const ahead = Date.parse('2099-06-01T00:00:00Z') - Date.now();
	const clock = { ...systemClock, now: () => Date.now() + ahead };
	const running = await startCollectorHere({ configFile, dataDir: join(folder.path, 'data'), clock });
	try {
		await running.reload();
	} finally {
		await running.stop();
		folder.remove();
	}
});
