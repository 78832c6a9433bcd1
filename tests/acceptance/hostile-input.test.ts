import { readFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunningCollector } from '../../collector/app.ts';
import { type TemporaryFolder, temporaryFolder } from '../harness/process.ts';
import { startCollectorHere } from '../harness/trial-collector.ts';

interface Answer {
	readonly status: number;
	readonly body: string;
}

const PASSWORD = 'Correct-horse-7';
let folder: TemporaryFolder;
let collector: RunningCollector;
let cookie = '';
const tokens: Record<string, string> = {};

/** One raw exchange; a connection that the server closes after refusing a large body still counts by its answer. */
function send(
	method: string,
	path: string,
	options: { readonly headers?: Readonly<Record<string, string>>; readonly body?: Uint8Array | string } = {},
): Promise<Answer> {
	return new Promise((done, fail) => {
		const target = new URL(collector.address);
		const request = httpRequest(
			{ host: target.hostname, port: target.port, method, path, headers: options.headers ?? {}, agent: false },
			(response) => {
				const chunks: Buffer[] = [];
				response.on('data', (chunk: Buffer) => chunks.push(chunk));
				response.on('end', () => done({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') }));
			},
		);
		request.on('error', (error) => fail(new Error(`${method} ${path}: ${error.message}`)));
		request.end(options.body);
	});
}

beforeAll(async () => {
	folder = temporaryFolder('hostile');
	collector = await startCollectorHere({
		configFile: null,
		dataDir: join(folder.path, 'data'),
		openReads: true,
	});
	for (const name of ['local-agent', 'local-read', 'local-alert'])
		tokens[name] = readFileSync(join(folder.path, 'data/keys', `${name}.token`), 'utf8').trim();
	const json = { 'content-type': 'application/json' };
	const code = await collector.accounts.setupCode();
	const setup = await send('POST', '/api/fournines/v1/setup', {
		headers: json,
		body: JSON.stringify({ code, accounts: [{ role: 'system', account: 'ops', password: PASSWORD }] }),
	});
	expect(setup.status).toBe(204);
	const { session } = await collector.accounts.logIn('ops', PASSWORD, '');
	cookie = `fournines_session=${session}`;
});
afterAll(async () => {
	await collector.stop();
	folder.remove();
});

const bearer = (name: string) => ({ authorization: `Bearer ${tokens[name]}` });

const ENDPOINTS: readonly {
	readonly method: string;
	readonly path: string;
	readonly as: () => Record<string, string>;
	readonly type: string;
}[] = [
	{ method: 'POST', path: '/api/v1/write', as: () => bearer('local-agent'), type: 'application/x-protobuf' },
	{ method: 'POST', path: '/api/v1/import/prometheus', as: () => bearer('local-agent'), type: 'text/plain' },
	{ method: 'POST', path: '/v1/metrics', as: () => bearer('local-agent'), type: 'application/json' },
	{ method: 'POST', path: '/api/fournines/v1/logs', as: () => bearer('local-agent'), type: 'application/json' },
	{ method: 'POST', path: '/api/v2/alerts', as: () => bearer('local-alert'), type: 'application/json' },
	{ method: 'POST', path: '/api/v2/silences', as: () => ({ cookie }), type: 'application/json' },
	{ method: 'POST', path: '/api/fournines/v1/session', as: () => ({}), type: 'application/json' },
	{ method: 'POST', path: '/api/fournines/v1/setup', as: () => ({}), type: 'application/json' },
	{ method: 'POST', path: '/api/v1/query', as: () => bearer('local-read'), type: 'application/x-www-form-urlencoded' },
	{ method: 'POST', path: '/api/v1/query_range', as: () => bearer('local-read'), type: 'application/x-www-form-urlencoded' },
	{ method: 'POST', path: '/api/v1/series', as: () => bearer('local-read'), type: 'application/x-www-form-urlencoded' },
];

const BODIES: readonly { readonly name: string; readonly body: Uint8Array | string; readonly headers?: Record<string, string> }[] = [
	{ name: 'nothing', body: '' },
	{ name: 'random bytes', body: Uint8Array.from({ length: 4096 }, (_, i) => (i * 197 + 31) & 0xff) },
	{ name: 'an open brace', body: '{' },
	{ name: 'JSON of another shape', body: '{"a":1}' },
	{ name: 'JSON null', body: 'null' },
	{ name: 'a prototype', body: '{"__proto__":{"admin":true},"constructor":{"prototype":{"x":1}}}' },
	{ name: 'deep nesting', body: `${'['.repeat(100_000)}${']'.repeat(100_000)}` },
	{ name: 'GBK text', body: Uint8Array.from([0x7b, 0x22, 0xb3, 0xc7, 0xca, 0xd0, 0x22, 0x3a, 0x31, 0x7d]) },
	{ name: 'gzip that is none', body: 'not gzip at all', headers: { 'content-encoding': 'gzip' } },
	{ name: 'a gzip bomb', body: gzipSync(Buffer.alloc(200 * 1024 * 1024)), headers: { 'content-encoding': 'gzip' } },
	{ name: 'an encoding that nobody knows', body: '{}', headers: { 'content-encoding': 'br, br' } },
	{
		name: 'a snappy length that lies',
		body: Uint8Array.from([0xff, 0xff, 0xff, 0xff, 0x0f, 0x00, 0x61]),
		headers: { 'content-encoding': 'snappy' },
	},
	{ name: 'forty megabytes', body: Buffer.alloc(40 * 1024 * 1024, 0x20) },
];

describe('what is malformed gets a clear refusal and changes nothing', () => {
	const cases = ENDPOINTS.flatMap((endpoint) => BODIES.map((body) => ({ endpoint, body, name: `${endpoint.path}: ${body.name}` })));
	test.each(cases)('$name', async ({ endpoint, body }) => {
		const headers = { 'content-type': endpoint.type, ...endpoint.as(), ...body.headers };
		let answer: Answer;
		try {
			answer = await send(endpoint.method, endpoint.path, { headers, body: body.body });
		} catch (error) {
			// A peer that is still sending megabytes when the refusal comes may see the connection break before the answer.
			if (body.body.length > 16 * 1024 * 1024 && /EPIPE|ECONNRESET/.test(String(error))) return;
			throw error;
		}
		// An empty write request is a valid one.
		const fine =
			(/write|import/.test(endpoint.path) && body.name === 'nothing') ||
			// The JSON of OTLP must ignore keys that it does not know (proto3), so an object without any of its own is an empty request.
			(endpoint.path === '/v1/metrics' && ['JSON of another shape', 'a prototype'].includes(body.name) && answer.body === '{}');
		if (fine) return;
		expect(answer.status, answer.body).toBeGreaterThanOrEqual(400);
		expect(answer.status, answer.body).toBeLessThan(500);
		expect(answer.body.length).toBeGreaterThan(10);
		expect(answer.body.length).toBeLessThan(2000);
		expect(answer.body).not.toMatch(/\bat \/|node_modules|\.ts:\d/);
	});

	test('afterwards everything still works and nothing was taken', async () => {
		expect((await send('GET', '/-/healthy')).status).toBe(200);
		expect(JSON.parse((await send('GET', '/api/v2/alerts', { headers: bearer('local-read') })).body)).toEqual([]);
		expect(JSON.parse((await send('GET', '/api/v2/silences', { headers: bearer('local-read') })).body)).toEqual([]);
		const metrics = JSON.parse((await send('GET', '/api/v1/label/__name__/values', { headers: bearer('local-read') })).body) as {
			data: readonly string[];
		};
		expect(metrics.data.filter((name) => !/^(fournines_|process_|nodejs_|ALERTS)/.test(name))).toEqual([]);
		expect(Object.prototype).not.toHaveProperty('admin');
	});
});

describe('who may do what', () => {
	const guarded = [
		'/api/v1/query?query=up',
		'/api/v2/alerts',
		'/api/v2/silences',
		'/api/fournines/v1/overview',
		'/api/fournines/v1/boards',
		'/api/fournines/v1/notifications',
		'/api/fournines/v1/reports/availability?month=2026-01',
		'/api/fournines/openapi.json',
		'/metrics',
	];

	test.each(guarded)('%s needs somebody', async (path) => {
		// A forwarded request is not a local one, so open reads do not apply.
		const answer = await send('GET', path, { headers: { 'x-forwarded-for': '203.0.113.9' } });
		expect(answer.status).toBe(401);
		expect(answer.body).toContain('token');
	});

	test.each([
		{
			name: 'a push token must not read',
			method: 'GET',
			path: '/api/v1/query?query=up',
			headers: () => bearer('local-agent'),
			status: 403,
		},
		{ name: 'a read token must not push', method: 'POST', path: '/api/v1/write', headers: () => bearer('local-read'), status: 403 },
		{ name: 'a read token must not silence', method: 'POST', path: '/api/v2/silences', headers: () => bearer('local-read'), status: 403 },
		{
			name: 'a wrong token is nobody',
			method: 'GET',
			path: '/api/v1/query?query=up',
			headers: () => ({ authorization: 'Bearer fn_wrong' }),
			status: 401,
		},
		{
			name: 'a made-up session is nobody',
			method: 'GET',
			path: '/api/fournines/v1/overview',
			headers: () => ({ cookie: 'fournines_session=made-up' }),
			status: 401,
		},
		{
			name: 'a token as Basic password reads',
			method: 'GET',
			path: '/api/v1/query?query=up',
			headers: () => ({ authorization: `Basic ${Buffer.from(`any:${tokens['local-read']}`).toString('base64')}` }),
			status: 200,
		},
		{
			name: 'an open read is for the Prometheus API alone',
			method: 'GET',
			path: '/api/fournines/v1/overview',
			headers: () => ({}),
			status: 401,
		},
		{ name: 'an open read from loopback', method: 'GET', path: '/api/v1/query?query=up', headers: () => ({}), status: 200 },
		{
			name: 'not under a name that was bound to loopback by somebody else',
			method: 'GET',
			path: '/api/v1/query?query=up',
			headers: () => ({ host: 'evil.example' }),
			status: 401,
		},
		{
			name: 'not through a proxy',
			method: 'GET',
			path: '/api/v1/query?query=up',
			headers: () => ({ forwarded: 'for=203.0.113.9' }),
			status: 401,
		},
		{
			name: 'a page of another site may not use the session',
			method: 'POST',
			path: '/api/v2/silences',
			headers: () => ({ cookie, origin: 'https://evil.example', 'content-type': 'application/json' }),
			status: 403,
		},
		{
			name: 'an encoded path does not slip through',
			method: 'GET',
			path: '/api/%66ournines/v1/overview',
			headers: () => ({}),
			status: 401,
		},
		{ name: 'an unknown place says so', method: 'GET', path: '/api/fournines/v1/nothing', headers: () => ({ cookie }), status: 404 },
	])('$name', async ({ method, path, headers, status }) => {
		expect((await send(method, path, { headers: headers() })).status).toBe(status);
	});

	test('guessing a password is slowed and then locked, and the page says why', async () => {
		const guess = () =>
			send('POST', '/api/fournines/v1/session', {
				headers: { 'content-type': 'application/json' },
				body: JSON.stringify({ account: 'ops', password: 'Wrong-guess-1' }),
			});
		const statuses: number[] = [];
		for (let i = 0; i < 6; i++) statuses.push((await guess()).status);
		expect(statuses.slice(0, 2).every((status) => status === 401 || status === 429)).toBe(true);
		expect(statuses.at(-1)).toBe(429);
	});
});
