import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { OverviewAnswer } from '../../protocol/api.ts';
import type { AnnotationListAnswer, ChangeAnswer } from '../../protocol/change-api.ts';
import type { ContractStandingAnswer } from '../../protocol/contract-api.ts';
import type { InventoryStateAnswer } from '../../protocol/inventory-api.ts';
import type { ProblemAnswer, ProblemDetailAnswer, ProblemListAnswer } from '../../protocol/problem-api.ts';
import { waitFor } from '../harness/process.ts';
import { startTrialCollector, type TrialAnswer, type TrialCollector } from '../harness/trial-collector.ts';

const ROLES = { root: 'system', ann: 'operator', owner: 'viewer' } as const;
type Account = keyof typeof ROLES;
const CLI = resolve(import.meta.dirname, '../../cli/main.ts');
/** Limits in working days may end in a year whose holidays have not been published when this runs. */
const YEARS = [0, 1].map((later) => `{ year: ${new Date().getFullYear() + later}, off: [01-01] }`);
const FILE = (name: string) =>
	`contracts: { parties: { client: [owner] } }\ninventory:\n  holidays: [${YEARS}]\n  checks: [{ id: k }]\n  services: [{ id: mis, name: ${name}, checks: [k] }]\n`;
let collector: TrialCollector;

beforeAll(async () => {
	collector = await startTrialCollector('desk-api', { config: FILE('MIS'), people: ROLES });
});
afterAll(() => collector.remove());

const call = (account: Account, method: string, path: string, body?: unknown): Promise<TrialAnswer> =>
	collector.call(method, path.startsWith('/metrics') ? path : `/api/fournines/v1${path}`, {
		as: account,
		...(body === undefined ? {} : { body }),
	});
async function json<T>(response: Promise<TrialAnswer>, status = 200): Promise<T> {
	const answer = await response;
	expect(`${answer.status} ${answer.status === status ? '' : answer.text}`).toBe(`${status} `);
	return JSON.parse(answer.text) as T;
}
const refusal = async (response: Promise<TrialAnswer>): Promise<string> => {
	const { status, text } = await response;
	return `${status} ${(JSON.parse(text) as { error: { code: string } }).error.code}`;
};
const operations = (like: string): readonly string[] => {
	const database = new DatabaseSync(join(collector.folder, 'data', 'state', 'state.db'), { readOnly: true });
	try {
		const rows = database.prepare('select actor, action, result from operation_log where action like ? order by at_ms, id').all(like);
		return rows.map(({ actor, action, result }) => `${actor} ${action} ${result}`);
	} finally {
		database.close();
	}
};

test('a problem goes from a telephone call to the word of its reporter, and each step is somebody’s', async () => {
	const report = {
		channel: 'phone',
		reporter: '刘工',
		contact: '028-1',
		department: '武侯区',
		service: 'mis',
		category: '登录',
		title: '登录不了',
		text: '',
		receivedMs: Date.now() - 60_000,
	};
	expect(await refusal(call('owner', 'POST', '/problems', report))).toBe('403 FN_AUTH_FORBIDDEN');
	expect(await refusal(call('ann', 'POST', '/problems', { ...report, channel: 'pigeon' }))).toBe('400 FN_REQUEST_INVALID');
	const { problem, clocks } = await json<ProblemAnswer>(call('ann', 'POST', '/problems', report), 201);
	expect(clocks.map(({ clock, late }) => [clock, late])).toEqual([
		['hand-over', false],
		['answer', false],
	]);
	const act = (body: unknown, account: Account = 'ann') => call(account, 'POST', `/problems/${problem.id}/actions`, body);
	expect(await refusal(act({ kind: 'confirm', by: '刘工', channel: 'phone', note: '' }))).toBe('409 FN_PROBLEM_STEP');
	const file = (as: Account, path: string) =>
		collector.call('POST', `/api/fournines/v1${path}?name=${encodeURIComponent('截图.png')}`, { as, type: 'image/png', body: 'pixels' });
	expect(await refusal(file('owner', `/problems/${problem.id}/attachments`))).toBe('403 FN_AUTH_FORBIDDEN');
	await json(file('ann', `/problems/${problem.id}/attachments`), 201);
	const kept = await call('owner', 'GET', `/problems/${problem.id}/attachments/1`);
	expect([kept.text, kept.headers['content-disposition']]).toEqual([
		'pixels',
		`attachment; filename*=UTF-8''${encodeURIComponent('截图.png')}`,
	]);
	await json(act({ kind: 'accept' }));
	await json(act({ kind: 'hand-over', to: 'root', note: '' }));
	await json(act({ kind: 'answer', text: '已重置', channel: 'phone' }, 'root'));
	await json(act({ kind: 'confirm', by: '刘工', channel: 'phone', note: '' }));
	const { events } = await json<ProblemDetailAnswer>(call('owner', 'GET', `/problems/${problem.id}`));
	expect(events.map(({ actor, body }) => `${body.kind} ${actor}`)).toEqual([
		'receive ann',
		'attach ann',
		'accept ann',
		'hand-over ann',
		'answer root',
		'confirm ann',
	]);
	expect((await json<ProblemListAnswer>(call('owner', 'GET', '/problems'))).problems).toEqual([]);
	const range = `from=${Math.floor(Date.now() / 1000) - 3600}&to=${Math.ceil(Date.now() / 1000)}`;
	expect((await json<ProblemListAnswer>(call('owner', 'GET', `/problems?${range}`))).problems).toHaveLength(1);
	expect(await json(call('owner', 'GET', `/problems/frequent?${range}`))).toMatchObject({
		categories: [{ category: '登录', answer: '已重置' }],
	});
	expect(operations('problem.%')).toEqual([
		'ann problem.open success',
		'ann problem.attach success',
		'ann problem.accept success',
		'ann problem.hand-over success',
		'root problem.answer success',
		'ann problem.confirm success',
	]);
});

