import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { available, type NginxServer, startNginx } from '../../../tests/harness/nginx.ts';
import { values } from '../measured-values.ts';
import { createNginxInput } from './input.ts';
import { parseStubStatus } from './stub-status.ts';

describe('stub_status text', () => {
	test('the documented page is read', () => {
		const page =
			'Active connections: 291 \nserver accepts handled requests\n 16630948 16630947 31070465 \nReading: 6 Writing: 179 Waiting: 106 \n';
		expect(values(parseStubStatus(page))).toEqual({
			nginx_up: 1,
			nginx_connections_active: 291,
			nginx_connections_accepted: 16630948,
			nginx_connections_handled: 16630947,
			nginx_connections_reading: 6,
			nginx_connections_writing: 179,
			nginx_connections_waiting: 106,
			nginx_http_requests_total: 31070465,
		});
	});

	test.each([
		['empty', ''],
		['html', '<html><body>404</body></html>'],
		['cut', 'Active connections: 291 \nserver accepts handled requests\n 1 2'],
	])('another page is refused: %s', (_name, page) => {
		expect(() => parseStubStatus(page)).toThrow(expect.objectContaining({ code: 'FN_AGENT_SOURCE_FORMAT' }));
	});
});

describe.skipIf(!available())('a real Nginx', () => {
	let server: NginxServer;
	beforeAll(async () => {
		server = await startNginx();
	});
	afterAll(() => server?.remove());

	const input = () =>
		createNginxInput({ target: { job: 'nginx' }, intervalMs: 1000, timeoutMs: 30_000, url: server.statusUrl, userAgent: 'test' });

	test('requests are counted', async () => {
		const source = input();
		const before = values(await source.collect(new AbortController().signal, 0));
		for (let i = 0; i < 5; i++) await fetch(server.url);
		const after = values(await source.collect(new AbortController().signal, 0));
		// Five pages and the reading itself.
		expect((after['nginx_http_requests_total'] ?? 0) - (before['nginx_http_requests_total'] ?? 0)).toBe(6);
	});

	test('a wrong path and a stopped server are errors that say why', async () => {
		const signal = new AbortController().signal;
		const wrong = createNginxInput({ target: {}, intervalMs: 1000, timeoutMs: 30_000, url: `${server.url}/none`, userAgent: 'test' });
		await expect(wrong.collect(signal, 0)).rejects.toMatchObject({ code: 'FN_AGENT_SOURCE_STATUS' });
		await server.stop();
		await expect(input().collect(signal, 0)).rejects.toMatchObject({ code: 'FN_HTTP_FAILED' });
		await server.start();
		expect(values(await input().collect(signal, 0))['nginx_up']).toBe(1);
	});
});
