import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, describe, expect, test } from 'vitest';
import { createHostInput } from '../../agent/inputs/host/input.ts';
import type { Input } from '../../agent/inputs/input.ts';
import { createMysqlInput } from '../../agent/inputs/mysql/input.ts';
import { createNginxInput } from '../../agent/inputs/nginx/input.ts';
import { createRedisInput } from '../../agent/inputs/redis/input.ts';
import { systemClock } from '../../core/clock.ts';
import { silentLogger } from '../../core/log.ts';
import { Secret } from '../../core/secret.ts';
import { ROOT } from '../arch/source-files.ts';
import { type Exporter, type ExporterKind, exporterCommand, startExporter } from '../harness/exporters.ts';
import { available as mariaDbAvailable, startMariaDbPair } from '../harness/mariadb.ts';
import { available as nginxAvailable, startNginx } from '../harness/nginx.ts';
import { waitFor } from '../harness/process.ts';
import { available as redisAvailable, startRedis } from '../harness/redis.ts';
import { covers, type Difference, differences, readPage, readParityTable } from './exporter-parity.ts';

const table = readParityTable(readFileSync(join(ROOT, 'docs/parity.md'), 'utf8'));
const used = new Set<unknown>();
const ran = new Set<string>();

const opened: { remove?(): Promise<void>; stop?(): Promise<void>; close?(): Promise<void> }[] = [];
afterAll(async () => {
	for (const thing of opened.reverse()) await (thing.remove ?? thing.stop ?? thing.close)?.call(thing);
});

const signal = new AbortController().signal;
const base = { target: {}, intervalMs: 1000, timeoutMs: 60_000 };

/** What is busy for a moment, or was slow to be read, agrees at one of so many comparisons; what is wrong never does. */
const COMPARISONS = 5;

/** Differences of one source that no row of the table explains, and that every comparison finds. */
async function unexplained(kind: ExporterKind, exporter: Exporter, input: Input): Promise<readonly Difference[]> {
	const key = ({ metric, kind: what }: Difference) => `${metric} ${what}`;
	let found = await compare(kind, exporter, input);
	for (let i = 1; i < COMPARISONS && found.length > 0; i++) {
		const again = new Set((await compare(kind, exporter, input)).map(key));
		found = found.filter((difference) => again.has(key(difference)));
	}
	return found;
}

/** The agent reads between two readings of the exporter. */
async function compare(kind: ExporterKind, exporter: Exporter, input: Input): Promise<readonly Difference[]> {
	const page = async () => readPage(await (await fetch(exporter.url)).text());
	// Connections and caches are there before the readings that are compared.
	await page();
	await input.collect(signal, Date.now());
	const before = await page();
	const ours = await input.collect(signal, Date.now());
	const after = await page();
	ran.add(kind);
	expect(ours.length).toBeGreaterThan(5);
	return differences(ours, before, after).filter((difference) => {
		const row = table.find((candidate) => covers(candidate, kind, difference));
		if (row !== undefined) used.add(row);
		return row === undefined;
	});
}

const opening = <T extends (typeof opened)[number]>(thing: T): T => {
	opened.push(thing);
	return thing;
};

/** Debian's package leaves out the loopback device, tmpfs, and what is mounted below /mnt and /media; upstream's defaults, which boards are made for, do not. */
const UPSTREAM_DEFAULTS = [
	'--collector.netdev.device-exclude=^$',
	'--collector.filesystem.mount-points-exclude=^/(dev|proc|run/credentials/.+|sys|var/lib/docker/.+|var/lib/containers/storage/.+)($|/)',
	'--collector.filesystem.fs-types-exclude=^(autofs|binfmt_misc|bpf|cgroup2?|configfs|debugfs|devpts|devtmpfs|fusectl|hugetlbfs|iso9660|mqueue|nsfs|overlay|proc|procfs|pstore|rpc_pipefs|securityfs|selinuxfs|squashfs|sysfs|tracefs)$',
];

describe('every series that both have', () => {
	test.skipIf(process.platform !== 'linux' || exporterCommand('node') === null)('host, beside node_exporter', async () => {
		const exporter = opening(await startExporter('node', UPSTREAM_DEFAULTS));
		const input = opening(createHostInput({ ...base, mountsExclude: null, readFacts: null, clock: systemClock, log: silentLogger }));
		expect(await unexplained('node', exporter, input)).toEqual([]);
	});

	test.skipIf(exporterCommand('mysqld') === null || !mariaDbAvailable())(
		'a MariaDB replica, beside mysqld_exporter',
		async () => {
			const { replica, remove } = await startMariaDbPair();
			opened.push({ remove });
			const collectors = [
				'slave_status',
				'info_schema.processlist',
				'global_status',
				'global_variables',
				'info_schema.processlist.processes_by_user',
			];
			const exporter = opening(
				await startExporter(
					'mysqld',
					collectors.map((name) => `--collect.${name}`),
					{
						DATA_SOURCE_NAME: `${replica.username}:${replica.password}@(${replica.address})/`,
					},
				),
			);
			const input = opening(
				createMysqlInput({
					...base,
					address: replica.address,
					username: replica.username,
					password: () => new Secret(replica.password),
					log: silentLogger,
				}),
			);
			expect(await unexplained('mysqld', exporter, input)).toEqual([]);
		},
		120_000,
	);

	test.skipIf(exporterCommand('redis') === null || !redisAvailable())('a Redis with a replica, beside redis_exporter', async () => {
		const master = opening(await startRedis());
		const replica = opening(await startRedis({ replicaOf: master }));
		const exporter = opening(await startExporter('redis', [`-redis.addr=redis://${master.address}`], { REDIS_PASSWORD: master.password }));
		const input = opening(
			createRedisInput({ ...base, address: master.address, username: null, password: () => new Secret(master.password) }),
		);
		// So that the durations are not all zero.
		const administrator = new Redis({ port: master.port, password: master.password });
		await administrator.bgsave();
		await administrator.quit();
		await waitFor('the replica', async () =>
			(await (await fetch(exporter.url)).text()).includes(`slave_port="${replica.port}",slave_state="online"`),
		);
		expect(await unexplained('redis', exporter, input)).toEqual([]);
	});

	test.skipIf(exporterCommand('nginx') === null || !nginxAvailable())('Nginx, beside its exporter', async () => {
		const server = opening(await startNginx());
		const exporter = opening(await startExporter('nginx', [`-nginx.scrape-uri=${server.statusUrl}`]));
		const input = opening(createNginxInput({ ...base, url: server.statusUrl, userAgent: 'test' }));
		expect(await unexplained('nginx', exporter, input)).toEqual([]);
	});

	test('the table has no row that is not needed, and a reason in each', () => {
		expect(table.filter((row) => row.reason.length < 10)).toEqual([]);
		expect(table.filter((row) => ran.has(row.exporter) && !used.has(row) && !/sometimes/.test(row.reason))).toEqual([]);
	});
});
