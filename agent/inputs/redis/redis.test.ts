import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Secret } from '../../../core/secret.ts';
import { waitFor } from '../../../tests/harness/process.ts';
import { available, type RedisServer, startRedis } from '../../../tests/harness/redis.ts';
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
			timeoutMs: 2000,
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
		await administrator.acl('SETUSER', 'fournines', 'on', '>secret', 'resetkeys', 'resetchannels', '-@all', '+info', '+ping');
		const source = createRedisInput({
			target: {},
			intervalMs: 1000,
			timeoutMs: 2000,
			address: master.address,
			username: 'fournines',
			password: () => new Secret('secret'),
		});
		opened.push(source);
		const found = values(await source.collect(signal, Date.now()));
		expect(found['redis_up']).toBe(1);
		const denied = await administrator.acl('LOG');
		await administrator.quit();
		expect(denied).toEqual([]);
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
