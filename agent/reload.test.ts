import { copyFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../core/clock.ts';
import { configOrThrow } from '../core/config-file.ts';
import { httpExchange } from '../core/http-client.ts';
import { type Logger, silentLogger } from '../core/log.ts';
import { available, type CertificateAuthority, createAuthority, type IssuedCertificate } from '../tests/harness/certificates.ts';
import { freePort, type TemporaryFolder, temporaryFolder, waitFor } from '../tests/harness/process.ts';
import { type RunningAgent, startAgent } from './app.ts';
import { type AgentConfig, parseAgentConfig } from './config.ts';

let folder: TemporaryFolder;
let agent: RunningAgent | null;
let warned: unknown[];
const log: Logger = { ...silentLogger, warn: (fields) => void warned.push((fields as { readonly keys?: unknown }).keys) };
const at = (name: string) => join(folder.path, name);

beforeEach(() => {
	folder = temporaryFolder('agent-reload');
	agent = null;
	warned = [];
});
afterEach(async () => {
	await agent?.stop();
	folder.remove();
});

function config(more: Record<string, unknown>): AgentConfig {
	const text = JSON.stringify({ host: { name: 'app-1' }, interval: '200ms', listen: '127.0.0.1:0', ...more });
	return configOrThrow(parseAgentConfig(text, 'agent.yml'));
}

async function start(first: AgentConfig): Promise<RunningAgent> {
	agent = await startAgent({ config: first, log, clock: systemClock, env: {}, dataDir: at('data'), version: '1.0.0', flushMs: 1000 });
	return agent;
}

/** Not fetch: it sends the headers of a browser, from which no reports are taken. */
const exchange = (url: string) => httpExchange(url, { timeoutMs: 30_000 });
const page = async () => (await fetch(`http://${agent?.address}/metrics`)).text();

test('what is measured and where the host belongs changes at once, and what needs a restart is said', async () => {
	const { reload } = await start(config({ inputs: { host: { enabled: false } } }));
	const probe = { id: 'itself', kind: 'tcp', target: agent?.address, interval: '1s', timeout: '900ms' };
	await reload(config({ host: { name: 'app-1', system: 'portal' }, inputs: { host: { enabled: false }, probes: [probe] } }));
	await waitFor('the check', async () => /^probe_success\{check="itself".*system="portal".*\} 1$/m.test(await page()));
	expect(warned.filter((keys) => keys !== undefined)).toEqual([]);
	await reload(
		config({
			host: { name: 'other' },
			collector: { url: 'http://127.0.0.1:9' },
			central: { interval: '5m', log_folders: ['/srv'] },
			inputs: { host: { enabled: false } },
		}),
	);
	expect(warned.filter((keys) => keys !== undefined)).toEqual([['host.name', 'central.interval', 'collector']]);
	await waitFor('the end of the check', async () => !(await page()).includes('probe_success'));
});

test('a file that is refused opens no reports of jobs', async () => {
	const { reload } = await start(config({}));
	const report = async (task: string) => (await exchange(`http://${agent?.address}/jobs/${task}/success`)).status;
	expect(await report('early')).toBe(404);
	const scrape = [{ job: 'other', url: 'https://127.0.0.1:9/metrics', interval: '10s', ca_file: at('none.pem') }];
	await expect(reload(config({ inputs: { jobs: {}, scrape } }))).rejects.toMatchObject({ code: 'FN_AGENT_CA_UNREADABLE' });
	expect(await report('half')).toBe(404);
	await reload(config({ inputs: { jobs: {} } }));
	expect(await report('whole')).toBe(200);
});

describe.skipIf(!available())('with certificates', () => {
	let authority: CertificateAuthority;
	let server: Server | null;
	const issue = (name: string, by = authority) => by.issue(name, { names: [`DNS:${name}`, 'IP:127.0.0.1'] });
	const use = ({ certFile, keyFile }: Pick<IssuedCertificate, 'certFile' | 'keyFile'>) => {
		copyFileSync(certFile, at('cert.pem'));
		copyFileSync(keyFile, at('key.pem'));
	};
	/** Whom a new connection meets. */
	const shownAt = (address: string) =>
		new Promise<string>((resolve, reject) => {
			const socket = connect({ host: '127.0.0.1', port: Number(address.split(':').pop()), ca: authority.ca }, () => {
				resolve(String(socket.getPeerCertificate().subject.CN));
				socket.destroy();
			});
			socket.once('error', reject);
		});

	beforeEach(() => {
		authority = createAuthority();
		server = null;
	});
	afterEach(async () => {
		server?.closeAllConnections();
		await new Promise<unknown>((resolve) => (server === null ? resolve(null) : server.close(resolve)));
		authority.remove();
	});

	test('a renewed certificate of a relay needs no restart, and one that does not fit changes nothing', async () => {
		const tls = { cert_file: at('cert.pem'), key_file: at('key.pem') };
		const ports = [await freePort(), await freePort()];
		writeFileSync(at('token'), 'shown by the collector');
		const callbacks = {
			...{ listen: `127.0.0.1:${ports[0]}`, collector_listen: `127.0.0.1:${ports[1]}`, tls },
			...{ token: { file: at('token') }, ack_links: true },
		};
		const all = (more: Record<string, unknown>) =>
			config({ collector: { url: 'http://127.0.0.1:9' }, relay: { listen: '127.0.0.1:0', tls, callbacks }, ...more });
		use(issue('first.example'));
		const { relayAddress, reload } = await start(all({}));
		const shown = () => Promise.all([relayAddress, ...ports.map((port) => `127.0.0.1:${port}`)].map(shownAt));
		expect(await shown()).toEqual(Array(3).fill('first.example'));
		use(issue('second.example'));
		await reload(all({}));
		expect(await shown()).toEqual(Array(3).fill('second.example'));
		use({ certFile: issue('third.example').certFile, keyFile: issue('fourth.example').keyFile });
		await expect(reload(all({ host: { name: 'app-1', system: 'unheard' } }))).rejects.toMatchObject({ code: 'FN_AGENT_RELAY_TLS' });
		expect(await shown()).toEqual(Array(3).fill('second.example'));
		expect(await page()).not.toContain('unheard');
	});

	test('another CA in the same file is believed without a restart', async () => {
		const other = createAuthority();
		try {
			const arrived: string[] = [];
			let shown = 'first';
			const first = issue('collector.example');
			server = createServer({ cert: first.cert, key: first.key }, (request, response) => {
				request.resume();
				request.on('end', () => {
					arrived.push(shown);
					response.writeHead(204, { 'x-prometheus-remote-write-samples-written': '1', connection: 'close' }).end();
				});
			});
			await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
			const address = server.address();
			copyFileSync(authority.caFile, at('ca.pem'));
			const url = `https://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
			await start(config({ collector: { url, ca_file: at('ca.pem') } }));
			await waitFor('a push', () => arrived.includes('first'));
			const second = issue('collector.example', other);
			server.setSecureContext({ cert: second.cert, key: second.key });
			copyFileSync(other.caFile, at('ca.pem'));
			server.closeAllConnections();
			shown = 'second';
			await waitFor('a push under the other CA', () => arrived.includes('second'));
		} finally {
			other.remove();
		}
	});
});
