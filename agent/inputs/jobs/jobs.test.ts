import { readFileSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { afterAll, afterEach, expect, test } from 'vitest';
import { systemClock } from '../../../core/clock.ts';
import { configOrThrow } from '../../../core/config-file.ts';
import { silentLogger } from '../../../core/log.ts';
import { temporaryFolder } from '../../../tests/harness/process.ts';
import { parseAgentConfig } from '../../config.ts';
import { type MetricsServer, startMetricsServer } from '../../metrics-server.ts';
import { collect, problemsOf } from '../input.fixture.ts';
import { createInterfaceInputs } from '../interface-inputs.ts';
import { configuredTasks } from './config.ts';
import { JobDesk } from './job-desk.ts';

const folder = temporaryFolder('jobs');
const servers: MetricsServer[] = [];
afterEach(async () => {
	for (const server of servers.splice(0)) await server.close();
});
afterAll(() => folder.remove());

let count = 0;
async function agent(jobs: object | undefined, dataDir = join(folder.path, String(count++)), clock = systemClock) {
	const desk = new JobDesk({ folder: dataDir, clock, log: silentLogger });
	const config = configOrThrow(parseAgentConfig(JSON.stringify({ inputs: jobs === undefined ? {} : { jobs } }), 'agent.yml'));
	desk.configure(configuredTasks(config.inputs.jobs));
	const [input] = createInterfaceInputs(config, { hostName: 'app-1', clock, log: silentLogger, env: {}, userAgent: 'test', jobDesk: desk });
	const server = await startMetricsServer({ listen: '127.0.0.1:0', metrics: async () => '', ready: () => true, jobDesk: desk });
	servers.push(server);
	const call = async (path: string, init: { method?: string; headers?: Record<string, string>; body?: string } = {}) => {
		// Not fetch: it sends the headers of a browser.
		return await new Promise<{ status: number; text: string }>((resolve, reject) => {
			const request = httpRequest(
				`http://${server.address}${path}`,
				{ method: init.method ?? 'GET', headers: init.headers ?? {} },
				(response) => {
					let text = '';
					response.on('data', (chunk: Buffer) => {
						text += chunk.toString();
					});
					response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
				},
			);
			request.on('error', reject);
			request.end(init.body);
		});
	};
	return { input, call, dataDir, desk };
}

test('a run is reported by two lines of curl, GET or POST', async () => {
	const { input, call } = await agent({});
	if (input === undefined) throw new Error('no input');
	expect(input.target).toMatchObject({ job: 'job', instance: 'app-1', host: 'app-1' });
	expect(await collect(input)).toEqual({});
	expect(await call('/jobs/nightly-exchange/start?at=02:00&grace=1h&max_duration=3h')).toEqual({ status: 200, text: 'OK\n' });
	const running = await collect(input);
	expect(running).toMatchObject({
		'job_running{task="nightly-exchange"}': 1,
		'job_max_duration_seconds{task="nightly-exchange"}': 10_800,
		'job_expected_interval_seconds{task="nightly-exchange"}': 86_400,
	});
	expect(
		(await call('/jobs/nightly-exchange/success', { method: 'POST', body: 'rows_read=120&rows_written=118&duration=90' })).status,
	).toBe(200);
	expect(await collect(input)).toMatchObject({
		'job_running{task="nightly-exchange"}': 0,
		'job_last_run_success{task="nightly-exchange"}': 1,
		'job_last_run_duration_seconds{task="nightly-exchange"}': 90,
		'job_last_run_rows{kind="read",task="nightly-exchange"}': 120,
		'job_runs_total{result="success",task="nightly-exchange"}': 1,
	});
});

test('what was reported survives a restart, and a damaged file does not stop the agent', async () => {
	const first = await agent({});
	await first.call('/jobs/a/success?rows=7');
	await first.call('/jobs/b/start');
	const second = await agent({}, first.dataDir);
	if (second.input === undefined) throw new Error('no input');
	expect(await collect(second.input)).toMatchObject({ 'job_last_run_rows{kind="total",task="a"}': 7, 'job_running{task="b"}': 1 });
	const file = join(first.dataDir, 'jobs.jsonl');
	writeFileSync(file, `${readFileSync(file, 'utf8').split('\n')[0]}\n{"task":"half`);
	const third = await agent({}, first.dataDir);
	expect(third.desk.states().map(({ task }) => task)).toEqual(['a']);
});

test('a task of the configuration is expected although it never reported', async () => {
	const { input } = await agent({ tasks: [{ name: 'backup', schedule: { at: ['01:00'] }, grace: '30m', max_duration: '2h' }] });
	if (input === undefined) throw new Error('no input');
	const found = await collect(input);
	expect(found).toMatchObject({ 'job_last_success_timestamp_seconds{task="backup"}': 0, 'job_max_duration_seconds{task="backup"}': 7200 });
	expect(found['job_due_timestamp_seconds{task="backup"}']).toBeGreaterThan(Date.now() / 1000);
});

test('a task that was taken out of the configuration is not waited for any longer, also after a restart', async () => {
	const task = (name: string) => ({ name, schedule: { at: ['01:00'] } });
	const first = await agent({ tasks: [task('stays'), task('renamed')] });
	await first.call('/jobs/reported/success');
	const names = (desk: JobDesk) => desk.states().map((state) => state.task);
	const second = await agent({ tasks: [task('stays')] }, first.dataDir);
	expect(names(second.desk)).toEqual(['stays', 'reported']);
	second.desk.configure([]);
	expect(names(second.desk)).toEqual(['reported']);
	const third = await agent({}, first.dataDir);
	expect(names(third.desk)).toEqual(['reported']);
});

test('a task that reported once can be forgotten, one of the configuration not', async () => {
	const { call, desk, dataDir } = await agent({ tasks: [{ name: 'configured' }] });
	await call('/jobs/once/success');
	expect(await call('/jobs/configured', { method: 'DELETE' })).toMatchObject({
		status: 409,
		text: expect.stringContaining('inputs.jobs.tasks'),
	});
	expect(await call('/jobs/once', { method: 'DELETE' })).toEqual({ status: 200, text: 'OK\n' });
	expect(await call('/jobs/once', { method: 'DELETE' })).toMatchObject({ status: 404 });
	expect(await call('/jobs/%E0%A4%A', { method: 'DELETE' })).toMatchObject({ status: 400 });
	expect(desk.states().map(({ task }) => task)).toEqual(['configured']);
	expect((await agent({ tasks: [{ name: 'configured' }] }, dataDir)).desk.states()).toHaveLength(1);
});

test.each([
	{ name: 'an unknown event', path: '/jobs/a/done', status: 400, text: 'FN_JOB_PING' },
	{ name: 'a bad number', path: '/jobs/a/success?rows=x', status: 400, text: 'FN_JOB_PING' },
	{ name: 'no event', path: '/jobs/a', status: 404, text: 'write /jobs/' },
	{ name: 'a name that cannot be decoded', path: '/jobs/%E0%A4%A/start', status: 400, text: 'URI' },
	{ name: 'another method', path: '/jobs/a/start', init: { method: 'DELETE' }, status: 405, text: 'GET or POST' },
	{ name: 'a page in a browser', path: '/jobs/a/start', init: { headers: { origin: 'http://evil.test' } }, status: 403, text: 'browser' },
	{
		name: 'a form that is too large',
		path: '/jobs/a/success',
		init: { method: 'POST', body: `run=${'x'.repeat(20_000)}` },
		status: 413,
		text: 'FN_JOB_PING',
	},
])('refused: $name', async ({ path, init, status, text }) => {
	const { call, desk } = await agent({});
	const answer = await call(path, init ?? {});
	expect(answer.status).toBe(status);
	expect(answer.text).toContain(text);
	expect(desk.states()).toEqual([]);
});

test('an agent without "jobs" takes none', async () => {
	const { call, input } = await agent(undefined);
	expect(input).toBeUndefined();
	expect(await call('/jobs/a/start')).toMatchObject({ status: 404, text: expect.stringContaining('inputs.jobs') });
});

test('there is an end to names', async () => {
	const { desk } = await agent({});
	for (let i = 0; i < 1000; i++) desk.ping(`job-${i}`, 'success', {});
	expect(() => desk.ping('one-more', 'success', {})).toThrow('there are 1000 jobs already');
	desk.ping('job-5', 'fail', {});
});

test('mistakes are told with their paths', () => {
	const task = { name: 'a', schedule: { every: '7m' }, max_duration: '0s' };
	expect(problemsOf({ jobs: { tasks: [task, { name: 'a' }] } })).toEqual([
		expect.stringContaining('inputs.jobs.tasks[0].schedule.every: "7m" does not divide'),
		'inputs.jobs.tasks[0].max_duration: must be longer than zero',
		'inputs.jobs.tasks[1].name: "a" is already the name of inputs.jobs.tasks[0]',
	]);
});
