import { createServer as createHttp } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { type AddressInfo, connect, type Server } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { available, type CertificateAuthority, createAuthority } from '../../tests/harness/certificates.ts';
import { exampleNotifier, openTestChannels, sendThrough } from '../../tests/harness/channels.ts';
import { type FakeServer, startFakeServer } from '../../tests/harness/fake-server.ts';

const listening = (server: Server) =>
	new Promise<number>((resolve) => {
		server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
	});

describe.skipIf(!available())('a service with a certificate of the network’s own', () => {
	let authority: CertificateAuthority;
	let port = 0;
	let proxyPort = 0;
	const taken: string[] = [];
	const tunnels: string[] = [];
	const shown: (string | undefined)[] = [];
	let refusal = '';
	const stops: (() => void)[] = [];

	beforeAll(async () => {
		authority = createAuthority();
		const { cert, key } = authority.issue('wework', { names: ['IP:127.0.0.1'] });
		const service = createHttps({ cert, key }, (request, response) => {
			taken.push(request.url ?? '');
			response.end('{"errcode":0,"errmsg":"ok"}');
		});
		port = await listening(service);
		const proxy = createHttp();
		// The tunnel is all that a proxy of the network sees of TLS.
		proxy.on('connect', (request, client, head) => {
			tunnels.push(request.url ?? '');
			shown.push(request.headers['proxy-authorization'], request.headers['x-zone'] as string | undefined);
			if (refusal !== '') {
				client.end(`HTTP/1.1 ${refusal}\r\ncontent-length: 0\r\n\r\n`);
				return;
			}
			const [host = '', to = ''] = (request.url ?? '').split(':');
			const onward = connect(Number(to), host, () => {
				client.write('HTTP/1.1 200 Connection established\r\n\r\n');
				onward.write(head);
				onward.pipe(client).pipe(onward);
			});
			onward.on('error', () => client.destroy());
			client.on('error', () => onward.destroy());
		});
		proxyPort = await listening(proxy);
		for (const server of [service, proxy]) {
			stops.push(() => {
				server.closeAllConnections();
				server.close();
			});
		}
	});
	afterAll(() => {
		for (const stop of stops) stop();
		authority.remove();
	});
	beforeEach(() => {
		taken.length = 0;
		tunnels.length = 0;
		shown.length = 0;
		refusal = '';
	});

	const send = (config = '') =>
		sendThrough(exampleNotifier('wechat_robot', 'internal', `, base_url: 'https://127.0.0.1:${port}' ${config}`));
	const ca = () => `tls_config: { ca_file: '${authority.caFile}' }`;
	const proxy = () => `proxy_url: 'http://127.0.0.1:${proxyPort}'`;

	test('without its authority nothing is sent, and nobody takes it for a possible repetition', async () => {
		expect(await send()).toMatchObject({ kind: 'retry', possiblySent: false });
		expect(taken).toEqual([]);
	});

	test('with the channel’s ca_file it is', async () => {
		expect(await send(`, http_config: { ${ca()} }`)).toEqual({ kind: 'sent', code: '0' });
		expect(tunnels).toEqual([]);
	});

	test('through the channel’s proxy as well, which learns no key', async () => {
		expect(await send(`, http_config: { ${ca()}, ${proxy()} }`)).toEqual({ kind: 'sent', code: '0' });
		expect(tunnels).toEqual([`127.0.0.1:${port}`]);
		expect(taken).toHaveLength(1);
	});

	test('a service that asks for a certificate of ours gets it, also under another name than its address', async () => {
		const service = authority.issue('hook', { names: ['DNS:hook.example.gov.cn'] });
		const own = authority.issue('fournines');
		const asked = createHttps({ cert: service.cert, key: service.key, ca: authority.ca, requestCert: true }, (_request, response) => {
			response.end('{"errcode":0,"errmsg":"ok"}');
		});
		const hook = await listening(asked);
		stops.push(() => {
			asked.closeAllConnections();
			asked.close();
		});
		const tried = (tls: string) =>
			sendThrough(
				exampleNotifier('wechat_robot', 'internal', `, base_url: 'https://127.0.0.1:${hook}', http_config: { tls_config: { ${tls} } }`),
			);
		const trusted = `ca_file: '${authority.caFile}'`;
		const shown = `cert_file: '${own.certFile}', key_file: '${own.keyFile}'`;
		expect(await tried(`${trusted}, ${shown}, server_name: hook.example.gov.cn`)).toEqual({ kind: 'sent', code: '0' });
		expect(await tried(`${trusted}, ${shown}`)).toMatchObject({ kind: 'retry' });
		expect(await tried(`${trusted}, server_name: hook.example.gov.cn`)).toMatchObject({ kind: 'retry' });
	});

	test('a proxy is told who comes and what the configuration has for it, and the service is not', async () => {
		const account = `proxy_url: 'http://am:p%40ss@127.0.0.1:${proxyPort}', proxy_connect_header: { X-Zone: [dmz] }`;
		const named = openTestChannels(
			`receivers: [{ name: default, webhook_configs: [{ url: 'https://127.0.0.1:${port}/', http_config: { ${ca()}, ${account.replace(/'http:[^']*'/, '{ env: PROXY }')} } }] }]`,
			{ secrets: { PROXY: `http://am:p%40ss@127.0.0.1:${proxyPort}` } },
		);
		expect(await sendThrough(named.channels.receivers.get('default')?.[0])).toEqual({ kind: 'sent', code: '200' });
		expect(shown).toEqual([`Basic ${btoa('am:p@ss')}`, 'dmz']);
	});

	test.each([
		'407 Proxy Authentication Required',
		'403 Forbidden',
		'502 Bad Gateway',
	])('a proxy that answers %s certainly sent nothing', async (answer) => {
		refusal = answer;
		const result = await send(`, http_config: { ${ca()}, ${proxy()} }`);
		expect(result).toMatchObject({ kind: 'retry', code: 'ERR_PROXY_TUNNEL', possiblySent: false });
		expect(JSON.stringify(result)).toContain(`it answered ${answer.slice(0, 3)}`);
		expect(taken).toEqual([]);
	});

	test('with insecure_skip_verify anybody is believed', async () => {
		expect(await send(', http_config: { tls_config: { insecure_skip_verify: true } }')).toEqual({ kind: 'sent', code: '0' });
	});

	test('a proxy that is not there certainly sent nothing', async () => {
		const gone = `, http_config: { ${ca()}, proxy_url: 'http://127.0.0.1:1' }`;
		expect(await send(gone)).toMatchObject({ kind: 'retry', possiblySent: false });
	});
});