test('a change is approved and checked by others, done, and marks the charts while it is worked on', async () => {
	const nowMs = Date.now();
	const wanted = {
		title: '升级 Tomcat',
		nature: 'routine',
		services: ['mis'],
		hosts: [],
		fromMs: nowMs,
		toMs: nowMs + 3_600_000,
		coreData: true,
		plan: '停、换、启',
		rollback: '换回',
		risk: '',
		maintenance: null,
	};
	expect(await refusal(call('owner', 'POST', '/changes', wanted))).toBe('403 FN_CHANGE_FORBIDDEN');
	expect(await refusal(call('ann', 'POST', '/changes', { ...wanted, rollback: '' }))).toBe('400 FN_REQUEST_INVALID');
	const { change } = await json<ChangeAnswer>(call('ann', 'POST', '/changes', wanted), 201);
	const act = (account: Account, body: unknown) => call(account, 'POST', `/changes/${change.id}/actions`, body);
	expect(await refusal(act('ann', { kind: 'approve', note: '' }))).toBe('403 FN_CHANGE_FORBIDDEN');
	await json(act('root', { kind: 'approve', note: '' }));
	await json(act('root', { kind: 'check-plan', note: '' }));
	expect(await refusal(act('ann', { kind: 'start' }))).toBe('409 FN_CHANGE_STEP');
	await json(act('owner', { kind: 'approve-for-client', note: '同意' }));
	await json(act('ann', { kind: 'start' }));
	const marks = async () => {
		const range = `from=${Math.floor(nowMs / 1000) - 60}&to=${Math.ceil(Date.now() / 1000) + 60}`;
		return (await json<AnnotationListAnswer>(call('owner', 'GET', `/annotations?${range}`))).annotations;
	};
	expect(await marks()).toMatchObject([
		{ kind: 'change', timeEnd: null, title: '变更 1：升级 Tomcat', services: ['mis'], tags: ['change', 'routine', 'started'] },
	]);
	const metrics = async () => (await call('owner', 'GET', '/metrics')).text;
	expect(await metrics()).toContain('fournines_change_in_progress{number="1",title="升级 Tomcat",executor="ann"} 1');
	await json(act('ann', { kind: 'finish', result: '完成' }));
	expect(await metrics()).not.toContain('fournines_change_in_progress{');
	expect(await refusal(act('ann', { kind: 'check-result', ok: true, note: '' }))).toBe('403 FN_CHANGE_OWN');
	await json(act('root', { kind: 'check-result', ok: true, note: '' }));
	expect((await marks())[0]?.timeEnd).toBeGreaterThanOrEqual(nowMs);
	expect(operations('change.%').filter((line) => line.endsWith('failure'))).toEqual([
		'owner change.open failure',
		'ann change.approve failure',
		'ann change.check-result failure',
	]);
});

