import { createServer as createHttpServer, type Server } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { systemClock } from '../../../core/clock.ts';
import { silentLogger } from '../../../core/log.ts';
import { freePort } from '../../../tests/harness/process.ts';
import { values } from '../measured-values.ts';
import { createProbeInput, type ProbeInputOptions } from './input.ts';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
	for (const close of closers.splice(0)) await close();
});

function listen(server: Server | ReturnType<typeof createTcpServer>): Promise<string> {
	closers.push(
		() =>
			new Promise((resolve) => {
				server.close(() => resolve());
				if ('closeAllConnections' in server) server.closeAllConnections();
			}),
	);
	return new Promise((resolve) =>
		server.listen(0, '127.0.0.1', () => {
			const address = server.address();
			resolve(`127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`);
		}),
	);
}

/** A server that answers with the status in the path, slowly when it is `/slow`, and never when it is `/hang`. */
const pages = () =>
	listen(
		createHttpServer((request, response) => {
			if (request.url === '/hang') return;
			if (request.url === '/huge') {
				response.end(Buffer.alloc(3 * 1024 * 1024));
				return;
			}
			const status = Number((request.url ?? '').slice(1));
			response.writeHead(status, status >= 300 && status < 400 ? { location: '/200' } : {}).end('the portal is up');
		}),
	);

async function probe(options: Partial<ProbeInputOptions> & Pick<ProbeInputOptions, 'kind' | 'address'>): Promise<Record<string, number>> {
	const input = createProbeInput({
		target: { job: 'probe', check: 'c' },
		intervalMs: 5000,
		timeoutMs: 300,
		expectStatus: null,
		expectText: null,
		degradedAfterMs: null,
		ca: null,
		userAgent: 'test',
		clock: systemClock,
		log: silentLogger,
		...options,
	});
	return values(await input.collect(new AbortController().signal, 0));
}

test.each([
	['200', {}, 1, 200],
	['204', {}, 1, 204],
	['302', {}, 1, 302],
	['404', {}, 0, 404],
	['500', {}, 0, 500],
	['404', { expectStatus: [404] }, 1, 404],
	['200', { expectStatus: [404] }, 0, 200],
	['200', { expectText: 'portal' }, 1, 200],
	['200', { expectText: 'maintenance' }, 0, 200],
] as const)('http %s %j: success %d', async (path, options, success, status) => {
	const found = await probe({ kind: 'http', address: `http://${await pages()}/${path}`, ...options });
	expect(found).toMatchObject({ probe_success: success, probe_http_status_code: status, fournines_check_interval_seconds: 5 });
	if ('expectText' in options) expect(found['probe_failed_due_to_regex']).toBe(1 - success);
	else expect(found).not.toHaveProperty('probe_failed_due_to_regex');
});

test.each(['hang', 'huge'])('a server that misbehaves fails the check: %s', async (path) => {
	expect(await probe({ kind: 'http', address: `http://${await pages()}/${path}` })).toMatchObject({
		probe_success: 0,
		probe_http_status_code: 0,
	});
});

test('slow and successful is degraded', async () => {
	const address = `http://${await pages()}/200`;
	expect(await probe({ kind: 'http', address, degradedAfterMs: 60_000 })).toMatchObject({ probe_success: 1, fournines_check_degraded: 0 });
	expect(await probe({ kind: 'http', address, degradedAfterMs: 0 })).toMatchObject({ probe_success: 1, fournines_check_degraded: 1 });
	expect(await probe({ kind: 'http', address: address.replace('200', '500'), degradedAfterMs: 0 })).toMatchObject({
		fournines_check_degraded: 0,
	});
});

test('tcp: open and closed', async () => {
	const address = await listen(createTcpServer((socket) => socket.end()));
	expect(await probe({ kind: 'tcp', address })).toMatchObject({ probe_success: 1 });
	expect(await probe({ kind: 'tcp', address: `127.0.0.1:${await freePort()}` })).toMatchObject({ probe_success: 0 });
});
