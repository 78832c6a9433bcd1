import type { IncomingMessage, ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import { freePort } from '../../../tests/harness/process.ts';
import { probe, reasonOf, Servers } from './probe.fixture.ts';

const servers = new Servers();
afterEach(() => servers.close());

const JSON_BODY = JSON.stringify({ status: 'UP', queue: { length: 3 }, items: [{ state: 'ok' }, { state: 'ok' }] });

/** Answers what the path says. */
function pages(request: IncomingMessage, response: ServerResponse): void {
	const [path = '', query] = (request.url ?? '').slice(1).split('?');
	if (path === 'hang') return;
	if (path === 'json') response.end(JSON_BODY);
	else if (path === 'gzip') response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('the portal is up'));
	else if (path === 'bomb') response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(4 * 1024 * 1024)));
	else if (path === 'loop') response.writeHead(302, { location: '/loop' }).end();
	else if (path === 'chain') response.writeHead(301, { location: '/chain2' }).end();
	else if (path === 'chain2') response.writeHead(303, { location: '/echo' }).end();
	else if (path === 'away') response.writeHead(302, { location: 'ftp://example.test/' }).end();
	else if (path === 'cross307') response.writeHead(307, { location: `http://127.0.0.1:${query}/echo` }).end();
	else if (path === 'cross') response.writeHead(302, { location: `http://127.0.0.1:${query}/echo` }).end();
	else if (path === 'echo') {
		const chunks: Buffer[] = [];
		request.on('data', (chunk: Buffer) => chunks.push(chunk));
		request.on('end', () =>
			response.end(JSON.stringify({ method: request.method, headers: request.headers, body: Buffer.concat(chunks).toString() })),
		);
	} else if (path === 'half') {
		response.writeHead(200, { 'content-length': '100' }).write('half');
		setTimeout(() => response.destroy(), 20);
	} else if (path === 'gigabyte') {
		response.writeHead(200);
		const chunk = Buffer.alloc(256 * 1024, 'x');
		const more = () => {
			while (!response.destroyed && response.write(chunk));
		};
		response.on('drain', more);
		more();
	} else response.writeHead(Number(path), Number(path) === 302 ? { location: '/200' } : { 'x-node': 'app-1' }).end('the portal is up');
}

test.each([
	{ path: '200', expect: {}, reason: null },
	{ path: '204', expect: {}, reason: null },
	{ path: '302', expect: {}, reason: null },
	{ path: '404', expect: {}, reason: 'status' },
	{ path: '500', expect: {}, reason: 'status' },
	{ path: '404', expect: { status: [404] }, reason: null },
	{ path: '200', expect: { status: [404] }, reason: 'status' },
	{ path: '200', expect: { text: 'portal' }, reason: null },
	{ path: '200', expect: { text: 'maintenance' }, reason: 'text' },
	{ path: '200', expect: { not_text: 'maintenance' }, reason: null },
	{ path: '200', expect: { not_text: 'portal' }, reason: 'text' },
	{ path: '200', expect: { matches: ['(?i)PORTAL is (up|fine)'] }, reason: null },
	{ path: '200', expect: { matches: ['^up$'] }, reason: 'text' },
	{ path: '200', expect: { not_matches: ['is .p'] }, reason: 'text' },
	{ path: '200', expect: { min_bytes: 16, max_bytes: 16 }, reason: null },
	{ path: '200', expect: { min_bytes: 17 }, reason: 'size' },
	{ path: '200', expect: { max_bytes: 15 }, reason: 'size' },
	{ path: '200', expect: { headers: { 'X-Node': '^app-' } }, reason: null },
	{ path: '200', expect: { headers: { 'X-Node': '^db-' } }, reason: 'header' },
	{ path: '200', expect: { headers: { 'X-Missing': '.' } }, reason: 'header' },
	{ path: '200', expect: { json: [{ path: '$.status' }] }, reason: 'json' },
	{ path: 'json', expect: { json: [{ path: '$.status', equals: 'UP' }] }, reason: null },
	{ path: 'json', expect: { json: [{ path: '$.status', equals: 'DOWN' }] }, reason: 'json' },
	{ path: 'json', expect: { json: [{ path: '$.missing' }] }, reason: 'json' },
	{ path: 'json', expect: { json: [{ path: '$.missing', max_count: 0 }] }, reason: null },
	{ path: 'json', expect: { json: [{ path: '$.queue.length', min: 0, max: 10 }] }, reason: null },
	{ path: 'json', expect: { json: [{ path: '$.queue.length', max: 2 }] }, reason: 'json' },
	{ path: 'json', expect: { json: [{ path: '$.status', max: 2 }] }, reason: 'json' },
	{ path: 'json', expect: { json: [{ path: '$.items[*].state', matches: '^ok$', min_count: 2 }] }, reason: null },
	{ path: 'json', expect: { json: [{ path: '$.items[*]', min_count: 3 }] }, reason: 'json' },
	{ path: 'gzip', expect: { text: 'portal' }, reason: null },
	{ path: 'bomb', expect: { text: 'portal' }, reason: 'size' },
	{ path: 'half', expect: {}, reason: 'broken_off' },
	{ path: 'away', expect: {}, http: { redirects: 3 }, reason: 'redirect' },
	{ path: 'loop', expect: {}, http: { redirects: 3 }, reason: 'redirect' },
	{ path: 'chain', expect: { final_url: '/echo$' }, http: { redirects: 3 }, reason: null },
	{ path: 'chain', expect: { final_url: '/login$' }, http: { redirects: 3 }, reason: 'redirect' },
])('http $path $expect $http: $reason', async ({ path, reason, ...more }) => {
	const found = await probe({ kind: 'http', target: `http://127.0.0.1:${await servers.http(pages)}/${path}`, ...more });
	expect(reasonOf(found)).toBe(reason);
	expect(found['probe_success']).toBe(reason === null ? 1 : 0);
	expect(found['probe_failed_due_to_regex']).toBe(reason === 'text' ? 1 : 0);
});