describe('a service that sends on', () => {
	let service: FakeServer;
	let other: FakeServer;
	const seen: string[] = [];
	let location: (path: string) => string;
	let status = 307;

	beforeAll(async () => {
		const handle =
			(name: string): Parameters<typeof startFakeServer>[0]['handle'] =>
			({ method, url, headers, body }, exchange) => {
				seen.push(`${name} ${method} ${url.pathname} ${headers['authorization']} ${body.length > 0}`);
				if (url.pathname === '/end') return exchange.json({});
				exchange.answer(status, '', { location: location(url.pathname) });
			};
		service = await startFakeServer({ handle: handle('own') });
		other = await startFakeServer({ handle: handle('other') });
	});
	afterAll(async () => {
		await service.stop();
		await other.stop();
	});
	beforeEach(() => {
		seen.length = 0;
		status = 307;
	});

	const send = async (more = '') => {
		const { channels } = openTestChannels(
			`receivers: [{ name: default, webhook_configs: [{ url: '${service.baseUrl}/0', http_config: { bearer_token: { env: T } ${more} } }] }]`,
			{ secrets: { T: 'a token' } },
		);
		return sendThrough(channels.receivers.get('default')?.[0]);
	};

	test.each([307, 308])('within itself with %i is followed, with the message and who we are', async (code) => {
		status = code;
		location = (path) => (path === '/0' ? '1' : '/end');
		expect(await send()).toEqual({ kind: 'sent', code: '200' });
		expect(seen).toEqual(['/0', '/1', '/end'].map((path) => `own POST ${path} Bearer a token true`));
	});

	test('is not followed where the configuration says so', async () => {
		location = () => '/end';
		expect(await send(', follow_redirects: false')).toMatchObject({ kind: 'refused', code: '307' });
		expect(seen).toHaveLength(1);
	});

	test('to another place learns nothing, and it is said where that is', async () => {
		location = () => `${other.baseUrl}/end?secret`;
		const result = await send();
		expect(result).toMatchObject({ kind: 'refused', code: '307', reason: expect.stringContaining(`${other.baseUrl},`) });
		expect(JSON.stringify(result)).not.toContain('secret');
		expect(seen).toHaveLength(1);
	});

	test.each([301, 302, 303])('with %i would leave the message behind: not followed', async (code) => {
		status = code;
		location = () => '/end';
		expect(await send()).toMatchObject({ kind: 'refused', code: String(code) });
		expect(seen).toHaveLength(1);
	});

	test('in a circle is left after five', async () => {
		location = () => '/0';
		expect(await send()).toMatchObject({ kind: 'refused', code: '307' });
		expect(seen).toHaveLength(6);
	});
});

test('headers of the configuration go along, from files and the environment too, and none of the channel’s own is replaced', async () => {
	const seen: Record<string, string>[] = [];
	const service = await startFakeServer({
		handle: ({ headers }, exchange) => {
			seen.push(headers);
			exchange.json({});
		},
	});
	try {
		const { channels } = openTestChannels(
			`receivers: [{ name: default, webhook_configs: [{ url: '${service.baseUrl}/', headers: { X-Own: channel }, http_config: { http_headers: { X-Scope-OrgID: { values: [a], secrets: [{ env: T }] }, x-own: { values: [http] } } } }] }]`,
			{ secrets: { T: 'b' } },
		);
		await sendThrough(channels.receivers.get('default')?.[0]);
	} finally {
		await service.stop();
	}
	expect(seen).toEqual([expect.objectContaining({ 'x-scope-orgid': 'a, b', 'x-own': 'channel' })]);
});
