import { mkdirSync, writeFileSync } from 'node:fs';
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
import { filesystemReader, isMeasured, parseMounts, statCommandUsage } from './filesystem.ts';
import { createHostInput, type HostInputOptions } from './input.ts';
import { parseHostFacts, readHostFacts } from './inventory.ts';
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
		['ext4', '/', true],
		['xfs', '/data', true],
		['nfs4', '/mnt/share', false],
		['fuse.sshfs', '/mnt/ssh', false],
		['cifs', '/mnt/win', false],
		['proc', '/proc', false],
		['ext4', '/var/lib/docker/overlay2/x', false],
		['overlay', '/', false],
		['ext4', '/excluded/here', false],
	])('%s on %s is measured: %s', (fstype, mountpoint, expected) => {
		expect(isMeasured({ device: 'd', fstype, mountpoint, readonly: false }, /^\/excluded/)).toBe(expected);
	});

	test('mounts that hang are reported, are not asked again, and stop the asking of others', async () => {
		folder = temporaryFolder('proc');
		mkdirSync(join(folder.path, '1'));
		writeFileSync(join(folder.path, '1/mounts'), ['/a', '/b', '/c'].map((path) => `/dev/x ${path} ext4 rw 0 0`).join('\n'));
		const asked: string[] = [];
		const reader = filesystemReader({
			exclude: null,
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

	test.skipIf(!linux)('the command for old runtimes gives the numbers of the call', async () => {
		const families = new FamilySet();
		await filesystemReader({ exclude: null }).read({
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
	const node = values(await readPortableHost('darwin', Date.now()));
	expect(node['node_memory_MemTotal_bytes']).toBeGreaterThan(0);
	expect(node['node_cpu_seconds_total{cpu="0",mode="idle"}']).toBeGreaterThan(0);
	const windows = values(await readPortableHost('win32', Date.now()));
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
