import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startAgent } from '../../agent/app.ts';
import { parseAgentConfig } from '../../agent/config.ts';
import { systemClock } from '../../core/clock.ts';
import { configOrThrow } from '../../core/config-file.ts';
import { httpExchange } from '../../core/http-client.ts';
import { silentLogger } from '../../core/log.ts';
import type { JobListAnswer } from '../../protocol/job-api.ts';
import { waitFor } from '../harness/process.ts';
import { startTrialCollector, type TrialCollector } from '../harness/trial-collector.ts';

let collector: TrialCollector;

beforeAll(async () => {
	collector = await startTrialCollector('jobs', { people: { 'root-of-it': 'system', 'looks-on': 'viewer' } });
});
afterAll(() => collector.remove());

const person = (method: string, path: string, body?: unknown, as = 'root-of-it') =>
	collector.call(method, path, { as, ...(body === undefined ? {} : { body }) });
/** What `curl -H "Authorization: Bearer …" [-d FORM] URL` does. */
const curl = (path: string, form?: string, token = 'local-job') =>
	collector.call(form === undefined ? 'GET' : 'POST', path, {
		token,
		...(form === undefined ? {} : { body: form, type: 'application/x-www-form-urlencoded' }),
	});
const BASE = '/api/fournines/v1/jobs';
const list = async () => (JSON.parse((await person('GET', BASE)).text) as JobListAnswer).jobs;
async function value(expression: string): Promise<number | null> {
	const result = await collector.query(expression);
	return result[0] === undefined ? null : Number(result[0].value[1]);
}

test('a job reports with curl; who may read sees it, and so do queries', async () => {
	expect(await curl(`${BASE}/nightly-exchange/start?every=1d&grace=1h&host=app-1`)).toMatchObject({ status: 200, text: 'OK\n' });
	expect(await list()).toMatchObject([
		{ task: 'nightly-exchange', host: 'app-1', state: 'running', schedule: { every: '1d' }, graceSeconds: 3600 },
	]);
	expect((await curl(`${BASE}/nightly-exchange/success`, 'rows_read=120&duration=90')).status).toBe(200);
	expect(await list()).toMatchObject([{ state: 'ok', lastSeconds: 90, rows: { read: 120 } }]);
	const series = '{job="job",task="nightly-exchange",host="app-1"}';
	await waitFor('the series', async () => (await value(`job_last_run_success${series}`)) === 1);
	expect(await value(`job_last_run_rows${series.replace('}', ',kind="read"}')}`)).toBe(120);
	expect(await value(`job_due_timestamp_seconds${series} - time()`)).toBeGreaterThan(0);
	expect((await curl(`${BASE}/nightly-exchange/fail`)).status).toBe(200);
	expect(await list()).toMatchObject([{ state: 'failed' }]);
});

test('what was reported survives a restart', async () => {
	await collector.restart();
	expect(await list()).toMatchObject([{ task: 'nightly-exchange', state: 'failed', rows: {} }]);
});

test('a job is defined before it first reports, and forgotten', async () => {
	const defined = await person('PUT', `${BASE}/monthly`, { schedule: { cron: '0 3 1 * *' }, grace: '2h', max_duration: '4h' });
	expect(defined.status).toBe(200);
	expect(JSON.parse(defined.text)).toMatchObject({ task: 'monthly', lastSuccess: null, maxDurationSeconds: 14_400 });
	await waitFor('the series', async () => (await value('job_last_success_timestamp_seconds{task="monthly"}')) === 0);
	expect((await person('DELETE', `${BASE}/monthly`)).status).toBe(204);
	expect((await person('DELETE', `${BASE}/monthly`)).status).toBe(404);
	expect(await value('job_last_success_timestamp_seconds{task="monthly"}')).toBeNull();
});

test.each([
	{ name: 'an unknown event', path: `${BASE}/a/done`, status: 400, code: 'FN_JOB_PING' },
	{ name: 'an unknown field', path: `${BASE}/a/start?colour=red`, status: 400, code: 'FN_JOB_PING' },
	{ name: 'a token that only reads', path: `${BASE}/a/start`, as: 'local-read', status: 403, code: 'FN_AUTH_FORBIDDEN' },
])('refused: $name', async ({ path, as, status, code }) => {
	const answer = await curl(path, undefined, as ?? 'local-job');
	expect(answer.status).toBe(status);
	expect(answer.text).toContain(code);
});

test('who may do what', async () => {
	expect((await collector.call('GET', `${BASE}/a/start`)).status).toBe(401);
	// A link in a page must not report in a person's name.
	expect((await person('GET', `${BASE}/a/start`)).status).toBe(403);
	expect((await person('PUT', `${BASE}/a`, {}, 'looks-on')).status).toBe(403);
	expect((await curl(`${BASE}/a/success`, undefined, 'local-agent')).status).toBe(200);
	expect((await curl('/api/v1/query?query=up')).status).toBe(403);
	expect((await person('PUT', `${BASE}/a`, { schedule: { every: '7m' } })).status).toBe(400);
	expect((await person('PUT', `${BASE}/a`, { grace: 'long' })).status).toBe(400);
});

test('reports that arrive together are all counted', async () => {
	await Promise.all(Array.from({ length: 20 }, () => curl(`${BASE}/busy/success`)));
	await waitFor('all of them', async () => (await value('job_runs_total{task="busy",result="success"}')) === 20);
});

test('a report to the agent of the same host arrives in the collector, also after the agent was started again', async () => {
	const dataDir = join(collector.folder, 'agent');
	const startOne = () =>
		startAgent({
			config: configOrThrow(
				parseAgentConfig(
					JSON.stringify({
						host: { name: 'app-7', system: 'exchange' },
						interval: '1s',
						listen: '127.0.0.1:0',
						collector: { url: collector.address, token: { file: collector.tokenFile('local-agent') } },
						inputs: { host: { enabled: false }, jobs: { tasks: [{ name: 'never', schedule: { at: ['03:00'] } }] } },
					}),
					'agent.yml',
				),
			),
			log: silentLogger,
			clock: systemClock,
			env: {},
			dataDir,
			version: '0.0.0-test',
		});
	const series = '{job="job",host="app-7",instance="app-7",system="exchange",task="extract"}';
	const first = await startOne();
	try {
		const report = await httpExchange(`http://${first.address}/jobs/extract/success?rows=7&every=1h`, { timeoutMs: 30_000 });
		expect([report.status, report.body.toString()]).toEqual([200, 'OK\n']);
		await waitFor('the series', async () => (await value(`job_last_run_rows${series}`)) === 7);
		expect(await value('job_last_success_timestamp_seconds{host="app-7",task="never"}')).toBe(0);
	} finally {
		await first.stop();
	}
	const second = await startOne();
	try {
		await httpExchange(`http://${second.address}/jobs/extract/success?rows=9`, { timeoutMs: 30_000 });
		await waitFor('the second run', async () => (await value(`job_runs_total${series.replace('}', ',result="success"}')}`)) === 2);
	} finally {
		await second.stop();
	}
});
