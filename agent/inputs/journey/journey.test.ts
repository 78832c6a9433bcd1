import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { collect, oneInput, problemsOf } from '../input.fixture.ts';
import { Servers } from '../probe/probe.fixture.ts';
import { CookieJar } from './cookies.ts';

const servers = new Servers();
let visits: string[];
let sessions: Set<string>;
let broken: string | null;
beforeEach(() => {
	visits = [];
	sessions = new Set();
	broken = null;
});
afterEach(() => servers.close());

/** A small portal with a log-in form, a CSRF token in the page, a session cookie, and a log-out. */
async function portal(): Promise<string> {
	const tokens = new Set<string>();
	const port = await servers.http((request: IncomingMessage, response: ServerResponse) => {
		const path = (request.url ?? '').split('?')[0] ?? '';
		const session = /sid=([0-9a-f]+)/.exec(request.headers.cookie ?? '')?.[1] ?? '';
		visits.push(`${request.method} ${path}`);
		if (broken === path) {
			response.writeHead(500).end('broken');
			return;
		}
		const chunks: Buffer[] = [];
		request.on('data', (chunk: Buffer) => chunks.push(chunk));
		request.on('end', () => {
			const form = new URLSearchParams(Buffer.concat(chunks).toString());
			if (path === '/login' && request.method === 'GET') {
				const token = randomBytes(8).toString('base64');
				tokens.add(token);
				response.end(`<form><input name="_csrf" value="${token}"></form>`);
			} else if (path === '/login') {
				const right = form.get('user') === 'watcher' && form.get('password') === 'geheim & co' && tokens.delete(form.get('_csrf') ?? '');
				if (!right) {
					response.writeHead(403).end('wrong');
					return;
				}
				const id = randomBytes(8).toString('hex');
				sessions.add(id);
				response.writeHead(302, { location: '/home', 'set-cookie': [`sid=${id}; Path=/; HttpOnly`, 'theme=dark'] }).end();
			} else if (path === '/home')
				response.writeHead(sessions.has(session) ? 200 : 401).end(sessions.has(session) ? '欢迎 watcher' : 'log in');
			else if (path === '/api/me') response.end(JSON.stringify({ user: { id: sessions.has(session) ? 7 : null } }));
			else if (path === '/users/7') response.end('seven');
			else if (path === '/logout') {
				sessions.delete(session);
				response.end('bye');
			} else response.writeHead(404).end();
		});
	});
	return `http://127.0.0.1:${port}`;
}

const steps = [
	{ name: 'form', url: '/login', extract: [{ name: 'csrf', matches: 'name="_csrf" value="([^"]+)"' }] },
	{
		name: 'log in',
		url: '/login',
		form: { user: '{{user}}', password: '{{password}}', _csrf: '{{csrf}}' },
		expect: { text: '欢迎', final_url: '/home$' },
	},
	{ name: 'me', url: '/api/me', extract: [{ name: 'id', json: '$.user.id' }] },
	{ name: 'page', url: '/users/{{ id }}', expect: { text: 'seven' } },
	{ name: 'log out', url: '/logout', always: true, expect: { text: 'bye' } },
];
const journey = (base: string, more: object = {}) => ({
	journeys: [{ id: 'portal', base, variables: { user: 'watcher' }, secrets: { password: { env: 'PW' } }, steps, ...more }],
});
const env = { PW: 'geheim & co' };

test('a whole visit: token, cookie, redirect, JSON path, log-out, and the time of each step', async () => {
	const input = oneInput(journey(await portal()), env);
	const found = await collect(input);
	expect(input.target).toMatchObject({ job: 'probe', check: 'portal', journey: 'portal', vantage: 'app-1' });
	expect(found).toMatchObject({ probe_success: 1, fournines_check_degraded: 0, fournines_check_interval_seconds: 60 });
	for (const { name } of steps) {
		expect(found[`journey_step_success{step="${name}"}`], name).toBe(1);
		expect(found[`journey_step_status_code{step="${name}"}`], name).toBe(200);
		expect(found[`journey_step_duration_seconds{step="${name}"}`]).toBeGreaterThan(0);
	}
	expect(visits).toEqual(['GET /login', 'POST /login', 'GET /home', 'GET /api/me', 'GET /users/7', 'GET /logout']);
	expect(sessions.size).toBe(0);
	// The next run starts without cookies.
	expect(await collect(input)).toMatchObject({ probe_success: 1 });
});

test('a step that fails ends the visit, and logging out is tried all the same', async () => {
	broken = '/api/me';
	const found = await collect(oneInput(journey(await portal()), env));
	expect(found).toMatchObject({
		probe_success: 0,
		'fournines_check_failure_info{reason="status"}': 1,
		'journey_failed_step_info{step="me"}': 1,
		'journey_step_success{step="log in"}': 1,
		'journey_step_success{step="me"}': 0,
		'journey_step_status_code{step="me"}': 500,
		'journey_step_success{step="log out"}': 1,
	});
	expect(found).not.toHaveProperty('journey_step_success{step="page"}');
	expect(visits.at(-1)).toBe('GET /logout');
	expect(sessions.size).toBe(0);
});

test('a log-out that fails fails the journey', async () => {
	broken = '/logout';
	expect(await collect(oneInput(journey(await portal()), env))).toMatchObject({
		probe_success: 0,
		'journey_failed_step_info{step="log out"}': 1,
	});
});

test('a wrong password fails at the log-in and is not shown', async () => {
	const found = await collect(oneInput(journey(await portal()), { PW: 'other' }));
	expect(found).toMatchObject({
		probe_success: 0,
		'journey_failed_step_info{step="log in"}': 1,
		'journey_step_status_code{step="log in"}': 403,
	});
	expect(JSON.stringify(found)).not.toContain('other');
});

