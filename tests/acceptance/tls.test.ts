import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect, type PeerCertificate } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunningCollector } from '../../collector/app.ts';
import { httpExchange } from '../../core/http-client.ts';
import { available, type CertificateAuthority, createAuthority, type IssuedCertificate } from '../harness/certificates.ts';
import { type TemporaryFolder, temporaryFolder } from '../harness/process.ts';
import { startCollectorHere, TRIAL_PASSWORD } from '../harness/trial-collector.ts';

describe.skipIf(!available())('a collector with a certificate', () => {
	let authority: CertificateAuthority;
	let folder: TemporaryFolder;
	let collector: RunningCollector;
	const at = (name: string) => join(folder.path, name);
	const use = ({ certFile, keyFile }: Pick<IssuedCertificate, 'certFile' | 'keyFile'>) => {
		copyFileSync(certFile, at('cert.pem'));
		copyFileSync(keyFile, at('key.pem'));
	};
	const issue = (name: string) => authority.issue(name, { names: [`DNS:${name}`, 'IP:127.0.0.1'] });
	const start = (data: string) => startCollectorHere({ configFile: at('collector.yml'), dataDir: at(data) });
	const call = (path: string, request: { readonly method?: string; readonly body?: string } = {}) =>
		httpExchange(collector.address + path, {
			timeoutMs: 20_000,
			ca: authority.ca,
			headers: { 'content-type': 'application/json' },
			...request,
		});
	/** Whom a new connection meets. */
	const shown = () =>
		new Promise<string>((resolve, reject) => {
			const socket = connect({ host: '127.0.0.1', port: Number(new URL(collector.address).port), ca: authority.ca }, () => {
				const { subject }: PeerCertificate = socket.getPeerCertificate();
				resolve(String(subject.CN));
				socket.destroy();
			});
			socket.once('error', reject);
		});

	beforeAll(async () => {
		authority = createAuthority();
		folder = temporaryFolder('tls');
		use(issue('first.example'));
		writeFileSync(at('collector.yml'), `server: { tls: { cert_file: ${at('cert.pem')}, key_file: ${at('key.pem')} } }\n`);
		collector = await start('data');
	}, 60_000);
	afterAll(async () => {
		await collector?.stop();
		folder?.remove();
		authority?.remove();
	});

	test('answers over TLS, and keeps sessions and browsers to it', async () => {
		expect(collector.address).toMatch(/^https:/);
		const { status, headers } = await call('/-/healthy');
		expect([status, headers['strict-transport-security']]).toEqual([200, expect.stringContaining('max-age')]);
		const accounts = [{ role: 'system' as const, account: 'root', password: TRIAL_PASSWORD }];
		await collector.accounts.setUp({ code: (await collector.accounts.setupCode()) ?? '', accounts }, '127.0.0.1');
		const session = await call('/api/fournines/v1/session', {
			method: 'POST',
			body: JSON.stringify({ account: 'root', password: TRIAL_PASSWORD }),
		});
		expect([session.status, String(session.headers['set-cookie'])]).toEqual([200, expect.stringMatching(/; Secure/)]);
		await expect(httpExchange(collector.address.replace('https:', 'http:'), { timeoutMs: 20_000 })).rejects.toMatchObject({
			code: 'FN_HTTP_FAILED',
		});
	});

	test('takes a renewed certificate at a reload, and keeps the old one when the new is none', async () => {
		expect(await shown()).toBe('first.example');
		const second = issue('second.example');
		use(second);
		expect(await shown()).toBe('first.example');
		await collector.reload();
		expect(await shown()).toBe('second.example');

		use({ certFile: issue('third.example').certFile, keyFile: second.keyFile });
		await expect(collector.reload()).rejects.toMatchObject({
			code: 'FN_SERVER_TLS',
			message: expect.stringContaining('are not a certificate and its key'),
		});
		expect(await shown()).toBe('second.example');
		await expect(start('other')).rejects.toMatchObject({ code: 'FN_SERVER_TLS' });
	});
});
