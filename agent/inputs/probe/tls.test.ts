import { X509Certificate } from 'node:crypto';
import { createServer as createHttpsServer } from 'node:https';
import type { Socket } from 'node:net';
import { TLSSocket, connect as tlsConnect } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { available, type CertificateAuthority, createAuthority, type IssuedCertificate } from '../../../tests/harness/certificates.ts';
import { probe, reasonOf, Servers, tunnelProxy } from './probe.fixture.ts';
import { readTlcpAnswer, tlcpClientHello } from './tlcp.ts';

const servers = new Servers();
afterEach(() => servers.close());

describe.skipIf(!available())('TLS', () => {
	let authority: CertificateAuthority;
	let portal: IssuedCertificate;
	let expired: IssuedCertificate;
	let client: IssuedCertificate;
	let sm2: IssuedCertificate;
	beforeAll(() => {
		authority = createAuthority();
		portal = authority.issue('portal.test', { names: ['DNS:portal.test'], days: 9 });
		expired = authority.issue('old.test', { days: -1 });
		client = authority.issue('client.test');
		sm2 = authority.issueSm2('gm.test');
	});
	afterAll(() => authority?.remove());

	const answering = (socket: Socket) => {
		socket.on('data', () => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'));
	};
	const expiryOf = (certificate: IssuedCertificate) => Date.parse(new X509Certificate(certificate.cert).validTo) / 1000;

	test('a good certificate: expiry of what is presented and of the chain, version, phase', async () => {
		const port = await servers.tls({ cert: portal.cert, key: portal.key }, answering);
		const found = await probe({
			kind: 'http',
			target: `https://127.0.0.1:${port}/`,
			server_name: 'portal.test',
			ca_file: authority.caFile,
		});
		expect(reasonOf(found)).toBeNull();
		expect(found).toMatchObject({
			probe_http_ssl: 1,
			'probe_tls_version_info{version="TLS 1.3"}': 1,
			probe_ssl_earliest_cert_expiry: expiryOf(portal),
			probe_ssl_last_chain_expiry_timestamp_seconds: expiryOf(portal),
			fournines_check_gm_only: 0,
		});
		expect(found['probe_http_duration_seconds{phase="tls"}']).toBeGreaterThan(0);
	});

	test.each([
		{ name: 'of another name', certificate: () => portal, server_name: 'other.test', ca: true, reason: 'tls_name' },
		{ name: 'expired', certificate: () => expired, server_name: 'old.test', ca: true, reason: 'tls_expired' },
		{ name: 'of an unknown CA', certificate: () => portal, server_name: 'portal.test', ca: false, reason: 'tls_untrusted' },
	])('a certificate $name fails the check and is measured all the same', async ({ certificate, server_name, ca, reason }) => {
		const port = await servers.tls({ cert: certificate().cert, key: certificate().key }, answering);
		const entry = { kind: 'http', target: `https://127.0.0.1:${port}/`, server_name, ...(ca ? { ca_file: authority.caFile } : {}) };
		const found = await probe(entry);
		expect(reasonOf(found)).toBe(reason);
		expect(found['probe_ssl_earliest_cert_expiry']).toBe(expiryOf(certificate()));
		expect(reasonOf(await probe({ ...entry, tls_verify: false }))).toBeNull();
	});

	test('a client certificate is asked for', async () => {
		const server = {
			cert: portal.cert,
			key: portal.key,
			ca: authority.ca,
			requestCert: true,
			rejectUnauthorized: true,
			maxVersion: 'TLSv1.2',
		} as const;
		const port = await servers.tls(server, answering);
		const entry = { kind: 'http', target: `https://127.0.0.1:${port}/`, server_name: 'portal.test', ca_file: authority.caFile };
		expect(reasonOf(await probe({ ...entry, cert_file: client.certFile, key_file: client.keyFile }))).toBeNull();
		expect(reasonOf(await probe(entry))).not.toBeNull();
		expect(reasonOf(await probe({ ...entry, cert_file: '/nonexistent', key_file: client.keyFile }))).toBe('config');
		expect(reasonOf(await probe({ ...entry, cert_file: client.certFile, key_file: portal.keyFile }))).toBe('config');
	});

	test('through a proxy that connects', async () => {
		const port = await servers.tls({ cert: portal.cert, key: portal.key }, answering);
		const proxy = await tunnelProxy(servers);
		const entry = { kind: 'http', target: `https://127.0.0.1:${port}/`, server_name: 'portal.test', ca_file: authority.caFile };
		expect(reasonOf(await probe({ ...entry, http: { proxy: `http://127.0.0.1:${proxy}` } }))).toBeNull();
	});

	test('kind tls, and a conversation inside', async () => {
		const port = await servers.tls({ cert: portal.cert, key: portal.key }, (socket) => socket.write('+OK ready\r\n'));
		const entry = { kind: 'tls', target: `127.0.0.1:${port}`, server_name: 'portal.test', ca_file: authority.caFile };
		expect(await probe({ ...entry, dialogue: [{ expect: '^\\+OK' }] })).toMatchObject({
			probe_success: 1,
			probe_ssl_earliest_cert_expiry: expiryOf(portal),
		});
		expect(reasonOf(await probe({ ...entry, timeout: '200ms', dialogue: [{ expect: '^-ERR' }] }))).toBe('timeout');
	});

	test('STARTTLS', async () => {
		const port = await servers.tcp((socket) => {
			socket.write('220 ready\r\n');
			socket.once('data', () => {
				socket.write('220 go\r\n');
				const secure = new TLSSocket(socket, { isServer: true, cert: portal.cert, key: portal.key });
				secure.on('error', () => {});
				secure.on('data', () => secure.end('250 inside\r\n'));
			});
		});
		const found = await probe({
			kind: 'tcp',
			target: `127.0.0.1:${port}`,
			server_name: 'portal.test',
			ca_file: authority.caFile,
			dialogue: [
				{ expect: '^220', send: 'STARTTLS' },
				{ expect: '^220 go', starttls: true },
				{ send: 'EHLO x' },
				{ expect: '^250 inside' },
			],
		});
		expect(reasonOf(found)).toBeNull();
		expect(found['probe_ssl_earliest_cert_expiry']).toBe(expiryOf(portal));
	});

	test('a server that hangs in the handshake', async () => {
		const port = await servers.tcp(() => {});
		expect(reasonOf(await probe({ kind: 'tls', target: `127.0.0.1:${port}`, timeout: '200ms' }))).toBe('timeout');
	});

	test('plain HTTP on the port of TLS is not taken for the national protocol', async () => {
		const port = await servers.tcp((socket) => {
			socket.on('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
		});
		const found = await probe({ kind: 'http', target: `https://127.0.0.1:${port}/` });
		expect(reasonOf(found)).toBe('tls_handshake');
		expect(found).not.toHaveProperty('fournines_check_gm_only');
	});

	describe('a server that speaks only TLCP (GB/T 38636)', () => {
		/** Refuses TLS as a national gateway does, and answers a TLCP client hello. Keeps the versions that clients offered. */
		const gateway = async (options: { readonly helloOnly?: boolean } = {}) => {
			const offered: string[] = [];
			const der = new X509Certificate(sm2.cert).raw;
			const port = await servers.tcp((socket) => {
				socket.once('data', (bytes) => {
					const record = bytes.subarray(1, 3).toString('hex');
					const hello = bytes.subarray(9, 11).toString('hex');
					offered.push(`${bytes[0]} ${record} ${bytes[5]} ${hello}`);
					if (record !== '0101') {
						// Alert, fatal, protocol_version, in the record version of the national protocol.
						socket.end(Buffer.from([0x15, 0x01, 0x01, 0, 2, 2, 70]));
						return;
					}
					const suite = bytes.subarray(46, 48);
					const body = Buffer.concat([Buffer.from([1, 1]), Buffer.alloc(32, 7), Buffer.from([0]), suite, Buffer.from([0])]);
					const handshake = (type: number, content: Buffer) => Buffer.concat([Buffer.from([type]), length3(content.length), content]);
					const one = Buffer.concat([length3(der.length), der]);
					const certificates = handshake(11, Buffer.concat([length3(one.length * 2), one, one]));
					const parts = Buffer.concat([handshake(2, body), options.helloOnly === true ? Buffer.alloc(0) : certificates]);
					const answer = Buffer.concat([Buffer.from([0x16, 1, 1, parts.length >> 8, parts.length & 255]), parts]);
					// In two pieces, as a network may deliver it.
					socket.write(answer.subarray(0, 50));
					setTimeout(() => socket.end(answer.subarray(50)), 10);
				});
			});
			return { port, offered };
		};
		const length3 = (length: number) => Buffer.from([length >> 16, (length >> 8) & 255, length & 255]);

		test('is recognised, with the expiry of its certificate', async () => {
			const { port, offered } = await gateway();
			const found = await probe({ kind: 'http', target: `https://127.0.0.1:${port}/` });
			expect(reasonOf(found)).toBe('tls_gm_only');
			expect(found).toMatchObject({ probe_success: 0, fournines_check_gm_only: 1, probe_ssl_earliest_cert_expiry: expiryOf(sm2) });
			// First TLS (record 3.1, hello 3.3), then the national client hello: 1.1 in both places.
			expect(offered).toEqual(['22 0301 1 0303', '22 0101 1 0101']);
		});

		test('passes where it is expected', async () => {
			const { port } = await gateway();
			expect(await probe({ kind: 'http', gm_only: 'accept', target: `https://127.0.0.1:${port}/` })).toMatchObject({
				probe_success: 1,
				fournines_check_gm_only: 1,
			});
			expect(await probe({ kind: 'tls', gm_only: 'accept', target: `127.0.0.1:${port}` })).toMatchObject({ probe_success: 1 });
		});

		test('also when it sends a server hello and nothing more, or an alert alone', async () => {
			const { port } = await gateway({ helloOnly: true });
			expect(reasonOf(await probe({ kind: 'tls', target: `127.0.0.1:${port}` }))).toBe('tls_gm_only');
			const alert = await servers.tcp((socket) => {
				socket.once('data', () => socket.end(Buffer.from([0x15, 1, 1, 0, 2, 2, 40])));
			});
			expect(reasonOf(await probe({ kind: 'tls', target: `127.0.0.1:${alert}` }))).toBe('tls_gm_only');
		});

		test.each([
			{ name: 'an alert of TLS 1.2', bytes: [0x15, 3, 3, 0, 2, 2, 40], answer: 'none' },
			{ name: 'text', bytes: [...Buffer.from('HTTP/1.1 400')], answer: 'none' },
			{ name: 'a handshake of TLS', bytes: [0x16, 3, 1, 0, 1, 2], answer: 'none' },
			{ name: 'the beginning of a record', bytes: [0x16, 1, 1, 0], answer: null },
			{ name: 'an alert of TLCP', bytes: [0x15, 1, 1, 0, 2], answer: { cipher: '', facts: null } },
		])('bytes: $name', ({ bytes, answer }) => {
			expect(readTlcpAnswer(Buffer.from(bytes))).toEqual(answer);
		});

		test('the client hello is well-formed', () => {
			const hello = tlcpClientHello();
			expect(hello.readUInt16BE(3)).toBe(hello.length - 5);
			expect(hello.readUIntBE(6, 3)).toBe(hello.length - 9);
			expect(hello.subarray(44).toString('hex')).toBe('0008e011e013e051e0530100');
		});
	});

	test('old servers are reached where that is allowed', async () => {
		const server = createHttpsServer(
			{ cert: portal.cert, key: portal.key, minVersion: 'TLSv1', maxVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' },
			(_request, response) => response.end('old'),
		);
		await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
		const address = server.address();
		const port = typeof address === 'object' && address !== null ? address.port : 0;
		try {
			const entry = { kind: 'http', target: `https://127.0.0.1:${port}/`, server_name: 'portal.test', ca_file: authority.caFile };
			expect(reasonOf(await probe(entry))).toBe('tls_handshake');
			expect(await probe({ ...entry, tls_min_version: 'TLSv1' })).toMatchObject({
				probe_success: 1,
				'probe_tls_version_info{version="TLS 1.0"}': 1,
			});
		} finally {
			server.closeAllConnections();
			await new Promise((resolve) => server.close(resolve));
		}
	});

	test('the servers of these tests speak TLS', async () => {
		const port = await servers.tls({ cert: portal.cert, key: portal.key }, answering);
		const socket = tlsConnect({ port, host: '127.0.0.1', servername: 'portal.test', ca: authority.ca });
		await new Promise((resolve) => socket.once('secureConnect', resolve));
		expect(socket.authorized).toBe(true);
		socket.destroy();
	});
});