test('a value that is not in the page fails the step that should have found it', async () => {
	const wrong = [{ name: 'form', url: '/login', extract: [{ name: 'csrf', matches: 'token=([a-z]+)' }] }];
	expect(await collect(oneInput(journey(await portal(), { steps: wrong }), env))).toMatchObject({
		probe_success: 0,
		'fournines_check_failure_info{reason="text"}': 1,
	});
});

test('a portal that is not there: nothing to log out of', async () => {
	const found = await collect(oneInput(journey('http://127.0.0.1:9'), env));
	expect(found).toMatchObject({ probe_success: 0, 'fournines_check_failure_info{reason="connect_refused"}': 1 });
	expect(found).not.toHaveProperty('journey_step_success{step="log out"}');
});

test('a portal that hangs in the middle costs its time and no more', async () => {
	const port = await servers.http((request, response) => {
		visits.push(request.url ?? '');
		if (request.url === '/one' || request.url === '/logout') response.end('ok');
	});
	const hanging = [
		{ name: 'one', url: '/one' },
		{ name: 'two', url: '/two' },
		{ name: 'out', url: '/logout', always: true },
	];
	const found = await collect(oneInput(journey(`http://127.0.0.1:${port}`, { timeout: '300ms', steps: hanging }), env));
	expect(found).toMatchObject({
		probe_success: 0,
		'fournines_check_failure_info{reason="timeout"}': 1,
		'journey_step_success{step="out"}': 1,
	});
	expect(visits).toEqual(['/one', '/two', '/logout']);
});

test('a form is not passed on to another host', async () => {
	let stolen = false;
	const other = await servers.http((_request, response) => {
		stolen = true;
		response.end();
	});
	const port = await servers.http((_request, response) => {
		response.writeHead(307, { location: `http://127.0.0.1:${other}/` }).end();
	});
	const step = [{ name: 'log in', url: '/login', form: { password: '{{password}}' } }];
	expect(await collect(oneInput(journey(`http://127.0.0.1:${port}`, { steps: step }), env))).toMatchObject({
		probe_success: 0,
		'fournines_check_failure_info{reason="redirect"}': 1,
	});
	expect(stolen).toBe(false);
});

test.each([
	{
		name: 'an unknown variable',
		steps: [{ name: 'a', url: '/{{nobody}}' }],
		problem: 'inputs.journeys[0].steps[0]: there is no variable "nobody"',
	},
	{
		name: 'one step name twice',
		steps: [
			{ name: 'a', url: '/' },
			{ name: 'a', url: '/' },
		],
		problem: 'inputs.journeys[0].steps[1].name: ',
	},
	{ name: 'nothing but logging out', steps: [{ name: 'a', url: '/', always: true }], problem: 'inputs.journeys[0].steps: ' },
	{
		name: 'a value from nowhere',
		steps: [{ name: 'a', url: '/', extract: [{ name: 'x' }] }],
		problem: 'inputs.journeys[0].steps[0].extract[0]: ',
	},
	{ name: 'a form and a body', steps: [{ name: 'a', url: '/', form: {}, body: 'x' }], problem: 'inputs.journeys[0].steps[0].body: ' },
])('refused: $name', ({ steps: list, problem }) => {
	const [found = ''] = problemsOf(journey('http://p.test', { steps: list }));
	expect(found.startsWith(problem), found).toBe(true);
});

test('a journey and a probe cannot share an id, because both are checks', () => {
	const both = { ...journey('http://p.test'), probes: [{ id: 'portal', kind: 'tcp', target: 'h:1' }] };
	expect(problemsOf(both)).toEqual(['inputs.journeys[0].id: "portal" is already the id of inputs.probes[0]']);
});

test.each([
	{ name: 'same host', set: ['a=1'], from: 'http://p.test/x/y', to: 'http://p.test/x/z', sent: 'a=1' },
	{ name: 'another path', set: ['a=1'], from: 'http://p.test/x/y', to: 'http://p.test/other', sent: '' },
	{ name: 'a path that only begins alike', set: ['a=1; Path=/adm'], from: 'http://p.test/', to: 'http://p.test/admin', sent: '' },
	{ name: 'another host', set: ['a=1; Path=/'], from: 'http://p.test/', to: 'http://q.test/', sent: '' },
	{ name: 'a subdomain, host only', set: ['a=1; Path=/'], from: 'http://p.test/', to: 'http://x.p.test/', sent: '' },
	{
		name: 'a subdomain of the domain',
		set: ['a=1; Path=/; Domain=.p.test'],
		from: 'http://www.p.test/',
		to: 'http://x.p.test/',
		sent: 'a=1',
	},
	{ name: 'for a foreign domain', set: ['a=1; Path=/; Domain=q.test'], from: 'http://p.test/', to: 'http://q.test/', sent: '' },
	{ name: 'secure', set: ['a=1; Path=/; Secure'], from: 'https://p.test/', to: 'http://p.test/', sent: '' },
	{ name: 'replaced', set: ['a=1; Path=/', 'a=2; Path=/'], from: 'http://p.test/', to: 'http://p.test/', sent: 'a=2' },
	{ name: 'taken back', set: ['a=1; Path=/', 'a=; Path=/; Max-Age=0'], from: 'http://p.test/', to: 'http://p.test/', sent: '' },
	{ name: 'expired', set: ['a=1; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT'], from: 'http://p.test/', to: 'http://p.test/', sent: '' },
])('cookies: $name', ({ set, from, to, sent }) => {
	const jar = new CookieJar();
	jar.take(set, new URL(from), Date.now());
	expect(jar.header(new URL(to))).toBe(sent);
});
