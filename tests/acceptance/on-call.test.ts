import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type HttpResponse, httpExchange } from '../../core/http-client.ts';
import type { IncidentAnswer, IncidentDetailAnswer, IncidentListAnswer, IncidentStatisticsAnswer } from '../../protocol/incident-api.ts';
import type { DutyChangeAnswer, HandoverListAnswer, OnCallAnswer } from '../../protocol/on-call-api.ts';
import { type CollectorProcess, startCollectorProcess } from '../harness/collector.ts';
import { type FakeSmsGateway, startFakeSmsGateway } from '../harness/fake-sms-gateway.ts';
import { freePort, startProcess, type TemporaryFolder, temporaryFolder, waitFor } from '../harness/process.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const PASSWORD = 'Bridge-over-42-rivers';
const BASE = '/api/fournines/v1';
const ZHANG = '13800000001';
const LI = '13900000002';
const WANG = '13700000003';

let folder: TemporaryFolder;
let sms: FakeSmsGateway;
let collector: CollectorProcess;
const cookies = new Map<string, string>();

beforeAll(async () => {
	folder = temporaryFolder('on-call-story');
	sms = await startFakeSmsGateway({ account: 'cgw', secret: 'sms-secret', charset: 'utf8' });
	const port = await freePort();
	const configFile = join(folder.path, 'collector.yml');
	writeFileSync(
		configFile,
		`
server: { external_url: 'http://127.0.0.1:${port}' }
rules: { files: [] }
alerts:
  route: { receiver: nobody, group_by: [alertname], group_wait: 0s, group_interval: 1s }
  receivers: [{ name: nobody }]
  channels:
    - name: sms
      sms_gateway: ${JSON.stringify(sms.channel({ env: 'SMS_SECRET' }, { max_parts: 5 }))}
  oncall:
    people:
      - { id: zhang, name: 张伟, account: zhang.wei, addresses: [{ channel: sms, to: '${ZHANG}' }] }
      - { id: li, name: 李娜, account: li.na, addresses: [{ channel: sms, to: '${LI}' }] }
      - { id: wang, name: 王强, addresses: [{ channel: sms, to: '${WANG}' }] }
    teams: [{ id: duty, name: 值班组, lead: wang, members: [zhang, li, wang] }]
    rosters:
      - { id: first, name: 一线, handover: true, layers: [{ name: always, people: [zhang], start: '2026-01-01' }] }
      - { id: second, name: 二线, layers: [{ name: always, people: [li], start: '2026-01-01' }] }
    staffing: [{ name: 双人, rosters: [first], minimum: 2 }]
    policies:
      - name: standard
        severities: [critical]
        steps: [{ to: ['roster:first'], wait: 3s }, { to: ['roster:second'], wait: 1h }]
`,
	);
	collector = await startCollectorProcess({ dataDir: join(folder.path, 'data'), port, configFile, env: { SMS_SECRET: 'sms-secret' } });
	const accounts = [
		{ role: 'system', account: 'root-of-it', password: PASSWORD },
		{ role: 'operator', account: 'zhang.wei', password: PASSWORD },
		{ role: 'viewer', account: 'looker', password: PASSWORD },
	];
	expect((await call('', 'POST', '/setup', { code: collector.setupCode(), accounts })).status).toBe(204);
	for (const { account } of accounts) {
		const answer = await call('', 'POST', '/session', { account, password: PASSWORD });
		cookies.set(account, /fournines_session=[^;]+/.exec(String(answer.headers['set-cookie']))?.[0] ?? '');
	}
});

afterAll(async () => {
	await collector?.stop();
	await sms?.stop();
	folder.remove();
});

function call(account: string, method: string, path: string, body?: unknown): Promise<HttpResponse> {
	const cookie = cookies.get(account);
	return httpExchange(`${collector.url}${BASE}${path}`, {
		method,
		timeoutMs: 60_000,
		headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...(cookie === undefined ? {} : { cookie }) },
		...(body === undefined ? {} : { body: JSON.stringify(body) }),
	});
}
const get = async <T>(path: string): Promise<T> => JSON.parse((await call('zhang.wei', 'GET', path)).body.toString('utf8')) as T;

