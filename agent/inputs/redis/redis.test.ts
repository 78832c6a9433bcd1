import { readFileSync } from 'node:fs';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Secret } from '../../../core/secret.ts';
import { waitFor } from '../../../tests/harness/process.ts';
import { available, type RedisServer, startRedis, startSentinel } from '../../../tests/harness/redis.ts';
import { values } from '../measured-values.ts';
import { createRedisInput } from './input.ts';

describe.skipIf(!available())('a real Redis with a replica', () => {
	let master: RedisServer;
	let replica: RedisServer;
	const signal = new AbortController().signal;
	const opened: { close(): Promise<void> }[] = [];
	beforeAll(async () => {
		master = await startRedis();
		replica = await startRedis({ replicaOf: master });
	});
	afterAll(async () => {
		for (const input of opened) await input.close();
		await replica?.remove();
		await master?.remove();
	});

	const input = (server: RedisServer, password = server.password) => {
		const created = createRedisInput({
			target: {},
			intervalMs: 1000,
			timeoutMs: 30_000,
			address: server.address,
			username: null,
			password: () => new Secret(password),
		});
		opened.push(created);
		return created;
	};

	test('the names of redis_exporter', async () => {
		const found = values(await input(master).collect(signal, Date.now()));
		expect(found).toMatchObject({ redis_up: 1, redis_memory_max_bytes: 0, redis_rdb_last_bgsave_status: 1 });
		expect(found['redis_memory_used_bytes']).toBeGreaterThan(0);
		expect(Object.keys(found).some((name) => name.startsWith('redis_instance_info{') && name.includes('role="master"'))).toBe(true);
	});

	test('a replica sees its link go', async () => {
		const source = input(replica);
		const link = `redis_master_link_up{master_host="127.0.0.1",master_port="${master.port}"}`;
		await waitFor('the link', async () => values(await source.collect(signal, Date.now()))[link] === 1);
		await master.stop();
		await waitFor('the link to go', async () => values(await source.collect(signal, Date.now()))[link] === 0);
		await expect(input(master).collect(signal, Date.now())).rejects.toMatchObject({ code: 'FN_AGENT_SOURCE_CONNECT' });
		await master.start();
		await waitFor('the link to come back', async () => values(await source.collect(signal, Date.now()))[link] === 1);
	});

	test('the account of the README is enough', async () => {
		const administrator = new Redis({ port: master.port, password: master.password });
		const rights = readFileSync(new URL('./README.md', import.meta.url), 'utf8')
			.match(/^ACL SETUSER fournines on >… (.*)$/m)?.[1]
			?.split(' ');
		await administrator.acl('SETUSER', 'fournines', 'on', '>secret', ...(rights ?? []));
		const source = createRedisInput({
			target: {},
			intervalMs: 1000,
			timeoutMs: 30_000,
			address: master.address,
			username: 'fournines',
			password: () => new Secret('secret'),
		});
		opened.push(source);
		const found = values(await source.collect(signal, Date.now()));
		expect(found).toMatchObject({
			redis_up: 1,
			'fournines_redis_part_success{part="slowlog"}': 1,
			'fournines_redis_part_success{part="latency"}': 1,
			'fournines_redis_part_success{part="config"}': 1,
			redis_config_maxmemory: 0,
		});
		const denied = await administrator.acl('LOG');
		await administrator.quit();
		expect(denied).toEqual([]);
	});

	test('an account for INFO alone loses the rest, and is not refused every round', async () => {
		const administrator = new Redis({ port: master.port, password: master.password });
		await administrator.acl('SETUSER', 'narrow', 'on', '>secret', 'resetkeys', 'resetchannels', '-@all', '+info', '+ping');
		await administrator.acl('LOG', 'RESET');
		const source = createRedisInput({
			target: {},
			intervalMs: 1000,
			timeoutMs: 30_000,
			address: master.address,
			username: 'narrow',
			password: () => new Secret('secret'),
		});
		opened.push(source);
		for (let round = 0; round < 3; round++) {
			expect(values(await source.collect(signal, 1000 * round))).toMatchObject({
				redis_up: 1,
				'fournines_redis_part_success{part="slowlog"}': 0,
			});
		}
		const log = (await administrator.acl('LOG')) as unknown as readonly (readonly unknown[])[];
		expect(log.length).toBeLessThanOrEqual(4);
		for (const entry of log) expect(entry[1]).toBe(1);
		await administrator.quit();
	});

	test('slow commands and latency spikes, without their arguments', async () => {
		const administrator = new Redis({ port: master.port, password: master.password });
		await administrator.config('SET', 'slowlog-log-slower-than', '0');
		await administrator.config('SET', 'latency-monitor-threshold', '1');
		await administrator.set('private-key', 'private-value');
		await administrator.call('DEBUG', 'SLEEP', '0.02').catch(() => null);
		await administrator.config('SET', 'slowlog-log-slower-than', '10000');
		const families = await input(master).collect(signal, Date.now());
		const found = values(families);
		expect(found['redis_slowlog_length']).toBeGreaterThan(0);
		expect(found['fournines_redis_last_slow_timestamp_seconds']).toBeGreaterThan(1e9);
		expect(JSON.stringify(families)).not.toContain('private-');
		await administrator.quit();
	});

	test('the master lists its replicas', async () => {
		const source = input(master);
		const name = `redis_connected_slave_offset_bytes{slave_ip="127.0.0.1",slave_port="${replica.port}",slave_state="online"}`;
		await waitFor('the replica', async () => values(await source.collect(signal, Date.now()))[name] !== undefined);
	});

	test('a sentinel sees the master go', async () => {
		const watched = await startRedis();
		const sentinel = await startSentinel(watched);
		try {
			const source = createRedisInput({
				target: {},
				intervalMs: 1000,
				timeoutMs: 30_000,
				address: sentinel.address,
				username: null,
				password: () => null,
			});
			opened.push(source);
			const ok = `fournines_redis_sentinel_master_ok{master_address="127.0.0.1:${watched.port}",master_name="mymaster"}`;
			const found = await waitFor('the sentinel to find the master well', async () => {
				const now = values(await source.collect(signal, Date.now()));
				return now[ok] === 1 ? now : null;
			});
			expect(found['redis_sentinel_masters']).toBe(1);
			await watched.stop();
			await waitFor('the sentinel to notice', async () => values(await source.collect(signal, Date.now()))[ok] === 0);
		} finally {
			await sentinel.stop();
			await watched.remove();
		}
	});

	test('a wrong password fails without showing it', async () => {
		const attempt = input(master, 'not-the-password').collect(signal, Date.now());
		const error = await attempt.then(
			() => null,
			(reason: unknown) => reason,
		);
		expect(error).toBeInstanceOf(Error);
		expect(JSON.stringify([String(error), error instanceof Error ? String(error.cause) : ''])).not.toContain('not-the-password');
	});
});
