import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import { configOrThrow } from '../../core/config-file.ts';
import { AppError } from '../../core/errors.ts';
import { silentLogger } from '../../core/log.ts';
import { startFakeServer } from '../../tests/harness/fake-server.ts';
import { type MariaDbServer, available as mariaDbAvailable, startMariaDb } from '../../tests/harness/mariadb.ts';
import { available as nginxAvailable, startNginx } from '../../tests/harness/nginx.ts';
import { freePort, type TemporaryFolder, temporaryFolder } from '../../tests/harness/process.ts';
import { available as redisAvailable, startRedis } from '../../tests/harness/redis.ts';
import { parseAgentConfig } from '../config.ts';
import { AGENT_USER, adviceFor, type Symptom } from './advice.ts';
import { diagnose, formatDiagnosis } from './doctor.ts';
import { firewallRequest } from './firewall.ts';

let folder: TemporaryFolder;
beforeEach(() => {
	folder = temporaryFolder('doctor');
});
afterEach(() => folder.remove());

const configOf = (text: string) => configOrThrow(parseAgentConfig(text, 'agent.yml'));

async function ask(yaml: string) {
	const diagnosis = await diagnose({
		config: configOf(`host: { name: app-1 }\n${yaml}`),
		env: {},
		clock: systemClock,
		log: silentLogger,
		userAgent: 'test',
		dataDir: join(folder.path, 'data'),
	});
	const of = (prefix: string) => diagnosis.findings.find(({ what }) => what.startsWith(prefix));
	return { diagnosis, of, lines: (prefix: string) => of(prefix)?.advice.flatMap(({ lines }) => lines) ?? [] };
}

function secret(text: string): string {
	const file = join(folder.path, 'secret');
	writeFileSync(file, text, { mode: 0o600 });
	return file;
}

const OFF = 'host: { enabled: false }';

test('a healthy host has nothing to say, in both languages', async () => {
	const { diagnosis } = await ask('');
	expect(diagnosis.ok).toBe(true);
	expect(formatDiagnosis(diagnosis, 'zh')).toMatch(/^\[(正常|部分)\] data /);
	expect(formatDiagnosis(diagnosis, 'en')).toContain('Firewall request');
	expect(formatDiagnosis(diagnosis, 'zh')).toContain('防火墙申请');
});

describe.skipIf(!mariaDbAvailable())('MariaDB', () => {
	let server: MariaDbServer | null = null;
	afterAll(() => server?.remove());

	test('what is missing, as statements that help when they are run', async () => {
		server = await startMariaDb();
		const { sql, address, password } = server;
		await sql("CREATE USER 'poor'@'127.0.0.1' IDENTIFIED BY 'mariadb-test-password'");
		const yaml = (user: string, file: string) =>
			`inputs: { ${OFF}, mysql: [{ address: "${address}", username: ${user}, password: { file: "${file}" }, heartbeat: { table: heartbeat.heartbeat, write: true } }] }`;
		const refused = await ask(yaml('nobody-here', secret('wrong-password')));
		expect(refused.diagnosis.ok).toBe(false);
		expect(refused.lines('mysql').join('\n')).toContain("CREATE USER 'nobody-here'@'<agent-host>'");
		const poor = await ask(yaml('poor', secret(password)));
		expect(poor.of('mysql')).toMatchObject({ state: 'partly', problem: expect.stringContaining('replication') });
		const lines = poor.lines('mysql');
		expect(lines).toContain("GRANT PROCESS, SLAVE MONITOR, BINLOG MONITOR ON *.* TO 'poor'@'<agent-host>';");
		expect(lines).toContain("GRANT SELECT ON heartbeat.heartbeat TO 'poor'@'<agent-host>';");
		await sql('CREATE DATABASE heartbeat');
		await sql('CREATE TABLE heartbeat.heartbeat (ts varchar(26) NOT NULL, server_id int unsigned NOT NULL PRIMARY KEY)');
		for (const line of lines) await sql(line.replace('<agent-host>', '127.0.0.1'));
		await sql("GRANT INSERT, UPDATE ON heartbeat.heartbeat TO 'poor'@'127.0.0.1'");
		for (let time = 0; time < 5; time++) {
			expect((await ask(yaml('poor', secret(password)))).of('mysql')).toMatchObject({ state: 'ok', advice: [] });
		}
		// Although the configuration says "write": a diagnosis writes nothing.
		expect(await sql('SELECT * FROM heartbeat.heartbeat')).toEqual([]);
		expect(formatDiagnosis(refused.diagnosis, 'zh')).not.toContain('wrong-password');
	});
});

