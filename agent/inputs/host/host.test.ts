import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../core/clock.ts';
import { silentLogger } from '../../../core/log.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../../../tests/harness/process.ts';
import { FamilySet, type MetricFamily } from '../input.ts';
import { values } from '../measured-values.ts';
import { hold } from './cpu.ts';
import { filesystemReader, statCommandUsage } from './filesystem.ts';
import { createHostInput, type HostInputOptions } from './input.ts';
import { parseHostFacts, readHostFacts } from './inventory.ts';
import { measuringOf, parseMounts } from './mounts.ts';
import { readPortableHost } from './portable.ts';

let folder: TemporaryFolder | null = null;
afterEach(() => {
	folder?.remove();
	folder = null;
});

const linux = process.platform === 'linux';

const host = (options: Partial<HostInputOptions> = {}) =>
	createHostInput({
		target: {},
		intervalMs: 1000,
		timeoutMs: 60_000,
		mountsExclude: null,
		readFacts: null,
		clock: systemClock,
		log: silentLogger,
		...options,
	});

test.each([
	['a first reading', undefined, [1, 2, 3, 4], [1, 2, 3, 4]],
	['counters that grow', [1, 2, 3, 4], [2, 3, 4, 5], [2, 3, 4, 5]],
	['a small dip is held', [1, 2, 3, 4], [2, 3, 4, 3.5], [2, 3, 4, 4]],
	['a reset is taken', [10, 20, 30, 400], [1, 2, 3, 4], [1, 2, 3, 4]],
])('CPU time: %s', (_name, before, now, expected) => {
	expect(hold(before, now)).toEqual(expected);
});

