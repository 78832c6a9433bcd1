import { appendFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startProcess, type TemporaryFolder, temporaryFolder, waitFor } from '../../../tests/harness/process.ts';
import { FamilySet } from '../input.ts';
import { values } from '../measured-values.ts';
import { containerReader } from './containers.ts';
import type { HostReader } from './host-reader.ts';
import { portReader } from './ports.ts';
import { parseProcessStat } from './process-table.ts';
import { processReader } from './processes.ts';
import { unitReader } from './units.ts';

let folder: TemporaryFolder;
beforeEach(() => {
	folder = temporaryFolder('host');
});
afterEach(() => folder.remove());

async function read(reader: HostReader, roots: { proc?: string; sys?: string; nowMs?: number } = {}): Promise<Record<string, number>> {
	const families = new FamilySet();
	await reader.read({
		roots: { proc: roots.proc ?? '/proc', sys: roots.sys ?? '/sys' },
		families,
		nowMs: roots.nowMs ?? 0,
		signal: new AbortController().signal,
	});
	return values(families.list());
}

/** Files below the temporary folder, by path. */
function files(contents: Readonly<Record<string, string>>): void {
	for (const [path, text] of Object.entries(contents)) {
		mkdirSync(join(folder.path, path, '..'), { recursive: true });
		writeFileSync(join(folder.path, path), text);
	}
}

const linux = process.platform === 'linux';
const ID = 'a1b2c3d4e5f6'.padEnd(64, '0');

describe('containers', () => {
	test('version 2, with limits', async () => {
		const group = `fs/cgroup/system.slice/docker-${ID}.scope`;
		files({
			'fs/cgroup/cgroup.controllers': 'cpu memory pids\n',
			[`${group}/cpu.stat`]: 'usage_usec 2500000\nuser_usec 1\nsystem_usec 1\nnr_periods 40\nnr_throttled 4\nthrottled_usec 500000\n',
			[`${group}/cpu.max`]: '50000 100000\n',
			[`${group}/memory.current`]: '1000000\n',
			[`${group}/memory.stat`]: 'anon 5\ninactive_file 400000\n',
			[`${group}/memory.max`]: '2000000\n',
			[`${group}/memory.events`]: 'low 0\noom 3\noom_kill 2\n',
			[`${group}/pids.current`]: '7\n',
			[`docker/containers/${ID}/config.v2.json`]: '{"State":{},"Name":"/portal-web","Driver":"overlay2"}',
		});
		const labels = `{id="/system.slice/docker-${ID}.scope",name="portal-web"}`;
		expect(await read(containerReader({ dockerRoot: join(folder.path, 'docker') }), { sys: folder.path })).toEqual({
			[`container_cpu_usage_seconds_total${labels}`]: 2.5,
			[`container_cpu_cfs_periods_total${labels}`]: 40,
			[`container_cpu_cfs_throttled_periods_total${labels}`]: 4,
			[`container_cpu_cfs_throttled_seconds_total${labels}`]: 0.5,
			[`container_spec_cpu_quota${labels}`]: 50000,
			[`container_spec_cpu_period${labels}`]: 100000,
			[`container_memory_usage_bytes${labels}`]: 1000000,
			[`container_memory_working_set_bytes${labels}`]: 600000,
			[`container_spec_memory_limit_bytes${labels}`]: 2000000,
			[`container_oom_events_total${labels}`]: 2,
			[`container_processes${labels}`]: 7,
			fournines_host_containers: 1,
			fournines_host_containers_left_out: 0,
		});
	});

	test('version 1, without limits, and more file pages than memory', async () => {
		const at = (controller: string, file: string) => `fs/cgroup/${controller}/docker/${ID}/${file}`;
		files({
			[at('cpuacct', 'cpuacct.usage')]: '3000000000\n',
			[at('cpu', 'cpu.stat')]: 'nr_periods 0\nnr_throttled 0\nthrottled_time 0\n',
			[at('cpu', 'cpu.cfs_quota_us')]: '-1\n',
			[at('cpu', 'cpu.cfs_period_us')]: '100000\n',
			[at('memory', 'memory.usage_in_bytes')]: '100\n',
			[at('memory', 'memory.stat')]: 'inactive_file 1\ntotal_inactive_file 400\n',
			[at('memory', 'memory.limit_in_bytes')]: '9223372036854771712\n',
			[at('memory', 'memory.oom_control')]: 'oom_kill_disable 0\nunder_oom 0\noom_kill 1\n',
			[at('pids', 'pids.current')]: '2\n',
		});
		const labels = `{id="/docker/${ID}",name="${ID.slice(0, 12)}"}`;
		const found = await read(containerReader({ dockerRoot: join(folder.path, 'none') }), { sys: folder.path });
		expect(found).toMatchObject({
			[`container_cpu_usage_seconds_total${labels}`]: 3,
			[`container_memory_working_set_bytes${labels}`]: 0,
			[`container_spec_memory_limit_bytes${labels}`]: 0,
			[`container_oom_events_total${labels}`]: 1,
		});
		expect(found).not.toHaveProperty(`container_spec_cpu_quota${labels}`);
	});

	test('one that ends between two walks is left out, and a new one comes with the next walk', async () => {
		const group = (id: string) => `fs/cgroup/machine.slice/libpod-${id}.scope`;
		const other = 'f'.repeat(64);
		files({ 'fs/cgroup/cgroup.controllers': '', [`${group(ID)}/memory.current`]: '1\n', [`${group(ID)}/cpu.stat`]: 'usage_usec 1\n' });
		const reader = containerReader();
		expect((await read(reader, { sys: folder.path, nowMs: 0 }))['fournines_host_containers']).toBe(1);
		rmSync(join(folder.path, group(ID)), { recursive: true });
		files({ [`${group(other)}/memory.current`]: '1\n' });
		expect((await read(reader, { sys: folder.path, nowMs: 10_000 }))['fournines_host_containers']).toBe(0);
		const later = await read(reader, { sys: folder.path, nowMs: 40_000 });
		expect(later[`container_memory_usage_bytes{id="/machine.slice/libpod-${other}.scope",name="${'f'.repeat(12)}"}`]).toBe(1);
	});

	test('a machine without any is silent', async () => {
		expect(await read(containerReader(), { sys: folder.path })).toEqual({});
	});
});