test('what is measured', async () => {
	const port = await servers.http(pages);
	const found = await probe({ kind: 'http', target: `http://127.0.0.1:${port}/chain`, http: { redirects: 5 } });
	expect(found).toMatchObject({
		probe_success: 1,
		probe_http_status_code: 200,
		probe_http_redirects: 2,
		probe_http_ssl: 0,
		probe_http_version: 1.1,
		probe_ip_protocol: 4,
		fournines_check_interval_seconds: 5,
		fournines_check_degraded: 0,
	});
	const phases = ['resolve', 'connect', 'tls', 'processing', 'transfer'].map(
		(phase) => found[`probe_http_duration_seconds{phase="${phase}"}`] ?? Number.NaN,
	);
	const total = phases.reduce((sum, seconds) => sum + seconds, 0);
	expect(total).toBeGreaterThan(0);
	expect(total).toBeLessThanOrEqual(found['probe_duration_seconds'] ?? 0);
});

test('slow and successful is degraded; failed is not', async () => {
	const target = `http://127.0.0.1:${await servers.http(pages)}`;
	expect(await probe({ kind: 'http', target: `${target}/200`, degraded_after: '0s' })).toMatchObject({
		probe_success: 1,
		fournines_check_degraded: 1,
	});
	expect(await probe({ kind: 'http', target: `${target}/500`, degraded_after: '0s' })).toMatchObject({
		probe_success: 0,
		fournines_check_degraded: 0,
	});
});

describe('a server that misbehaves costs only its own check', () => {
	test('hung', async () => {
		const found = await probe({ kind: 'http', timeout: '150ms', target: `http://127.0.0.1:${await servers.http(pages)}/hang` });
		expect([reasonOf(found), found['probe_http_status_code']]).toEqual(['timeout', 0]);
	});

	test('a gigabyte: no more than the limit is kept', async () => {
		const target = `http://127.0.0.1:${await servers.http(pages)}/gigabyte`;
		const before = process.memoryUsage().rss;
		const found = await probe({ kind: 'http', target });
		expect([reasonOf(found), found['probe_http_status_code']]).toEqual(['size', 200]);
		expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024);
	});

	test.each([
		{ name: 'not HTTP', answer: 'SSH-2.0-OpenSSH_9.2\r\n', reason: 'protocol' },
		{ name: 'an endless header', answer: `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(200_000)}`, reason: 'protocol' },
		{ name: 'closed without a word', answer: '', reason: 'broken_off' },
		{ name: 'a broken chunk', answer: 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n', reason: 'protocol' },
	])('$name', async ({ answer, reason }) => {
		const port = await servers.tcp((socket) => {
			socket.on('data', () => socket.end(answer));
		});
		expect(reasonOf(await probe({ kind: 'http', target: `http://127.0.0.1:${port}/` }))).toBe(reason);
	});

	test('nobody listens', async () => {
		expect(reasonOf(await probe({ kind: 'http', target: `http://127.0.0.1:${await freePort()}/` }))).toBe('connect_refused');
	});

	test('a name that does not exist', async () => {
		expect(reasonOf(await probe({ kind: 'http', target: 'http://does-not-exist.invalid/' }))).toBe('resolve');
	});
});

