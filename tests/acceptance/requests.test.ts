import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { verifyLedger } from '../../collector/availability/ledger-export.ts';
import { systemClock } from '../../core/clock.ts';
import { httpExchange } from '../../core/http-client.ts';
import type { RequestsAnswer } from '../../protocol/availability-api.ts';
import { startAgentProcess } from '../harness/collector.ts';
import { available, startNginx } from '../harness/nginx.ts';
import { temporaryFolder, waitFor } from '../harness/process.ts';
import { startCollectorHere } from '../harness/trial-collector.ts';

/** Minutes are counted once they are over; this collector's are over earlier. */
const AHEAD_MS = 120_000;

test.skipIf(!available())('every request that a real Nginx answered is counted, good and bad, also over a restart of it', async () => {
	const folder = temporaryFolder('requests');
	const closing: (() => Promise<unknown> | unknown)[] = [() => folder.remove()];
	try {
		// Behind it nobody listens: what is not the page is answered 502.
		const nginx = await startNginx({ upstream: 'http://127.0.0.1:9' });
		closing.push(() => nginx.remove());
		const configFile = join(folder.path, 'collector.yml');
		writeFileSync(
			configFile,
			'inventory:\n  checks: [{ id: k }]\n  services: [{ id: portal, name: 门户, checks: [k], target: "99.9", requests: { access_log: { hosts: [web-1] } } }]\n',
		);
		const dataDir = join(folder.path, 'data');
		const clock = { ...systemClock, now: () => systemClock.now() + AHEAD_MS };
		const collector = await startCollectorHere({ dataDir, configFile, clock });
		closing.push(() => collector.stop());
		const get = async (path: string) => {
			const token = readFileSync(join(dataDir, 'keys/local-read.token'), 'utf8').trim();
			const answer = await httpExchange(collector.address + path, { timeoutMs: 30_000, headers: { authorization: `Bearer ${token}` } });
			return answer.body.toString('utf8');
		};
		const beganMs = Date.now();
		const counted = async () => {
			const span = `from=${Math.floor(beganMs / 60_000) * 60}&to=${Math.floor((Date.now() + AHEAD_MS) / 1000)}`;
			return (JSON.parse(await get(`/api/fournines/v1/services/portal/requests?${span}`)) as RequestsAnswer).requests;
		};
		const agentFile = join(folder.path, 'agent.yml');
		writeFileSync(
			agentFile,
			JSON.stringify({
				collector: { url: collector.address, token: { file: join(dataDir, 'keys/local-agent.token') } },
				host: { name: 'web-1' },
				interval: '1s',
				listen: '',
				inputs: { access_logs: [{ path: nginx.accessLog, format: 'combined' }] },
			}),
		);
		const agent = startAgentProcess({ configFile: agentFile, dataDir: join(folder.path, 'agent') });
		closing.push(() => agent.stop());
		await waitFor('the log to be read', async () => (await get('/api/v1/query?query=fournines_access_log_up')).includes('web-1'));
		const made = { good: 0, bad: 0 };
		const ask = async (path: string, times: number) => {
			for (let i = 0; i < times; i++) {
				const { status } = await fetch(nginx.url + path);
				if (status >= 500) made.bad++;
				else made.good++;
			}
		};
		const arrived = () => waitFor('all requests to be counted', async () => (await counted())?.total === made.good + made.bad);
		await ask('/', 37);
		await arrived();
		// A status that had not come yet, and another server process.
		await ask('/behind', 5);
		await ask('/', 11);
		await arrived();
		await nginx.stop();
		await nginx.start();
		await ask('/', 13);
		await ask('/behind', 2);
		await arrived();
		expect(made).toEqual({ good: 61, bad: 7 });
		expect(await counted()).toMatchObject({
			good: 61,
			total: 68,
			sli: '89.705',
			budgetRequests: '0.06',
			budgetUsedRequests: 7,
			unplaced: 0,
		});

		const file = await get(
			`/api/fournines/v1/ledger-export?from=${Math.floor(beganMs / 60_000) * 60}&to=${Math.floor((Date.now() + AHEAD_MS) / 1000)}`,
		);
		const { findings, services } = verifyLedger(file);
		expect(findings).toEqual([]);
		expect(services[0]?.requests).toMatchObject({ good: 61, total: 68, sli: '89.705' });
		const page = await get(
			`/api/fournines/v1/reports/availability?month=${new Date(Date.now() + 8 * 3_600_000).toISOString().slice(0, 7)}`,
		);
		expect(page).toContain('请求成功率');
		expect(page).toContain('89.705 %');
	} finally {
		for (const close of closing.reverse()) await close();
	}
});