test.skipIf(!redisAvailable())('Redis: the rights that are missing, as a command that helps when it is run', async () => {
	const server = await startRedis();
	const administrator = new Redis({ port: server.port, password: server.password });
	try {
		const yaml = (more: string) => `inputs: { ${OFF}, redis: [{ address: "${server.address}"${more} }] }`;
		expect((await ask(yaml(''))).lines('redis').join('\n')).toContain('ACL SETUSER fournines on >');
		await administrator.acl('SETUSER', 'narrow', 'on', '>pw', 'resetkeys', '-@all', '+info', '+ping');
		const account = `, username: narrow, password: { file: "${secret('pw')}" }`;
		const partly = await ask(yaml(account));
		expect(partly.of('redis')?.state).toBe('partly');
		const [line = ''] = partly.lines('redis');
		expect(line).toMatch(/^ACL SETUSER narrow /);
		const [, ...words] = line.split(' ');
		await administrator.acl(...(words as ['SETUSER', string]));
		expect((await ask(yaml(account))).of('redis')?.state).toBe('ok');
	} finally {
		await administrator.quit();
		await server.remove();
	}
});

test.skipIf(!nginxAvailable())('Nginx: a page that is not there, and a server that is not running', async () => {
	const server = await startNginx();
	try {
		const wrong = await ask(`inputs: { ${OFF}, nginx: [{ url: "${server.url}/status" }] }`);
		expect(wrong.lines('nginx')).toContain('    stub_status;');
		expect((await ask(`inputs: { ${OFF}, nginx: [{ url: "${server.statusUrl}" }] }`)).diagnosis.ok).toBe(true);
	} finally {
		await server.remove();
	}
	const stopped = await ask(`inputs: { ${OFF}, nginx: [{ url: "${server.statusUrl}" }] }`);
	expect(stopped.lines('nginx')).toEqual(['ss -ltnp']);
});

test.each([
	[401, 'tomcat-users.xml', 'roles="manager-status"'],
	[403, 'context.xml', 'RemoteCIDRValve'],
	[404, 'manager', 'way: process'],
])('Tomcat that answers %i', async (status, text, line) => {
	const server = await startFakeServer({ handle: (_request, exchange) => exchange.answer(status, 'no') });
	try {
		const found = await ask(
			`inputs: { ${OFF}, tomcat: [{ url: "${server.baseUrl}", username: u, way: manager, password: { file: "${secret('p')}" } }] }`,
		);
		expect(found.of('tomcat')?.advice[0]?.text.zh).toContain(text);
		expect(found.lines('tomcat').join('\n')).toContain(line);
	} finally {
		await server.stop();
	}
});

test('logs that are not there, and a collector that does not answer', async () => {
	const port = await freePort();
	const { of, lines } = await ask(
		`collector: { url: "http://127.0.0.1:${port}" }\ninputs: { ${OFF}, logs: [{ path: /nonexistent/x.log, kind: plain }], access_logs: [{ path: /nonexistent/a.log }] }`,
	);
	expect(of('collector')?.state).toBe('failed');
	expect(lines('log')).toContain('usermod -aG adm fournines-agent');
	expect(lines('access_log').join()).toContain('/nonexistent/a.log');
});

