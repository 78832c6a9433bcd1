import { createServer as createHttp } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { type AddressInfo, connect, type Server } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { available, type CertificateAuthority, createAuthority } from '../../tests/harness/certificates.ts';
import { exampleNotifier, sendThrough } from '../../tests/harness/channels.ts';

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

	test('a proxy that is not there certainly sent nothing', async () => {
		const gone = `, http_config: { ${ca()}, proxy_url: 'http://127.0.0.1:1' }`;
		expect(await send(gone)).toMatchObject({ kind: 'retry', possiblySent: false });
	});
});