async function post(endsAt: string | undefined): Promise<void> {
	const token = readFileSync(join(collector.dataDir, 'keys/local-alert.token'), 'utf8').trim();
	const alert = {
		labels: { alertname: 'MisDown', severity: 'critical', service: 'mis' },
		annotations: { summary: 'MIS 入口打不开' },
		startsAt: new Date(Date.now() - 5000).toISOString(),
		...(endsAt === undefined ? {} : { endsAt }),
	};
	const answer = await httpExchange(`${collector.url}/api/v2/alerts`, {
		method: 'POST',
		timeoutMs: 60_000,
		headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
		body: JSON.stringify([alert]),
	});
	expect(answer.status).toBe(200);
}

const to = (phone: string) => sms.messages.filter(({ phones }) => phones.includes(phone)).map(({ content }) => content);
const having = (phone: string, text: string | RegExp) =>
	to(phone).filter((content) => (typeof text === 'string' ? content.includes(text) : text.test(content)));
const incident = async (): Promise<IncidentAnswer> => {
	const found = (await get<IncidentListAnswer>('/incidents')).incidents.find(({ source }) => source === 'alerts');
	if (found === undefined) throw new Error('there is no incident');
	return found;
};

test('the person on duty is called, then the next one, who takes it by the link of the message; nothing is lost when the process is killed', async () => {
	await post(undefined);
	await waitFor('the call of whoever has duty', () => having(ZHANG, 'MIS 入口打不开').length > 0);
	await collector.kill();
	await collector.start();
	await waitFor('the call of the next one', () => having(LI, 'MIS 入口打不开').length > 0);
	// At-least-once: what was being sent when the process died says so.
	const again = having(ZHANG, 'MIS 入口打不开');
	expect(again.slice(1).every((content) => content.includes('可能重复'))).toBe(true);

	const link = /http:\/\/127\.0\.0\.1:\d+\/ack\/[\w.-]+/.exec(having(LI, '/ack/')[0] ?? '')?.[0] ?? '';
	expect(link).not.toBe('');
	const page = await httpExchange(link, { timeoutMs: 30_000 });
	expect(page.body.toString('utf8')).toContain('我来处理');
	// A messenger that looks for a preview takes nothing.
	expect((await incident()).state).toBe('open');
	const changed = `${link.slice(0, -1)}${link.endsWith('A') ? 'B' : 'A'}`;
	expect((await httpExchange(changed, { method: 'POST', timeoutMs: 30_000 })).status).toBe(404);
	expect((await httpExchange(link, { method: 'POST', timeoutMs: 30_000 })).body.toString('utf8')).toContain('已由 李娜 确认处理');
	await collector.kill();
	await collector.start();
	expect(await incident()).toMatchObject({ state: 'acknowledged', owner: '李娜', nextCallAtMs: null });
	await waitFor('the word to whoever was called first', () => having(ZHANG, '李娜').length > 0);
	const secret = link.split('/').at(-1) ?? 'none';
	const history = await collector.get(`${BASE}/notifications?limit=50`);
	expect(history).toContain('MIS 入口打不开');
	expect(history).not.toContain(secret);
	expect(collector.output()).not.toContain(secret.split('.').at(-1));
	// The link has done its work.
	expect((await httpExchange(link, { timeoutMs: 30_000 })).body.toString('utf8')).not.toContain('我来处理');

	await post(new Date().toISOString());
	await waitFor('the recovery', () => having(ZHANG, /^\[恢复/).length > 0 && having(LI, /^\[恢复/).length > 0);
	const over = await get<IncidentDetailAnswer>(`/incidents/${(await incident()).number}`);
	expect(over.incident.state).toBe('resolved');
	const lines = over.timeline.map(({ kind }) => kind);
	for (const kind of ['sample', 'alert-fired', 'opened', 'called', 'message-queued', 'message-sent', 'acknowledged', 'resolved'])
		expect(lines, kind).toContain(kind);
	expect(over.timeline.find(({ kind }) => kind === 'acknowledged')?.detail).toMatchObject({ way: 'link', person: '李娜' });
	const span = `from=${new Date(Date.now() - 3_600_000).toISOString()}&to=${new Date(Date.now() + 60_000).toISOString()}`;
	const statistics = await get<IncidentStatisticsAnswer>(`/incidents/statistics?${span}`);
	expect(statistics).toMatchObject({ count: 1, acknowledged: 1, neverTaken: 0, open: 0 });
}, 240_000);

test('duty is shown with what lacks, changed with history, and fed to calendars', async () => {
	const now = await get<OnCallAnswer>('/oncall');
	expect(now.rosters.map(({ id, now: people }) => [id, ...people])).toEqual([
		['first', '张伟'],
		['second', '李娜'],
	]);
	expect(now.outlook.gaps[0]).toMatchObject({ rule: '双人', wanted: 2, people: ['张伟'] });
	expect(JSON.stringify(now)).not.toContain(ZHANG);
	const cli = (...args: readonly string[]) =>
		startProcess(process.execPath, [join(ROOT, 'cli/main.ts'), 'oncall', ...args, '--url', collector.url, '--data', collector.dataDir]);
	const who = cli();
	expect(await who.exited).toBe(0);
	expect(who.output()).toBe('first (一线): 张伟\nsecond (二线): 李娜\n');
	const gaps = cli('gaps');
	expect(await gaps.exited).toBe(1);
	expect(gaps.output()).toContain('双人: 2 wanted, 张伟');
	const change = {
		kind: 'replace',
		instead: 'zhang',
		person: 'wang',
		fromMs: Date.now() - 1000,
		toMs: Date.now() + 3_600_000,
		reason: '请假',
	};
	expect((await call('looker', 'POST', '/oncall/rosters/first/changes', change)).status).toBe(403);
	expect((await call('zhang.wei', 'POST', '/oncall/rosters/first/changes', { ...change, person: 'nobody' })).status).toBe(400);
	const made = await call('zhang.wei', 'POST', '/oncall/rosters/first/changes', change);
	expect(made.status).toBe(201);
	expect((await get<OnCallAnswer>('/oncall')).rosters[0]?.now).toEqual(['王强']);
	await collector.kill();
	await collector.start();
	expect((await get<OnCallAnswer>('/oncall')).rosters[0]?.now).toEqual(['王强']);
	const { id } = JSON.parse(made.body.toString('utf8')) as DutyChangeAnswer;
	expect((await call('zhang.wei', 'POST', `/oncall/changes/${id}/cancel`, { reason: '不请了' })).status).toBe(200);
	expect((await get<OnCallAnswer>('/oncall')).rosters[0]?.now).toEqual(['张伟']);
	const { changes } = await get<{ readonly changes: readonly DutyChangeAnswer[] }>('/oncall/rosters/first/changes');
	expect(changes).toMatchObject([{ by: 'zhang.wei', reason: '请假', cancelled: { by: 'zhang.wei', reason: '不请了' } }]);
	expect(await collector.get(`${BASE}/oncall/calendar.ics?roster=first`)).toMatch(/SUMMARY:一线值班：张伟\r\n/);
});

test('a change of duty makes a record that both sides sign', async () => {
	const open = await waitFor(
		'the first record',
		async () =>
			(await get<HandoverListAnswer>('/oncall/handovers')).handovers.find(
				({ missing, incoming }) => missing.includes('incoming') && incoming.includes('张伟'),
			),
		{ timeoutMs: 150_000 },
	);
	expect(open.incoming).toEqual(['张伟']);
	const sign = { side: 'incoming', note: '已了解' };
	expect((await call('root-of-it', 'POST', `/oncall/handovers/${open.id}/sign`, sign)).status).toBe(409);
	expect((await call('zhang.wei', 'POST', `/oncall/handovers/${open.id}/sign`, sign)).status).toBe(200);
	expect((await call('zhang.wei', 'POST', `/oncall/handovers/${open.id}/sign`, sign)).status).toBe(409);
});

test('a drill reaches everybody on duty, and somebody else’s word is written down with both names', async () => {
	expect((await call('zhang.wei', 'POST', '/oncall/drills')).status).toBe(201);
	await waitFor('the messages', () => having(ZHANG, '演练').length > 0 && having(LI, '演练').length > 0);
	const { incidents } = await get<IncidentListAnswer>('/incidents');
	const drill = incidents.find(({ source }) => source === 'drill');
	const answer = await call('zhang.wei', 'POST', `/incidents/${drill?.number}/acknowledge`, { person: 'li' });
	expect(JSON.parse(answer.body.toString('utf8'))).toMatchObject({ state: 'acknowledged', owner: '李娜' });
	const detail = await get<IncidentDetailAnswer>(`/incidents/${drill?.id}`);
	expect(detail.timeline.find(({ kind }) => kind === 'acknowledged')).toMatchObject({
		actor: 'zhang.wei',
		detail: { way: 'on-behalf', person: '李娜' },
	});
});
