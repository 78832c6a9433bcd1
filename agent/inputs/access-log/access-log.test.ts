import { appendFileSync, renameSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { available as nginxAvailable, startNginx } from '../../../tests/harness/nginx.ts';
import { freePort, type TemporaryFolder, temporaryFolder, waitFor } from '../../../tests/harness/process.ts';
import { startTomcat, available as tomcatAvailable } from '../../../tests/harness/tomcat.ts';
import { FamilySet } from '../input.ts';
import { values } from '../measured-values.ts';
import { type AccessLogInputOptions, createAccessLogInput } from './input.ts';
import { compileLogFormat, lineParser, sumOfAttempts } from './log-format.ts';
import { RequestCounts } from './request-counts.ts';

const signal = new AbortController().signal;
const opened: { close(): Promise<void> }[] = [];
let folder: TemporaryFolder | null = null;
afterEach(async () => {
	for (const input of opened.splice(0)) await input.close();
	folder?.remove();
	folder = null;
});

const input = (path: string, options: Partial<AccessLogInputOptions> = {}) => {
	const created = createAccessLogInput({
		target: {},
		intervalMs: 1000,
		timeoutMs: 30_000,
		path,
		kind: 'nginx',
		format: 'combined',
		durationUnit: 'ms',
		server: 'portal',
		routes: [],
		...options,
	});
	opened.push(created);
	return created;
};

const parsed = (format: string, line: string, unit: 'ms' | 'us' = 'ms') => lineParser(compileLogFormat(format, unit))(line);

describe('formats', () => {
	const TIMED =
		'$remote_addr [$time_iso8601] "$request" $status $body_bytes_sent rt=$request_time urt="$upstream_response_time" host=$host';
	test.each([
		[
			'combined',
			'combined',
			'10.0.0.1 - - [21/Nov/2026:10:00:00 +0800] "GET /a?token=1 HTTP/1.1" 200 612 "-" "curl/8"',
			{ method: 'GET', path: '/a', status: '200', bytes: 612 },
		],
		[
			'a quote inside of the agent',
			'combined',
			'10.0.0.1 - - [21/Nov/2026:10:00:00 +0800] "GET /a HTTP/1.1" 404 0 "-" "a\\" 200 999 \\"b"',
			{ status: '404', path: '/a' },
		],
		[
			'what is not HTTP at all',
			'combined',
			'10.0.0.1 - - [21/Nov/2026:10:00:00 +0800] "\\x16\\x03\\x01" 400 157 "-" "-"',
			{ method: '', path: '', status: '400' },
		],
		[
			'times, and a host at the end of the line',
			TIMED,
			'10.0.0.1 [2026-11-21T10:00:00+08:00] "POST /pay HTTP/2.0" 502 0 rt=1.250 urt="0.500, 0.750" host=portal.example.cn',
			{ method: 'POST', timeSeconds: 1.25, upstreamSeconds: 1.25, server: 'portal.example.cn' },
		],
		[
			'no upstream was asked',
			TIMED,
			'1.1.1.1 [t] "GET / HTTP/1.1" 304 0 rt=0.000 urt="-" host=a',
			{ timeSeconds: 0, upstreamSeconds: Number.NaN },
		],
		[
			'JSON',
			'{"m":"$request_method","u":"$request_uri","s":$status,"b":$body_bytes_sent,"t":$request_time}',
			'{"m":"GET","u":"/x\\"y?z","s":200,"b":12,"t":0.004}',
			{ method: 'GET', path: '/x\\"y', status: '200', bytes: 12, timeSeconds: 0.004 },
		],
		[
			'Tomcat',
			'tomcat-common',
			'127.0.0.1 - - [21/Nov/2026:10:00:00 +0800] "GET /index.html HTTP/1.1" 200 -',
			{ method: 'GET', path: '/index.html', status: '200', bytes: 0 },
		],
		[
			'Tomcat with a time',
			'%h %t "%r" %s %b %D "%{User-Agent}i"',
			'127.0.0.1 [21/Nov/2026:10:00:00 +0800] "GET / HTTP/1.1" 500 5 250 "x"',
			{ status: '500', timeSeconds: 0.25 },
		],
	])('%s', (_name, format, line, expected) => {
		expect(parsed(format, line)).toMatchObject(expected);
	});

	test('microseconds of Tomcat 10', () => {
		expect(parsed('%s %D', '200 250000', 'us')?.timeSeconds).toBe(0.25);
	});

	test.each([
		['another format', 'combined', 'Nov 21 10:00:00 host sshd[1]: Accepted'],
		['a line that was cut', 'combined', '10.0.0.1 - - [21/Nov/2026:10:00:00 +0800] "GET /a HTTP'],
		['a status that is none', 'combined', '10.0.0.1 - - [x] "GET /a HTTP/1.1" abc 612 "-" "-"'],
		['nothing', 'combined', ''],
	])('%s does not fit', (_name, format, line) => {
		expect(parsed(format, line)).toBeNull();
	});

	test.each([
		['no status', '$remote_addr $request'],
		['two values side by side', '$status$body_bytes_sent'],
	])('%s is refused', (_name, format) => {
		expect(() => compileLogFormat(format)).toThrow(expect.objectContaining({ code: 'FN_AGENT_LOG_FORMAT' }));
	});

	test.each([
		['0.100', 0.1],
		['0.100, 0.250', 0.35],
		['0.000, -, 0.5 : 0.25', 0.75],
		['-', Number.NaN],
		['', Number.NaN],
	])('upstream times "%s"', (text, expected) => {
		if (Number.isNaN(expected)) expect(sumOfAttempts(text)).toBeNaN();
		else expect(sumOfAttempts(text)).toBeCloseTo(expected, 9);
	});

	test('no line whatever breaks the parser', () => {
		const parse = lineParser(compileLogFormat(TIMED));
		fc.assert(
			fc.property(fc.string({ unit: fc.constantFrom('"', '\\', ' ', '[', ']', '1', 'G', '=', ',', 'rt=', 'host=', '200') }), (line) => {
				const found = parse(line);
				expect(found === null || /^[1-5][0-9]{2}$/.test(found.status)).toBe(true);
			}),
		);
	});
});

test('what clients send cannot make series without end', () => {
	const counts = new RequestCounts({ prefix: 'nginx', routes: [{ name: 'pay', path: /^\/pay/ }], server: 'x' });
	for (let i = 0; i < 20_000; i++) {
		counts.add({
			method: `M${i}`,
			path: `/p${i}`,
			status: String(100 + (i % 500)),
			bytes: 1,
			timeSeconds: 0.1,
			upstreamSeconds: Number.NaN,
			server: `host${i}`,
		});
	}
	const families = new FamilySet();
	counts.families(families);
	const list = families.list();
	const series = list.reduce((sum, family) => sum + family.measurements.length, 0);
	expect(series).toBeLessThan(5000);
	const requests = list.find((family) => family.name === 'nginx_http_response_count_total')?.measurements ?? [];
	expect(requests.reduce((sum, { value }) => sum + value, 0)).toBe(20_000);
});

test('nor can what a server answers', () => {
	const routes = Array.from({ length: 20 }, (_, i) => ({ name: `r${i}`, path: new RegExp(`^/${i}/`) }));
	const counts = new RequestCounts({ prefix: 'nginx', routes, server: 'x' });
	const methods = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH'];
	for (let i = 0; i < 50_000; i++) {
		const line = { method: methods[i % 5] ?? '', path: `/${i % 20}/`, status: String(100 + (i % 499)), bytes: 1 };
		counts.add({ ...line, timeSeconds: Number.NaN, upstreamSeconds: Number.NaN, server: '' });
	}
	const families = new FamilySet();
	counts.families(families);
	const requests = families.list().find((family) => family.name === 'nginx_http_response_count_total')?.measurements ?? [];
	expect(requests.length).toBeLessThan(2100);
	expect(requests.reduce((sum, { value }) => sum + value, 0)).toBe(50_000);
});

describe('a file', () => {
	const line = (path: string, status = 200) => `10.0.0.1 - - [21/Nov/2026:10:00:00 +0800] "GET ${path} HTTP/1.1" ${status} 10 "-" "-"\n`;
	const count = (found: Record<string, number>, route = 'other', status = 200) =>
		found[`nginx_http_response_count_total{method="GET",route="${route}",server="portal",status="${status}"}`];

	test('old lines are not counted, new ones are, also over a rotation and with a line that is finished later', async () => {
		folder = temporaryFolder('access');
		const path = join(folder.path, 'access.log');
		writeFileSync(path, line('/old').repeat(5));
		const source = input(path, { routes: [{ name: 'pay', path: /^\/pay\// }] });
		const read = async () => values(await source.collect(signal, 0));
		expect(count(await read())).toBeUndefined();
		appendFileSync(path, line('/pay/1') + line('/a') + line('/b').slice(0, 20));
		const first = await read();
		expect([count(first, 'pay'), count(first)]).toEqual([1, 1]);
		appendFileSync(path, line('/b').slice(20));
		expect(count(await read())).toBe(2);
		renameSync(path, `${path}.1`);
		// The server writes into the old file until it is told.
		appendFileSync(`${path}.1`, line('/c'));
		writeFileSync(path, line('/d'));
		await waitFor('both files', async () => count(await read()) === 4);
		appendFileSync(path, 'not a line of this format\n');
		expect((await read())['fournines_access_log_unparsed_lines_total']).toBe(1);
	});

	test('one that is not there yet is said so, and read once it comes', async () => {
		folder = temporaryFolder('access');
		const path = join(folder.path, 'access.log');
		const source = input(path);
		expect(values(await source.collect(signal, 0))['fournines_access_log_up']).toBe(0);
		writeFileSync(path, '');
		expect(values(await source.collect(signal, 0))['fournines_access_log_up']).toBe(1);
		appendFileSync(path, line('/a'));
		expect(count(values(await source.collect(signal, 0)))).toBe(1);
	});
});

describe.skipIf(!nginxAvailable())('a real Nginx', () => {
	let upstream: Server | null = null;
	afterEach(async () => {
		upstream?.closeAllConnections();
		await new Promise((resolve) => (upstream === null ? resolve(null) : upstream.close(resolve)));
		upstream = null;
	});

	test('times of requests and of upstreams that were tried one after another, over a rotation', async () => {
		upstream = createServer((request, response) => {
			setTimeout(
				() => response.writeHead(request.url === '/fail' ? 500 : 200, { 'content-length': '5' }).end('hello'),
				request.url === '/slow' ? 120 : 0,
			);
		});
		const port = await freePort();
		await new Promise<void>((resolve) => upstream?.listen(port, '127.0.0.1', resolve));
		const closed = await freePort();
		const format = '$remote_addr "$request" $status $body_bytes_sent $request_time "$upstream_response_time" "$upstream_status" $host';
		const server = await startNginx({ upstreams: [`127.0.0.1:${closed}`, `127.0.0.1:${port}`], logFormat: format });
		try {
			const source = input(server.accessLog, { format, routes: [{ name: 'slow', path: /^\/slow$/ }] });
			await source.collect(signal, 0);
			const paths = ['/slow', '/fine', '/fine', '/fail', '/'];
			for (const path of paths) await (await fetch(server.url + path)).arrayBuffer();
			const read = () => source.collect(signal, 0).then(values);
			const counted = (found: Record<string, number>) =>
				Object.keys(found).reduce((sum, name) => sum + (name.startsWith('nginx_http_response_count_total{') ? (found[name] ?? 0) : 0), 0);
			const found = await waitFor('the requests', async () => {
				const now = await read();
				return counted(now) === 5 ? now : null;
			});
			const labels = (route: string) => `route="${route}",server="127.0.0.1"`;
			expect(found[`nginx_http_response_time_seconds_count{${labels('slow')}}`]).toBe(1);
			expect(found[`nginx_http_response_time_seconds_bucket{le="0.1",${labels('slow')}}`]).toBe(0);
			expect(found[`nginx_http_response_time_seconds_bucket{le="+Inf",${labels('slow')}}`]).toBe(1);
			expect(found[`nginx_http_upstream_time_seconds_sum{${labels('slow')}}`]).toBeGreaterThan(0.1);
			// The page that Nginx answers itself has no upstream.
			expect(found[`nginx_http_upstream_time_seconds_count{${labels('other')}}`]).toBe(3);
			expect(found[`nginx_http_response_count_total{method="GET",${labels('other')},status="500"}`]).toBe(1);
			expect(found[`nginx_http_response_size_bytes{method="GET",${labels('slow')},status="200"}`]).toBe(5);
			renameSync(server.accessLog, `${server.accessLog}.1`);
			await (await fetch(`${server.url}/fine`)).arrayBuffer();
			server.reopenLogs();
			await waitFor('the new file', () =>
				fetch(server.url)
					.then((response) => response.text())
					.then(() => read())
					.then((now) => counted(now) > 7),
			);
			await expect.poll(async () => (await read())['fournines_access_log_gaps_total']).toBe(0);
		} finally {
			await server.remove();
		}
	});
});

test.skipIf(!tomcatAvailable())(
	'a real Tomcat',
	async () => {
		const server = await startTomcat();
		try {
			const source = input(server.accessLog, { kind: 'tomcat', format: 'tomcat-common' });
			await source.collect(signal, 0);
			await (await fetch(`${server.url}/index.html`)).text();
			await (await fetch(`${server.url}/none`)).text();
			const labels = (status: number) => `{method="GET",route="other",server="portal",status="${status}"}`;
			const found = await waitFor('both', async () => {
				const now = values(await source.collect(signal, 0));
				return now[`tomcat_http_response_count_total${labels(404)}`] === 1 ? now : null;
			});
			// The request by which the harness saw it start may be written late.
			expect([1, 2]).toContain(found[`tomcat_http_response_count_total${labels(200)}`]);
			expect(found[`tomcat_http_response_size_bytes${labels(200)}`]).toBeGreaterThan(10);
		} finally {
			await server.remove();
		}
	},
	90_000,
);
