import { afterAll, beforeAll, expect, test } from 'vitest';
import { stringify } from 'yaml';
import type { AssessedPeriod } from '../../collector/contracts/contracts.ts';
import type { FaultView } from '../../collector/faults/faults.ts';
import { waitFor } from '../harness/process.ts';
import { startTrialCollector, type TrialAnswer, type TrialCollector } from '../harness/trial-collector.ts';

const BASE = '/api/fournines/v1';
/** So that the outages of the last minutes lie in the quarter that runs, on whatever day this runs. */
const START = new Date(Date.now() - 45 * 86_400_000).toISOString().slice(0, 10);
let collector: TrialCollector;

beforeAll(async () => {
	collector = await startTrialCollector('faults-story', {
		config:
			`contracts: { parties: { client: [owner], manager: [lead] }, terms: { chengdu-2021: { start: ${START}, end: 2099-12-31 } } }\n` +
			'inventory:\n  checks: [{ id: entrance }]\n  services: [{ id: mis, name: MIS, core: true, checks: [entrance], contract: chengdu-2021 }]\n',
		people: { 'root-of-it': 'system', lead: 'operator', owner: 'viewer' },
	});
});
afterAll(() => collector.remove());

const call = (as: string, method: string, path: string, body?: unknown, type = 'application/json') =>
	collector.call(method, `${BASE}${path}`, { as, type, ...(body === undefined ? {} : { body }) });

async function json<T>(response: Promise<TrialAnswer>, status = 200): Promise<T> {
	const answer = await response;
	expect(`${answer.status} ${answer.status === status ? '' : answer.text}`).toBe(`${status} `);
	return JSON.parse(answer.text) as T;
}

test('an outage in stored checks becomes a fault that people carry to its closure, and that its contract prices', async () => {
	const endMs = Math.floor(Date.now() / 10_000) * 10_000 - 60_000;
	const downFromMs = endMs - 900_000;
	const lines: string[] = [];
	for (let t = endMs - 1_200_000; t <= endMs; t += 10_000) {
		const good = t < downFromMs || t >= downFromMs + 420_000;
		lines.push(`probe_success{job="probe",check="entrance",vantage="a",instance="x"} ${good ? 1 : 0} ${t}`);
	}
	await collector.push(`${lines.join('\n')}\n`);
	// The watch looks when it starts, and what was stored before is still there.
	await collector.restart();
	const open = () => json<{ faults: readonly FaultView[] }>(call('lead', 'GET', '/faults'));
	await waitFor('a candidate', async () => (await open()).faults.length === 1);
	const [candidate] = (await open()).faults;
	expect(candidate).toMatchObject({ number: 1, fault: { stage: 'candidate', service: 'mis', moments: { onset: downFromMs } } });
	const id = candidate?.fault.id ?? '';
	const act = (account: string, action: object, status = 200) =>
		json<FaultView>(call(account, 'POST', `/faults/${id}/actions`, action), status);

	await act('owner', { kind: 'declare', channel: '电话' }, 403);
	await act('lead', { kind: 'declare', channel: '电话', momentMs: 'soon' }, 400);
	await act('lead', { kind: 'vanish' }, 400);
	await act('lead', { kind: 'declare', channel: '电话', momentMs: downFromMs + 60_000 });
	await act('lead', { kind: 'acknowledge', momentMs: downFromMs + 120_000 });
	await act('lead', { kind: 'judge', level: '1', reason: 'core business stopped' });
	await act('owner', { kind: 'confirm', level: '1' });
	await act('lead', { kind: 'restore', momentMs: downFromMs + 420_000 });
	await act('lead', { kind: 'resolve', text: 'restarted' });
	await act('lead', { kind: 'close', text: 'done' }, 409);
	await json(
		call('lead', 'POST', `/faults/${id}/attachments?name=${encodeURIComponent('现场.log')}`, 'OutOfMemoryError', 'text/plain'),
		201,
	);
	const file = await call('owner', 'GET', `/faults/${id}/attachments/1`);
	expect(file.text).toBe('OutOfMemoryError');
	expect(file.headers['content-disposition']).toContain(encodeURIComponent('现场.log'));
	await act('lead', { kind: 'set-cause', cause: 'own', text: 'memory leak', evidence: ['1'] });
	await act('owner', { kind: 'countersign', as: 'client' });
	await act('lead', { kind: 'file-report', report: 'final', text: 'the report' });
	expect((await act('lead', { kind: 'close', text: 'done' })).fault.stage).toBe('closed');
	expect((await open()).faults).toEqual([]);

	// Seven minutes down are over 5 to 15: half a point, tied to the fault and its clause.
	const period = await json<AssessedPeriod>(call('owner', 'GET', '/contracts/chengdu-2021/periods/now'));
	expect(period.assessment.items).toMatchObject([
		{ rule: 'outage', faultId: id, service: 'mis', counted: -50, clause: 'Assessment / outage over 5 to 15 min' },
	]);
	expect(period.scores.final.centipoints).toBe(9950);
	expect(period.assessment.next[0]).toMatchObject({ rule: 'outage', kind: 'downtime', service: 'mis', seconds: 301 });
	await json(call('lead', 'GET', '/contracts/chengdu-2021/periods/now?settings=outage_over_60:free'), 400);
	await json(call('lead', 'GET', '/contracts/unknown'), 404);
	const byToken = await collector.call('POST', `${BASE}/faults/${id}/actions`, { token: 'local-read', body: { kind: 'take' } });
	expect(byToken.status).toBe(403);
});

