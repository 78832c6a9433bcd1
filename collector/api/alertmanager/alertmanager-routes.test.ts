import { spawn } from 'node:child_process';
import type { AddressInfo } from 'node:net';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../core/clock.ts';
import { silentLogger } from '../../../core/log.ts';
import { type RunningAlerting, startAlerting } from '../../../tests/harness/alerting.ts';
import { findCommand, type TemporaryFolder, temporaryFolder, waitFor } from '../../../tests/harness/process.ts';
import { createAccounts } from '../../identity/accounts.ts';
import { createOperationLog } from '../../identity/operation-log.ts';
import { createTokenStore } from '../../identity/tokens.ts';
import { createHttpServer } from '../server.ts';
import { registerAlertmanagerRoutes } from './alertmanager-routes.ts';

const CONFIG = `
route:
  receiver: default
  group_by: [alertname]
  routes:
    - { matchers: ['team="db"'], receiver: dba }
receivers: [{ name: default }, { name: dba }]
inhibit_rules:
  - { source_matchers: ['alertname="HostDown"'], target_matchers: ['alertname="NginxDown"'], equal: [host] }
`;

let folder: TemporaryFolder;
let running: RunningAlerting;
let app: FastifyInstance;
let url = '';
let token = '';
let requests: FastifyRequest[] = [];

beforeEach(async () => {
	folder = temporaryFolder('alertmanager-api');
	running = await startAlerting({ folder: folder.path, config: CONFIG, clock: systemClock });
	const { state } = running;
	const tokens = createTokenStore(state, systemClock);
	const operations = createOperationLog(state, systemClock, () => {});
	const accounts = createAccounts({
		state,
		clock: systemClock,
		config: () => {
			throw new Error('nobody logs in here');
		},
		operations,
	});
	token = await tokens.issue('amtool', 'alert');
	app = await createHttpServer({
		log: silentLogger,
		guard: { accounts, tokens, openReads: false },
		consoleDir: null,
		tls: null,
		version: '0',
	});
	requests = [];
	app.addHook('onRequest', async (request) => {
		requests.push(request);
	});
	await registerAlertmanagerRoutes(app, { alerting: running.alerting, clock: systemClock, log: silentLogger, version: '0.1.0' });
	await app.listen({ port: 0, host: '127.0.0.1' });
	url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
});

afterEach(async () => {
	await app.close();
	await running.stop();
	folder.remove();
});

