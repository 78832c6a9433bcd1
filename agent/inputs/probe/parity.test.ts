import { createSocket } from 'node:dgram';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type BlackboxExporter, available as blackboxAvailable, startBlackboxExporter } from '../../../tests/harness/blackbox-exporter.ts';
import { type CertificateAuthority, createAuthority, available as opensslAvailable } from '../../../tests/harness/certificates.ts';
import { freePort } from '../../../tests/harness/process.ts';
import { probe, Servers } from './probe.fixture.ts';

/** Series of ours that the exporter does not have. */
const OURS = /^fournines_/;
/** What two runs cannot agree on: durations. */
const TIMED = /_(duration|time)_seconds/;

describe.skipIf(!blackboxAvailable() || !opensslAvailable())('beside the real blackbox_exporter', () => {
	const servers = new Servers();
	let exporter: BlackboxExporter;
	let authority: CertificateAuthority;
	let http: number;
	let https: number;
	let banner: number;
	let dns: number;
	const nameServer = createSocket('udp4');

	beforeAll(async () => {
		authority = createAuthority();
		const { cert, key } = authority.issue('localhost', { names: ['DNS:localhost', 'IP:127.0.0.1'] });
		const tls_config = { ca_file: authority.caFile, server_name: 'localhost' };
		const common = { preferred_ip_protocol: 'ip4' };
		exporter = await startBlackboxExporter({
			http: { prober: 'http', timeout: '5s', http: { ...common, tls_config, enable_http2: false } },
			http_once: { prober: 'http', timeout: '5s', http: { ...common, follow_redirects: false, valid_status_codes: [302] } },
			http_text: { prober: 'http', timeout: '5s', http: { ...common, fail_if_body_not_matches_regexp: ['nowhere'] } },
			untrusted: { prober: 'http', timeout: '5s', http: common },
			banner: { prober: 'tcp', timeout: '5s', tcp: { ...common, query_response: [{ expect: '^220 ' }, { send: 'QUIT' }] } },
			tls: { prober: 'tcp', timeout: '5s', tcp: { ...common, tls: true, tls_config } },
			dns: { prober: 'dns', timeout: '5s', dns: { ...common, query_name: 'portal.test', query_type: 'A' } },
		});
		http = await servers.http((request, response) => {
			if (request.url === '/redirect') response.writeHead(302, { location: '/page' }).end();
			else if (request.url === '/missing') response.writeHead(404).end('nothing here');
			else response.writeHead(200, { 'last-modified': 'Sat, 21 Nov 2026 12:00:00 GMT', 'content-length': '9' }).end('the page\n');
		});
		https = await servers.tls({ cert, key, ALPNProtocols: ['http/1.1'] }, (socket) => {
			socket.on('data', () => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok'));
		});
		banner = await servers.tcp((socket) => {
			socket.write('220 mail.test ready\r\n');
			socket.on('data', () => socket.end());
		});
		nameServer.on('message', (query, peer) => {
			const header = Buffer.from(query.subarray(0, 12));
			header.writeUInt16BE(0x8180, 2);
			header.writeUInt16BE(1, 6);
			header.writeUInt16BE(0, 10);
			const record = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 10, 0, 0, 7]);
			nameServer.send(Buffer.concat([header, query.subarray(12, 12 + 17), record]), peer.port, peer.address);
		});
		dns = await new Promise<number>((resolve) => nameServer.bind(0, '127.0.0.1', () => resolve(nameServer.address().port)));
	});
	afterAll(async () => {
		await exporter?.remove();
		await servers.close();
		authority?.remove();
		nameServer.close();
	});

	const cases = [
		{ name: 'http', module: 'http', target: () => `http://127.0.0.1:${http}/page`, entry: { kind: 'http', http: { redirects: 10 } } },
		{ name: 'http, by a name', module: 'http', target: () => `http://localhost:${http}/page`, entry: { kind: 'http', ip_family: 4 } },
		{
			name: 'http, redirect followed',
			module: 'http',
			target: () => `http://127.0.0.1:${http}/redirect`,
			entry: { kind: 'http', http: { redirects: 10 } },
		},
		{
			name: 'http, redirect taken',
			module: 'http_once',
			target: () => `http://127.0.0.1:${http}/redirect`,
			entry: { kind: 'http', expect: { status: [302] } },
		},
		{ name: 'http, 404', module: 'http', target: () => `http://127.0.0.1:${http}/missing`, entry: { kind: 'http' } },
		{
			name: 'http, text missing',
			module: 'http_text',
			target: () => `http://127.0.0.1:${http}/page`,
			entry: { kind: 'http', expect: { matches: ['nowhere'] } },
		},
		{
			name: 'https',
			module: 'http',
			target: () => `https://127.0.0.1:${https}/`,
			entry: { kind: 'http', server_name: 'localhost', ca: true },
		},
		{
			name: 'tcp',
			module: 'banner',
			target: () => `127.0.0.1:${banner}`,
			entry: { kind: 'tcp', dialogue: [{ expect: '^220 ' }, { send: 'QUIT' }] },
		},
		{ name: 'tls', module: 'tls', target: () => `127.0.0.1:${https}`, entry: { kind: 'tls', server_name: 'localhost', ca: true } },
		{ name: 'dns', module: 'dns', target: () => `127.0.0.1:${dns}`, entry: { kind: 'dns', dns: { name: 'portal.test' } } },
	];

	test.each(cases)('$name: the same series, and the same values but for time', async ({ module, target, entry }) => {
		const { ca, ...rest } = entry as { readonly ca?: boolean };
		const theirs = await exporter.probe(module, target());
		const ours = await probe({ ...rest, target: target(), ...(ca === true ? { ca_file: authority.caFile } : {}) });
		const names = (found: Readonly<Record<string, number>>) =>
			Object.keys(found)
				.filter((name) => !OURS.test(name))
				.sort();
		expect(names(ours)).toEqual(names(theirs));
		for (const name of names(theirs)) if (!TIMED.test(name)) expect([name, ours[name]]).toEqual([name, theirs[name]]);
	});

	test('a closed port: the exporter fails too', async () => {
		const target = `http://127.0.0.1:${await freePort()}/`;
		const theirs = await exporter.probe('http', target);
		const ours = await probe({ kind: 'http', target });
		expect([theirs['probe_success'], ours['probe_success']]).toEqual([0, 0]);
		expect([theirs['probe_http_status_code'], ours['probe_http_status_code']]).toEqual([0, 0]);
	});

	test('a certificate that is not trusted: ours still says when it expires', async () => {
		const target = `https://127.0.0.1:${https}/`;
		const theirs = await exporter.probe('untrusted', target);
		const ours = await probe({ kind: 'http', target });
		expect([theirs['probe_success'], ours['probe_success']]).toEqual([0, 0]);
		expect(theirs).not.toHaveProperty('probe_ssl_earliest_cert_expiry');
		expect(ours['probe_ssl_earliest_cert_expiry']).toBeGreaterThan(0);
	});
});