test('a clock that is an hour ahead', async () => {
	const server = createServer((_request, response) => {
		response.setHeader('date', new Date(Date.now() - 3_600_000).toUTCString());
		response.end('ok');
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	const address = server.address();
	const port = typeof address === 'object' && address !== null ? address.port : 0;
	const { of } = await ask(`collector: { url: "http://127.0.0.1:${port}" }\ninputs: { ${OFF} }`);
	expect(of('collector')).toMatchObject({ state: 'partly', problem: expect.stringMatching(/clock 3[56]\d\d s/) });
	await new Promise((resolve) => server.close(resolve));
});

const healthy: Symptom = {
	input: 'mysql',
	instance: '10.0.0.9:3306',
	error: null,
	failedParts: [],
	username: 'u',
	serverVersion: '8.4.3',
	heartbeatTable: '',
	platform: 'linux',
};

test.each<[string, Partial<Symptom>, string]>([
	['MySQL 8.4 has other words than MariaDB', { failedParts: ['replication'] }, 'GRANT PROCESS, REPLICATION CLIENT ON'],
	['MariaDB 10.11', { failedParts: ['gtid', 'positions'], serverVersion: '10.11.6-MariaDB' }, 'SLAVE MONITOR'],
	['digests', { failedParts: ['digests'] }, 'GRANT SELECT ON performance_schema.*'],
	['a host that is not reached', { error: new AppError('X', 'x', { cause: Object.assign(new Error('y'), { code: 'EHOSTUNREACH' }) }) }, ''],
	['JMX', { input: 'tomcat', failedParts: ['jmxproxy'] }, 'roles="manager-status,manager-jmx"'],
	['UDP', { input: 'ntp', error: new AppError('FN_AGENT_NTP_TIMEOUT', 'x') }, ''],
])('advice: %s', (_name, change, line) => {
	const advice = adviceFor({ ...healthy, ...change });
	expect(advice.length).toBeGreaterThan(0);
	expect(advice.flatMap(({ lines }) => lines).join('\n')).toContain(line);
});

test('secrets that keep the agent from starting are told, and one that was exchanged is not', async () => {
	const port = await freePort();
	const yaml = (token: string) => `
collector: { url: "http://127.0.0.1:${port}", ${token} }
remote_write: [{ name: prom, url: "http://127.0.0.1:${port}/w", username: u, password: { file: "${secret('fine')}" } }]
inputs: { ${OFF} }
`;
	const bad = await ask(yaml('token: { file: /none/token }'));
	expect(bad.of('secret collector.token')?.state).toBe('failed');
	expect(bad.lines('secret collector.token')).toEqual(['chgrp fournines-agent /none/token', 'chmod 640 /none/token']);
	expect(bad.of('secret remote_write')).toBeUndefined();
	expect(formatDiagnosis(bad.diagnosis, 'zh')).toContain('程序无法启动');
	const once = yaml('enrol_token: { file: /none/once }');
	expect((await ask(once)).of('secret collector.enrol_token')?.state).toBe('failed');
	writeFileSync(join(folder.path, 'data', 'identity.json'), '{}');
	expect((await ask(once)).of('secret')).toBeUndefined();
});

test('the user of the advice is that of the unit', () => {
	const unit = readFileSync(join(import.meta.dirname, '../../deploy/systemd/fournines-agent.service'), 'utf8');
	expect(unit).toContain(`\nUser=${AGENT_USER}\n`);
});

test('the firewall request names every connection to another machine once', () => {
	const config = configOf(`
collector: { url: "https://10.0.0.5:9999" }
remote_write: [{ name: prom, url: "http://prom.example.cn/api/v1/write" }]
listen: "0.0.0.0:9998"
last_resort: { channel: wechat_robot, url: { env: T }, agents: ["10.1.0.1:9998", "10.1.0.2:9998", "[fd00::3]:9998"], self: "10.1.0.1:9998" }
relay: { listen: "10.1.0.1:9997", callbacks: { listen: "0.0.0.0:8443", collector_listen: "10.9.0.2:8444", token: { env: T }, ack_links: true } }
inputs:
  nginx: [{ url: "http://127.0.0.1/nginx_status" }]
  mysql: [{ address: 10.0.0.7, username: u }, { address: /run/mysqld/mysqld.sock, username: u }]
  redis: [{ address: "[fd00::7]:6380" }]
  ntp: [{ server: ntp.example.cn }, { kind: chrony, server: 127.0.0.1 }]
  access_logs: [{ path: /var/log/nginx/access.log }]
  probes:
    - { id: a, kind: http, target: "https://portal.example.cn/x" }
    - { id: b, kind: tcp, target: "portal.example.cn:443" }
    - { id: c, kind: icmp, target: "10.0.0.9", icmp: { allow_child_process: true } }
`);
	expect(firewallRequest(config, 'app-1').map(({ from, to, protocol, port }) => `${from} ${to} ${protocol}/${port}`)).toEqual([
		'app-1 10.0.0.5 TCP/9999',
		'app-1 prom.example.cn TCP/80',
		'app-1 10.0.0.7 TCP/3306',
		'app-1 fd00::7 TCP/6380',
		'app-1 ntp.example.cn UDP/123',
		'app-1 portal.example.cn TCP/443',
		'app-1 10.0.0.9 ICMP/0',
		'app-1 10.1.0.2 TCP/9998',
		'app-1 fd00::3 TCP/9998',
		'app-1 qyapi.weixin.qq.com TCP/443',
		'zone app-1 TCP/9997',
		'0.0.0.0/0 app-1 TCP/8443',
		'collector app-1 TCP/8444',
	]);
});