describe('requests', () => {
	test('method, headers, body and credentials arrive', async () => {
		const target = `http://127.0.0.1:${await servers.http(pages)}/echo`;
		const secrets = { PASSWORD: 'geheim', KEY: 'k-1', TOKEN: 't-1' };
		const sent = (path: string, equals: string) => ({ path, equals });
		const basic = await probe(
			{
				kind: 'http',
				target,
				http: {
					method: 'POST',
					headers: { 'Content-Type': 'application/json' },
					secret_headers: { 'X-Api-Key': { env: 'KEY' } },
					body: '{"a":1}',
					username: 'monitor',
					password: { env: 'PASSWORD' },
				},
				expect: {
					json: [
						sent('$.method', 'POST'),
						sent('$.body', '{"a":1}'),
						sent('$.headers.content-type', 'application/json'),
						sent('$.headers.x-api-key', 'k-1'),
						sent('$.headers.authorization', `Basic ${Buffer.from('monitor:geheim').toString('base64')}`),
					],
				},
			},
			secrets,
		);
		expect(reasonOf(basic)).toBeNull();
		const bearer = await probe(
			{ kind: 'http', target, http: { bearer: { env: 'TOKEN' } }, expect: { json: [sent('$.headers.authorization', 'Bearer t-1')] } },
			secrets,
		);
		expect(reasonOf(bearer)).toBeNull();
	});

	test('credentials do not follow a redirect to another host', async () => {
		const other = await servers.http(pages);
		const target = `http://127.0.0.1:${await servers.http(pages)}/cross?${other}`;
		const found = await probe(
			{
				kind: 'http',
				target,
				http: { redirects: 2, bearer: { env: 'TOKEN' }, secret_headers: { 'X-Api-Key': { env: 'TOKEN' } } },
				expect: {
					json: [
						{ path: '$.headers.authorization', max_count: 0 },
						{ path: '$.headers.x-api-key', max_count: 0 },
					],
					final_url: `:${other}/echo`,
				},
			},
			{ TOKEN: 't-1' },
		);
		expect(reasonOf(found)).toBeNull();
	});

	test('a body does not follow a redirect to another host', async () => {
		const other = await servers.http(pages);
		const target = `http://127.0.0.1:${await servers.http(pages)}/cross307?${other}`;
		expect(reasonOf(await probe({ kind: 'http', target, http: { method: 'POST', body: 'x', redirects: 2 } }))).toBe('redirect');
		expect(reasonOf(await probe({ kind: 'http', target, http: { redirects: 2 } }))).toBeNull();
	});

	test('a POST that is redirected by 303 becomes a GET without a body', async () => {
		const target = `http://127.0.0.1:${await servers.http(pages)}/chain2`;
		const found = await probe({
			kind: 'http',
			target,
			http: { method: 'POST', body: 'x', redirects: 2 },
			expect: {
				json: [
					{ path: '$.method', equals: 'GET' },
					{ path: '$.body', equals: '' },
				],
			},
		});
		expect(reasonOf(found)).toBeNull();
	});

	test('through a proxy, with an account', async () => {
		const target = `http://127.0.0.1:${await servers.http(pages)}/200`;
		const seen: string[] = [];
		const proxy = await servers.http((request, response) => {
			seen.push(`${request.method} ${request.url} ${request.headers['proxy-authorization']}`);
			response.end('via proxy');
		});
		const http = { proxy: `http://127.0.0.1:${proxy}`, proxy_username: 'p', proxy_password: { env: 'P' } };
		const found = await probe({ kind: 'http', target, http, expect: { text: 'via proxy' } }, { P: 'pw' });
		expect(reasonOf(found)).toBeNull();
		expect(seen).toEqual([`GET ${target} Basic ${Buffer.from('p:pw').toString('base64')}`]);
	});

	test('a proxy that refuses CONNECT', async () => {
		const proxy = await servers.tcp((socket) => {
			socket.on('data', () => socket.end('HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n'));
		});
		expect(reasonOf(await probe({ kind: 'http', target: 'https://127.0.0.1:1/', http: { proxy: `http://127.0.0.1:${proxy}` } }))).toBe(
			'proxy',
		);
	});
});