test('a database that fails takes services down with it and opens one candidate, and is priced once', async () => {
	const city = await startTrialCollector('faults-tree', {
		config: stringify({
			contracts: {
				parties: { client: ['owner'], manager: ['lead'] },
				terms: { 'chengdu-2021': { start: START, end: '2099-12-31' } },
			},
			inventory: {
				checks: [{ id: 'database' }, { id: 'entrance' }, { id: 'mobile' }],
				services: [
					{ id: 'business-database', name: '业务数据库', core: true, checks: ['database'] },
					{ id: 'mis', name: 'MIS', core: true, checks: ['entrance'], children: ['business-database'] },
					{ id: 'mobile', name: '移动入口', core: true, checks: ['mobile'], children: ['business-database'] },
					{ id: 'intake', name: '受理子系统', core: true, children: ['mis'] },
				],
			},
		}),
		people: { root: 'system', lead: 'operator', owner: 'viewer' },
	});
	try {
		const endMs = Math.floor(Date.now() / 10_000) * 10_000 - 60_000;
		const from = endMs - 900_000;
		const lines: string[] = [];
		const downs: Readonly<Record<string, (t: number) => boolean>> = {
			database: (t) => t >= from && t < from + 420_000,
			// The entrance looks through to the database; the mobile one fails once more by itself.
			entrance: (t) => t >= from + 10_000 && t < from + 430_000,
			mobile: (t) => t >= from + 700_000 && t < from + 800_000,
		};
		for (let t = endMs - 1_200_000; t <= endMs; t += 10_000)
			for (const [check, isDown] of Object.entries(downs))
				lines.push(`probe_success{job="probe",check="${check}",vantage="a",instance="x"} ${isDown(t) ? 0 : 1} ${t}`);
		await city.push(`${lines.join('\n')}\n`);
		await city.restart();
		const open = async () =>
			(JSON.parse((await city.call('GET', `${BASE}/faults`, { as: 'lead' })).text) as { faults: readonly FaultView[] }).faults;
		await waitFor('the services above', async () => (await open()).some(({ fault }) => fault.affected.length === 3));
		const found = (await open()).map(({ fault }) => [fault.service, [...fault.affected].sort(), fault.moments.onset]);
		expect(found.sort()).toEqual([
			['business-database', ['intake', 'mis', 'mobile'], from],
			['mobile', [], from + 700_000],
		]);
		const period = await city.call('GET', `${BASE}/contracts/chengdu-2021/periods/now`, { as: 'owner' });
		const { assessment } = JSON.parse(period.text) as AssessedPeriod;
		// Seven minutes of four core services are one failure, priced by the longest of them, 430 s; 100 s of the mobile entrance cost nothing.
		expect(assessment.items.map(({ rule, service, counted }) => [rule, service, counted])).toEqual([['outage', 'intake', -50]]);
		const each = await city.call('GET', `${BASE}/contracts/chengdu-2021/periods/now?settings=outage_of_one_failure:each`, { as: 'owner' });
		expect((JSON.parse(each.text) as AssessedPeriod).assessment.items).toHaveLength(4);
	} finally {
		await city.remove();
	}
});
