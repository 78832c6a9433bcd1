import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { type TemporaryFolder, temporaryFolder } from '../../tests/harness/process.ts';
import { available, startRedis } from '../../tests/harness/redis.ts';
import { parseAgentConfig } from '../config.ts';
import { discoverServices } from './discover.ts';
import { parseListeningSockets } from './listening-sockets.ts';

let folder: TemporaryFolder | null = null;
afterEach(() => {
	folder?.remove();
	folder = null;
});

const HEAD = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';
const row = (address: string, port: number, inode: number, state = '0A') =>
	`   0: ${address}:${port.toString(16).toUpperCase().padStart(4, '0')} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000  1000        0 ${inode} 1 0000000000000000 100 0 0 10 0\n`;

/** A `/proc` with these processes and the sockets that they hold. */
function fakeProc(
	tcp: string,
	tcp6: string,
	processes: readonly { pid: number; name: string; cmdline: string; sockets: readonly number[] }[],
): string {
	folder = temporaryFolder('proc');
	const proc = folder.path;
	mkdirSync(join(proc, 'net'));
	writeFileSync(join(proc, 'net/tcp'), HEAD + tcp);
	writeFileSync(join(proc, 'net/tcp6'), HEAD + tcp6);
	for (const { pid, name, cmdline, sockets } of processes) {
		mkdirSync(join(proc, String(pid), 'fd'), { recursive: true });
		writeFileSync(join(proc, String(pid), 'comm'), `${name}\n`);
		writeFileSync(join(proc, String(pid), 'cmdline'), cmdline);
		sockets.forEach((inode, i) => {
			symlinkSync(`socket:[${inode}]`, join(proc, String(pid), 'fd', String(i + 3)));
		});
	}
	return proc;
}

test('addresses of both families', () => {
	expect(
		parseListeningSockets(
			HEAD +
				row('0100007F', 3306, 1) +
				row('00000000', 80, 2) +
				row('0100007F', 50000, 3, '01') +
				row('00000000000000000000000001000000', 6379, 4) +
				row('00000000000000000000000000000000', 8080, 5) +
				row('0000000000000000FFFF00000100007F', 8081, 6),
		),
	).toEqual([
		{ host: '127.0.0.1', port: 3306, inode: '1' },
		{ host: '0.0.0.0', port: 80, inode: '2' },
		{ host: '::1', port: 6379, inode: '4' },
		{ host: '::', port: 8080, inode: '5' },
		{ host: '127.0.0.1', port: 8081, inode: '6' },
	]);
});

test('services by their processes; other programs and side ports are left out', () => {
	const proc = fakeProc(
		row('0100007F', 3306, 1) +
			row('0100007F', 33060, 2) +
			row('00000000', 443, 3) +
			row('00000000', 80, 4) +
			row('0100007F', 8005, 5) +
			row('00000000', 22, 7),
		row('00000000000000000000000000000000', 8080, 6),
		[
			{ pid: 10, name: 'mysqld', cmdline: 'mysqld\0--password=x\0', sockets: [1, 2] },
			{ pid: 11, name: 'nginx', cmdline: 'nginx: master process', sockets: [3, 4] },
			{ pid: 12, name: 'nginx', cmdline: 'nginx: worker process', sockets: [3, 4] },
			{ pid: 13, name: 'java', cmdline: 'java\0-cp\0x\0org.apache.catalina.startup.Bootstrap\0start\0', sockets: [5, 6] },
			{ pid: 14, name: 'sshd', cmdline: 'sshd', sockets: [7] },
			{ pid: 15, name: 'java', cmdline: 'java\0-jar\0other.jar\0', sockets: [] },
		],
	);
	const found = discoverServices({ proc });
	expect(found.map(({ kind, address, process }) => [kind, address, process])).toEqual([
		['mysql', '127.0.0.1:3306', 'mysqld'],
		['nginx', '127.0.0.1:80', 'nginx'],
		['tomcat', '127.0.0.1:8080', 'java'],
	]);
	expect(JSON.stringify(found)).not.toContain('--password=x');
});

test('the proposed lines are a configuration that is accepted', () => {
	const proc = fakeProc(row('0100007F', 3306, 1) + row('0100007F', 80, 2) + row('0100007F', 6379, 3) + row('0100007F', 8080, 4), '', [
		{ pid: 10, name: 'mariadbd', cmdline: '', sockets: [1] },
		{ pid: 11, name: 'nginx', cmdline: '', sockets: [2] },
		{ pid: 12, name: 'redis-server', cmdline: '', sockets: [3] },
		{ pid: 13, name: 'java', cmdline: 'java\0org.apache.catalina.startup.Bootstrap\0', sockets: [4] },
	]);
	const found = discoverServices({ proc });
	expect(found).toHaveLength(4);
	for (const { configLines } of found) expect(parseAgentConfig(configLines.join('\n'), 'proposal')).toMatchObject({ kind: 'ok' });
});

test('units and access logs that the processes have open are proposed with them', () => {
	const proc = fakeProc(row('00000000', 80, 1) + row('0100007F', 8080, 2), '', [
		{ pid: 10, name: 'nginx', cmdline: '', sockets: [1] },
		{ pid: 11, name: 'java', cmdline: 'java\0org.apache.catalina.startup.Bootstrap\0', sockets: [2] },
	]);
	writeFileSync(join(proc, '10/cgroup'), '0::/system.slice/nginx.service\n');
	writeFileSync(join(proc, '11/cgroup'), '4:memory:/x\n1:name=systemd:/system.slice/system-tomcat.slice/tomcat@portal.service\n');
	symlinkSync('/var/log/nginx/access.log', join(proc, '10/fd/20'));
	symlinkSync('/var/log/nginx/portal "x".access.log', join(proc, '10/fd/21'));
	symlinkSync('/var/log/nginx/error.log', join(proc, '10/fd/22'));
	symlinkSync('/var/log/nginx/old_access.log (deleted)', join(proc, '10/fd/23'));
	symlinkSync('/opt/tomcat/logs/localhost_access_log.2026-11-21.txt', join(proc, '11/fd/20'));
	const config = (kind: string) => {
		const service = discoverServices({ proc }).find((found) => found.kind === kind);
		const result = parseAgentConfig(service?.configLines.join('\n') ?? '', 'proposal');
		return result.kind === 'ok' ? result.config.inputs : result;
	};
	expect(config('nginx')).toMatchObject({
		host: { units: ['nginx.service'] },
		access_logs: [{ path: '/var/log/nginx/access.log' }, { path: '/var/log/nginx/portal "x".access.log' }],
	});
	expect(config('tomcat')).toMatchObject({
		host: { units: ['tomcat@portal.service'] },
		access_logs: [{ path: '/opt/tomcat/logs/localhost_access_log.2026-11-21.txt', kind: 'tomcat' }],
	});
});

test('a process of another user is known by its port alone, where the port says enough', () => {
	const proc = fakeProc(row('0100007F', 3306, 1) + row('0100007F', 80, 2), '', []);
	expect(discoverServices({ proc }).map(({ kind, address, process }) => [kind, address, process])).toEqual([
		['mysql', '127.0.0.1:3306', ''],
	]);
});

test.skipIf(!available() || process.platform !== 'linux')('a real Redis is found', async () => {
	const redis = await startRedis();
	try {
		expect(discoverServices().map(({ kind, address }) => `${kind} ${address}`)).toContain(`redis ${redis.address}`);
	} finally {
		await redis.remove();
	}
});
