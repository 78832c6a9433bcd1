import { copyFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { httpExchange } from '../../core/http-client.ts';
import { Secret } from '../../core/secret.ts';
import { available, type CertificateAuthority, createAuthority } from '../../tests/harness/certificates.ts';
import { type TemporaryFolder, temporaryFolder } from '../../tests/harness/process.ts';
import { scrapeConfig } from '../../tests/harness/scraping.ts';
import { TargetFetcher } from './fetch-target.ts';

describe.skipIf(!available())('targets over TLS', () => {
	let folder: TemporaryFolder;
	let authorities: readonly [CertificateAuthority, CertificateAuthority];
	let server: Server;
	const caFile = () => join(folder.path, 'ca.pem');
	const certificate = (by: CertificateAuthority) => by.issue('exporter', { names: ['IP:127.0.0.1'] });

	beforeEach(async () => {
		folder = temporaryFolder('fetch-target');
		authorities = [createAuthority(), createAuthority()];
		const { cert, key } = certificate(authorities[0]);
		server = createServer({ cert, key }, (_request, response) => response.end('up 1\n'));
		await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
		copyFileSync(authorities[0].caFile, caFile());
	});
	afterEach(async () => {
		await new Promise((resolve) => server.close(resolve));
		for (const authority of authorities) authority.remove();
		folder.remove();
	});

	test('another CA in the same file is believed at the next scrape, and a file that is gone is the error', async () => {
		const [job] = scrapeConfig(`{scrape_configs: [{job_name: tls, tls_config: {ca_file: '${caFile()}'}}]}`).scrape_configs;
		if (job === undefined) throw new Error('no job');
		const fetcher = new TargetFetcher(job, { http: httpExchange, secrets: () => new Secret('') });
		const scrape = () =>
			fetcher.fetch(`https://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`, 30_000, new AbortController().signal);
		expect(Buffer.from((await scrape()).body).toString()).toBe('up 1\n');
		const { cert, key } = certificate(authorities[1]);
		server.setSecureContext({ cert, key });
		await expect(scrape()).rejects.toMatchObject({ code: 'FN_HTTP_FAILED' });
		copyFileSync(authorities[1].caFile, caFile());
		expect(Buffer.from((await scrape()).body).toString()).toBe('up 1\n');
		rmSync(caFile());
		await expect(scrape()).rejects.toMatchObject({ code: 'FN_SCRAPE_CA_UNREADABLE' });
	});
});
