import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { archivePaths, readSegment } from '../../collector/audit/segment-file.ts';
import type { LedgerAnswer } from '../../protocol/api.ts';
import { type CollectorProcess, longestGapSeconds, startAgentProcess, startCollectorProcess } from '../harness/collector.ts';
import { type FakeSmsGateway, startFakeSmsGateway } from '../harness/fake-sms-gateway.ts';
import { type FakeWechatRobot, startFakeWechatRobot } from '../harness/fake-wechat-robot.ts';
import { type MariaDbPair, available as mariaDbAvailable, startMariaDbPair } from '../harness/mariadb.ts';
import { type NginxServer, available as nginxAvailable, startNginx } from '../harness/nginx.ts';
import { freePort, type RunningProcess, type TemporaryFolder, temporaryFolder, waitFor } from '../harness/process.ts';
import { startTomcat, type TomcatServer, available as tomcatAvailable } from '../harness/tomcat.ts';

const CHECK_INTERVAL_S = 5;
const ROBOT_KEY = 'acceptance-robot-key';
const SMS_SECRET = 'acceptance-sms-secret';

/**
 * What a user's first bad day looks like, with real servers and processes: the entrance goes down, the collector is
 * killed in the middle of it, everything comes back, then a replica stops applying.
 */
describe.skipIf(!(nginxAvailable() && tomcatAvailable() && mariaDbAvailable()))('from a fault to a message, and into the ledger', () => {
	let folder: TemporaryFolder;
	let databases: MariaDbPair;
	let tomcat: TomcatServer;
	let nginx: NginxServer;
	let robot: FakeWechatRobot;
	let sms: FakeSmsGateway;
	let collector: CollectorProcess;
	let agent: RunningProcess;
	const closing: (() => Promise<unknown> | unknown)[] = [];

	beforeAll(async () => {
		folder = temporaryFolder('story');
		closing.push(() => folder.remove());
		[databases, tomcat, robot, sms] = await Promise.all([
			startMariaDbPair(),
			startTomcat(),
			startFakeWechatRobot({ key: ROBOT_KEY }),
			startFakeSmsGateway({ account: 'city', secret: SMS_SECRET, charset: 'gbk' }),
		]);
		closing.push(
			() => databases.remove(),
			() => tomcat.remove(),
			() => robot.stop(),
			() => sms.stop(),
		);
		nginx = await startNginx({ upstream: tomcat.url });
		closing.push(() => nginx.remove());
		collector = await startCollectorProcess({
			dataDir: join(folder.path, 'data'),
			port: await freePort(),
			configFile: writeCollectorConfig(),
		});
		closing.push(() => collector.stop());
		agent = startAgentProcess({ configFile: writeAgentConfig(), dataDir: join(folder.path, 'agent') });
		closing.push(() => agent.stop());
	});

	afterAll(async () => {
		if (process.env['FOURNINES_SHOW_MESSAGES'] === '1')
			process.stderr.write([...messages(), ...sms.messages.map((message) => message.content)].join('\n----\n'));
		for (const close of closing.reverse()) await close();
	});

	function file(name: string, content: string): string {
		const path = join(folder.path, name);
		writeFileSync(path, content, { mode: 0o600 });
		return path;
	}

	function writeCollectorConfig(): string {
		const receiver = {
			name: 'default',
			wechat_robot_configs: [{ base_url: robot.baseUrl, key: { file: file('robot.key', `${ROBOT_KEY}\n`) } }],
			sms_gateway_configs: [sms.channel({ file: file('sms.secret', SMS_SECRET) }, { phones: ['13800000000'] })],
		};
		const inventory = {
			checks: [{ id: 'mis-entrance', interval: `${CHECK_INTERVAL_S}s` }],
			services: [{ id: 'mis', name: '城管业务 MIS', core: true, checks: ['mis-entrance'] }],
		};
		return file('collector.yml', stringify({ alerts: { receivers: [receiver] }, inventory }));
	}

	function writeAgentConfig(): string {
		const password = { file: file('mysql.password', databases.master.password) };
		const database = ({ address, username }: { readonly address: string; readonly username: string }) => ({ address, username, password });
		return file(
			'agent.yml',
			stringify({
				host: { name: 'app-2', system: 'mis' },
				interval: '5s',
				listen: '',
				collector: { url: collector.url, token: { file: collector.pushTokenFile } },
				inputs: {
					nginx: [{ url: nginx.statusUrl }],
					tomcat: [{ url: tomcat.url, username: tomcat.username, password: { file: file('tomcat.password', tomcat.password) } }],
					mysql: [database(databases.master), database(databases.replica)],
					probes: [{ id: 'mis-entrance', kind: 'http', target: `${nginx.url}/`, interval: `${CHECK_INTERVAL_S}s`, timeout: '3s' }],
					logs: [{ path: nginx.accessLog, kind: 'nginx-access' }],
				},
			}),
		);
	}

	const messages = () => robot.messages.map((message) => message.content);
	const countOf = async (expression: string) => Number((await collector.query(`count(${expression})`))[0]?.value[1] ?? 0);
	let downFromMs = 0;
	let downToMs = 0;
	/** Between two checks, which a busy machine makes longer than the interval. */
	let longestGapS = 0;

	test('every source is seen, under the names that boards know', async () => {
		const sources = [
			'node_load1',
			'nginx_up == 1',
			'tomcat_threadpool_threads_total',
			'mysql_up == 1',
			'mysql_slave_status_slave_sql_running == 1',
			'probe_success == 1',
		];
		for (const source of sources) await waitFor(source, async () => (await countOf(source)) > 0, { timeoutMs: 40_000, intervalMs: 500 });
		expect(await countOf('mysql_up == 1')).toBe(2);
		expect(messages()).toEqual([]);
	});

	test('Nginx stops: within 30 seconds the group and the telephone know', async () => {
		await nginx.stop();
		downFromMs = Date.now();
		const told = await waitFor('a message', () => robot.messages.find((message) => message.content.includes('mis-entrance')));
		expect(told.content).toContain('app-2');
		const runbook = /\((http[^)]+runbooks[^)]+)\)/.exec(told.content)?.[1] ?? '';
		expect(await collector.get(runbook.replace(collector.url, ''))).toContain('#');
		await waitFor('a short message', () => sms.messages.find((message) => message.content.includes('mis-entrance')));
	});

	test('the collector is killed in the middle: the alert is neither forgotten nor told twice unmarked', async () => {
		const firing = () => messages().filter((text) => text.includes('mis-entrance') && !text.includes('恢复'));
		expect(firing()).toHaveLength(1);
		await collector.kill();
		await new Promise((resolve) => setTimeout(resolve, 8000));
		await collector.start();
		await waitFor('the alert to fire again inside', async () => (await countOf('ALERTS{alertstate="firing",check="mis-entrance"}')) > 0);
		expect(
			firing()
				.slice(1)
				.filter((text) => !text.includes('可能重复')),
		).toEqual([]);
		const open = JSON.parse(await collector.get('/api/v2/alerts')) as readonly { readonly labels: { readonly check?: string } }[];
		expect(open.map((alert) => alert.labels.check)).toContain('mis-entrance');
	});

	test('Nginx starts again: the recovery is told where the fault was', async () => {
		await nginx.start();
		downToMs = Date.now();
		await waitFor('a recovery message', () => messages().find((text) => text.includes('恢复') && text.includes('mis-entrance')));
		await waitFor('a short recovery message', () => sms.messages.find((message) => message.content.includes('恢复')));
	});

	test('no check that was made is missing, although the collector was away', async () => {
		const [series] = await collector.query(`probe_success{check="mis-entrance"}[${Math.ceil((Date.now() - downFromMs) / 1000) + 20}s]`);
		const times = series?.values?.map(([time]) => time) ?? [];
		longestGapS = longestGapSeconds(series);
		expect(longestGapS).toBeLessThan(CHECK_INTERVAL_S * 1.9);
		expect(new Set(times).size).toBe(times.length);
	});

	test("the outage's seconds are in the ledger, within one check interval per transition", async () => {
		const path = `/api/fournines/v1/services/mis/ledger?from=${Math.floor(downFromMs / 1000) - 30}&to=${Math.floor(Date.now() / 1000)}`;
		const truth = (downToMs - downFromMs) / 1000;
		const ledger = await waitFor('the recovery to be confirmed', async () => {
			const answer = JSON.parse(await collector.get(path)) as LedgerAnswer;
			return answer.intervals.at(-1)?.state === 'up' ? answer : null;
		});
		const outages = ledger.intervals.filter((interval) => interval.state === 'down');
		expect(outages).toHaveLength(1);
		const [outage] = outages;
		expect(Math.abs((outage?.fromSeconds ?? 0) - downFromMs / 1000)).toBeLessThanOrEqual(longestGapS + 1);
		expect(Math.abs((outage?.toSeconds ?? 0) - downToMs / 1000)).toBeLessThanOrEqual(longestGapS + 1);
		expect(Math.abs(ledger.figures.downSeconds - truth)).toBeLessThanOrEqual(2 * longestGapS);
		expect(outage?.reason).toContain('mis-entrance');
	});

	test("the replica's SQL thread stops: a message names the replica", async () => {
		await databases.replica.sql('STOP SLAVE SQL_THREAD');
		const told = await waitFor('a message', () => robot.messages.find((message) => message.content.includes(databases.replica.address)));
		expect(told.content).not.toContain(databases.master.address);
		await databases.replica.sql('START SLAVE SQL_THREAD');
	});

	test('what the web server logged is in the archive', async () => {
		const records = () => readSegment(archivePaths(collector.dataDir).log(1)).lines.map((line) => line.record);
		const record = await waitFor('a log record', () => records().find((one) => one?.source === 'nginx-access'));
		expect(record).toMatchObject({ v: 1, host: 'app-2', system: 'mis', kind: 'request', result: 'success', srcAddr: '127.0.0.1' });
	});

	test('no secret appears in logs, answers or process lists', async () => {
		const { execFileSync } = await import('node:child_process');
		const seen = [
			collector.output(),
			agent.output(),
			await collector.get('/api/v2/status'),
			await collector.get('/metrics'),
			await collector.get('/api/fournines/v1/notifications'),
			execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' })
				.split('\n')
				.filter((line) => line.includes('fournines'))
				.join('\n'),
		].join('\n');
		// What is looked through is really there.
		for (const known of ['the collector is ready', 'the agent is running', 'fournines_ingest_samples_total', 'mis-entrance', 'cli/main.ts'])
			expect(seen).toContain(known);
		for (const secret of [ROBOT_KEY, SMS_SECRET, databases.master.password, tomcat.password]) expect(seen).not.toContain(secret);
	});

	test('told to stop, both end by themselves and in order', async () => {
		expect(await agent.stop()).toBe(0);
		expect(await collector.stop()).toBe(0);
	});
});
