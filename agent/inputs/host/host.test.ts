import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../../core/clock.ts';
import { silentLogger } from '../../../core/log.ts';
import {
	findCommand,
	freePort,
	type RunningProcess,
	startProcess,
	type TemporaryFolder,
	temporaryFolder,
	waitFor,
} from '../../../tests/harness/process.ts';
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
		timeoutMs: 5000,
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
		const setUp = (command: string) => {
			folder = temporaryFolder('proc');
			mkdirSync(join(folder.path, '1'));
			writeFileSync(join(folder.path, '1/mounts'), line);
			const program = join(folder.path, 'stat');
			writeFileSync(program, `#!/bin/sh\necho $$ >> ${join(folder.path, 'pids')}\n${command}\n`, { mode: 0o755 });
			const local = { sizeBytes: 5, freeBytes: 4, availBytes: 3, files: 2, filesFree: 1 };
			const reader = filesystemReader({
				exclude: null,
				remote: true,
				timeoutMs: 150,
				usage: async () => local,
				remoteUsage: (mountpoint) => statCommandUsage(mountpoint, { command: program, timeoutMs: 300 }),
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
			const { read, pids } = setUp('echo 4096 100 50 40 10 5');
			expect((await read(0))[share('size_bytes')]).toBe(409_600);
			expect((await read(10_000))[share('avail_bytes')]).toBe(163_840);
			expect(pids()).toHaveLength(1);
			await read(60_000);
			expect(pids()).toHaveLength(2);
		});

		test('one that hangs reports an error, is killed, is asked one child at a time, and costs nobody else', async () => {
			const { read, pids } = setUp('exec sleep 30');
			const first = await read(0);
			expect([first[share('device_error')], first[share('size_bytes')]]).toEqual([1, undefined]);
			expect([first[local('device_error')], first[local('size_bytes')]]).toEqual([0, 5]);
			await read(61_000);
			expect(pids()).toHaveLength(1);
			await waitFor('the child to be killed', () => !existsSync(`/proc/${pids()[0]}`));
			await read(122_000);
			expect(pids()).toHaveLength(2);
			await waitFor('the second child to be killed', () => !existsSync(`/proc/${pids()[1]}`));
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

test('the portable variant reads this machine too', async () => {
	const node = values(await readPortableHost('darwin', { nowMs: Date.now() }));
	expect(node['node_memory_MemTotal_bytes']).toBeGreaterThan(0);
	expect(node['node_cpu_seconds_total{cpu="0",mode="idle"}']).toBeGreaterThan(0);
	const windows = values(await readPortableHost('win32', { nowMs: Date.now() }));
	expect(windows['windows_memory_available_bytes']).toBeGreaterThan(0);
	expect(windows['windows_cpu_time_total{core="0,0",mode="idle"}']).toBeGreaterThan(0);
});

test('facts about the machine survive the way through a child', async () => {
	const facts = await readHostFacts();
	expect(facts.cores).toBeGreaterThan(0);
	expect(parseHostFacts(JSON.stringify(facts))).toEqual(facts);
	expect(parseHostFacts('no')).toBeNull();
});

describe.skipIf(!linux || findCommand('prometheus-node-exporter') === null)('beside the real node_exporter', () => {
	let exporter: RunningProcess;
	let theirs: { readonly types: Map<string, string>; readonly series: Map<string, number> };
	let ours: readonly MetricFamily[];

	beforeAll(async () => {
		const port = await freePort();
		exporter = startProcess(findCommand('prometheus-node-exporter') ?? '', [`--web.listen-address=127.0.0.1:${port}`]);
		const url = `http://127.0.0.1:${port}/metrics`;
		await waitFor('node_exporter', async () => (await fetch(url)).ok);
		theirs = parseExposition(await (await fetch(url)).text());
		ours = await host().collect(new AbortController().signal, Date.now());
	});
	afterAll(() => exporter?.stop());

	/** What differs on purpose: our own labels or values, and what has no counterpart. */
	const DIFFERENT = /^node_(scrape_collector|network_info|filesystem_device_error)/;

	/** Debian's package leaves out the loopback device, tmpfs, and what is mounted below /mnt and /media; upstream's defaults do not. */
	const LEFT_OUT_BY_DEBIAN = /device="lo"|fstype="tmpfs"|mountpoint="\/(run|mnt|media)/;

	test('names, labels and types are the same', () => {
		const differences: string[] = [];
		for (const family of ours) {
			if (DIFFERENT.test(family.name)) continue;
			const type = theirs.types.get(family.name);
			const mine = family.type === 'unknown' ? 'untyped' : family.type;
			if (type === undefined) differences.push(`${family.name}: they do not have it`);
			else if (type !== mine) differences.push(`${family.name}: ${mine}, theirs ${type}`);
			for (const name of Object.keys(values([family]))) {
				if (type !== undefined && !theirs.series.has(name) && !LEFT_OUT_BY_DEBIAN.test(name)) differences.push(name);
			}
		}
		expect(differences).toEqual([]);
	});

	test('values that do not move are equal', () => {
		const found = values(ours);
		const compared = Object.keys(found).filter((name) => !LEFT_OUT_BY_DEBIAN.test(name));
		const fixed = compared.filter((name) =>
			/_size_bytes|MemTotal|SwapTotal|boot_time|filefd_maximum|mtu_bytes|uname_info|_readonly|network_up/.test(name),
		);
		expect(fixed.length).toBeGreaterThan(5);
		for (const name of fixed) expect([name, found[name]]).toEqual([name, theirs.series.get(name)]);
	});

	test('values that move are near', () => {
		const found = values(ours);
		for (const name of Object.keys(found)) {
			const other = theirs.series.get(name);
			if (other === undefined || !/cpu_seconds_total|memory_(Cached|Slab|Buffers)|read_bytes_total|context_switches|intr_total/.test(name))
				continue;
			expect(Math.abs((found[name] ?? 0) - other), name).toBeLessThanOrEqual(Math.max(5, 0.2 * Math.abs(other)));
		}
	});
});

/** Text format to `name{a="b"}` with sorted labels, as `values` writes them. */
function parseExposition(text: string): { types: Map<string, string>; series: Map<string, number> } {
	const types = new Map<string, string>();
	const series = new Map<string, number>();
	for (const line of text.split('\n')) {
		const type = /^# TYPE (\S+) (\S+)$/.exec(line);
		if (type !== null) types.set(type[1] ?? '', type[2] ?? '');
		const sample = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line);
		if (sample === null) continue;
		const labels = [...(sample[2] ?? '').matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].filter((pair) => pair[2] !== '').map((pair) => pair[0]);
		const braces = labels.length === 0 ? '' : `{${labels.sort().join(',')}}`;
		series.set(`${sample[1]}${braces}`, Number(sample[3]));
	}
	return { types, series };
}