describe('the inventory', () => {
	const state = () => json<InventoryStateAnswer>(call('ann', 'GET', '/inventory/state'));
	const edit = async (entries: unknown, account: Account = 'ann') =>
		call(account, 'POST', '/inventory/entries', { over: (await state()).version, note: '按工单 7', entries });

	test('is edited, is in force at once, and tells every problem of a bad edit', async () => {
		expect(await refusal(edit([{ section: 'hosts', key: '', text: 'id: h' }], 'owner'))).toBe('403 FN_AUTH_FORBIDDEN');
		const bad = await edit([{ section: 'services', key: 'mis', text: 'id: mis\nname: M\nchecks: [x, y]' }]);
		expect(bad.status).toBe(400);
		expect(bad.text).toMatch(/no check \\"x\\".*no check \\"y\\"/s);
		await json(edit([{ section: 'services', key: '', text: 'id: gis\nname: 地理信息\nchecks: [k]' }]));
		const overview = await json<{ services: { id: string }[] }>(call('ann', 'GET', '/overview'));
		await waitFor('the new service', async () =>
			(await json<{ services: { id: string }[] }>(call('ann', 'GET', '/overview'))).services.some(({ id }) => id === 'gis'),
		);
		expect(overview.services.map(({ id }) => id)).toContain('mis');
		expect((await call('owner', 'GET', '/inventory')).text).toContain('id: gis');
	});

	test('is exported by the command with what was edited here, and another product that reads the export says the same', async () => {
		const file = join(collector.folder, 'exported.yml');
		const cli = (...args: string[]) =>
			promisify(execFile)(process.execPath, [CLI, 'inventory', ...args], { encoding: 'utf8', timeout: 150_000 });
		const edited = '带 “引号”: 与 # 井号, 多行\n第二行 ';
		await json(edit([{ section: 'contacts', key: '', text: `id: wang\nname: ${JSON.stringify(edited)}\nphone: "028-1234"` }]));
		await cli('export', '--url', collector.address, '--data', join(collector.folder, 'data'), '--out', file);
		expect((await cli('check', file)).stdout).toContain('good');
		const text = readFileSync(file, 'utf8');
		expect(text).toContain('id: gis');
		expect(text).toBe((await call('owner', 'GET', '/inventory')).text);
		const other = await startTrialCollector('desk-api-copy', { config: text, people: ROLES });
		try {
			const read = async (from: TrialCollector) =>
				JSON.parse((await from.call('GET', '/api/fournines/v1/inventory/state', { as: 'ann' })).text) as InventoryStateAnswer;
			const [ours, theirs] = [await state(), await read(other)];
			expect(theirs.text).toBe(ours.text);
			expect(theirs.entries.map(({ origin: _origin, ...entry }) => entry)).toEqual(
				ours.entries.map(({ origin: _origin, ...entry }) => entry),
			);
			expect(theirs.pending).toEqual([]);
			expect(theirs.entries.find(({ key }) => key === 'wang')?.name).toBe(edited);
		} finally {
			await other.remove();
		}
		await json(edit([{ section: 'contacts', key: 'wang', text: null }]));
	});

	test('takes a calendar and the threshold that asks for it in one reload, and neither where the threshold is wrong', async () => {
		const file = join(collector.folder, 'collector.yml');
		const before = readFileSync(file, 'utf8');
		const reload = async (rule: string) => {
			const calendar = "  calendars: [{ id: nights, seasons: [{ from: 01-01, to: 12-31, hours: '22:00-24:00' }] }]\n";
			writeFileSync(file, `rules: { thresholds: [{ rule: ${rule}, value: 0.99, outside: nights }] }\n${before}${calendar}`);
			return collector.reload().then(() => 'applied', String);
		};
		const isThere = async () => (await call('owner', 'GET', '/inventory')).text.includes('nights');
		expect([await reload('HostCpuBsy'), await isThere()]).toEqual([expect.stringContaining('no alert "HostCpuBsy"'), false]);
		expect([await reload('HostCpuBusy'), await isThere()]).toEqual(['applied', true]);
		writeFileSync(file, before);
	});

	test('is refused with every problem when a bad file is read again, and nothing of that file is in force', async () => {
		const file = join(collector.folder, 'collector.yml');
		const before = readFileSync(file, 'utf8');
		await collector.reload();
		const known = await state();
		const bad = `  hosts: [{ id: fresh }, { id: a, addresses: [10.0.0.1] }, { id: b, addresses: [10.0.0.1] }]
  subsystems: [{ id: sub, name: S, system: none }]
  interfaces: [{ id: i, name: I, peer: P, schedule: { cron: '0 0 30 2 *' } }]
`;
		writeFileSync(file, `${FILE('三期').replace('checks: [k] }', 'checks: [k], children: [mis] }')}${bad}`);
		const refused = await collector.reload().then(() => 'applied', String);
		for (const problem of ['10.0.0.1 belongs', 'no system "none"', 'never comes', 'its own descendant']) expect(refused).toContain(problem);
		expect(await state()).toEqual(known);
		writeFileSync(file, `${FILE('MIS')}  hosts: [{ id: fresh }]\n`);
		await collector.reload();
		expect((await state()).entries.map(({ key }) => key)).toContain('fresh');
		writeFileSync(file, before);
		await collector.reload();
		expect((await state()).text).toBe(known.text);
	});

	test('follows the file when it is read again, and lists what the file overruled', async () => {
		await json(edit([{ section: 'services', key: 'mis', text: 'id: mis\nname: 业务\nchecks: [k]' }]));
		writeFileSync(join(collector.folder, 'collector.yml'), FILE('MIS 二期'));
		await collector.restart();
		const after = await state();
		expect(after.entries.filter(({ section }) => section === 'services').map(({ key, name, origin }) => [key, name, origin])).toEqual([
			['mis', 'MIS 二期', 'file'],
			['gis', '地理信息', 'edited'],
		]);
		expect(after.history[0]).toMatchObject({ author: 'file', refused: [{ section: 'services', key: 'mis' }] });
		const version = await call('owner', 'GET', `/inventory/versions/${after.history[1]?.id}`);
		expect(version.text).toContain('name: 业务');
		expect(operations('inventory.%')).toEqual(Array.from({ length: 4 }, () => 'ann inventory.change success'));
	});
});