describe('filesystems', () => {
	test('escapes, options and a mount over another', () => {
		expect(parseMounts('/dev/a / ext4 rw,relatime 0 0\n/dev/b /mnt/my\\040disk ext4 ro 0 0\ntmpfs / tmpfs rw 0 0\n')).toEqual([
			{ device: 'tmpfs', mountpoint: '/', fstype: 'tmpfs', readonly: false },
			{ device: '/dev/b', mountpoint: '/mnt/my disk', fstype: 'ext4', readonly: true },
		]);
	});

	test.each([
		['ext4', '/', 'local'],
		['xfs', '/data', 'local'],
		['nfs4', '/mnt/share', 'remote'],
		['fuse.sshfs', '/mnt/ssh', 'remote'],
		['cifs', '/mnt/win', 'remote'],
		['proc', '/proc', 'none'],
		['ext4', '/var/lib/docker/overlay2/x', 'none'],
		['overlay', '/', 'none'],
		['ext4', '/excluded/here', 'none'],
		['nfs', '/excluded/share', 'none'],
	])('%s on %s is measured: %s', (fstype, mountpoint, expected) => {
		expect(measuringOf({ device: 'd', fstype, mountpoint, readonly: false }, /^\/excluded/)).toBe(expected);
	});

	test('mounts that hang are reported, are not asked again, and stop the asking of others', async () => {
		folder = temporaryFolder('proc');
		mkdirSync(join(folder.path, '1'));
		writeFileSync(join(folder.path, '1/mounts'), ['/a', '/b', '/c'].map((path) => `/dev/x ${path} ext4 rw 0 0`).join('\n'));
		const asked: string[] = [];
		const reader = filesystemReader({
			exclude: null,
			remote: false,
			timeoutMs: 10,
			usage: (mountpoint) => {
				asked.push(mountpoint);
				return new Promise(() => {});
			},
		});
		for (let round = 0; round < 3; round++) {
			const families = new FamilySet();
			await reader.read({ roots: { proc: folder.path, sys: '' }, families, nowMs: 0, signal: new AbortController().signal });
			const errors = families.list().find((family) => family.name === 'node_filesystem_device_error');
			expect(errors?.measurements.map(({ value }) => value)).toEqual([1, 1, 1]);
			expect(families.list().some((family) => family.name === 'node_filesystem_size_bytes')).toBe(false);
		}
		expect(asked).toEqual(['/a', '/b']);
	});

	describe('behind a network', () => {
		const line = 'server:/x /share nfs4 rw 0 0\n/dev/a /local ext4 rw 0 0\n';
		const setUp = (command: string, timeoutMs: number, childMs: number) => {
			folder = temporaryFolder('proc');
			mkdirSync(join(folder.path, '1'));
			writeFileSync(join(folder.path, '1/mounts'), line);
			const program = join(folder.path, 'stat');
			writeFileSync(program, `#!/bin/sh\necho $$ >> ${join(folder.path, 'pids')}\n${command}\n`, { mode: 0o755 });
			const local = { sizeBytes: 5, freeBytes: 4, availBytes: 3, files: 2, filesFree: 1 };
			const reader = filesystemReader({
				exclude: null,
				remote: true,
				timeoutMs,
				usage: async () => local,
				remoteUsage: (mountpoint) => statCommandUsage(mountpoint, { command: program, timeoutMs: childMs }),
			});
			const roots = { proc: folder.path, sys: '' };
			const read = async (nowMs: number) => {
				const families = new FamilySet();
				await reader.read({ roots, families, nowMs, signal: new AbortController().signal });
				return values(families.list());
			};
			const pids = () => readFileSync(join(roots.proc, 'pids'), 'utf8').trim().split('\n').map(Number);
			return { read, pids };
		};
		const share = (name: string) => `node_filesystem_${name}{device="server:/x",fstype="nfs4",mountpoint="/share"}`;
		const local = (name: string) => `node_filesystem_${name}{device="/dev/a",fstype="ext4",mountpoint="/local"}`;

		test('a share is asked in a child, once a minute', async () => {
			const { read, pids } = setUp('echo 4096 100 50 40 10 5', 60_000, 60_000);
			expect((await read(0))[share('size_bytes')]).toBe(409_600);
			expect((await read(10_000))[share('avail_bytes')]).toBe(163_840);
			expect(pids()).toHaveLength(1);
			await read(60_000);
			await waitFor('the second child', () => pids().length === 2);
		});

		test('one that hangs reports an error, is killed, is asked one child at a time, and costs nobody else', async () => {
			const { read, pids } = setUp('exec sleep 120', 150, 6000);
			const first = await read(0);
			expect([first[share('device_error')], first[share('size_bytes')]]).toEqual([1, undefined]);
			expect([first[local('device_error')], first[local('size_bytes')]]).toEqual([0, 5]);
			await waitFor('the child', () => existsSync(join(folder?.path ?? '', 'pids')));
			await read(61_000);
			expect(pids()).toHaveLength(1);
			await waitFor('the child to be killed', () => !existsSync(`/proc/${pids()[0]}`));
			await waitFor('the next child', async () => {
				await read(122_000);
				return pids().length === 2;
			});
			// On a slow machine its time may be over by now, which is no matter.
			spawnSync('kill', ['-KILL', String(pids()[1])], { stdio: 'ignore' });
		});
	});

	test.skipIf(!linux)('the command for old runtimes gives the numbers of the call', async () => {
		const families = new FamilySet();
		await filesystemReader({ exclude: null, remote: false }).read({
			roots: { proc: '/proc', sys: '/sys' },
			families,
			nowMs: 0,
			signal: new AbortController().signal,
		});
		const size = families.list().find((family) => family.name === 'node_filesystem_size_bytes')?.measurements[0];
		const mountpoint = size?.labels[size.labels.indexOf('mountpoint') + 1] ?? '/';
		expect((await statCommandUsage(mountpoint)).sizeBytes).toBe(size?.value);
	});
});

test('a missing file costs its group only; nothing at all is an error', async () => {
	folder = temporaryFolder('proc');
	mkdirSync(join(folder.path, 'net'));
	writeFileSync(join(folder.path, 'loadavg'), '0.50 0.40 0.30 1/100 1234\n');
	const roots = { proc: folder.path, sys: folder.path };
	const found = values(await host({ platform: 'linux', roots }).collect(new AbortController().signal, 0));
	expect(found).toMatchObject({
		node_load1: 0.5,
		'node_scrape_collector_success{collector="loadavg"}': 1,
		'node_scrape_collector_success{collector="meminfo"}': 0,
	});
});