describe('systemd units', () => {
	test('up, down, an instance of a template, and a delegated one', async () => {
		files({
			'sys/fs/cgroup/cgroup.controllers': '',
			'sys/fs/cgroup/system.slice/nginx.service/cgroup.procs': '10\n11\n',
			'sys/fs/cgroup/system.slice/nginx.service/cpu.stat': 'usage_usec 1500000\n',
			'sys/fs/cgroup/system.slice/nginx.service/memory.current': '4096\n',
			'sys/fs/cgroup/system.slice/nginx.service/memory.events': 'oom_kill 1\n',
			'sys/fs/cgroup/system.slice/system-my\\x2dapp.slice/my-app@1.service/cgroup.procs': '12\n',
			'sys/fs/cgroup/system.slice/empty.service/cgroup.procs': '',
			'sys/fs/cgroup/machine.slice/vm.service/cgroup.procs': '',
			'sys/fs/cgroup/machine.slice/vm.service/payload/cgroup.procs': '13\n',
			'proc/stat': 'cpu 1\nbtime 1000\n',
			'proc/10/stat': stat(10, 'nginx', { startTicks: 500 }),
			'proc/11/stat': stat(11, 'nginx', { startTicks: 700 }),
		});
		const units = ['nginx.service', 'my-app@1.service', 'empty.service', 'absent.service', 'machine.slice/vm.service'];
		const found = await read(unitReader(units), { proc: join(folder.path, 'proc'), sys: join(folder.path, 'sys') });
		expect(found).toMatchObject({
			'fournines_host_unit_up{unit="nginx.service"}': 1,
			'fournines_host_unit_processes{unit="nginx.service"}': 2,
			'fournines_host_unit_start_time_seconds{unit="nginx.service"}': 1005,
			'fournines_host_unit_cpu_seconds_total{unit="nginx.service"}': 1.5,
			'fournines_host_unit_memory_bytes{unit="nginx.service"}': 4096,
			'fournines_host_unit_oom_kills_total{unit="nginx.service"}': 1,
			'fournines_host_unit_up{unit="my-app@1.service"}': 1,
			'fournines_host_unit_up{unit="empty.service"}': 0,
			'fournines_host_unit_up{unit="absent.service"}': 0,
			'fournines_host_unit_up{unit="vm.service"}': 1,
		});
	});
});

/** A line of `/proc/<pid>/stat`. */
function stat(
	pid: number,
	name: string,
	fields: { userTicks?: number; systemTicks?: number; startTicks?: number; threads?: number } = {},
): string {
	const { userTicks = 0, systemTicks = 0, startTicks = 1, threads = 1 } = fields;
	return `${pid} (${name}) S 1 1 1 0 -1 4194304 1 1 1 1 ${userTicks} ${systemTicks} 0 0 20 0 ${threads} 0 ${startTicks} 8192 2 1 1 1 0 0\n`;
}