test('the desk says for whom an account speaks, and how a contract stands', async () => {
	expect(await json(call('owner', 'GET', '/desk/identity'))).toEqual({ parties: ['client'], disputesDecidedBy: 'client' });
	expect(await json(call('ann', 'GET', '/desk/identity'))).toMatchObject({ parties: [] });
	const standing = await json<ContractStandingAnswer>(call('owner', 'GET', '/contracts/chengdu-2021/standing'));
	expect(standing.periods[0]).toMatchObject({ period: { id: 'q1' }, over: true, final: 10_000 });
	expect(standing.years[0]).toMatchObject({ id: 'y1', periods: ['q1', 'q2', 'q3', 'q4'], final: 10_000 });
	expect(standing.termination.map(({ kind, state }) => [kind, state])).toEqual([
		['money-share', 'far'],
		['outage', 'far'],
	]);
});

test('a problem that nobody handed over in time is told to the people on duty', async () => {
	const waiting = {
		channel: 'mail',
		reporter: '王工',
		contact: '',
		department: '',
		service: null,
		category: '地图',
		title: '地图空白',
		text: '',
		receivedMs: Date.now() - 20 * 60_000,
	};
	await json(call('ann', 'POST', '/problems', waiting), 201);
	const alert = async () => {
		const { alerts } = await json<OverviewAnswer>(call('owner', 'GET', '/overview'));
		return alerts.find(({ labels }) => labels['alertname'] === 'ProblemStepDue');
	};
	await waitFor('the alert', async () => (await alert()) !== undefined, { timeoutMs: 150_000, intervalMs: 500 });
	expect(await alert()).toMatchObject({
		labels: { step: 'hand-over', problem_number: '2' },
		annotations: { summary: '用户问题 2「地图空白」：受理交办已超时' },
	});
});

test('what is offered is in the OpenAPI document', async () => {
	const answer = await collector.call('GET', '/api/fournines/openapi.json', { as: 'owner' });
	const { paths } = JSON.parse(answer.text) as { paths: Record<string, object> };
	for (const path of ['/problems/{id}/actions', '/changes/{id}/actions', '/annotations', '/inventory/entries'])
		expect(Object.keys(paths)).toContain(`/api/fournines/v1${path}`);
});