/** What every variant must have, so that boards and rules work: names, labels and types as the exporters of each platform have them. */
const CONTRACT = {
	node: [
		['node_cpu_seconds_total', 'counter', 'cpu,mode'],
		['node_memory_MemTotal_bytes', 'gauge', ''],
		['node_memory_MemAvailable_bytes', 'gauge', ''],
		['node_memory_SwapTotal_bytes', 'gauge', ''],
		['node_memory_SwapFree_bytes', 'gauge', ''],
		['node_load1', 'gauge', ''],
		['node_load5', 'gauge', ''],
		['node_load15', 'gauge', ''],
		['node_boot_time_seconds', 'gauge', ''],
		['node_time_seconds', 'gauge', ''],
		['node_filesystem_size_bytes', 'gauge', 'device,fstype,mountpoint'],
		['node_filesystem_avail_bytes', 'gauge', 'device,fstype,mountpoint'],
		['node_filesystem_readonly', 'gauge', 'device,fstype,mountpoint'],
		['node_network_receive_bytes_total', 'counter', 'device'],
		['node_network_transmit_bytes_total', 'counter', 'device'],
	],
	windows: [
		['windows_cpu_time_total', 'counter', 'core,mode'],
		['windows_cs_physical_memory_bytes', 'gauge', ''],
		['windows_memory_available_bytes', 'gauge', ''],
		['windows_logical_disk_size_bytes', 'gauge', 'volume'],
		['windows_logical_disk_free_bytes', 'gauge', 'volume'],
		['windows_net_bytes_received_total', 'counter', 'nic'],
		['windows_net_bytes_sent_total', 'counter', 'nic'],
		['windows_system_system_up_time', 'gauge', ''],
		['windows_os_time', 'gauge', ''],
		['windows_service_state', 'gauge', 'name,state'],
	],
} as const;

describe('the contract of a host', () => {
	const signal = new AbortController().signal;
	const shape = (families: readonly MetricFamily[], contract: readonly (readonly [string, string, string])[]) =>
		contract.map(([name]) => {
			const family = families.find((candidate) => candidate.name === name);
			const labels = (family?.measurements[0]?.labels ?? []).filter((_, i) => i % 2 === 0).sort();
			return [name, family?.type ?? 'absent', labels.join(',')];
		});
	const sizes = (families: readonly MetricFamily[], name: string) =>
		families.find((family) => family.name === name)?.measurements.map(({ value }) => value) ?? [];

	test.skipIf(!linux)('Linux from /proc', async () => {
		expect(shape(await host().collect(signal, Date.now()), CONTRACT.node)).toEqual(CONTRACT.node);
	});

	test.skipIf(process.platform === 'win32')('the portable variant, read on this machine, with the values of the other', async () => {
		const portable = await readPortableHost('darwin', { nowMs: Date.now() });
		expect(shape(portable, CONTRACT.node)).toEqual(CONTRACT.node);
		if (!linux) return;
		const direct = await host().collect(signal, Date.now());
		for (const name of ['node_memory_MemTotal_bytes', 'node_memory_SwapTotal_bytes'])
			expect(sizes(portable, name)).toEqual(sizes(direct, name));
		expect(
			Math.abs((sizes(portable, 'node_boot_time_seconds')[0] ?? 0) - (sizes(direct, 'node_boot_time_seconds')[0] ?? 0)),
		).toBeLessThanOrEqual(2);
		const idle = (families: readonly MetricFamily[]) => values(families)['node_cpu_seconds_total{cpu="0",mode="idle"}'] ?? 0;
		expect(Math.abs(idle(portable) - idle(direct))).toBeLessThan(5);
	});

	test('the names of Windows, read on this machine', async () => {
		const windows = await readPortableHost('win32', { nowMs: Date.now(), services: ['no-such-service'] });
		expect(shape(windows, CONTRACT.windows)).toEqual(CONTRACT.windows);
		expect(values(windows)).toMatchObject({
			'windows_service_state{name="no-such-service",state="running"}': 0,
			'windows_service_state{name="no-such-service",state="stopped"}': 1,
		});
		expect(Math.min(...sizes(windows, 'windows_logical_disk_size_bytes'))).toBeGreaterThan(0);
	});
});

test('facts about the machine survive the way through a child', async () => {
	const facts = await readHostFacts();
	expect(facts.cores).toBeGreaterThan(0);
	expect(parseHostFacts(JSON.stringify(facts))).toEqual(facts);
	expect(parseHostFacts('no')).toBeNull();
});