describe('processes', () => {
	test('a name with blanks and parentheses', () => {
		expect(parseProcessStat(7, stat(7, 'a) (b c', { userTicks: 250, threads: 3, startTicks: 99 }))).toMatchObject({
			name: 'a) (b c',
			userSeconds: 2.5,
			threads: 3,
			startTicks: 99,
			virtualBytes: 8192,
		});
	});

	test('the counter of a group goes on when one of its processes ends, and a pid that is used again is another process', async () => {
		const proc = folder.path;
		files({
			stat: 'btime 1000\n',
			'10/stat': stat(10, 'worker', { userTicks: 1000 }),
			'11/stat': stat(11, 'worker', { userTicks: 2000 }),
			'12/stat': stat(12, 'other', { userTicks: 5000 }),
		});
		const reader = processReader([{ name: 'workers', comm: 'worker', command: null }]);
		const user = 'namedprocess_namegroup_cpu_seconds_total{groupname="workers",mode="user"}';
		const first = await read(reader, { proc });
		expect([first[user], first['namedprocess_namegroup_num_procs{groupname="workers"}']]).toEqual([30, 2]);
		rmSync(join(proc, '11'), { recursive: true });
		files({ '10/stat': stat(10, 'worker', { userTicks: 1500 }) });
		expect((await read(reader, { proc }))[user]).toBe(35);
		files({ '10/stat': stat(10, 'worker', { userTicks: 100, startTicks: 900 }) });
		const last = await read(reader, { proc });
		expect([last[user], last['namedprocess_namegroup_oldest_start_time_seconds{groupname="workers"}']]).toEqual([36, 1009]);
	});

	test('a process that was seen before its exec is found later', async () => {
		const proc = folder.path;
		files({ stat: 'btime 1000\n', '10/stat': stat(10, 'sh') });
		const reader = processReader([{ name: 'app', comm: 'app', command: null }]);
		const count = 'namedprocess_namegroup_num_procs{groupname="app"}';
		expect((await read(reader, { proc }))[count]).toBe(0);
		files({ '10/stat': stat(10, 'app') });
		let found = 0;
		for (let round = 0; round < 6; round++) found = (await read(reader, { proc }))[count] ?? 0;
		expect(found).toBe(1);
	});

	test.skipIf(!linux)('a real process by its command line, with its files', async () => {
		const mark = `fournines-test-${process.pid}`;
		const child = startProcess(process.execPath, ['-e', 'setInterval(() => {}, 1000)', mark]);
		try {
			const reader = processReader([{ name: 'marked', comm: null, command: new RegExp(mark) }]);
			const found = await waitFor('the process', async () => {
				const round = await read(reader);
				// Right after its exec it has one thread and the memory of the loader.
				return (round['namedprocess_namegroup_num_threads{groupname="marked"}'] ?? 0) > 1 ? round : null;
			});
			expect(found['namedprocess_namegroup_open_filedesc{groupname="marked"}']).toBeGreaterThan(3);
			expect(found['namedprocess_namegroup_num_procs{groupname="marked"}']).toBe(1);
			expect(found['namedprocess_namegroup_memory_bytes{groupname="marked",memtype="resident"}']).toBeGreaterThan(1e6);
			const start = found['namedprocess_namegroup_oldest_start_time_seconds{groupname="marked"}'] ?? 0;
			expect(Math.abs(start - Date.now() / 1000)).toBeLessThan(60);
		} finally {
			await child.stop();
		}
	});
});

describe('listening ports', () => {
	const HEAD = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';
	const row = (i: number, address: string, port: number, state: string) =>
		`${String(i).padStart(4)}: ${address}:${port.toString(16).toUpperCase().padStart(4, '0')} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000     0        0 ${7000 + i} 1 0000000000000000 100 0 0 10 0\n`;

	test('expected, missing, unexpected, ignored, and loopback only', async () => {
		files({
			'net/tcp':
				HEAD +
				row(0, '00000000', 80, '0A') +
				row(1, '00000000', 4444, '0A') +
				row(2, '0100007F', 9998, '0A') +
				row(3, '00000000', 22, '0A') +
				row(4, '00000000', 80, '01'),
		});
		const reader = portReader({ expected: [80, 3306], reportUnexpected: true, ignored: [22] });
		expect(await read(reader, { proc: folder.path })).toEqual({
			'fournines_host_port_listening{port="80"}': 1,
			'fournines_host_port_listening{port="3306"}': 0,
			fournines_host_ports_unexpected: 1,
			'fournines_host_port_unexpected{address="0.0.0.0",port="4444"}': 1,
		});
	});

	test('reading ends at the first connection', async () => {
		files({ 'net/tcp': HEAD + row(0, '00000000', 80, '0A') });
		for (let i = 1; i < 3000; i++) appendFileSync(join(folder.path, 'net/tcp'), row(i, '0100007F', 40000, '01'));
		// A listener behind the connections, where the kernel never puts one: it shows whether the rest was read.
		appendFileSync(join(folder.path, 'net/tcp'), row(3000, '00000000', 81, '0A'));
		const found = await read(portReader({ expected: [80, 81], reportUnexpected: false, ignored: [] }), { proc: folder.path });
		expect(found).toEqual({ 'fournines_host_port_listening{port="80"}': 1, 'fournines_host_port_listening{port="81"}': 0 });
	});

	test.skipIf(!linux)('a real listener', async () => {
		const server = createServer();
		await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve));
		const address = server.address();
		const port = typeof address === 'object' && address !== null ? address.port : 0;
		const reader = portReader({ expected: [], reportUnexpected: true, ignored: [] });
		const names = () => read(reader).then((found) => Object.keys(found).filter((name) => name.includes(`port="${port}"`)));
		expect(await names()).toHaveLength(1);
		await new Promise((resolve) => server.close(resolve));
		expect(await names()).toEqual([]);
	});
});