async function call(method: string, path: string, body?: unknown): Promise<{ status: number; body: unknown }> {
	const response = await fetch(`${url}${path}`, {
		method,
		headers: { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
		...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
		signal: AbortSignal.timeout(10_000),
	});
	const text = await response.text();
	return { status: response.status, body: text === '' ? null : (JSON.parse(text) as unknown) };
}

const inAnHour = () => new Date(Date.now() + 3_600_000).toISOString();

describe('alerts', () => {
	test('what is posted is listed, filtered and grouped', async () => {
		const labels = { alertname: 'NginxDown', host: 'app-1', severity: 'critical' };
		const replica = { alertname: 'ReplicaStopped', host: 'db-2', team: 'db' };
		expect(await call('POST', '/api/v2/alerts', [{ labels, annotations: { summary: 'Nginx 停了' } }, { labels: replica }])).toEqual({
			status: 200,
			body: null,
		});
		const listed = (await call('GET', '/api/v2/alerts?filter=host%3D%22app-1%22')).body;
		expect(listed).toMatchObject([
			{
				labels,
				annotations: { summary: 'Nginx 停了' },
				receivers: [{ name: 'default' }],
				status: { state: 'active', silencedBy: [], inhibitedBy: [] },
			},
		]);
		expect((await call('GET', '/api/v2/alerts?receiver=d.a')).body).toMatchObject([{ labels: replica }]);
		const groups = (await call('GET', '/api/v2/alerts/groups')).body;
		expect(groups).toMatchObject([
			{ labels: { alertname: 'ReplicaStopped' }, receiver: { name: 'dba' }, alerts: [{ labels: replica }] },
			{ labels: { alertname: 'NginxDown' }, receiver: { name: 'default' }, alerts: [{ labels }] },
		]);
		expect((await call('GET', '/api/v2/alerts/groups?receiver=d.a')).body).toMatchObject([{ receiver: { name: 'dba' } }]);
		await call('POST', '/api/v2/alerts', [{ labels, endsAt: new Date(Date.now() - 1000).toISOString() }]);
		expect((await call('GET', '/api/v2/alerts')).body).toMatchObject([{ labels: replica }]);
	});

	test('what is kept is the alert alone: a request that is answered lets go of its body', async () => {
		await call('POST', '/api/v2/alerts', [{ labels: { alertname: 'NginxDown', host: '' } }]);
		expect((await call('GET', '/api/v2/alerts')).body).toMatchObject([{ labels: { alertname: 'NginxDown' } }]);
		await waitFor('the body to go', () => requests[0]?.body === undefined);
	});

	test('an inhibited alert says by which', async () => {
		await call('POST', '/api/v2/alerts', [
			{ labels: { alertname: 'HostDown', host: 'app-1' } },
			{ labels: { alertname: 'NginxDown', host: 'app-1' } },
		]);
		const [inhibited] = (await call('GET', '/api/v2/alerts?active=false')).body as [{ status: { state: string; inhibitedBy: string[] } }];
		expect(inhibited.status).toMatchObject({ state: 'suppressed', inhibitedBy: [expect.stringMatching(/^[0-9a-f]{16}$/)] });
		expect((await call('GET', '/api/v2/alerts?active=false&inhibited=false')).body).toEqual([]);
	});

	test.each([
		{ name: 'no JSON', body: '{"labels"' },
		{ name: 'not a list', body: { labels: { alertname: 'A' } } },
		{ name: 'no labels', body: [{}] },
		{ name: 'only empty labels', body: [{ labels: { alertname: '' } }] },
		{ name: 'a label that is a number', body: [{ labels: { alertname: 7 } }] },
		{ name: 'a bad label name', body: [{ labels: { 'a-b': 'x' } }] },
		{ name: 'an unknown key', body: [{ labels: { alertname: 'A' }, severity: 'x' }] },
		{ name: 'a day that does not exist', body: [{ labels: { alertname: 'A' }, startsAt: '2026-13-01T00:00:00Z' }] },
		{
			name: 'an end before the start',
			body: [{ labels: { alertname: 'A' }, startsAt: '2026-01-02T00:00:00Z', endsAt: '2026-01-01T00:00:00Z' }],
		},
		{ name: 'half a character', body: '[{"labels":{"alertname":"\\ud800"}}]' },
	])('$name is refused with a sentence and changes nothing', async ({ body }) => {
		const answer = await call('POST', '/api/v2/alerts', body);
		expect(answer.status).toBe(400);
		expect(answer.body).toEqual(expect.any(String));
		expect(running.alerting.alerts()).toEqual([]);
	});

	test('a bad filter is refused', async () => {
		expect((await call('GET', '/api/v2/alerts?filter=host%3D~%22(%22')).status).toBe(400);
		expect((await call('GET', '/api/v2/alerts?receiver=(')).status).toBe(400);
		expect((await call('GET', '/api/v2/alerts?activ=true')).status).toBe(400);
	});
});

describe('silences', () => {
	const silence = {
		matchers: [{ name: 'host', value: 'app-.*', isRegex: true, isEqual: true }],
		createdBy: '张三',
		comment: '升级',
		startsAt: new Date().toISOString(),
	};

	test('one that comes back says only what matters, and is read with all of it and what it has hidden', async () => {
		const recurrence = [{ days: 'working', times: [{ start_time: '22:00', end_time: '24:00' }], location: 'Asia/Shanghai' }];
		const created = await call('POST', '/api/v2/silences', { ...silence, endsAt: inAnHour(), recurrence });
		expect(created.status).toBe(200);
		const { silenceID } = created.body as { readonly silenceID: string };
		expect((await call('GET', `/api/v2/silence/${silenceID}`)).body).toMatchObject({
			recurrence: [{ ...recurrence[0], weekdays: [], days_of_month: [], months: [], years: [] }],
			hidden: { messages: 0, criticalSeconds: 0 },
		});
		const aMonthOn = new Date(Date.now() + 30 * 86_400_000).toISOString();
		const longer = (await call('POST', '/api/v2/silences', { ...silence, endsAt: aMonthOn, recurrence })).body as typeof created.body & {
			readonly silenceID: string;
		};
		const { next } = (await call('GET', `/api/v2/silence/${longer.silenceID}`)).body as {
			readonly next: { readonly startsAt: string; readonly endsAt: string };
		};
		expect(next.endsAt).toMatch(/T16:00:00/);
		expect(Date.parse(next.startsAt)).toBeLessThan(Date.parse(next.endsAt));
		const wrong = { ...silence, endsAt: inAnHour(), recurrence: [{ days: 'sometimes' }] };
		expect((await call('POST', '/api/v2/silences', wrong)).status).toBe(400);
	});

	test('a silence is created, hides, is read and ended', async () => {
		await call('POST', '/api/v2/alerts', [{ labels: { alertname: 'A', host: 'app-1' } }]);
		const created = await call('POST', '/api/v2/silences', { ...silence, endsAt: inAnHour() });
		const id = (created.body as { silenceID: string }).silenceID;
		expect((await call('GET', `/api/v2/silence/${id}`)).body).toMatchObject({
			id,
			createdBy: '张三',
			status: { state: 'active' },
			matchers: silence.matchers,
		});
		expect((await call('GET', '/api/v2/alerts')).body).toMatchObject([{ status: { state: 'suppressed', silencedBy: [id] } }]);
		expect((await call('GET', '/api/v2/alerts?silenced=false')).body).toEqual([]);
		expect((await call('DELETE', `/api/v2/silence/${id}`)).status).toBe(200);
		expect((await call('GET', '/api/v2/silences')).body).toMatchObject([{ id, status: { state: 'expired' } }]);
		expect((await call('GET', '/api/v2/alerts')).body).toMatchObject([{ status: { state: 'active', silencedBy: [] } }]);
	});

	test('those in force come first, then by their end, and only those of the creator who is asked for', async () => {
		for (const [createdBy, hours, inHours] of [
			['张三', 3, 0],
			['李娜', 2, 0],
			['张三', 5, 1],
			['王强', 1, 0],
		] as const) {
			const [startsAt, endsAt] = [inHours, hours].map((after) => new Date(Date.now() + after * 3_600_000).toISOString());
			expect((await call('POST', '/api/v2/silences', { ...silence, createdBy, startsAt, endsAt })).status).toBe(200);
		}
		const listed = async (query = '') =>
			((await call('GET', `/api/v2/silences${query}`)).body as readonly { createdBy: string; status: { state: string } }[]).map(
				({ createdBy, status }) => `${createdBy} ${status.state}`,
			);
		expect(await listed()).toEqual(['王强 active', '李娜 active', '张三 active', '张三 pending']);
		expect(await listed(`?creator=${encodeURIComponent('张三')}`)).toEqual(['张三 active', '张三 pending']);
	});

	test.each([
		{ name: 'without an owner', change: { createdBy: ' ' }, status: 400 },
		{ name: 'without a reason', change: { comment: '' }, status: 400 },
		{ name: 'that has ended', change: { endsAt: '2020-01-01T00:00:00Z' }, status: 400 },
		{ name: 'that hides everything', change: { matchers: [{ name: 'host', value: '.*', isRegex: true }] }, status: 400 },
		{ name: 'with a bad expression', change: { matchers: [{ name: 'host', value: '(', isRegex: true }] }, status: 400 },
		{ name: 'without matchers', change: { matchers: [] }, status: 400 },
		{ name: 'that changes one nobody knows', change: { id: '00000000-0000-7000-8000-000000000000' }, status: 404 },
	])('a silence $name is refused', async ({ change, status }) => {
		const answer = await call('POST', '/api/v2/silences', { ...silence, endsAt: inAnHour(), ...change });
		expect(answer).toEqual({ status, body: expect.any(String) });
		expect(running.alerting.silences.list()).toEqual([]);
	});
});

test('without a token nothing is answered', async () => {
	token = 'fn_wrong';
	expect((await call('GET', '/api/v2/alerts')).status).toBe(401);
	expect((await call('POST', '/api/v2/alerts', [{ labels: { alertname: 'A' } }])).status).toBe(401);
});

const amtoolCommand = findCommand('amtool');

describe.skipIf(amtoolCommand === null)('amtool', () => {
	/** Not synchronous: the server lives in this process. */
	function amtool(...args: readonly string[]): Promise<{ code: number | null; output: string }> {
		const address = url.replace('http://', `http://amtool:${token}@`);
		return new Promise((resolve) => {
			const child = spawn(amtoolCommand ?? '', [`--alertmanager.url=${address}`, '--no-version-check', '--timeout=10s', ...args], {
				env: { HOME: folder.path },
			});
			let output = '';
			child.stdout.on('data', (chunk: Buffer) => {
				output += chunk.toString('utf8');
			});
			child.stderr.on('data', (chunk: Buffer) => {
				output += chunk.toString('utf8');
			});
			child.on('close', (code) => resolve({ code, output }));
		});
	}

	test('adds and queries alerts', async () => {
		expect(await amtool('alert', 'add', 'alertname=NginxDown', 'host=app-1', '--annotation=summary=Nginx 停了')).toEqual({
			code: 0,
			output: '',
		});
		expect(running.alerting.alerts()[0]?.alert).toMatchObject({
			labels: { alertname: 'NginxDown', host: 'app-1' },
			annotations: { summary: 'Nginx 停了' },
		});
		const queried = await amtool('-o', 'json', 'alert', 'query', 'host=~app.*');
		expect(JSON.parse(queried.output)).toMatchObject([{ labels: { alertname: 'NginxDown' } }]);
		expect((await amtool('alert', 'query', 'host=other')).output).not.toContain('NginxDown');
	});

	test('adds, queries and expires silences', async () => {
		const added = await amtool('silence', 'add', 'host=app-1', '--author=张三', '--comment=升级', '--duration=1h');
		expect(added.code).toBe(0);
		const id = added.output.trim();
		expect(running.alerting.silences.get(id)).toMatchObject({ createdBy: '张三', comment: '升级' });
		expect((await amtool('silence', 'query')).output).toContain(id);
		expect((await amtool('silence', 'update', id, '--duration=2h')).code).toBe(0);
		expect((await amtool('silence', 'expire', id)).code).toBe(0);
		expect((await amtool('silence', 'query')).output).not.toContain(id);
	});

	test('shows the configuration and routes by it', async () => {
		const shown = await amtool('config', 'show');
		expect(shown.output).toContain('receiver: default');
		expect((await amtool('config', 'routes', 'test', 'team=db')).output.trim()).toBe('dba');
	});
});
